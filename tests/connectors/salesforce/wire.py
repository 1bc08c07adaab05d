"""A server that answers what a test tells it to: for answers that no org should give, and some give all the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from connectors.context import alone
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.transport import adapter

TOKEN = {"access_token": "00D!secret-token", "instance_url": "https://acme.my.salesforce.com"}
SECRET = "very-secret"


@dataclass
class Said:
    method: str
    path: str
    headers: dict[str, str]
    body: str = ""
    port: int = 0
    """Of the client, which stays the same on one connection."""


Reply = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
"""Status, body and headers. Text and bytes go out as they are, pieces of an iterator one by one, anything else as JSON.
A Content-Length among the headers that is too large cuts the answer."""
Replies = Callable[[Said], Reply]


@dataclass
class Wire:
    client: Client
    config: SalesforceConfig
    pauses: list[float]
    heard: list[Said] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        return sum(s.path.startswith("/services/oauth2/token") for s in self.heard)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        said = Said(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, sent, self.client_address[1])
        status, body, *more = cast(Any, self.server).answer(said)
        pieces = body if isinstance(body, Iterator) else [_bytes(body)]
        headers = {**({} if isinstance(body, Iterator) else {"Content-Length": str(len(pieces[0]))}), **(more[0] if more else {})}
        self.close_connection = bool(more) or isinstance(body, Iterator)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()
        except ConnectionError:
            self.close_connection = True

    do_POST = do_PATCH = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


@contextmanager
def wire(replies: Replies, *, secrets: Mapping[str, str] | None = None, body_seconds: float = 60.0, most_bytes: int = 10**9, **settings: Any) -> Iterator[Wire]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    basics = {"domain": "acme.my", "consumer_key": "3MVG9", "endpoint": f"http://127.0.0.1:{server.server_port}"}
    config = SalesforceConfig.model_validate({**basics, **settings})
    pauses: list[float] = []
    transport = adapter(config.endpoint, body_seconds, most_bytes)
    client = Client(config, alone({}, secrets or {"consumer_secret": SECRET}), pause=pauses.append, transport=transport)
    made = Wire(client, config, pauses)

    def answer(said: Said) -> Reply:
        made.heard.append(said)
        return replies(said)

    server.answer = answer  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def described(*names: str, **types: str) -> dict[str, Any]:
    """A describe answer; fields of another type than text by keyword."""
    every = [("Id", "id"), ("SystemModstamp", "datetime"), ("IsDeleted", "boolean"), *((n, "string") for n in names), *types.items()]
    return {"createable": True, "updateable": True, "fields": [{"name": name, "type": kind, "filterable": True} for name, kind in every]}


def rows(*found: dict[str, Any], total: int | None = None, following: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"totalSize": len(found) if total is None else total, "done": following is None, "records": list(found)}
    return {**body, "nextRecordsUrl": following} if following else body
