"""`./dev bench requests`: what a request costs beside the least that FastAPI and psycopg can do, and the same with a hundred times the rows.

CPU of the API process, Postgres and Valkey together. Runs take turns, so that what else the machine does falls on both alike.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen
from uuid import UUID

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import base, cpu, scale
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.stories import DEMO, last_moment
from service import keys, servers
from service.config import real_time
from service.connect import connect
from service.console.session import COOKIE, Session, seal
from service.embedded import free_port
from service.pull import pull
from service.score import score
from service.store.pool import transaction
from service.suggest import suggest

ROOT = Path(__file__).parent.parent
OURS, HELLO = "service.api:create_app", "benchmarks.hello:create_app"
REQUESTS = 100
RUNS = 7
SIGNALS = "/v1/signals?limit=50"


@dataclass(frozen=True, slots=True)
class Asked:
    request: Request
    watched: Sequence[psutil.Process]


def main(*, large: bool) -> None:
    table = Table("figure", "ours", "reference", "ratio")
    with servers.throwaway(UNDERTONE_NOW=last_moment(DEMO).isoformat()) as home:
        servers.migrate()
        for row in _rows(home, large=large):
            table.add_row(*row)
    Console(width=160).print(table)


def _rows(home: Path, *, large: bool) -> Iterator[tuple[str, str, str, str]]:
    small = base.workspace_with_signals(60)
    with _asked(home, OURS, SIGNALS, _with_key(small)) as ours, _asked(home, HELLO, "/signals", {}, small) as hello:
        yield _row("GET 50 signals, CPU a request", ours, hello, "hello-world + the same rows")
    yield from _account_page(home)
    if large:
        yield from _large(home)


def _account_page(home: Path) -> Iterator[tuple[str, str, str, str]]:
    workspace_id, account_id = _demo()
    cookie = seal(Session(workspace_id, None), "console session", real_time() + timedelta(hours=1))
    page = f"/console/accounts/{account_id}"
    with _asked(home, OURS, page, {"Cookie": f"{COOKIE}={cookie}"}) as ours, _asked(home, HELLO, "/", {}) as hello:
        yield _row("an account's page, server CPU", ours, hello, "hello-world")
        parts = [page, f"{page}/charts.json", *(f"/console/assets/{name}" for name in ("console.css", "critic.js", "charts.js"))]
        yield "an account's page, bytes on the wire without the chart library", f"{sum(_bytes(ours, part) for part in parts):,}", "", ""


def _demo() -> tuple[UUID, UUID]:
    """The demo's customers, scored; the account with the most messages."""
    now = last_moment(DEMO)
    workspace_id = base.workspace()
    with sandbox_running(DEMO, now=now) as sandbox:
        config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}
        crm = connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": sandbox.credentials.client_secret})
        usage = connect(workspace_id, "usage_files", "usage", {"path": str(DEMO / "usage.csv.gz")}, {})
        pull(workspace_id, crm, now)
        pull(workspace_id, usage, now)
    score(workspace_id, now)
    suggest(workspace_id, now)
    with transaction(workspace_id) as db:
        row = db.execute("SELECT account_id FROM interaction WHERE account_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1").fetchone()
    assert row is not None
    return workspace_id, row[0]


def _large(home: Path) -> Iterator[tuple[str, str, str, str]]:
    thousand, hundred_thousand = scale.filled(1_000), scale.filled(100_000)
    for path in (SIGNALS, "/v1/accounts?limit=50"):
        with _asked(home, OURS, path, _with_key(hundred_thousand)) as many, _asked(home, OURS, path, _with_key(thousand)) as few:
            yield _row(f"GET {path} of 100,000 accounts, 5M interactions, 20M usage rows", many, few, "of 1,000 accounts")


def _row(name: str, ours: Asked, reference: Asked, what: str) -> tuple[str, str, str, str]:
    mine, theirs = zip(*[(_cost(ours), _cost(reference)) for _ in range(RUNS)], strict=True)
    ratio = statistics.median(m / t for m, t in zip(mine, theirs, strict=True))
    return name, f"{1000 * statistics.median(mine):.2f} ms", f"{1000 * statistics.median(theirs):.2f} ms ({what})", f"{ratio:.2f}x"


def _cost(asked: Asked) -> float:
    """CPU seconds of one request."""
    before = cpu.spent(asked.watched)
    for _ in range(REQUESTS):
        _read(asked)
    return (cpu.spent(asked.watched) - before) / REQUESTS


def _read(asked: Asked) -> bytes:
    with urlopen(asked.request, timeout=60) as answer:
        found: bytes = answer.read()
    return found


def _bytes(asked: Asked, path: str) -> int:
    """As a browser gets them, compressed where the server does that."""
    address = urlsplit(asked.request.full_url)._replace(path=path).geturl()
    with urlopen(Request(address, headers={**asked.request.headers, "Accept-Encoding": "gzip"}), timeout=60) as answer:
        return len(answer.read())


def _with_key(workspace_id: UUID) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.create(workspace_id, 'bench', ['read'], real_time(), None)}"}


@contextmanager
def _asked(home: Path, app: str, path: str, headers: Mapping[str, str], workspace_id: UUID | None = None) -> Iterator[Asked]:
    """A server of its own, warm."""
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", app, "--factory", "--port", str(port), "--log-level", "warning", "--no-access-log"]
    environ = {**os.environ, "BENCH_WORKSPACE": str(workspace_id or ""), "UNDERTONE_REQUESTS_PER_MINUTE": "1000000", "UNDERTONE_REQUESTS_BURST": "1000000"}
    server = subprocess.Popen(argv, env=environ, cwd=ROOT)
    asked = Asked(Request(f"http://127.0.0.1:{port}{path}", headers=dict(headers)), [psutil.Process(server.pid), *base.servers_of(home)])
    try:
        _until_it_answers(lambda: _read(asked))
        for _ in range(20):
            _read(asked)
        yield asked
    finally:
        server.kill()
        server.wait()


def _until_it_answers(ask: Callable[[], bytes]) -> None:
    for _ in range(300):
        try:
            ask()
        except ConnectionError:
            time.sleep(0.1)
        except OSError as error:
            if not isinstance(getattr(error, "reason", None), ConnectionError):
                raise
            time.sleep(0.1)
        else:
            return
