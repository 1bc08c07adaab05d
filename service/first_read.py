"""The first reading of connections, for somebody who waits for it: read, score, suggest, and where to look first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from service.connect import check, ready
from service.errors import Conflict
from service.long_jobs import Ended, GoesOn, Tell
from service.pull import WORKER, PullReport, pull
from service.quarantine import place
from service.score import score
from service.store import quarantine, streams, suggestions
from service.store.connections import Connection
from service.store.pool import transaction
from service.store.suggestions import SuggestionRow
from service.suggest import suggest

MOST_LINES = 20
"""Rows in quarantine that are named; the connection's page lists more."""
_STEPS_AFTER = 2
"""Score and suggest, after each connection has been read."""


def first_read(workspace_id: UUID, about: Mapping[str, Any], now: datetime, tell: Tell) -> Ended:
    """`about.connections`: their ids, accounts before what is about them. Raises Conflict for one that cannot be read at all."""
    with transaction(workspace_id) as db:
        chosen = [ready(db, UUID(c)) for c in about["connections"]]
    run = _Run(workspace_id=workspace_id, now=now, tell=tell, steps=len(chosen) + _STEPS_AFTER)
    for connection in chosen:
        run.read(connection)
    run.step("Scoring messages and usage")
    score(workspace_id, now, lambda what, done: run.say(f"Scoring: {done:,} {what}"))
    run.step("Looking for what wants a suggestion")
    suggest(workspace_id, now)
    with transaction(workspace_id) as db:
        opened = sorted(suggestions.open_suggestions(db), key=_pressing)
        ids = {c.connection_id: c.connector for c in chosen}
        rows = sum(s.landed for s in streams.states(db) if s.connection_id in ids)
        rejected = [q for q in quarantine.newest(db, 1_000) if q.connection_id in ids]
    lines = [*run.lines, *_named([f"{place(ids[q.connection_id], q.source_key)}: {q.reason}" for q in rejected])]
    return _ended(rows, opened, lines)


@dataclass(slots=True, kw_only=True)
class _Run:
    workspace_id: UUID
    now: datetime
    tell: Tell
    steps: int
    done: int = -1
    lines: list[str] = field(default_factory=list)

    def step(self, said: str) -> None:
        self.done += 1
        self.say(said)

    def say(self, said: str) -> None:
        self.tell(said, self.done, self.steps)

    def read(self, connection: Connection) -> None:
        """Raises GoesOn when its time is up before the end."""
        self.step(f"Reading {connection.name}")
        findings = check(self.workspace_id, connection, self.now)
        wrong = [f for f in findings if f.level == "error"]
        if wrong:
            raise Conflict(f"{connection.name} cannot be read. {wrong[0].about}: {wrong[0].message}")
        landed: dict[str, int] = {}

        def progress(stream: str, rows: int) -> None:
            landed[stream] = rows
            self.say(f"Reading {connection.name}: {sum(landed.values()):,} rows")

        report = pull(self.workspace_id, connection.connection_id, self.now, progress, limits=WORKER)
        if report.unfinished and not report.parked:
            raise GoesOn
        stopped = [s.error for s in report.streams if s.name == "connection" and s.error]
        if stopped:
            raise Conflict(f"{connection.name} cannot be read. {stopped[0]}")
        self.lines += [f"{connection.name}: {line}" for line in _troubles(report)]
        self.lines += [f"{connection.name}, {f.about}: {f.message}" for f in findings if f.level == "warning"]


def _troubles(report: PullReport) -> Iterator[str]:
    yield from report.errors
    if report.parked:
        yield f"{report.parked} It goes on by itself."


def _pressing(row: SuggestionRow) -> tuple[object, ...]:
    return row.priority != "high", row.due, row.account_name


def _named(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"and {len(lines) - MOST_LINES:,} rows more; the connection's page lists them"


def _ended(rows: int, opened: Sequence[SuggestionRow], lines: Sequence[str]) -> Ended:
    said = f"{rows:,} rows are read and scored"
    if not opened:
        return Ended(said=f"{said}. Nothing among them wants a suggestion now.", link="/console", label="Look at the accounts", lines=tuple(lines))
    number = "1 suggestion is open" if len(opened) == 1 else f"{len(opened):,} suggestions are open"
    lead = opened[0]
    return Ended(
        said=f"{said}; {number}.",
        link=f"/console/accounts/{lead.account_id}#suggestion",
        label=f"The most pressing one: {lead.account_name}",
        lines=tuple(lines),
        more={"suggestions": len(opened)},
    )
