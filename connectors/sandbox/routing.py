"""A request, an answer, and which path leads to which handler. Knows nothing of sockets; the server turns an Answer into bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.counters import Kind
from connectors.sandbox.describe import API_VERSION
from connectors.sandbox.errors import Refusal, SeveralRows, not_found
from connectors.sandbox.faults import Fault
from connectors.sandbox.org import Org
from connectors.sandbox.writes import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    """Still percent-encoded, so that an encoded slash stays inside its segment."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""
    version: str = API_VERSION
    parts: tuple[str, ...] = ()
    """What the path's pattern caught, decoded."""
    fault: Fault | None = None
    """What the handler itself must spoil, such as the length of a page."""

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Refusal("JSON_PARSER_ERROR", f"Unexpected character at [line:1, column:{len(self.body)}]: the body is not JSON") from error

    def row(self) -> Mapping[str, Any]:
        body = self.json()
        if not isinstance(body, Mapping):
            raise Refusal("JSON_PARSER_ERROR", "The body must be an object")
        return body

    def suffers(self, kind: str) -> Fault | None:
        return self.fault if self.fault and self.fault.kind == kind else None

    @property
    def token(self) -> str:
        """The access token it came with, empty without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme in ("Bearer", "OAuth") else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int = 200
    body: Any = None
    """None: no content. Bytes go out as they are, an iterator of bytes piece by piece, anything else as JSON."""
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """The connection ends after so many bytes of the body."""
    trickle_seconds: float = 0.0
    """How long the body takes on its way."""


Handler = Callable[[Org, Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    methods: str
    pattern: re.Pattern[str]
    path_class: str
    kind: Kind
    handler: Handler
    counted: bool = True
    """Whether the call counts against the daily limit; where it does not, its parts do."""


def route(methods: str, path: str, path_class: str, kind: Kind, handler: Handler, *, counted: bool = True) -> Route:
    """`*` in `path` is one segment."""
    return Route(methods, re.compile(path.replace("*", "([^/]+)") + "/?"), path_class, kind, handler, counted)


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, re.Match[str]]:
    """Raises Refusal: NOT_FOUND, METHOD_NOT_ALLOWED."""
    known = False
    for one in routes:
        caught = one.pattern.fullmatch(path)
        if not caught:
            continue
        if method in one.methods.split():
            return one, caught
        known = True
    raise Refusal("METHOD_NOT_ALLOWED", "HTTP Method not allowed for this address", status=405) if known else not_found()


def guarded(org: Org, handler: Handler, request: Request) -> Answer:
    """The handler's answer, or the refusal it raised as an answer."""
    try:
        return handler(org, request)
    except Refusal as refusal:
        return refused(org, refusal)
    except SeveralRows as several:
        org.counters.refuses("MULTIPLE_CHOICES")
        return Answer(status=300, body=several.addresses)


def refused(org: Org, refusal: Refusal) -> Answer:
    org.counters.refuses(refusal.code)
    return Answer(status=refusal.status, body=refusal.as_answer())


def counted(org: Org, written: Written) -> Written:
    org.counters.wrote(written.object, written.action)
    return written


def names(given: Any) -> list[str]:
    """A list as JSON has it, or as a parameter has it: with commas."""
    if isinstance(given, list):
        return [str(name) for name in given]
    return [name.strip() for name in str(given or "").split(",") if name.strip()]
