"""Seeded sequences of what may happen between an org, its people, two workers and everything that fails in between, and what must hold afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import psycopg

from connectors.sandbox import Fault, Options, Sandbox, admin
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.clock import wire
from connectors.sandbox.objects import SCHEMA
from service import jobs
from service.config import settings
from service.connect import connect
from service.pull import pull
from service.push import approve, push
from service.store import accounts, outbox, signals, suggestions, workspaces
from service.store.pool import transaction
from service.task import key_of
from tests import builders
from tests.e2e import hurried
from tests.e2e.orgs import write_story
from tests.e2e.worker import KILLED, KillAt, Workers

Mode = Literal["keyed", "guarded"]
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STEP = timedelta(minutes=10)
STEPS = 1
MOST_ROUNDS = 8
"""Runs after the trouble is over; what is not settled by then is stuck."""

_READS = ("query_all", "query_more", "query", "describe", "token", "")
_WRITES = ("collection_upsert", "collection_update", "create", "")
_FAULTS: Mapping[str, tuple[str, ...]] = {
    "cut_before_commit": (*_WRITES, *_READS),
    "cut_after_commit": (*_WRITES, *_READS),
    "unavailable": (*_WRITES, *_READS),
    "expired_session": (*_WRITES, *_READS),
    "limit_exceeded": _READS,
    "too_many_requests": (*_WRITES, *_READS),
    "row_locked": ("",),
}


@dataclass
class World:
    """One org, one workspace on it, and what the people of the org have done. `now` is the org's time."""

    sandbox: Sandbox
    workers: Workers
    workspace_id: UUID
    connection_id: UUID
    chance: random.Random
    mode: Mode
    now: datetime = START
    hidden: list[str] = field(default_factory=list)
    binned: list[str] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)
    made: dict[UUID, str] = field(default_factory=dict)
    """Suggestions, and the account of each in the org."""
    edited: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of a task's id: what a person wrote into it."""
    ended: set[str] = field(default_factory=set)
    """Ids of tasks that a person deleted."""
    kills: int = 0
    crashed: int = 0
    """Workers that ended on an error of their own."""
    faults: int = 0

    # what the org's people do

    def mail(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            account = self.chance.choice(self.live_accounts())
            row_id = insert(self, "EmailMessage", **letter(self, account))
            if self.chance.random() < 0.3:
                admin.hide(self.sandbox.org, "EmailMessage", [row_id])
                self.hidden.append(row_id)

    def reword(self) -> None:
        if mails := self.live_mails():
            admin.edit(self.sandbox.org, "EmailMessage", self.chance.choice(mails), {"TextBody": f"In other words: {self.chance.random()}"})

    def bin_mail(self) -> None:
        if mails := self.live_mails():
            self.binned.append(self.chance.choice(mails))
            admin.bin_row(self.sandbox.org, "EmailMessage", self.binned[-1])

    def undelete_mail(self) -> None:
        if self.binned:
            admin.undelete(self.sandbox.org, "EmailMessage", self.binned.pop())

    def purge_mail(self) -> None:
        if self.binned:
            admin.purge(self.sandbox.org, "EmailMessage", self.binned.pop())
        elif mails := self.live_mails():
            admin.purge(self.sandbox.org, "EmailMessage", self.chance.choice(mails))

    def merge(self) -> None:
        standing = self.live_accounts()
        if len(standing) > 2:
            winner, loser = self.chance.sample(standing, 2)
            admin.merge(self.sandbox.org, "Account", winner, loser)
            self.merged[loser] = winner

    def edit_task(self) -> None:
        tasks = [t for t in self.tasks() if not t["IsClosed"]]
        if not tasks:
            return
        task = self.chance.choice(tasks)
        wanted: dict[str, Any] = self.chance.choice(
            [
                {"Status": "In Progress"},
                {"Priority": "Low"},
                {"ActivityDate": "2026-04-30"},
                {"OwnerId": self.sandbox.org.id_of("User", "mo")},
                {"Subject": "Mine now"},
                {"Status": "Completed"},
            ]
        )
        admin.edit(self.sandbox.org, "Task", task["Id"], wanted)
        self.edited.setdefault(task["Id"], {}).update(wanted)

    def delete_task(self) -> None:
        if tasks := self.tasks():
            task_id = self.chance.choice(tasks)["Id"]
            admin.bin_row(self.sandbox.org, "Task", task_id)
            self.ended.add(task_id)

    # what we do

    def suggest(self) -> None:
        with transaction(self.workspace_id) as db:
            known = [p for p in accounts.profiles(db) if p.key in self.live_accounts()]
            chosen = self.chance.sample(known, min(len(known), self.chance.randint(1, 3)))
            for profile in chosen:
                suggestion_id = uuid4()
                found = builders.signal(profile.account_id)
                change = workspaces.next_change(db)
                signals.append(db, [found], "m", change)
                suggestions.append(db, builders.suggestion(suggestion_id, profile.account_id, found.id), change)
                outbox.add(db, [suggestion_id], self.connection_id)
                self.made[suggestion_id] = profile.key

    def ask_again(self) -> None:
        """Something changed: suggestions are due to be pushed again."""
        if self.made:
            with transaction(self.workspace_id) as db:
                outbox.add(db, self.chance.sample(list(self.made), min(2, len(self.made))), self.connection_id)

    def trouble(self) -> None:
        kind = self.chance.choice(list(_FAULTS))
        on = self.chance.choice(_FAULTS[kind])
        fault: dict[str, Any] = {"kind": kind, "on": on, "skip": self.chance.randint(0, 4), "times": self.chance.randint(1, 2)}
        self.sandbox.faults.add(Fault(**fault))
        self.faults += 1

    def forget_cursors(self) -> None:
        self.sandbox.org.forget_cursors()

    def lose_redis(self) -> None:
        jobs.redis().flushall()

    def run(self) -> None:
        """One or two workers at once, each killed at some moment or not."""
        ends = self.workers.run(self.workspace_id, self.connection_id, self.now, [self._moment() for _ in range(self.chance.randint(1, 2))])
        self.kills += ends.count(KILLED)
        self.crashed += len(ends) - ends.count(KILLED) - ends.count(0)

    def _moment(self) -> KillAt:
        if self.chance.random() < 0.4:
            return None
        return self.chance.randint(1, 40), self.chance.choice([0.0, 0.002, 0.01, 0.03])

    def live_accounts(self) -> list[str]:
        return [r["Id"] for r in self.rows("SELECT Id FROM Account")]

    def live_mails(self) -> list[str]:
        return [r["Id"] for r in self.rows("SELECT Id FROM EmailMessage")]

    def tasks(self) -> list[dict[str, Any]]:
        """Ours, deleted ones left out."""
        found = self.rows("SELECT Id, Subject, Description, Status, OwnerId, ActivityDate, Priority, WhatId, IsClosed FROM Task")
        keys = {key_of(self.workspace_id, s) for s in self.made}
        return [t for t in found if self.key_of_task(t) in keys]

    def key_of_task(self, task: Mapping[str, Any]) -> str:
        if self.mode == "keyed":
            return str(self.rows(f"SELECT Undertone_Key__c FROM Task WHERE Id = '{task['Id']}'", deleted=True)[0]["Undertone_Key__c"] or "")
        return str(task["Description"] or "").rpartition("Undertone key: ")[2].strip()

    def rows(self, soql: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        page = self.sandbox.org.query(soql, deleted=deleted, version="64.0", page_size=2000)
        found = list(page["records"])
        while not page["done"]:
            page = self.sandbox.org.query_more(page["nextRecordsUrl"].rpartition("/")[2], "64.0")
            found += page["records"]
        return found

    def account_today(self, key: str) -> str:
        while key in self.merged:
            key = self.merged[key]
        return key


ACTIONS: tuple[tuple[Callable[[World], None], int], ...] = (
    *((World.mail, 6), (World.reword, 2), (World.bin_mail, 2), (World.undelete_mail, 1), (World.purge_mail, 1), (World.merge, 1)),
    *((World.edit_task, 3), (World.delete_task, 1), (World.suggest, 5), (World.ask_again, 2), (World.trouble, 7)),
    *((World.forget_cursors, 1), (World.lose_redis, 1)),
)


@contextmanager
def world(folder: Path, workers: Workers, seed: int, mode: Mode) -> Iterator[World]:
    write_story(folder)
    made: list[World] = []
    options = Options(key_field="unique" if mode == "keyed" else "missing", page_size=3, uneven_pages=True)
    with sandbox_running(folder, now=lambda: made[0].now if made else START, options=options) as sandbox:
        workspace_id = builders.workspace()
        connection_id = connect_again(workspace_id, sandbox)
        made.append(World(sandbox, workers, workspace_id, connection_id, random.Random(seed), mode))
        made[0].mail()
        made[0].now += STEP
        pull(workspace_id, connection_id, made[0].now)
        approve(workspace_id, connection_id, made[0].now)
        yield made[0]


def connect_again(workspace_id: UUID, sandbox: Sandbox) -> UUID:
    config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}
    return connect(workspace_id, hurried.NAME, "crm", config, {"consumer_secret": sandbox.credentials.client_secret})


def play(one: World) -> None:
    for _ in range(STEPS):
        for _ in range(one.chance.randint(6, 10)):
            one.chance.choices([a for a, _ in ACTIONS], [w for _, w in ACTIONS])[0](one)
        reveal(one)
        one.run()
        one.now += STEP
        time_passes(one)


def reveal(one: World) -> None:
    """A commit that took a while: the row is seen now, with the stamp of then."""
    due = [row_id for row_id in one.hidden if one.chance.random() < 0.7]
    admin.reveal(one.sandbox.org, "EmailMessage", due)
    one.hidden = [row_id for row_id in one.hidden if row_id not in due]


def settle(one: World) -> int:
    """Calm weather until nothing is left to do. Returns how many runs it took."""
    one.sandbox.faults.clear()
    admin.reveal(one.sandbox.org, "EmailMessage", one.hidden)
    one.hidden.clear()
    one.now += timedelta(days=8)
    connect_again(one.workspace_id, one.sandbox)
    for rounds in range(1, MOST_ROUNDS + 1):
        time_passes(one)
        report = pull(one.workspace_id, one.connection_id, one.now)
        push(one.workspace_id, one.connection_id)
        with transaction(one.workspace_id) as db:
            waiting = set(outbox.counts(db)) - {"done"}
        if not waiting and not report.errors and rounds > 1:
            return rounds
        one.now += STEP
    return MOST_ROUNDS + 1


def time_passes(one: World) -> None:
    """The database's clock cannot be moved; what waits for it is moved instead: pauses end, and the leases of the dead run out."""
    with psycopg.connect(str(settings().database_owner_url)) as db:
        db.execute("SET LOCAL row_security = off")
        where = "WHERE workspace_id = %s"
        db.execute(f"UPDATE outbox SET run_at = now() - interval '1 s', lease_until = now() - interval '1 s' {where}", [one.workspace_id])
        db.execute(f"UPDATE stream SET lease_until = now() - interval '1 s' {where}", [one.workspace_id])
        db.execute(f"UPDATE connection SET parked_until = NULL {where}", [one.workspace_id])


def insert(one: World, table: str, **values: Any) -> str:
    """A row as the org holds it, stamped with the org's time."""
    sobject = SCHEMA[table.lower()]
    flags = {f.name: f.default for f in sobject.fields.values() if f.type == "boolean"}
    stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), wire(one.now))
    return one.sandbox.org.tables.insert(sobject, {**flags, **stamps, **values})


def letter(one: World, account: str) -> dict[str, Any]:
    return {
        "FromAddress": "bo@acme.example",
        "ToAddress": "ann@vendor.example",
        "Subject": "Rosters",
        "TextBody": f"The rosters of hall {one.chance.randint(1, 10**9)} look fine.",
        "Incoming": True,
        "Status": "1",
        "MessageDate": wire(one.now),
        "RelatedToId": account,
    }
