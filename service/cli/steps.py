"""pull, score, suggest, push: the steps by hand. The same functions as the worker's."""

from __future__ import annotations

from typing import Annotated

import typer

from connectors.base import Change
from service import servers
from service.cli.workspace import Workspace, connection_named, opened, printable
from service.config import now
from service.errors import Unavailable
from service.pull import pull as pull_step
from service.push import approve, preview
from service.push import push as push_step
from service.score import score as score_step
from service.store import connections, workspaces
from service.store.pool import transaction
from service.suggest import suggest as suggest_step

ConnectionName = Annotated[str | None, typer.Option("--connection", "-c", help="Which connection; all (pull) or the only one if not given.")]


def register(app: typer.Typer) -> None:
    for command in (pull, score, suggest, push):
        app.command()(command)


def pull(connection: ConnectionName = None, workspace: Workspace = "default") -> None:
    """Read what is new from one connection, or from all."""
    with servers.running():
        workspace_id = opened(workspace)
        with transaction(workspace_id) as db:
            chosen = [c for c in connections.all_connections(db) if connection is None]
        reports = [pull_step(workspace_id, c.connection_id, now()) for c in chosen or [connection_named(workspace_id, connection)]]
    for report in reports:
        for stream in report.streams:
            state = stream.error or f"{stream.landed} rows new or changed" + (f", {stream.rejected} in quarantine" if stream.rejected else "")
            typer.echo(printable(f"{report.connection} / {stream.name}: {state}"))
    if any(r.errors for r in reports):
        message = "Some streams could not be read; the others landed. The reasons stand above, and in `undertone status`."
        raise Unavailable(message)


def score(
    usage_budget: Annotated[
        float | None, typer.Option(min=0.01, max=5.0, help="From now on, so many false alarms of usage drops are accepted per account and year; 0.15 at first.")
    ] = None,
    workspace: Workspace = "default",
) -> None:
    """Score new messages and usage, and every account that is due."""
    with servers.running():
        workspace_id = opened(workspace)
        if usage_budget is not None:
            with transaction(workspace_id) as db:
                workspaces.set_usage_budget(db, usage_budget)
        report = score_step(workspace_id, now())
    typer.echo(f"{report.messages} messages and {report.accounts} accounts scored; {report.signals} signals new or changed.")


def suggest(workspace: Workspace = "default") -> None:
    """Turn what is open and fresh into suggestions, at most one an account."""
    with servers.running():
        report = suggest_step(opened(workspace), now())
    typer.echo(f"{report.opened} suggestions opened, {report.updated} updated, {report.closed} closed.")


def push(
    *,
    show: Annotated[bool, typer.Option("--preview", help="Show exactly what would be written, and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--approve", help="You have looked at the preview: push now and from now on.")] = False,
    words: Annotated[bool | None, typer.Option("--words/--no-words", help="From now on, tasks quote the buyer's words, or leave them to the link.")] = None,
    connection: ConnectionName = None,
    workspace: Workspace = "default",
) -> None:
    """Write suggestions as tasks into the CRM, each exactly once."""
    with servers.running():
        workspace_id = opened(workspace)
        chosen = connection_named(workspace_id, connection)
        if words is not None:
            with transaction(workspace_id) as db:
                workspaces.set_quotes_in_task(db, shown=words)
        if show:
            for change in preview(workspace_id, chosen.connection_id):
                typer.echo(_line(change))
            return
        if yes:
            approve(workspace_id, chosen.connection_id, now())
        report = push_step(workspace_id, chosen.connection_id)
    typer.echo(
        f"{report.created} tasks created, {report.updated} updated, {report.skipped} left as they are, "
        f"{report.waiting} to be tried again, {report.failed} need a person."
    )
    for message in dict.fromkeys(report.messages):
        typer.echo(f"  {printable(message)}", err=True)


def _line(change: Change) -> str:
    """Titles hold no words of a buyer; descriptions do, and are for the CRM alone."""
    title = change.fields.get("Subject", "")
    return printable(f"{change.action:7} {change.key}  {title}{'  (' + change.reason + ')' if change.reason else ''}")
