"""analyst: the Postgres login of a workspace's analysts."""

from __future__ import annotations

import typer

from service import servers
from service.cli.workspace import Workspace, opened
from service.store import analyst_logins

group = typer.Typer(no_args_is_help=True, help="The Postgres login that reads the views of docs/analysts.md (create, drop).")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="analyst")


@group.command()
def create(workspace: Workspace = "default") -> None:
    """Make the login and print its URL, once. It reads the views of this one workspace and writes nothing."""
    with servers.running():
        url = analyst_logins.create(opened(workspace))
    typer.echo(url)


@group.command()
def drop(workspace: Workspace = "default") -> None:
    """End the login at once."""
    with servers.running():
        analyst_logins.drop(opened(workspace))
    typer.echo("Dropped.")
