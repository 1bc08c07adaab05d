"""A server that answers what a test tells it to: for answers that no org should give, and some give all the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig

TOKEN = {"access_token": "00D!secret-token", "instance_url": "https://acme.my.salesforce.com"}
SECRET = "very-secret"


@dataclass
class Said:
    method: str
    path: str
    headers: dict[str, str]


Reply = tuple[int, Any]
"""Status and body: text goes out as it is, anything else as JSON."""
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
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = cast(Any, self.server).answer(Said(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PATCH = do_GET

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def wire(replies: Replies, **settings: Any) -> Iterator[Wire]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    basics = {"domain": "acme.my", "consumer_key": "3MVG9", "endpoint": f"http://127.0.0.1:{server.server_port}"}
    config = SalesforceConfig.model_validate({**basics, **settings})
    pauses: list[float] = []
    made = Wire(Client(config, {"consumer_secret": SECRET}, pause=pauses.append), config, pauses)

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


def rows(*found: dict[str, Any], total: int | None = None, following: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"totalSize": len(found) if total is None else total, "done": following is None, "records": list(found)}
    return {**body, "nextRecordsUrl": following} if following else body
