"""The HTTP session under simple-salesforce: it never waits for ever, follows nobody elsewhere, and can be pointed at a stand-in on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ReadTimeout, RequestException

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0
BODY_SECONDS = 300.0
"""Spent waiting for one body, all its pieces together: a body that drips would never reach the limit of a single read."""
MOST_BYTES = 64_000_000
"""Of one body, unpacked, that is held as a whole."""
_PIECE = 65_536


class BodyTooBig(RequestException):
    """More than is ever taken into memory at once."""


class Body:
    """urllib3's response, taken as it arrives. Time that the reader spends between two pieces does not count."""

    def __init__(self, raw: Any, seconds: float, most_bytes: int | None) -> None:
        self._raw = raw
        self._seconds = seconds
        self._most_bytes = most_bytes

    def stream(self, _amount: int = 0, decode_content: bool | None = True) -> Iterator[bytes]:  # noqa: FBT001, FBT002 - the signature is urllib3's
        left, size = self._seconds, 0
        while True:
            began = time.monotonic()
            piece = self._raw.read1(_PIECE, decode_content=decode_content)
            left -= time.monotonic() - began
            if not piece:
                return
            size += len(piece)
            if left < 0:
                message = "the answer came too slowly"
                raise ReadTimeout(message)
            if self._most_bytes is not None and size > self._most_bytes:
                message = f"the answer is longer than {self._most_bytes:,} bytes"
                raise BodyTooBig(message)
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class BoundedAdapter(HTTPAdapter):
    """Gives every request a timeout; simple-salesforce sets none of its own. `until`: a moment of time.monotonic() after which nothing is waited for."""

    until: float | None = None

    def __init__(self, body_seconds: float = BODY_SECONDS, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self._body_seconds = body_seconds
        self._most_bytes = most_bytes

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """No answer inside is waited for beyond that, nor beyond a bound that stands already."""
        before, until = self.until, time.monotonic() + seconds
        self.until = until if before is None else min(before, until)
        try:
            yield
        finally:
            self.until = before

    @property
    def left(self) -> float:
        return READ_SECONDS if self.until is None else self.until - time.monotonic()

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature is requests' own
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        left = self.left
        if left <= 0:
            message = "the time for this is over"
            raise ConnectTimeout(message)
        connect, read = timeout or (CONNECT_SECONDS, READ_SECONDS)
        response = super().send(request, stream, (min(connect, left), min(read, left)), verify, cert, proxies)
        seconds = self._body_seconds if self.until is None else min(self._body_seconds, left)
        response.raw = Body(response.raw, seconds, None if stream and response.ok else self._most_bytes)
        return response


class LoopbackAdapter(BoundedAdapter):
    """Answers https://... from a server on this machine. simple-salesforce knows nothing but https://*.salesforce.com."""

    def __init__(self, endpoint: str, body_seconds: float = BODY_SECONDS, most_bytes: int = MOST_BYTES) -> None:
        super().__init__(body_seconds, most_bytes)
        self._endpoint = urlsplit(endpoint)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature is requests' own
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 - what stays on this machine goes through no proxy
    ) -> Response:
        asked = request.url
        parts = urlsplit(str(asked))
        request.url = urlunsplit((self._endpoint.scheme, self._endpoint.netloc, parts.path, parts.query, ""))
        request.headers["X-Forwarded-Host"] = parts.netloc  # as a proxy says it: the stand-in answers by the name that was asked
        try:
            return super().send(request, stream, timeout, verify, cert, None)
        finally:
            # A replay starts again from the address that was asked for.
            request.url = asked


class OneHostSession(Session):
    """Follows no redirect: a token and a query go to the host that they are meant for, or nowhere."""

    def get_redirect_target(self, resp: Response) -> None:  # noqa: ARG002 - the signature is requests' own
        return None


def adapter(endpoint: str | None, body_seconds: float = BODY_SECONDS, most_bytes: int = MOST_BYTES) -> BoundedAdapter:
    return LoopbackAdapter(endpoint, body_seconds, most_bytes) if endpoint else BoundedAdapter(body_seconds, most_bytes)


def session(made: BoundedAdapter) -> Session:
    http = OneHostSession()
    http.mount("https://", made)
    http.auth = _leave_headers
    return http


def _leave_headers(request: PreparedRequest) -> PreparedRequest:
    """Without an auth of its own, requests would replace our token by what a ~/.netrc says of the host."""
    return request
