"""The demo: a sandbox org with a scripted year, read by the real connector, scored, and answered with tasks in that same org."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen
from uuid import UUID, uuid4

from connectors.sandbox import Credentials
from connectors.sandbox.stories import DEMO, last_moment
from service import jobs, processes, servers, truth
from service.config import settings
from service.connect import connect
from service.embedded import free_port
from service.errors import Unavailable
from service.processes import Child
from service.store import accounts, connections, outbox, signals, suggestions, workspaces
from service.store.pool import transaction

READY_WAIT = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A running demo: where to look, and what the steps need to know."""

    workspace_id: UUID
    crm: UUID
    usage: UUID
    now: datetime
    sandbox_url: str


@contextmanager
def running(story: Path = DEMO) -> Iterator[Demo]:
    """Servers, sandbox org and API, with a workspace connected to them. Everything stops, and is forgotten, with the block."""
    now = last_moment(story)
    port, org_port = free_port(), free_port()
    environment = {"UNDERTONE_NOW": now.isoformat(), "UNDERTONE_PORT": str(port), "UNDERTONE_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with servers.throwaway(**environment) as home:
        servers.migrate()
        org = ("-m", "connectors.sandbox", "--story", str(story), "--port", str(org_port), "--now", now.isoformat(), "--state", str(home / "org.sqlite"))
        children = [Child("sandbox", (sys.executable, *org)), processes.api()]
        with processes.started(children, log_dir=home / "logs"):
            sandbox_url = f"http://127.0.0.1:{org_port}"
            _wait_for(f"{sandbox_url}/sandbox/counters", home / "logs" / "sandbox.log")
            _wait_for(f"{settings().public_url}/v1/health", home / "logs" / "api.log")
            yield _connected(story, sandbox_url, now)


@contextmanager
def working(home: Path | None = None) -> Iterator[None]:
    """Worker and beat, as `undertone serve` runs them."""
    with processes.started([processes.worker(), processes.beat()], log_dir=(home or settings().home) / "logs"):
        yield


def push_by_doorbell(demo: Demo) -> Iterator[tuple[int, int]]:
    """Rings for the push and yields (done, all) until nothing waits. Raises Unavailable if that takes more than READY_WAIT."""
    jobs.ring(jobs.PUSH, workspace_id=demo.workspace_id, connection_id=demo.crm)
    deadline = time.monotonic() + READY_WAIT
    while True:
        with transaction(demo.workspace_id) as db:
            counts = outbox.counts(db)
        done = counts.get("done", 0) + counts.get("dead", 0)
        yield done, sum(counts.values())
        if done == sum(counts.values()):
            return
        if time.monotonic() > deadline:
            raise Unavailable(f"The worker did not push within {READY_WAIT:.0f} seconds. Its log: {settings().home / 'logs' / 'worker.log'}")
        time.sleep(0.2)


def compared(demo: Demo, story: Path = DEMO) -> truth.Comparison:
    """What was planted against what was found. Only tests and the demo's last table call this."""
    with transaction(demo.workspace_id) as db:
        found = [truth.Found(r.account_name, r.signal.kind, r.signal.detected_at) for r in signals.current(db, states=("open", "ended"))]
        opened = {s.account_name for s in suggestions.open_suggestions(db)}
    return truth.compare(truth.load(story), found, opened)


def outlooks(demo: Demo) -> Mapping[str, int]:
    """How many accounts stand at each level."""
    with transaction(demo.workspace_id) as db:
        rows = accounts.listing(db, most=1000)
    levels = [r.level or "not scored" for r in rows]
    return {level: levels.count(level) for level in ("at_risk", "open", "likely", "unknown", "not scored") if level in levels}


def _connected(story: Path, sandbox_url: str, now: datetime) -> Demo:
    workspace_id, known = uuid4(), Credentials()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, "default")
    config = {"domain": "undertone-sandbox.my", "consumer_key": known.client_id, "endpoint": sandbox_url, "currency": "EUR"}
    crm = connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": known.client_secret})
    usage = connect(workspace_id, "usage_files", "usage", {"path": str(story / "usage.csv.gz")}, {})
    with transaction(workspace_id) as db:  # this process pulls first; the sweep takes over afterwards
        for connection in connections.all_connections(db):
            connections.schedule_pull(db, connection.connection_id, processes.FIRST_SWEEP)
    return Demo(workspace_id=workspace_id, crm=crm, usage=usage, now=now, sandbox_url=sandbox_url)


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WAIT
    while True:
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return
        except OSError:
            if time.monotonic() > deadline:
                said = log.read_text("utf-8", "replace").strip().splitlines()[-1:] if log.exists() else []
                raise Unavailable(f"{url} did not answer within {READY_WAIT:.0f} seconds. Its log ends with: {' '.join(said) or 'nothing'}") from None
            time.sleep(0.1)
