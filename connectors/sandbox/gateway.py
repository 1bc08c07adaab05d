"""From an address to its answer: which route, who may, what it costs, and what goes wrong on purpose."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import unquote

from connectors.sandbox import bulk_ingest, bulk_query, composite, describe, identity, pages, replication, rest, tree
from connectors.sandbox.counters import Kind
from connectors.sandbox.errors import Cut, Refusal, invalid_session, limit_exceeded, not_found
from connectors.sandbox.faults import Fault
from connectors.sandbox.org import Org
from connectors.sandbox.routing import Answer, Handler, Request, Route, find, guarded, refused

_RETIRED_BELOW = 31
_DATA = re.compile(r"/services/data/v(\d+\.\d)(/.*|)\Z")
_HTML = "text/html; charset=utf-8"
_UNAVAILABLE = b"<html><head><title>Service Unavailable</title></head><body><h1>Down for maintenance</h1></body></html>"
_LOGIN_PAGE = b"<!doctype html><html><head><title>Login | Salesforce</title></head><body><form><input name='username'></form></body></html>"


def _find(method: str, path: str) -> tuple[Route, re.Match[str]]:
    return find(ROUTES, method, path)


ROUTES = (
    *composite.routes(_find),
    *tree.ROUTES,
    *replication.ROUTES,
    *bulk_query.ROUTES,
    *bulk_ingest.ROUTES,
    *rest.ROUTES,
)
PATH_CLASSES = frozenset({"versions", "token", "revoke", "introspect", "userinfo", "identity", "soap_login", *(r.path_class for r in ROUTES)})


class Gateway:
    """`wait` sleeps for some seconds, or less if the server is closing."""

    def __init__(self, org: Org, wait: Callable[[float], object]) -> None:
        self._org = org
        self._wait = wait
        org.faults.know(PATH_CLASSES)

    def answer(self, request: Request) -> Answer:
        """Raises Cut where the connection is to end without an answer."""
        org = self._org
        if request.path.startswith("/sandbox"):
            return pages.answer(org, request)
        outside = identity.endpoint(request)
        if outside:
            path_class, kind, handler = outside
            return self._with_faults(path_class, kind, request, partial(_guarded, org, handler))
        if request.path.rstrip("/") == "/services/data" and request.method in ("GET", "HEAD"):
            return self._with_faults("versions", "read", request, partial(_guarded, org, rest.VERSIONS.handler))
        found = _DATA.match(request.path)
        return self._route(replace(request, version=found[1]), found[2]) if found else refused(org, not_found())

    def _route(self, request: Request, path: str) -> Answer:
        try:
            route, caught = _find(request.method, path)
        except Refusal as refusal:
            return refused(self._org, refusal)
        known = replace(request, parts=tuple(unquote(part) for part in caught.groups()))
        kind = composite.kind_of(known) if route.path_class in ("composite", "composite_batch") else route.kind
        return self._with_faults(route.path_class, kind, known, partial(self._checked, route.handler), counted=route.counted)

    def _checked(self, handler: Handler, request: Request) -> Answer:
        try:
            _check_version(request.version)
            self._org.tokens.check(request.token)
            if self._org.counters.used > self._org.options.daily_limit:
                raise limit_exceeded()
        except Refusal as refusal:
            return refused(self._org, refusal)
        return guarded(self._org, handler, request)

    def _with_faults(self, path_class: str, kind: Kind, request: Request, carry_out: Callable[[Request], Answer], *, counted: bool = True) -> Answer:
        org = self._org
        org.counters.called(kind, path_class, counted=counted)
        fault = org.faults.for_call(path_class)
        if fault is None:
            return carry_out(request)
        instead = _INSTEAD.get(fault.kind)
        if instead:
            return instead(org, fault)
        return self._spoilt(fault, request, carry_out)

    def _spoilt(self, fault: Fault, request: Request, carry_out: Callable[[Request], Answer]) -> Answer:
        match fault.kind:
            case "cut_after_commit":
                carry_out(request)
                raise Cut
            case "slow":
                self._wait(fault.seconds)
            case "cut_mid_body":
                return replace(carry_out(request), cut_after=fault.size)
            case "slow_body":
                return replace(carry_out(request), trickle_seconds=fault.seconds)
            case "revoked_credentials":
                self._org.tokens.revoke()
            case "dead_cursor":
                self._org.cursors.forget(request.parts[-1])
            case "job_forgotten":
                self._org.jobs.forget(request.parts[0])
        return carry_out(replace(request, fault=fault))


def _guarded(org: Org, handler: Handler, request: Request) -> Answer:
    return guarded(org, handler, request)


def _cut(_org: Org, _fault: Fault) -> Answer:
    raise Cut


_INSTEAD: dict[str, Callable[[Org, Fault], Answer]] = {
    "cut_before_commit": _cut,
    "unavailable": lambda org, fault: Answer(status=503, body=_UNAVAILABLE, content_type=_HTML),
    "html_ok": lambda org, fault: Answer(status=200, body=_LOGIN_PAGE, content_type=_HTML),
    "expired_session": lambda org, fault: refused(org, invalid_session()),
    "limit_exceeded": lambda org, fault: refused(org, limit_exceeded()),
    "concurrent_limit": lambda org, fault: refused(org, limit_exceeded("ConcurrentRequests (Concurrent API Requests)")),
    "too_many_requests": lambda org, fault: replace(
        refused(org, Refusal("REQUEST_LIMIT_EXCEEDED", "Too many requests", status=429)), headers={"Retry-After": "1"}
    ),
    "unknown_error": lambda org, fault: refused(org, Refusal(fault.code, "An error that nobody has heard of", status=fault.size)),
}
"""Faults whose answer does not depend on what was asked, and before which nothing is carried out."""


def _check_version(version: str) -> None:
    number = float(version)
    if number < _RETIRED_BELOW:
        raise Refusal("UNSUPPORTED_API_VERSION", f"API version {version} is retired", status=410)
    if number > describe.NEWEST:
        raise not_found()
