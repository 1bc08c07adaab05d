"""The HTTP session under simple-salesforce: it never waits for ever, and it can be pointed at a stand-in on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0


class TimedAdapter(HTTPAdapter):
    """Gives every request a timeout; simple-salesforce sets none of its own."""

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature is requests' own
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        return super().send(request, stream, timeout or (CONNECT_SECONDS, READ_SECONDS), verify, cert, proxies)


class LoopbackAdapter(TimedAdapter):
    """Answers https://... from a server on this machine. simple-salesforce knows nothing but https://*.salesforce.com."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
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
        try:
            return super().send(request, stream, timeout, verify, cert, None)
        finally:
            # A replay or a redirect starts again from the address that was asked for.
            request.url = asked


def session(endpoint: str | None) -> Session:
    made = Session()
    made.mount("https://", LoopbackAdapter(endpoint) if endpoint else TimedAdapter())
    made.auth = _leave_headers
    return made


def _leave_headers(request: PreparedRequest) -> PreparedRequest:
    """Without an auth of its own, requests would replace our token by what a ~/.netrc says of the host."""
    return request
