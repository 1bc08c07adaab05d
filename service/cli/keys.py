"""key: API keys, and the key that encrypts secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from service import connect, keys, servers, vault
from service.cli.workspace import Workspace, opened, printable
from service.config import real_time
from service.errors import BadInput
from service.store import workspaces
from service.store.pool import transaction
from service.store.workspaces import ApiKeyRow

group = typer.Typer(no_args_is_help=True, help="API keys (create, list, revoke) and the key that encrypts secrets (secret, rotate).")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="key")


_ROLES = "; ".join(f"{role} ({', '.join(s for s in keys.SCOPES if s in scopes)})" for role, scopes in keys.ROLES.items())


@group.command()
def create(
    role: Annotated[keys.Role | None, typer.Option(help=f"Who it is for, as a set of scopes: {_ROLES}.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help=f"Instead of a role, what it may do: {', '.join(keys.SCOPES)}. Repeat for several.")] = None,
    name: Annotated[str, typer.Option(help="What it is for, shown in the list.")] = "",
    days: Annotated[int, typer.Option(min=0, max=36500, help="Valid for so many days; 0 for no end.")] = 365,
    workspace: Workspace = "default",
) -> None:
    """Make an API key. It is shown once."""
    scopes = _scopes(role, scope or [])
    with servers.running():
        key = keys.create(opened(workspace), name or "unnamed", scopes, real_time(), timedelta(days=days) if days else None)
    typer.echo(key)


def _scopes(role: keys.Role | None, scopes: Sequence[str]) -> Sequence[str]:
    if (role is None) is not bool(scopes):
        message = "Say what the key may do: with --role, or with --scope, not with both."
        raise BadInput(message)
    return sorted(keys.ROLES[role]) if role else scopes


@group.command("list")
def list_keys(workspace: Workspace = "default") -> None:
    """Show keys by their first characters, never whole."""
    with servers.running(), transaction(opened(workspace)) as db:
        rows = workspaces.api_keys(db)
    table = Table(Column("key", no_wrap=True, min_width=_SHOWN), "name", "role", "scopes", "expires", "last used", "state")
    for row in rows:
        expires = f"{row.expires_at:%Y-%m-%d}" if row.expires_at else "never"
        used = f"{row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never"
        table.add_row(f"ut_{row.prefix}_...", printable(row.name), keys.role_of(row.scopes) or "", ", ".join(row.scopes), expires, used, _state(row))
    Console(markup=False, highlight=False).print(table)


_SHOWN = len("ut_01234567_...")
"""Cut, it could not be given to `revoke`."""


def _state(row: ApiKeyRow) -> str:
    if row.revoked_at:
        return "revoked"
    return "expired" if row.expires_at and row.expires_at <= real_time() else "active"


@group.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key, or its first characters: as many as tell it from the others.")], workspace: Workspace = "default"
) -> None:
    """End a key at once."""
    with servers.running():
        keys.revoke(opened(workspace), key, real_time())
    typer.echo("Revoked.")


@group.command()
def secret() -> None:
    """Print a new encryption key for UNDERTONE_KEYS. Put it first, before the older ones, then run `undertone key rotate`."""
    typer.echo(f"{real_time():%Y%m%d}:{vault.new_key()}")


@group.command()
def rotate(workspace: Workspace = "default") -> None:
    """Encrypt all stored secrets with the first key of UNDERTONE_KEYS."""
    with servers.running():
        count = connect.rotate_secrets(opened(workspace))
    typer.echo(f"{count} secret{'s' * (count != 1)} encrypted anew." if count else "All secrets are under the first key already.")
