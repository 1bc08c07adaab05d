"""Errors as problem+json (RFC 9457); on the console, as a page. Nothing that was sent is repeated, nothing private is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from service.console.pages import error_page
from service.errors import Unauthenticated, UndertoneError

MEDIA_TYPE = "application/problem+json"
_SCHEMA = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {"title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}},
}


_FOR_PEOPLE = ("/console", "/feedback/")
"""Here an error is a page."""
_GOES_WITH = {401: 429, 413: 415}
_SAID = {
    404: "There is nothing at this address. The console begins at /console; /openapi.json describes the API.",
    405: "This address does not take that method; the header Allow names those that it takes.",
}
"""In place of the framework's own words, which are the status once more."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a router's `responses`: what an operation may answer besides its result. What asks for a key counts its calls; what takes a body wants JSON."""
    every = sorted({*statuses, *(also for status, also in _GOES_WITH.items() if status in statuses)})
    return {status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}} for status in every}


def problem(request: Request, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    if request.url.path.startswith(_FOR_PEOPLE):
        page = error_page(request, status, title, detail)
        page.headers.update(headers or {})
        return page
    # Pure ASCII: a lone surrogate in a field's name could not be encoded otherwise.
    body = json.dumps({"title": title, "status": status, "detail": detail})
    return Response(body, status, dict(headers or {}), media_type=MEDIA_TYPE)


def refusal(request: Request, error: UndertoneError) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return problem(request, error.status, error.title, str(error), headers)


def fault(request: Request) -> Response:
    return problem(request, 500, "Something went wrong", "This is a fault of ours; it has been logged. Try again, and tell us if it stays.")


def install(app: FastAPI) -> None:
    @app.exception_handler(UndertoneError)
    def expected(request: Request, error: UndertoneError) -> Response:
        return refusal(request, error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        if _is_body_of_another_kind(request, error):
            return problem(request, 415, "Unsupported Media Type", "The body must be JSON and say so: Content-Type: application/json")
        first = error.errors()[0]
        return problem(request, 422, "The request cannot be used", f"{_place(first)}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        detail = _SAID.get(error.status_code, error.detail) if error.detail == phrase else error.detail
        headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
        if error.status_code == 404 and detail == _SAID[404] and request.url.path.startswith(_FOR_PEOPLE):
            detail = "There is nothing at this address."
        return problem(request, error.status_code, phrase, detail, headers)


def _allowed(request: Request) -> str:
    """Of all routes at the address: the framework names those of the first alone."""
    routes = [r for r in iter_route_contexts(request.app.routes) if r.path_regex.match(request.url.path)]
    return ", ".join(sorted({method for route in routes for method in route.methods or ()}))


def _is_body_of_another_kind(request: Request, error: RequestValidationError) -> bool:
    """A body that is not said to be JSON reaches the operation as bytes, which are of no type that it knows."""
    kind, _, subtype = request.headers.get("content-type", "").partition(";")[0].strip().lower().partition("/")
    says_json = kind == "application" and (subtype == "json" or subtype.endswith("+json"))
    return isinstance(error.body, bytes) and bool(error.body) and not says_json


def _place(error: Mapping[str, Any]) -> str:
    """Where the fault lies. The name of a field that we do not know is the sender's text, and stays out."""
    names = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return ".".join(str(name) for name in names)
