"""The org over HTTP, from the standard library: threads, keep-alive, gzip, and bodies that are streamed, cut or slow."""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from connectors.sandbox.errors import Cut
from connectors.sandbox.gateway import Gateway
from connectors.sandbox.org import Org
from connectors.sandbox.routing import Answer, Request

MOST_HEAD_BYTES = 16_384
"""Address and headers together, Salesforce's own limit: a longer query must be cut in parts."""
MOST_BODY_BYTES = 150_000_000
"""Salesforce's own limit for a file of bulk data."""
_WORTH_PACKING = 2_000
_TRICKLES = 10
_NO_BODY = (204, 304)


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], org: Org) -> None:
        self.org = org
        self.closing = threading.Event()
        self.gateway = Gateway(org, self.closing.wait)
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
        return format_datetime(self._server.org.clock.now(), usegmt=True)

    @property
    def _server(self) -> Server:
        return cast(Server, self.server)

    def _serve(self) -> None:
        try:
            self._send(self._answer())
        except Cut:
            self.close_connection = True
            with suppress(OSError):
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> Answer:
        body = self._body()
        if isinstance(body, HTTPStatus):
            self.close_connection = True
            return Answer(status=body)
        address = urlsplit(self.path)
        return self._server.gateway.answer(
            Request(
                method=self.command,
                path=address.path,
                parameters=dict(parse_qsl(address.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=body,
            )
        )

    def _body(self) -> bytes | HTTPStatus:
        """What was sent, unpacked, or the status that refuses it."""
        if len(self.path) + len(str(self.headers)) > MOST_HEAD_BYTES:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = self._chunked()
        else:
            length = self.headers.get("Content-Length", "0")
            if not length.isdigit() or "Transfer-Encoding" in self.headers:
                return HTTPStatus.LENGTH_REQUIRED
            body = self.rfile.read(int(length)) if int(length) <= MOST_BODY_BYTES else None
        if body is None:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return _unpacked(body) if self.headers.get("Content-Encoding", "").lower() == "gzip" else body

    def _chunked(self) -> bytes | None:
        """A body in chunks; None if it is too large or no such body."""
        body = bytearray()
        while True:
            line = self.rfile.readline(20).split(b";")[0].strip()
            size = int(line, 16) if line and all(c in b"0123456789abcdefABCDEF" for c in line) else -1
            if size < 0 or len(body) + size > MOST_BODY_BYTES:
                return None
            body += self.rfile.read(size)
            if self.rfile.readline(3).strip() or size == 0:
                return bytes(body) if size == 0 else None

    def _send(self, answer: Answer) -> None:
        streamed = isinstance(answer.body, Iterator)
        pieces = answer.body if streamed else iter([_encoded(answer.body)])
        first = next(pieces, b"")
        packed = "gzip" in self.headers.get("Accept-Encoding", "") and (streamed or len(first) > _WORTH_PACKING)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        org = self._server.org
        self.send_header("Sforce-Limit-Info", f"api-usage={org.counters.used}/{org.options.daily_limit}")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        if streamed:
            self._send_stream(answer, _packed(first, pieces) if packed else _chain(first, pieces))
        else:
            self._send_whole(answer, gzip.compress(first, compresslevel=1) if packed else first)

    def _send_whole(self, answer: Answer, body: bytes) -> None:
        if answer.status not in _NO_BODY:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self._write(answer, iter([body]))

    def _send_stream(self, answer: Answer, pieces: Iterator[bytes]) -> None:
        """Nobody knows yet how long it will be: in chunks, or to the end of the connection for a client of HTTP/1.0."""
        chunked = self.request_version != "HTTP/1.0"
        self.send_header("Transfer-Encoding", "chunked") if chunked else self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        self._write(answer, (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) if chunked else pieces)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _write(self, answer: Answer, pieces: Iterator[bytes]) -> None:
        """Raises Cut after the bytes that a cut body still has."""
        left = answer.cut_after
        for piece in pieces:
            for part in _trickles(piece) if answer.trickle_seconds else (piece,):
                if left is not None and len(part) >= left:
                    self.wfile.write(part[:left])
                    raise Cut
                left = left - len(part) if left is not None else None
                self.wfile.write(part)
                if answer.trickle_seconds:
                    self.wfile.flush()
                    self._server.closing.wait(answer.trickle_seconds / _TRICKLES)
        if left is not None:
            raise Cut


def _trickles(piece: bytes) -> Iterator[bytes]:
    step = max(1, -(-len(piece) // _TRICKLES))
    return (piece[start : start + step] for start in range(0, len(piece), step))


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _packed(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=1, wbits=31)
    for piece in _chain(first, rest):
        yield packer.compress(piece)
    yield packer.flush()


def _unpacked(body: bytes) -> bytes | HTTPStatus:
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(body, MOST_BODY_BYTES + 1)
    except zlib.error:
        return HTTPStatus.BAD_REQUEST
    return unpacked if len(unpacked) <= MOST_BODY_BYTES else HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def _encoded(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
