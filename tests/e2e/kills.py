"""Real processes, pushed into and killed: the harness of test_kills.py and of `./dev prove`."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import psutil

from connectors.sandbox import Fault, Sandbox
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.stories import DEMO, last_moment
from service import jobs, keys, processes, servers
from service.config import settings
from service.connect import connect
from service.embedded import free_port
from service.errors import Unavailable
from service.pull import pull
from service.push import approve
from service.store import accounts, connections, outbox, signals, suggestions, workspaces
from service.store.pool import transaction
from service.task import key_of
from tests import builders

Victim = Literal["worker", "valkey", "postgres", "api"]
VICTIMS: tuple[Victim, ...] = ("worker", "valkey", "postgres", "api")
A_ROUND = 6
"""Suggestions that wait while somebody is killed."""
WRITE_TAKES = 0.15
SETTLES_WITHIN = 180.0
LEASE = 3
WORKERS = 2


@dataclass(slots=True)
class Rig:
    """A sandbox org with the demo's accounts, and two workers, beat and API that push into it."""

    home: Path
    sandbox: Sandbox
    workspace_id: UUID
    connection_id: UUID
    api_key: str
    account_ids: list[UUID]
    family: processes.Family
    made: list[UUID] = field(default_factory=list)
    kills: int = 0

    def kill(self, victim: Victim) -> None:
        """kill -9, of a whole process group where there is one; what has no watcher is started again."""
        if victim in ("postgres", "valkey"):
            self._server(victim).kill()
            return
        name = f"worker {self.kills % WORKERS}" if victim == "worker" else victim
        self.kills += 1
        process = next(p for child, p in self.family.members.items() if child.name == name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.mend()

    def mend(self) -> None:
        """As `undertone serve` does. Kills fall thick here: how often a process ended before is forgotten."""
        self.family.ends.clear()
        self.family.mend(time.monotonic())

    def _server(self, name: str, seconds: float = 20.0) -> psutil.Process:
        """The server's main process, the one whose parent works elsewhere; waited for if it is just coming back."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    if Path(process.cwd()) == self.home / name and Path((process.parent() or process).cwd()) != self.home / name:
                        return process
            time.sleep(0.05)
        raise LookupError(name)

    def make_suggestions(self, count: int) -> list[UUID]:
        """Suggestions with their outbox rows, as the suggest step writes them."""
        made = [uuid4() for _ in range(count)]
        self.persist(lambda: self._write(made))
        self.made += made
        return made

    def _write(self, made: list[UUID]) -> None:
        with transaction(self.workspace_id) as db:
            for suggestion_id in made:
                account_id = self.account_ids[len(self.made) % len(self.account_ids)]
                signal_row = builders.signal(account_id)
                change = workspaces.next_change(db)
                signals.append(db, [signal_row], "m", change)
                suggestions.append(db, builders.suggestion(suggestion_id, account_id, signal_row.id), change)
            outbox.add(db, made, self.connection_id)

    def ring_by_api(self, suggestion_ids: list[UUID]) -> None:
        """POST /v1/suggestions/{id}/push, again and again until the API has said 202."""
        for suggestion_id in suggestion_ids:
            request = Request(
                f"{settings().public_url}/v1/suggestions/{suggestion_id}/push", method="POST", headers={"Authorization": f"Bearer {self.api_key}"}
            )
            self.persist(lambda request=request: urlopen(request, timeout=5).close())

    def ring(self) -> None:
        jobs.ring(jobs.PUSH, workspace_id=self.workspace_id, connection_id=self.connection_id)

    def persist(self, act: Callable[[], object], seconds: float = 60.0) -> None:
        """What a caller does while servers come and go: try again."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                act()
            except (Unavailable, URLError, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def wait_for_a_write(self, before: int, seconds: float = 12.0) -> bool:
        """True once the org is in the middle of answering a write."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.sandbox.counters.by_class["collection_upsert"] > before:
                return True
            self.mend()
            time.sleep(0.005)
        return False

    def settle(self) -> dict[str, int]:
        """Outbox rows by state, once nothing waits or time is up."""
        deadline = time.monotonic() + SETTLES_WITHIN
        counts: dict[str, int] = {}
        while time.monotonic() < deadline:
            with suppress(Unavailable), transaction(self.workspace_id) as db:
                counts = outbox.counts(db)
                if set(counts) <= {"done"}:
                    return counts
            self.mend()
            time.sleep(0.3)
        return counts

    def tasks_per_suggestion(self) -> dict[UUID, int]:
        found = keys_of_tasks(self.sandbox)
        return {s: found.count(key_of(self.workspace_id, s)) for s in self.made}


def keys_of_tasks(sandbox: Sandbox) -> list[str]:
    """The key of every task of ours in the org, as often as it stands there."""
    page = sandbox.org.query("SELECT Undertone_Key__c FROM Task WHERE Undertone_Key__c != null", deleted=False, version="64.0", page_size=2000)
    found = [row["Undertone_Key__c"] for row in page["records"]]
    while not page["done"]:
        page = sandbox.org.query_more(page["nextRecordsUrl"].rpartition("/")[2], "64.0")
        found += [row["Undertone_Key__c"] for row in page["records"]]
    return found


@contextmanager
def rig() -> Iterator[Rig]:
    now = last_moment(DEMO)
    with (
        sandbox_running(DEMO) as sandbox,
        servers.throwaway(UNDERTONE_NOW=now.isoformat(), UNDERTONE_PORT=str(free_port()), UNDERTONE_PUSH_LEASE=str(LEASE)) as home,
    ):
        os.environ["UNDERTONE_PUBLIC_URL"] = f"http://127.0.0.1:{settings().port}"
        settings.cache_clear()
        servers.migrate()
        workspace_id = uuid4()
        with transaction(workspace_id) as db:
            workspaces.create(db, workspace_id, "kills")
        config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}
        connection_id = connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": sandbox.credentials.client_secret})
        pull(workspace_id, connection_id, now)
        approve(workspace_id, connection_id, now)
        with transaction(workspace_id) as db:
            connections.schedule_pull(db, connection_id, timedelta(days=1))
            account_ids = [p.account_id for p in accounts.profiles(db)]
            # Pushes alone are under test here: nothing is to be scored, so that no other suggestion comes up.
            accounts.due(db, len(account_ids))
            workspaces.mark_scored(db, now.date())
            workspaces.suggest_due(db, due=False)
        sandbox.faults.add(Fault(kind="slow", on="collection_upsert", times=10**9, seconds=WRITE_TAKES))
        api_key = keys.create(workspace_id, "kills", ["read", "push"], now, None)
        workers = [replace(processes.worker(), name=f"worker {n}") for n in range(WORKERS)]
        with processes.started([*workers, processes.beat(), processes.api()], home / "logs") as family:
            made = Rig(home, sandbox, workspace_id, connection_id, api_key, account_ids, family)
            made.persist(lambda: urlopen(f"{settings().public_url}/v1/health", timeout=5).close())
            yield made


def run(rig: Rig, rounds: int, seed: int, each: Callable[[int, Victim], None] = lambda n, victim: None) -> int:
    """`rounds` kills of each victim in a seeded order. Returns how many of them fell while the org was writing."""
    chance = random.Random(seed)
    schedule = [v for v in VICTIMS for _ in range(rounds)]
    chance.shuffle(schedule)
    in_the_middle = 0
    for n, victim in enumerate(schedule):
        before = rig.sandbox.counters.by_class["collection_upsert"]
        made = rig.make_suggestions(A_ROUND)
        if victim == "api":
            rig.persist(lambda made=made: rig.ring_by_api(made[:2]))
        rig.ring()
        in_the_middle += rig.wait_for_a_write(before)
        time.sleep(chance.uniform(0, WRITE_TAKES))
        rig.kill(victim)
        each(n, victim)
    return in_the_middle


PLAIN_CREATE = """
import json, sys, urllib.request
from pathlib import Path
url, token, todo, done = sys.argv[1:]
for line in Path(todo).read_text().split():
    if line in Path(done).read_text().split():
        continue
    body = json.dumps({"Subject": line, "Description": line}).encode()
    request = urllib.request.Request(url + "/services/data/v64.0/sobjects/Task", body, {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    urllib.request.urlopen(request).close()
    with open(done, "a") as file:
        file.write(line + "\\n")
"""
"""What a pusher without ledger and key does: create, then note that it is done."""


def plain_create_under_kills(folder: Path, kills: int) -> tuple[int, int]:
    """The control. Returns (tasks wanted, tasks made) of a plain pusher that is killed in the middle of its calls."""
    todo, done = folder / "todo", folder / "done"
    wanted = [f"plain-{n}" for n in range(kills)]
    todo.write_text("\n".join(wanted))
    done.write_text("")
    with sandbox_running(DEMO) as sandbox:
        sandbox.faults.add(Fault(kind="slow", on="create", times=10**9, seconds=WRITE_TAKES))
        token = _token(sandbox)
        for n in range(kills + 1):
            process = subprocess.Popen([sys.executable, "-c", PLAIN_CREATE, sandbox.url, token, str(todo), str(done)])
            if n < kills:
                before = sandbox.counters.by_class["create"]
                while sandbox.counters.by_class["create"] == before and process.poll() is None:
                    time.sleep(0.005)
                process.kill()
            process.wait()
        time.sleep(2 * WRITE_TAKES)
        return len(wanted), sandbox.counters.rows["Task.created"]


def _token(sandbox: Sandbox) -> str:
    form = {"grant_type": "client_credentials", "client_id": sandbox.credentials.client_id, "client_secret": sandbox.credentials.client_secret}
    with urlopen(f"{sandbox.url}/services/oauth2/token", urlencode(form).encode(), timeout=5) as answer:
        return str(json.load(answer)["access_token"])
