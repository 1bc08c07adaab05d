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
from service.cli.workspace import Workspace, connection_named, opened
from service.config import now
from service.errors import BadInput


def register(app: typer.Typer) -> None:
    app.command()(connect)


def connect(
    connector: Annotated[str, typer.Argument(help="salesforce, mail_files or usage_files.")],
    name: Annotated[str | None, typer.Option(help="What to call it; the connector's name if not given.")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="A setting of the connector, field=value. Repeat for several.")] = None,
    secret: Annotated[list[str] | None, typer.Option(help="A secret's name; its value is asked for, or read from standard input.")] = None,
    secret_file: Annotated[list[str] | None, typer.Option(help="A secret from a file, name=path.")] = None,
    workspace: Workspace = "default",
) -> None:
    """Connect a CRM, a folder of mail, or usage files. An existing connection of that name is set up anew."""
    with servers.running():
        workspace_id = opened(workspace, create=True)
        secrets = {n: _ask(n) for n in secret or ()} | {n: _read(Path(v)) for n, v in map(_pair, secret_file or ())}
        connecting.connect(workspace_id, connector, name or connector, dict(map(_pair, setting or ())), secrets)
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
        typer.echo(f"{mark[finding.level]}{finding.about}: {finding.message}")


def _what_next(connector: str) -> str:
    steps = "Connected. Next: `undertone pull`, `undertone score`, `undertone suggest`"
    if registry.connector(connector).sink is None:
        return steps + "."
    return f"{steps}, then look at `undertone push --preview` and, when you like what you see, `undertone push --approve`."


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        message = f"Write {text!r} as name=value."
        raise BadInput(message)
    return name, value


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        message = f"The secret file {path} cannot be read. Check the path and its permissions."
        raise BadInput(message) from None


def _ask(name: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(name, hide_input=True))
    return sys.stdin.readline().strip()
