"""What every request passes before a route sees it, and what every answer carries away."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import fault, refusal
from service.config import settings
from service.errors import BadInput
from service.uploads import MOST_BYTES

log = logging.getLogger("undertone.api")

MOST_BODY = 64 * 1024
"""Bytes. The largest body with a meaning is a note of 2,000 characters."""
LARGER = {("POST", "/console/start"): MOST_BYTES + MOST_BODY}
"""Where files are given. That route reads nothing of the body before it knows its sender, and puts it on disk as it comes."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With no-referrer a browser hides the origin of our own sign-in form from us.
    "Referrer-Policy": "same-origin",
}
_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}
"""Where people open an https:// address: no browser goes back to plain HTTP there."""
_UNLESS_SAID = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}


class Boundary:
    """Refuses large bodies, and NUL characters, which Postgres cannot hold; sets headers; ends every unforeseen error.

    An error that went on to the server would be printed there with its message, which may quote somebody's words.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, scope.setdefault("state", {}))
        try:
            if _holds_nul(scope):
                message = "The address holds a NUL character, which no name or cursor can have."
                await refusal(Request(scope), BadInput(message))(scope, receive, answer)
            else:
                await self._app(scope, _Body(scope, receive), answer)
        except Exception:
            log.exception("unexpected error", extra={"method": scope["method"], "route": _template(scope)})
            if not answer.started:
                await fault(Request(scope))(scope, receive, answer)


class _Body:
    """`receive`, up to as many bytes as the address may take. What says that it is larger is not begun."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._most = LARGER.get((scope["method"], scope["path"]), MOST_BODY)
        self._taken = 0
        self._is_form = any(n == b"content-type" and v.startswith(b"application/x-www-form-urlencoded") for n, v in scope["headers"])
        self._tail = b""
        self._said = next((int(v[:20]) for name, v in scope["headers"] if name == b"content-length" and v.isdigit()), 0)

    async def __call__(self) -> Message:
        if self._said > self._most:
            raise self._too_large()
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > self._most:
            raise self._too_large()
        if self._is_form and self._holds_nul(message.get("body", b"")):
            raise HTTPException(422, "A field holds a NUL character, which no text of ours can have.")
        return message

    def _holds_nul(self, chunk: bytes) -> bool:
        """An escaped one may lie across two chunks."""
        seen, self._tail = self._tail + chunk, chunk[-2:]
        return b"%00" in seen or b"\x00" in seen

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"A body may have {self._most:,} bytes at the most.")


class _Answer:
    """`send`, with our headers on the way."""

    def __init__(self, send: Send, state: Mapping[str, Any]) -> None:
        self._send = send
        self._state = state
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers.update(_ALWAYS)
            if settings().public_url.startswith("https://"):
                headers.update(_OVER_TLS)
            headers.update(self._state.get("limit_headers", {}))
            for name, value in _UNLESS_SAID.items():
                headers.setdefault(name, value)
        await self._send(message)


def _holds_nul(scope: Scope) -> bool:
    query: bytes = scope["query_string"]
    return "\x00" in scope["path"] or b"%00" in query or b"\x00" in query


def _template(scope: Scope) -> str:
    """The route as we wrote it; an address as somebody typed it could hold anything."""
    route: Any = scope.get("route")
    return str(getattr(route, "path", "none"))
