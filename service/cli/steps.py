"""pull, score, suggest, push: the steps by hand. The same functions as the worker's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from connectors.base import Change
from service import notices, policy, servers
from service.cli.workspace import Workspace, connection_named, opened, printable
from service.config import now, real_time
from service.errors import Conflict, Unavailable
from service.pull import pull as pull_step
from service.push import approve, preview, retry
from service.push import push as push_step
from service.push_results import PushReport
from service.score import score as score_step
from service.store import connections, unscored
from service.store.audit_log import COMMAND_LINE
from service.store.pool import transaction
from service.suggest import suggest as suggest_step
from service.turn import StreamReport

ConnectionName = Annotated[str | None, typer.Option("--connection", "-c", help="Which connection; all (pull) or the only one if not given.")]


def register(app: typer.Typer) -> None:
    for command in (pull, score, suggest, push):
        app.command()(command)


def pull(connection: ConnectionName = None, workspace: Workspace = "default") -> None:
    """Read what is new from one connection, or from all."""
    with servers.running():
        workspace_id = opened(workspace)
        with transaction(workspace_id) as db:
            every = connections.all_connections(db)
        stopped = [c for c in every if connection is None and c.status != "active"]
        chosen = [c for c in every if c not in stopped] if connection is None and every else [connection_named(workspace_id, connection)]
        reports = [pull_step(workspace_id, c.connection_id, now()) for c in chosen]
        told_owners = notices.post(workspace_id, now())
    for report in reports:
        for stream in report.streams:
            typer.echo(printable(f"{report.connection} / {stream.name}: {stream.error or _landed(stream)}"))
        if report.parked:
            typer.echo(printable(f"{report.connection} waits: {report.parked}"))
    for c in stopped:
        typer.echo(printable(f"{c.name}: not read, {c.status.replace('_', ' ')}{f': {c.status_reason}' if c.status_reason else ''}"))
    if told_owners:
        typer.echo(f"{told_owners} owner{'s' * (told_owners != 1)} of connections told by a task.")
    if stopped or any(r.errors for r in reports):
        message = "Some streams could not be read; the others landed. The reasons stand above, and in `undertone status`."
        raise Unavailable(message)


def _landed(stream: StreamReport) -> str:
    more = ", more to come" if stream.unfinished else ""
    return f"{stream.landed} rows new or changed{f', {stream.rejected} in quarantine' if stream.rejected else ''}{more}"


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
            policy.change(workspace_id, {"usage_budget": usage_budget}, COMMAND_LINE, "undertone score --usage-budget", None, real_time())
        with transaction(workspace_id) as db:
            unscored.again(db)
        report = score_step(workspace_id, now())
    scored = report.accounts - report.failed
    typer.echo(f"{report.messages} messages and {scored} accounts scored; {report.signals} signals new or changed.")
    if report.failed:
        typer.echo(f"{report.failed} account{'s' * (report.failed != 1)} could not be scored; `undertone status` says which, and what to do.", err=True)


def suggest(workspace: Workspace = "default") -> None:
    """Turn what is open and fresh into suggestions, at most one an account."""
    with servers.running():
        report = suggest_step(opened(workspace), now())
    typer.echo(f"{report.opened} suggestions opened, {report.updated} updated, {report.closed} closed.")
    if report.failed:
        told = f'No suggestion could be written for {report.failed} account{"s" * (report.failed != 1)}. Look for "no suggestion could be written" above'
        typer.echo(f"{told}: the line names the place in the program and holds no word of a customer, so that it can be reported as it is.", err=True)


def push(
    *,
    show: Annotated[bool, typer.Option("--preview", help="Show exactly what would be written, and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--approve", help="You have looked at the preview: push now and from now on.")] = False,
    again: Annotated[bool, typer.Option("--retry", help="Also what the CRM refused for good, or what was given up: something has been mended.")] = False,
    words: Annotated[bool | None, typer.Option("--words/--no-words", help="From now on, tasks quote the buyer's words, or leave them to the link.")] = None,
    quiet_hours: Annotated[
        str | None, typer.Option(help='From now on, no task appears by itself in these hours, like "18:00-08:00 Europe/Berlin"; "off" ends that.')
    ] = None,
    connection: ConnectionName = None,
    workspace: Workspace = "default",
) -> None:
    """Write suggestions as tasks into the CRM, each exactly once."""
    with servers.running():
        workspace_id = opened(workspace)
        chosen = connection_named(workspace_id, connection)
        if not notices.takes_tasks(chosen.connector):
            message = f"Connection {printable(chosen.name)} ({chosen.connector}) only delivers; tasks cannot be written to it."
            raise Conflict(message)
        _set(workspace_id, words, quiet_hours)
        if show:
            for line in described(preview(workspace_id, chosen.connection_id)):
                typer.echo(line)
            return
        if yes:
            approve(workspace_id, chosen.connection_id, now())
        if again:
            retry(workspace_id, chosen.connection_id)
        report = push_step(workspace_id, chosen.connection_id)
    summary, *messages = told(report)
    typer.echo(summary)
    for message in messages:
        typer.echo(message, err=True)


def _set(workspace_id: UUID, words: bool | None, quiet_hours: str | None) -> None:
    given: dict[str, Any] = {}
    if words is not None:
        given["quotes_in_task"] = words
    if quiet_hours is not None:
        given["quiet_hours"] = quiet_hours
    policy.change(workspace_id, given, COMMAND_LINE, "undertone push", None, real_time())


def described(changes: Sequence[Change]) -> Iterator[str]:
    """A line for each change that a push would make, with the fields it would write, and how many there are of each kind."""
    count = Counter(change.action for change in changes)
    for change in changes:
        yield _line(change)
    yield (
        f"{count['create']} to create, {count['update']} to update, {count['skip']} to leave as they are. Nothing was written."
        if changes
        else "Nothing waits to be written. `undertone suggest` opens suggestions."
    )


def told(report: PushReport) -> Iterator[str]:
    """What a push has done, then each thing that went wrong, once."""
    yield (
        f"{report.created} tasks created, {report.updated} updated, {report.skipped} left as they are, "
        f"{report.waiting} to be tried again, {report.failed} need a person."
    )
    yield from (f"  {printable(message)}" for message in dict.fromkeys(report.messages))


def _line(change: Change) -> str:
    """Titles hold no words of a buyer; descriptions do, and are for the CRM alone."""
    title = change.fields.get("Subject", "")
    fields = ", ".join(f"{name}={value}" for name, value in change.fields.items() if name not in _LONG)
    return printable(f"{change.action:7} {change.key}  {title}{f'  [{fields}]' if fields else ''}{f'  ({change.reason})' if change.reason else ''}")


_LONG = frozenset({"Subject", "Description"})
"""The title stands before them; a description may quote somebody."""
