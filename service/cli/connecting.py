"""connect, pause, resume, replay, sweep: set up a connection step by step, hold it, read again what it could not use, compare it with its source."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from connectors import registry
from connectors.base import Sweep
from service import connect as connecting
from service import guide, quarantine, servers, standing, sweeps
from service.cli import setting_up
from service.cli.workspace import Workspace, connection_named, opened, printable, ready_schema
from service.config import now
from service.errors import BadInput, NotFound
from service.guides import guide_of
from service.store import connections, workspaces
from service.store.connections import Connection
from service.store.pool import transaction

Name = Annotated[str, typer.Argument(help="The connection's name, as `undertone status` shows it.")]


def register(app: typer.Typer) -> None:
    for command in (connect, pause, resume, replay, sweep):
        app.command()(command)


def connect(
    connector: Annotated[str, typer.Argument(help=f"One of: {', '.join(registry.names())}.")],
    name: Annotated[str | None, typer.Option(help="What to call it; the connector's name if not given.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the connector, field=value. Repeat for several. What was set before stays.")
    ] = None,
    secret: Annotated[list[str] | None, typer.Option(help="A secret's name; its value is asked for, or read from standard input.")] = None,
    secret_file: Annotated[list[str] | None, typer.Option(help="A secret from a file, name=path.")] = None,
    owner: Annotated[str | None, typer.Option(help="The mail address of the CRM user who is told, by a task, when this connection needs somebody.")] = None,
    *,
    steps: Annotated[bool, typer.Option("--steps", help="Only list the steps of setting it up, with what is done and how to do what is open.")] = False,
    workspace: Workspace = "default",
) -> None:
    """Connect a CRM, or files of accounts, mail or usage, step by step. Run it again to go on where it stopped, or to change something."""
    called = name or connector
    if steps:
        _list_steps(connector, called, workspace)
        return
    config = dict(map(_pair, setting or ()))
    secrets = {n: _read(n, Path(v)) for n, v in map(_pair, secret_file or ())} | {n: _ask(n) for n in secret or ()}
    at_terminal = sys.stdin.isatty()
    with servers.running():
        workspace_id = opened(workspace, create=True)
        config = guide_of(connector).merged(_stored(workspace_id, connector, called), config)
        if at_terminal:
            config, secrets = setting_up.ask_for_access(guide_of(connector), config, secrets, guide.progress(workspace_id, called))
        connecting.connect(workspace_id, connector, called, config, secrets)
        made = connection_named(workspace_id, called)
        findings = connecting.check(workspace_id, made, now())
        setting_up.show(findings)
        if any(f.level == "error" for f in findings):
            raise BadInput(_not_yet(made, guide_of(connector).secret_for(made.config)))
        if owner:
            standing.set_owner(workspace_id, made, owner, now())
        if at_terminal and registry.connector(connector).sink is not None:
            setting_up.go_on(workspace_id, made, guide_of(connector), findings)
            return
    typer.echo(_what_next(made.connector))


def pause(
    name: Name,
    reason: Annotated[str, typer.Option(help="Shown wherever the connection is shown.")] = "",
    workspace: Workspace = "default",
) -> None:
    """Hold a connection: nothing is read from it or written to it until it is resumed."""
    with servers.running():
        workspace_id = opened(workspace)
        held = connection_named(workspace_id, name)
        standing.pause(workspace_id, held.connection_id, reason)
    typer.echo(printable(f"{held.name} is paused. What rests on it counts as unknown. `undertone resume {held.name}` starts it again."))


def resume(name: Name, workspace: Workspace = "default") -> None:
    """Let a paused connection go on where it stopped."""
    with servers.running():
        workspace_id = opened(workspace)
        held = connection_named(workspace_id, name)
        standing.resume(workspace_id, held.connection_id)
    typer.echo(printable(f"{held.name} goes on. A worker reads it now, or `undertone pull --connection {held.name}` does."))


def replay(
    name: Annotated[str | None, typer.Argument(help="The connection; the only one if not given.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only rows of this stream.")] = None,
    row: Annotated[str | None, typer.Option(help="Only this row, by its key as `undertone status` shows it.")] = None,
    workspace: Workspace = "default",
) -> None:
    """Read rows of the quarantine again, once what was wrong with them is mended."""
    with servers.running():
        workspace_id = opened(workspace)
        chosen = connection_named(workspace_id, name, "`undertone replay NAME`")
        found = quarantine.replay(workspace_id, chosen.connection_id, stream, row)
    if not found:
        message = "No such row is in quarantine. `undertone status` lists them."
        raise NotFound(message)
    typer.echo(f"{found:,} row{'s' * (found != 1)} will be read again by the next pull: a worker does it now, or `undertone pull`.")


def sweep(
    name: Annotated[str | None, typer.Argument(help="The connection; the only one if not given.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    kind: Annotated[Sweep | None, typer.Option(help="ids: rows that have vanished, were missed or are outdated. formulas: computed values.")] = None,
    workspace: Workspace = "default",
) -> None:
    """Compare a connection with its source now instead of at its time, and heal what differs."""
    with servers.running():
        workspace_id = opened(workspace)
        chosen = connection_named(workspace_id, name, "`undertone sweep NAME`")
        found = sweeps.ask(workspace_id, chosen.connection_id, now(), stream, kind)
    if not found:
        raise NotFound(_no_sweep(chosen))
    typer.echo(
        f"{found} sweep{'s' * (found != 1)} will be made by the next pull: a worker does it now, or `undertone pull`. `undertone status` shows the drift."
    )


def _no_sweep(chosen: Connection) -> str:
    if registry.connector(chosen.connector).sink is None:
        return f"{printable(chosen.name)} is not compared with its source ({chosen.connector}): only a CRM is. Read it again with `undertone pull`."
    return f"{printable(chosen.name)} has no such sweep. There are some once a CRM has been read to its end; `undertone status` lists them."


def _list_steps(connector: str, name: str, workspace: str) -> None:
    """A look at what is there already; makes nothing."""
    known = guide_of(connector)
    with servers.running():
        ready_schema()
        with transaction() as db:
            workspace_id = workspaces.find(db, workspace)
        found = guide.progress(workspace_id, name) if workspace_id else guide.Progress()
        if workspace_id and found.connection and found.connection.status == "active":
            found = guide.progress(workspace_id, name, connecting.check(workspace_id, found.connection, now()))
    for line in guide.listing(known, found):
        typer.echo(line)


def _stored(workspace_id: UUID, connector: str, name: str) -> dict[str, Any]:
    """The settings that an earlier run has stored."""
    with transaction(workspace_id) as db:
        found = connections.by_name(db, name)
    return dict(found.config) if found and found.connector == connector else {}


def _not_yet(made: Connection, secret: str | None) -> str:
    other = f" Another secret is given with `undertone connect {made.connector} --name {shlex.quote(made.name)} --secret {secret}`." if secret else ""
    return f"Connection {printable(made.name)} is stored and cannot work yet. Mend what is marked above and run the same command again.{other}"


def _what_next(connector: str) -> str:
    steps = "Connected. Next: `undertone pull`, `undertone score`, `undertone suggest`"
    if registry.connector(connector).sink is None:
        return steps + "."
    return f"{steps}, then look at `undertone push --preview` and, when you like what you see, `undertone push --approve`."


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        message = "Settings and secret files are written as name=value, for instance --set path=/srv/mail."
        raise BadInput(message)
    return name, value


def _read(name: str, path: Path) -> str:
    try:
        return _given(name, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        message = f"The secret file {path} cannot be read. Check the path and its permissions."
        raise BadInput(message) from None


def _ask(name: str) -> str:
    if sys.stdin.isatty():
        return _given(name, str(typer.prompt(name, hide_input=True)))
    return _given(name, sys.stdin.readline())


def _given(name: str, value: str) -> str:
    """An empty secret would be stored and fail far from here."""
    if not value.strip():
        message = f"The secret {name} is empty. Give it at the prompt, on standard input, or as --secret-file {name}=path."
        raise BadInput(message)
    return value.strip()
