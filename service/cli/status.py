"""status: connections, calls, streams, sweeps, quarantine, what waits and what is stuck. Exit code 1 when something needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from connectors.errors import Misconfigured
from service import budget, servers, trouble, unscored
from service.budget import Spent
from service.cli.workspace import Workspace, opened, printable
from service.config import now
from service.quarantine import place
from service.store import conditions, notices, outbox, quarantine, suggestions
from service.store import unscored as stored_unscored
from service.store.conditions import SweepRow
from service.store.connections import Connection
from service.store.notices import Notice
from service.store.pool import transaction
from service.store.quarantine import Quarantined
from service.store.streams import StreamState
from service.trouble import Level, Trouble
from service.unscored import ScoringTrouble

_MARKS: dict[Level, str] = {"act": "NEEDS YOU", "wait": "waits    ", "note": "look     "}


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(workspace: Workspace = "default", most: Annotated[int, typer.Option(min=0, help="How many rows of the quarantine to show.")] = 20) -> None:
    """Show how connections, streams and pushes stand. Exit code 1 when something needs a person."""
    with servers.running():
        workspace_id = opened(workspace)
        with transaction(workspace_id) as db:
            seen, told = conditions.read(db), notices.standing(db)
            waiting, quarantined = outbox.counts(db), quarantine.newest(db, most)
            opened_count = len(suggestions.open_suggestions(db))
            scoring = unscored.troubles(stored_unscored.read(db))
        calls = budget.spent(workspace_id, [c.connection_id for c in seen.connections])
    found = trouble.troubles(seen, now())
    names = {c.connection_id: printable(c.name) for c in seen.connections}
    connectors = {c.connection_id: c.connector for c in seen.connections}
    console = Console(markup=False, highlight=False)
    every: list[Trouble | ScoringTrouble] = [*found, *scoring]
    for t in every:
        console.print(f"{_MARKS[t.level]}  {printable(t.sentence)}", soft_wrap=True)
    for c in seen.connections:
        console.print()
        console.print(printable(_heading(c, [t for t in found if t.connection_id == c.connection_id])), soft_wrap=True)
        if c.connection_id in calls:
            console.print(_calls(calls[c.connection_id], c), soft_wrap=True)
        _streams(console, [s for s in seen.streams if s.connection_id == c.connection_id], found, now())
        _sweeps(console, [w for w in seen.sweeps if w.connection_id == c.connection_id])
    console.print(
        f"{opened_count} suggestions open; outbox: {waiting.get('ready', 0)} ready, {waiting.get('leased', 0)} in hand, {waiting.get('dead', 0)} given up."
    )
    for stuck in seen.stuck:
        console.print(f"  {stuck.tasks} not written to {names[stuck.connection_id]}: {printable(stuck.reason or 'no reason was given')}", soft_wrap=True)
    for notice in told:
        console.print(printable(f"{names[notice.connection_id]}: {_told(notice)}"), soft_wrap=True)
    _quarantine(console, quarantined, sum(seen.quarantined.values()), names, connectors)
    if any(t.level == "act" for t in every):
        raise typer.Exit(1)


def _heading(c: Connection, found: Sequence[Trouble]) -> str:
    tasks = "tasks approved" if c.push_approved_at else "tasks not approved"
    return f"{c.name} ({c.connector}): {trouble.standing(found).replace('_', ' ')}, {tasks}"


def _calls(spent: Spent, c: Connection) -> str:
    try:
        share = budget.shares_of(c.config).api
    except Misconfigured:  # the connection's own trouble says so
        share = None
    until = f"; Undertone stops at {share:.0%} (api_share)" if share is not None else ""
    return f"calls of the last day, whoever made them: {spent.used:,} of {spent.allowed:,} used ({spent.used / spent.allowed:.0%}){until}"


def _streams(console: Console, streams: Sequence[StreamState], found: Sequence[Trouble], at: datetime) -> None:
    if not streams:
        return
    table = _table("stream", "standing", "rows", "calls", "read up to", "lag", "lacks")
    for s in streams:
        standing = trouble.standing(t for t in found if t.connection_id == s.connection_id and s.name in t.streams)
        read = f"{s.succeeded_at:%Y-%m-%d %H:%M}" if s.succeeded_at else "never"
        table.add_row(s.name, standing, f"{s.landed:,}", f"{s.calls:,}", read, _lag(s.succeeded_at, at), printable(", ".join(s.missing)))
    console.print(table)
    for s in streams:
        if s.error:
            console.print(printable(f"  {s.name}: {s.error}"), soft_wrap=True)


def _lag(succeeded_at: datetime | None, at: datetime) -> str:
    return f"{(at - succeeded_at).total_seconds() / 3600:.1f} h" if succeeded_at else "-"


def _sweeps(console: Console, swept: Sequence[SweepRow]) -> None:
    """What no cursor sees, and how far the stored rows had drifted from the source when they were last compared."""
    if not swept:
        return
    table = _table("stream", "sweep", "last done", "lacking", "vanished", "changed")
    for w in swept:
        done = f"{w.done_at:%Y-%m-%d %H:%M}" if w.done_at else "under way" if w.started_at else "never"
        table.add_row(w.stream, w.kind, done, *("" if n is None else f"{n:,}" for n in (w.lacking, w.vanished, w.stale)))
    console.print(table)


def _table(*columns: str) -> Table:
    """The last column may wrap, the others are read whole."""
    table = Table()
    for name in columns:
        table.add_column(name, no_wrap=name != columns[-1])
    return table


def _told(notice: Notice) -> str:
    if notice.status == "sent":
        return "its owner has a task about this."
    if notice.status == "blocked":
        return f"its owner could not be told by a task: {notice.error}"
    return f"its owner has not been told by a task yet: {notice.error or 'no approved connection takes tasks now'}"


def _quarantine(console: Console, rows: Sequence[Quarantined], total: int, names: dict[UUID, str], connectors: dict[UUID, str]) -> None:
    if total:
        console.print(f"Quarantine, {total} rows; the rest of their files and pages landed:")
    for q in rows:
        console.print(f"  {printable(f'{names[q.connection_id]} / {q.stream} / {place(connectors[q.connection_id], q.source_key)}: {q.reason}')}")
