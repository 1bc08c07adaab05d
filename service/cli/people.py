"""people: who signs in to the console with a password."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service import keys, people, servers
from service.cli.workspace import Workspace, opened, printable
from service.config import real_time
from service.store import people as stored
from service.store.people import PersonRow
from service.store.pool import transaction

group = typer.Typer(no_args_is_help=True, help="People who sign in to the console with a password (add, list, password, sign-out, remove).")

Name = Annotated[str, typer.Argument(help="The name they sign in with.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="people")


@group.command()
def add(name: Name, role: Annotated[keys.Role, typer.Option(help="What they may do.")], workspace: Workspace = "default") -> None:
    """Let somebody sign in. Asks for their password, or takes it from a pipe."""
    with servers.running():
        people.add(opened(workspace), name, role, _password())
    typer.echo("Added.")


@group.command("list")
def list_people(workspace: Workspace = "default") -> None:
    """Show who may sign in, as what, and when they last did."""
    with servers.running(), transaction(opened(workspace)) as db:
        rows = stored.listing(db)
    table = Table("name", "role", "added", "last signed in", "state")
    for row in rows:
        used = f"{row.last_sign_in_at:%Y-%m-%d %H:%M}" if row.last_sign_in_at else "never"
        table.add_row(printable(row.name), row.role, f"{row.created_at:%Y-%m-%d}", used, _state(row))
    Console(markup=False, highlight=False).print(table)


def _state(row: PersonRow) -> str:
    return "locked" if row.locked_until and row.locked_until > real_time() else "active"


@group.command()
def password(name: Name, workspace: Workspace = "default") -> None:
    """Give somebody a new password, which ends their sessions and a lock."""
    with servers.running():
        people.set_password(opened(workspace), name, _password(), real_time())
    typer.echo("Changed.")


@group.command("sign-out")
def sign_out(name: Name, workspace: Workspace = "default") -> None:
    """End all sessions of somebody at once."""
    with servers.running():
        people.sign_out(opened(workspace), name, real_time())
    typer.echo("Signed out everywhere.")


@group.command()
def remove(name: Name, workspace: Workspace = "default") -> None:
    """Let somebody sign in no more, and end their sessions at once."""
    with servers.running():
        people.remove(opened(workspace), name, real_time())
    typer.echo("Removed.")


def _password() -> str:
    """Never an argument, which others on the machine could see."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
