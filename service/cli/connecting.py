"""connect: set up a connection, check it, and say what comes next."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from connectors import registry
from connectors.base import Finding
from service import connect as connecting
from service import servers
from service.cli.workspace import Workspace, connection_named, opened, printable
from service.config import now
from service.errors import BadInput


def register(app: typer.Typer) -> None:
    app.command()(connect)


def connect(
    connector: Annotated[str, typer.Argument(help=f"One of: {', '.join(registry.names())}.")],
    name: Annotated[str | None, typer.Option(help="What to call it; the connector's name if not given.")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="A setting of the connector, field=value. Repeat for several.")] = None,
    secret: Annotated[list[str] | None, typer.Option(help="A secret's name; its value is asked for, or read from standard input.")] = None,
    secret_file: Annotated[list[str] | None, typer.Option(help="A secret from a file, name=path.")] = None,
    workspace: Workspace = "default",
) -> None:
    """Connect a CRM, or files of accounts, mail or usage. An existing connection of that name is set up anew."""
    config = dict(map(_pair, setting or ()))
    secrets = {n: _read(n, Path(v)) for n, v in map(_pair, secret_file or ())} | {n: _ask(n) for n in secret or ()}
    with servers.running():
        workspace_id = opened(workspace, create=True)
        connecting.connect(workspace_id, connector, name or connector, config, secrets)
        made = connection_named(workspace_id, name or connector)
        findings = connecting.check(workspace_id, made, now())
    show(findings)
    if any(f.level == "error" for f in findings):
        message = f"Connection {made.name} is stored and cannot work yet. Mend what is marked above and run the same command again."
        raise BadInput(message)
    typer.echo(_what_next(made.connector))


def show(findings: Sequence[Finding]) -> None:
    mark = {"ok": "  ok     ", "warning": "  look   ", "error": "  STOPS  "}
    for finding in findings:
        typer.echo(printable(f"{mark[finding.level]}{finding.about}: {finding.message}"))


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
