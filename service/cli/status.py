"""status: connections, streams, quarantine, what waits and what is stuck. Exit code 1 when something needs a person."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from service import servers
from service.cli.workspace import Workspace, opened, printable
from service.config import now
from service.store import connections, outbox, suggestions
from service.store.pool import transaction


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(workspace: Workspace = "default", most: Annotated[int, typer.Option(min=0, help="How many rows of the quarantine to show.")] = 20) -> None:
    """Show how connections, streams and pushes stand. Exit code 1 when something needs a person."""
    with servers.running(), transaction(opened(workspace)) as db:
        rows = connections.all_connections(db)
        states = connections.streams(db)
        waiting = outbox.counts(db)
        blocked = [r for r in outbox.ledger(db) if r.status == "blocked"]
        quarantined = connections.quarantined(db, most)
        total = sum(connections.quarantine_counts(db).values())
        opened_count = len(suggestions.open_suggestions(db))
    console = Console(markup=False, highlight=False)
    names = {c.connection_id: c.name for c in rows}
    _connections(console, rows)
    _streams(console, states, names)
    console.print(
        f"{opened_count} suggestions open; outbox: {waiting.get('ready', 0)} ready, {waiting.get('leased', 0)} in hand, {waiting.get('dead', 0)} given up."
    )
    for row in blocked:
        console.print(f"  blocked: {printable(row.error or 'no reason was given')}")
    if total:
        console.print(f"Quarantine, {total} rows; the rest of their files and pages landed:")
        for q in quarantined:
            console.print(f"  {printable(f'{names[q.connection_id]} / {q.stream} / {q.source_key}: {q.reason}')}")
    if any(c.status != "active" for c in rows) or any(s.error for s in states) or blocked or waiting.get("dead"):
        raise typer.Exit(1)


def _connections(console: Console, rows: list[connections.Connection]) -> None:
    table = Table("connection", "connector", "status", "push")
    for c in rows:
        state = c.status + (f": {printable(c.status_reason)}" if c.status_reason else "")
        table.add_row(printable(c.name), c.connector, state, "approved" if c.push_approved_at else "not approved")
    console.print(table)


def _streams(console: Console, states: list[connections.StreamState], names: dict[UUID, str]) -> None:
    table = Table("connection", "stream", "rows", "last success", "age", "problem")
    for s in states:
        age = f"{(now() - s.succeeded_at).total_seconds() / 3600:.1f} h" if s.succeeded_at else "-"
        succeeded = f"{s.succeeded_at:%Y-%m-%d %H:%M}" if s.succeeded_at else "never"
        table.add_row(printable(names[s.connection_id]), s.name, str(s.landed), succeeded, age, printable(s.error or ""))
    console.print(table)
