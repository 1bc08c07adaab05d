"""Several requests in one: /composite, whose parts may refer to each other, and /composite/batch, whose parts stand alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from connectors.sandbox.counters import Kind
from connectors.sandbox.errors import Refusal
from connectors.sandbox.org import Org
from connectors.sandbox.routing import Answer, Request, Route, guarded, refused, route

MOST_PARTS = 25
MOST_QUERIES = 5
LONGEST_ADDRESS = 16_384
_DATA = re.compile(r"/?services/data/v(\d+\.\d)(/.*|)\Z")
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
Find = Callable[[str, str], tuple[Route, re.Match[str]]]


class _RolledBack(Exception):
    """Takes back what the other parts of an all-or-none call have written."""


def routes(find: Find) -> tuple[Route, ...]:
    """`find` tells the route of a method and a path below the version."""
    return (
        route("GET", "/composite", "composite_resources", "read", _resources),
        route("POST", "/composite", "composite", "write", lambda org, request: _composite(org, request, find)),
        route("POST", "/composite/batch", "composite_batch", "write", lambda org, request: _batch(org, request, find), counted=False),
    )


def kind_of(request: Request) -> Kind:
    """A call whose parts all read is no write."""
    try:
        body = request.row()
    except Refusal:
        return "write"
    parts = body.get("compositeRequest") or body.get("batchRequests")
    methods = {p.get("method") for p in parts if isinstance(p, Mapping)} if isinstance(parts, list) else set()
    return "read" if request.method == "GET" or methods == {"GET"} else "write"


def _resources(_org: Org, request: Request) -> Answer:
    base = f"/services/data/v{request.version}/composite"
    return Answer(body={"tree": f"{base}/tree", "batch": f"{base}/batch", "sobjects": f"{base}/sobjects"})


def _composite(org: Org, request: Request, find: Find) -> Answer:
    body = request.row()
    parts = _parts(body.get("compositeRequest"), "compositeRequest")
    _check_parts(parts)
    all_or_none = body.get("allOrNone") is True
    answers: dict[str, Answer] = {}
    try:
        with _together(org, all_or_none=all_or_none):
            for part in parts:
                answers[part["referenceId"]] = _one(org, request, part, answers, find)
                if all_or_none and answers[part["referenceId"]].status >= 300:
                    raise _RolledBack
    except _RolledBack:
        failed = part["referenceId"]
        answers = {p["referenceId"]: answers[failed] if p["referenceId"] == failed else _halted(_ROLLED_BACK) for p in parts}
    return Answer(body={"compositeResponse": [_shown(answers[p["referenceId"]], p["referenceId"]) for p in parts]})


def _batch(org: Org, request: Request, find: Find) -> Answer:
    body = request.row()
    parts = _parts(body.get("batchRequests"), "batchRequests")
    results: list[dict[str, Any]] = []
    errors = False
    for part in parts:
        if errors and body.get("haltOnError") is True:
            refusal = Refusal("BATCH_PROCESSING_HALTED", "Batch processing halted per request")
            results.append({"statusCode": 412, "result": refusal.as_answer()})
            continue
        answer = _carried_out(org, request, {**part, "body": part.get("richInput")}, find, counted=True)
        errors = errors or answer.status >= 300
        results.append({"statusCode": answer.status, "result": _plain(answer.body)})
    return Answer(body={"hasErrors": errors, "results": results})


def _parts(given: Any, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(given, list) or not given or not all(isinstance(p, Mapping) for p in given):
        raise Refusal("JSON_PARSER_ERROR", f"{name} must be a list of requests")
    if len(given) > MOST_PARTS:
        raise Refusal("LIMIT_EXCEEDED", f"the limit is {MOST_PARTS} requests, not {len(given)}")
    if not all(isinstance(p.get("method"), str) and isinstance(p.get("url"), str) for p in given):
        raise Refusal("JSON_PARSER_ERROR", "each request needs method and url")
    return given


def _check_parts(parts: list[Mapping[str, Any]]) -> None:
    names = [p.get("referenceId") for p in parts]
    if not all(isinstance(n, str) and n for n in names) or len(set(names)) < len(names):
        raise Refusal("INVALID_INPUT", "each request needs a referenceId of its own")
    heavy = sum(1 for p in parts if re.search(r"/(query|queryAll|composite/sobjects)(/|\?|$)", p["url"]))
    if heavy > MOST_QUERIES:
        raise Refusal("LIMIT_EXCEEDED", f"at most {MOST_QUERIES} of the requests can be queries or collections, not {heavy}")


def _one(org: Org, request: Request, part: Mapping[str, Any], answers: Mapping[str, Answer], find: Find) -> Answer:
    try:
        filled = {**part, "url": _filled(part["url"], answers, escape=True), "body": _filled_in(part.get("body"), answers)}
    except Refusal as refusal:
        return refused(org, refusal)
    return _carried_out(org, request, filled, find, counted=False)


def _carried_out(org: Org, request: Request, part: Mapping[str, Any], find: Find, *, counted: bool) -> Answer:
    """`counted`: it costs a call of its own."""
    address = urlsplit(part["url"])
    version = _DATA.match(address.path if address.path.startswith("/services") else f"/services/data/{address.path.lstrip('/')}")
    try:
        if len(part["url"]) > LONGEST_ADDRESS:
            raise Refusal("URI_TOO_LONG", f"the address is longer than {LONGEST_ADDRESS} bytes", status=414)
        if not version or version[2].startswith(("/composite/batch", "/composite/tree", "/jobs")) or version[2].rstrip("/") == "/composite":
            raise Refusal("INVALID_INPUT", f"{address.path} cannot be part of a composite request")
        found, caught = find(part["method"].upper(), version[2])
    except Refusal as refusal:
        return refused(org, refusal)
    if counted:
        org.counters.called(found.kind, found.path_class)
    headers = part.get("httpHeaders")
    extra = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}
    inner = Request(
        method=part["method"].upper(),
        path=address.path,
        parameters=dict(parse_qsl(address.query, keep_blank_values=True)),
        headers={**request.headers, **extra},
        body=json.dumps(part["body"]).encode() if part.get("body") is not None else b"",
        version=version[1],
        parts=tuple(unquote(p) for p in caught.groups()),
    )
    return guarded(org, found.handler, inner)


def _filled_in(body: Any, answers: Mapping[str, Answer]) -> Any:
    if isinstance(body, str):
        return _filled(body, answers, escape=False)
    if isinstance(body, list):
        return [_filled_in(value, answers) for value in body]
    return {key: _filled_in(value, answers) for key, value in body.items()} if isinstance(body, Mapping) else body


def _filled(text: str, answers: Mapping[str, Answer], *, escape: bool) -> str:
    def value(found: re.Match[str]) -> str:
        shown = str(_looked_up(found[1], found[2], answers))
        return quote(shown, safe="") if escape else shown

    return _REFERENCE.sub(value, text)


def _looked_up(name: str, path: str, answers: Mapping[str, Answer]) -> Any:
    answer = answers.get(name)
    if answer is not None and answer.status >= 300:
        raise Refusal("PROCESSING_HALTED", f"Invalid reference specified. No value for {name}{path} found in {name}: that request failed")
    value = answer.body if answer else None
    try:
        for field, place in _STEP.findall(path):
            value = value[field] if field else value[int(place)]  # type: ignore[index]
    except (KeyError, IndexError, TypeError) as error:
        raise Refusal("PROCESSING_HALTED", f"Invalid reference specified. No value for {name}{path} found in {name}") from error
    if value is None or isinstance(value, dict | list):
        raise Refusal("PROCESSING_HALTED", f"Invalid reference specified. No value for {name}{path} found in {name}")
    return value


@contextmanager
def _together(org: Org, *, all_or_none: bool) -> Iterator[None]:
    with ExitStack() as stack:
        if all_or_none:
            stack.enter_context(org.counters.all_or_none())
            stack.enter_context(org.tables.transaction())
        yield


def _shown(answer: Answer, name: str) -> dict[str, Any]:
    return {"body": _plain(answer.body), "httpHeaders": dict(answer.headers), "httpStatusCode": answer.status, "referenceId": name}


def _plain(body: Any) -> Any:
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else body


_ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."


def _halted(message: str) -> Answer:
    return Answer(status=400, body=Refusal("PROCESSING_HALTED", message).as_answer())
