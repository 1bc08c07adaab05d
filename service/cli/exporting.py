"""export: signals, suggestions, usage and outcomes as files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from service import servers
from service.cli.workspace import Workspace, opened
from service.errors import BadInput
from service.store import exports, parquet
from service.store.exports import Format, What

_Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


def register(app: typer.Typer) -> None:
    app.command()(export)


def export(
    what: Annotated[What, typer.Argument(help="Which view of docs/analysts.md.")],
    *,
    form: Annotated[Format, typer.Option("--format", help="parquet needs the extra of this name.")] = "csv",
    to: Annotated[Path | None, typer.Option(help="The file to write; without it, to standard output.")] = None,
    account: Annotated[str | None, typer.Option(help="Only accounts in whose name this stands.")] = None,
    since: _Day = None,
    until: _Day = None,
    changed_after: Annotated[int | None, typer.Option(min=0, help="Only what has a higher change number.")] = None,
    as_of: _Day = None,
    workspace: Workspace = "default",
) -> None:
    """Write every row of a view to a file. At the end it says the change number from which the next increment goes on."""
    if form == "parquet":
        parquet.check()
    days = {"since": since, "until": until, "as_of": as_of}
    filters = {**{name: at.date() if at else None for name, at in days.items()}, "changed_after": changed_after, "account": account}
    with servers.running():
        workspace_id = opened(workspace)
        last_change = exports.through(workspace_id, what, filters)
        parts = exports.stream(workspace_id, what, form, filters, last_change)
        if to is None:
            sys.stdout.buffer.writelines(parts)
        else:
            _write(to, parts)
    if last_change is not None:
        typer.echo(f"Up to change {last_change}: go on with --changed-after {last_change}", err=True)


def _write(path: Path, parts: Iterator[bytes]) -> None:
    """Whole or not at all."""
    new = path.with_name(f"{path.name}.part")
    try:
        with new.open("wb") as file:
            file.writelines(parts)
        new.replace(path)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}). Name a file in a folder that you may write to."
        raise BadInput(message) from None
    finally:
        new.unlink(missing_ok=True)
