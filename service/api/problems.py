"""Errors as problem+json (RFC 9457). What is not meant for the caller is logged and answered with a plain 500."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from service.errors import Unauthenticated, Unavailable, UndertoneError

log = logging.getLogger("undertone.api")


def problem(status: int, title: str, detail: str) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == Unauthenticated.status else {}
    if status == Unavailable.status:
        headers["Retry-After"] = "5"
    return JSONResponse({"title": title, "status": status, "detail": detail}, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    @app.exception_handler(UndertoneError)
    def expected(request: Request, error: UndertoneError) -> JSONResponse:  # noqa: ARG001
        return problem(error.status, error.title, str(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:  # noqa: ARG001
        """Names the field and the rule, never the value."""
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return problem(422, "The request cannot be used", f"{place}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:  # noqa: ARG001
        return problem(error.status_code, HTTPStatus(error.status_code).phrase, str(error.detail))

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("unexpected error", exc_info=error, extra={"method": request.method, "route": request.scope.get("path", "")})
        return problem(500, "Something went wrong", "This is a fault of ours; it has been logged. Try again, and tell us if it stays.")
