"""Every request that the connector makes, walked: it signs in without asking for a scope, and calls nothing that sends, deletes or runs code."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from connectors.base import Cursor
from connectors.salesforce.readings import readings
from connectors.sandbox import Sandbox, admin
from tests.connectors.salesforce.conftest import NOW, bench_of

SIGNS_IN = re.compile(r"/services/oauth2/token/?")
READS = re.compile(r"/services/data(/v\d+\.0(/(limits|sobjects/\w+/describe|query(All)?(/[\w-]+)?|jobs/query(/\w+(/results)?)?)?/?)?)?")
WRITES = re.compile(r"/services/data/v\d+\.0/(composite/sobjects(/Task/Undertone_Key__c)?|sobjects/Task)/?")
JOBS = re.compile(r"/services/data/v\d+\.0/jobs/query(/\w+)?/?")
TOGETHER = re.compile(r"/services/data/v\d+\.0/composite/?")
SENDING = re.compile(r"emailsimple|sendemail|/actions|tooling|apex|chatter|EmailTemplate", re.IGNORECASE)


@dataclass(frozen=True)
class Heard:
    method: str
    path: str
    body: bytes


class _PassesOn(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = cast(Any, self.server)
        server.heard.append(Heard(self.command, unquote(self.path), body))
        behind = HTTPConnection(*server.behind)
        behind.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "accept-encoding"})
        answer = behind.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "server", "date", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        behind.close()

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def overheard(sandbox: Sandbox) -> Iterator[tuple[str, list[Heard]]]:
    """An address that passes everything on to the org, and what it was asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _PassesOn)
    address = urlsplit(sandbox.url)
    server.behind, server.heard = (address.hostname, address.port), []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.heard  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Heard]]:
    """All that a connection ever does: check, every stream by pages and by bulk, and tasks made, changed and led to a merged account."""
    with bench_of(tmp_path_factory.mktemp("org")) as bench, overheard(bench.sandbox) as (url, heard):
        bench.settings = {"endpoint": url}
        bench.email()
        for bulk_from in (10_000, 1):
            bench.settings["bulk_from"] = bulk_from
            source = bench.source
            source.check(NOW)
            for stream in readings(bench.config):
                list(source.read(stream.name, Cursor(), NOW + timedelta(hours=1)))
        bench.push(*(bench.task(f"ut-{n:0>26}") for n in range(400)))
        bench.push(bench.task(f"ut-{1:0>26}", subject="Changed"))
        into = bench.insert("Account", Name="Acme Group")
        late = bench.task("ut-after")
        admin.merge(bench.sandbox.org, "Account", into, bench.id_of("Account", "acme"))
        assert [o.status for o in bench.push(late)] == ["ok"]
        yield heard


def test_no_scope_is_asked_for(heard: list[Heard]) -> None:
    forms = [parse_qs(h.body.decode()) for h in heard if SIGNS_IN.fullmatch(urlsplit(h.path).path)]
    assert forms
    assert not any("scope" in form for form in forms)


def test_only_what_reads_and_what_writes_a_task_is_called(heard: list[Heard]) -> None:
    allowed = {
        "GET": (READS,),
        "POST": (SIGNS_IN, TOGETHER, JOBS, WRITES),
        "PATCH": (WRITES, JOBS),
        "DELETE": (JOBS,),
    }
    strange = [(h.method, h.path[:120]) for h in heard if not any(p.fullmatch(urlsplit(h.path).path) for p in allowed.get(h.method, ()))]
    assert strange == []
    assert {h.method for h in heard} >= {"GET", "POST", "PATCH"}


def test_what_goes_together_only_reads(heard: list[Heard]) -> None:
    together = [h for h in heard if TOGETHER.fullmatch(urlsplit(h.path).path)]
    assert together
    assert all(h.body.count(b'"method": "GET"') == h.body.count(b'"method"') > 0 for h in together)


def test_what_is_written_are_tasks_and_nothing_that_sends_mail(heard: list[Heard]) -> None:
    written = [h for h in heard if h.method in ("POST", "PATCH") and WRITES.fullmatch(urlsplit(h.path).path)]
    assert written
    assert all(h.body.count(b'"type": "Task"') == h.body.count(b'"type"') for h in written)
    assert not [h.path for h in heard if SENDING.search(urlsplit(h.path).path)]
