"""A stand-in for a language model: an HTTP server on this machine that behaves as badly as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.behave(self, body)

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers), {}))
        self.send_error(404)

    def log_message(self, *_args: object) -> None:
        """Tests are quiet."""

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | {n.replace("_", "-"): v for n, v in headers.items()}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def choices(self, *texts: object) -> None:
        found = [{"index": n, "message": {"role": "assistant", "content": text}} for n, text in enumerate(texts)]
        self.answer(json.dumps({"object": "chat.completion", "choices": found}).encode())


Behave = Callable[[Handler, Any], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behave: Behave) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave = behave
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.over = Event()
        """Set when the test is over: those who hang may go."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up on us is what is tested."""


@contextmanager
def serving(behave: Behave) -> Iterator[Server]:
    server = Server(behave)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
