"""The org over HTTP, from the standard library: threads, keep-alive, gzip, and the faults that happen on the wire."""

from __future__ import annotations

import gzip
import json
import re
import socket
import sys
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.sandbox import describe, pages, rest
from connectors.sandbox.auth import Tokens
from connectors.sandbox.counters import Kind
from connectors.sandbox.errors import Refusal, TokenRefused, invalid_session, not_found
from connectors.sandbox.faults import Fault
from connectors.sandbox.org import Org
from connectors.sandbox.rest import Answer, Request

MOST_HEAD_BYTES = 16_384
"""Address and headers together, Salesforce's own limit: a longer query must be cut in parts."""
MOST_BODY_BYTES = 20_000_000
_WORTH_PACKING = 2_000
_RETIRED_BELOW = 31
_DATA = re.compile(r"/services/data/v(\d+\.\d)(/.*|)\Z")
_UNAVAILABLE = b"<html><head><title>Service Unavailable</title></head><body><h1>Down for maintenance</h1></body></html>"


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], org: Org, tokens: Tokens) -> None:
        self.org = org
        self.tokens = tokens
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        """Calls under way are carried out; connections that wait for the next call are ended."""
        self.closing.set()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is not our failure; everything else is printed as always."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Cut(Exception):
    """The connection ends here without an answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SalesforceSandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 65_536
    timeout = 60

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = do_GET  # noqa: N815 - named by the standard library

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Addresses hold queries, and queries hold names: nothing is logged."""

    def version_string(self) -> str:
        return self.server_version

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the signature is the standard library's
        """The org's time, which need not be the machine's."""
        return format_datetime(self._org.clock.now(), usegmt=True)

    @property
    def _org(self) -> Org:
        return cast(Server, self.server).org

    def _serve(self) -> None:
        try:
            self._send(self._answer())
        except _Cut:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> Answer:
        body = self._body()
        if isinstance(body, HTTPStatus):
            self.close_connection = True
            return Answer(status=body)
        address = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=address.path,
            parameters=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        if address.path.startswith("/sandbox"):
            return pages.answer(self._org, request)
        if address.path == "/services/oauth2/token":
            return self._token(request)
        return self._data(request)

    def _token(self, request: Request) -> Answer:
        server = cast(Server, self.server)
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        return self._with_faults("token", "token", lambda: _granted(server, form, request))

    def _data(self, request: Request) -> Answer:
        found = _DATA.match(request.path)
        if request.path.rstrip("/") == "/services/data":
            return self._with_faults("versions", "read", lambda: rest.guarded(self._org, rest.VERSIONS.handler, request))
        if not found:
            return rest.refused(self._org, not_found())
        return self._route(request, found[1], found[2])

    def _route(self, request: Request, version: str, path: str) -> Answer:
        for route in rest.ROUTES:
            caught = route.pattern.fullmatch(path)
            if not caught or request.method not in route.methods.split():
                continue
            known = replace(request, version=version, parts=tuple(unquote(part) for part in caught.groups()))
            return self._with_faults(route.path_class, route.kind, partial(self._checked, route.handler, known))
        return rest.refused(self._org, _no_route(path))

    def _checked(self, handler: rest.Handler, request: Request) -> Answer:
        try:
            _check_version(request.version)
            cast(Server, self.server).tokens.check(request.headers.get("authorization", ""))
            if self._org.counters.used > self._org.options.daily_limit:
                raise _limit_exceeded()
        except Refusal as refusal:
            return rest.refused(self._org, refusal)
        return rest.guarded(self._org, handler, request)

    def _with_faults(self, path_class: str, kind: Kind, carry_out: Callable[[], Answer]) -> Answer:
        org = self._org
        org.counters.called(kind, path_class)
        fault = org.faults.for_call(path_class)
        if fault is None:
            return carry_out()
        if fault.kind == "slow":
            cast(Server, self.server).closing.wait(fault.seconds)
            return carry_out()
        return _spoilt(org, fault, carry_out)

    def _body(self) -> bytes | HTTPStatus:
        """What was sent, unpacked, or the status that refuses it."""
        if len(self.path) + len(str(self.headers)) > MOST_HEAD_BYTES:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or "Transfer-Encoding" in self.headers:
            return HTTPStatus.LENGTH_REQUIRED
        if int(length) > MOST_BODY_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = self.rfile.read(int(length))
        return _unpacked(body) if self.headers.get("Content-Encoding", "").lower() == "gzip" else body

    def _send(self, answer: Answer) -> None:
        body = _encoded(answer.body)
        headers = dict(answer.headers)
        if len(body) > _WORTH_PACKING and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Sforce-Limit-Info", f"api-usage={self._org.counters.used}/{self._org.options.daily_limit}")
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _unpacked(body: bytes) -> bytes | HTTPStatus:
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(body, MOST_BODY_BYTES + 1)
    except zlib.error:
        return HTTPStatus.BAD_REQUEST
    return unpacked if len(unpacked) <= MOST_BODY_BYTES else HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def _granted(server: Server, form: dict[str, str], request: Request) -> Answer:
    try:
        return Answer(body=server.tokens.grant(form, request.headers.get("authorization", ""), server.org.options))
    except TokenRefused as refused:
        return Answer(status=400, body=refused.body)


def _spoilt(org: Org, fault: Fault, carry_out: Callable[[], Answer]) -> Answer:
    match fault.kind:
        case "cut_before_commit":
            raise _Cut
        case "cut_after_commit":
            carry_out()
            raise _Cut
        case "unavailable":
            return Answer(status=503, body=_UNAVAILABLE, content_type="text/html; charset=utf-8")
        case "expired_session":
            return rest.refused(org, invalid_session())
        case "too_many_requests":
            return Answer(status=429, body=[{"message": "Too many requests", "errorCode": "REQUEST_LIMIT_EXCEEDED"}], headers={"Retry-After": "1"})
    return rest.refused(org, _limit_exceeded())


def _check_version(version: str) -> None:
    number = float(version)
    if number < _RETIRED_BELOW:
        raise Refusal("UNSUPPORTED_API_VERSION", f"API version {version} is retired", status=410)
    if number > describe.NEWEST:
        raise not_found()


def _no_route(path: str) -> Refusal:
    if any(route.pattern.fullmatch(path) for route in rest.ROUTES):
        return Refusal("METHOD_NOT_ALLOWED", "HTTP Method not allowed for this address", status=405)
    return not_found()


def _limit_exceeded() -> Refusal:
    return Refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)


def _encoded(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
