"""people: who signs in to the console."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from service import invitations, keys, people, servers
from service.cli.workspace import Workspace, opened, printable
from service.config import real_time, settings
from service.console.session import invitation_link
from service.errors import BadInput, SettingError
from service.invitations import Invitation
from service.store import people as stored
from service.store.people import PersonRow, SignIn
from service.store.pool import transaction

group = typer.Typer(no_args_is_help=True, help="People who sign in to the console (add, invite, list, role, password, email, sign-out, remove).")

Name = Annotated[str, typer.Argument(help="The name they sign in with.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="people")


@group.command()
def add(
    name: Name,
    role: Annotated[keys.Role, typer.Option(help="What they may do.")],
    sign_in: Annotated[SignIn, typer.Option(help="How they come in: by a password, or by the OIDC provider that the settings name.")] = "password",
    subject: Annotated[str | None, typer.Option(help="Who they are to the provider, where that is known; else they get a link.")] = None,
    invite: Annotated[bool, typer.Option("--invite", help="Print a link by which they set their password, instead of asking for one here.")] = False,
    email: Annotated[str, typer.Option(help="Their mail address in the CRM, by which their day finds their accounts.")] = "",
    workspace: Workspace = "default",
) -> None:
    """Let somebody sign in. Asks for their password, takes it from a pipe, or prints a link by which they set it themselves."""
    if subject is not None and (invite or sign_in != "oidc"):
        message = "--subject goes with --sign-in oidc, and without --invite: it says already who they are to the provider."
        raise BadInput(message)
    with servers.running():
        workspace_id, at = opened(workspace), real_time()
        invitation = None
        if subject is not None:
            people.add_by_subject(workspace_id, name, role, _issuer(), subject, at)
        elif invite or sign_in == "oidc":
            invitation = invitations.add(workspace_id, name, role, sign_in, at)
        else:
            people.add(workspace_id, name, role, _password(), at)
        if email:
            people.set_email(workspace_id, name, email, at)
        if invitation:
            _tell(invitation)
            return
    typer.echo("Added.")


def _issuer() -> str:
    issuer = settings().oidc_issuer
    if issuer is None:
        message = "A subject belongs to a provider: set UNDERTONE_OIDC_ISSUER and what belongs to it first."
        raise SettingError(message)
    return issuer


def _tell(invitation: Invitation) -> None:
    """The link goes to standard output alone, so that it can be piped on."""
    typer.echo(f"Give them this link. It is good once, until {invitation.until:%Y-%m-%d %H:%M} UTC, and is shown now only.", err=True)
    typer.echo(invitation_link(invitation))


@group.command()
def invite(name: Name, workspace: Workspace = "default") -> None:
    """Print a link by which somebody sets a new password, or says anew who they are to the provider."""
    with servers.running():
        _tell(invitations.renew(opened(workspace), name, real_time()))


@group.command()
def role(name: Name, role: Annotated[keys.Role, typer.Argument(help="What they may do from now on.")], workspace: Workspace = "default") -> None:
    """Give somebody another role, which counts from their next page on."""
    with servers.running():
        people.set_role(opened(workspace), name, role, real_time())
    typer.echo("Changed.")


@group.command("list")
def list_people(workspace: Workspace = "default") -> None:
    """Show who may sign in, as what, and when they last did."""
    with servers.running(), transaction(opened(workspace)) as db:
        rows = stored.listing(db)
    table = Table(
        Column("name", overflow="fold"), "role", Column("email", overflow="fold", min_width=_widest(rows)), "signs in by", "added", "last signed in", "state"
    )
    for row in rows:
        used = f"{row.last_sign_in_at:%Y-%m-%d %H:%M}" if row.last_sign_in_at else "never"
        table.add_row(printable(row.name), row.role, printable(row.email or ""), row.sign_in, f"{row.created_at:%Y-%m-%d}", used, _state(row))
    Console(markup=False, highlight=False).print(table)


_MOST_WIDE = 34


def _widest(rows: Sequence[PersonRow]) -> int:
    """An address is what people copy: whole, or from a certain length on over two lines, never cut."""
    return min(max((len(row.email or "") for row in rows), default=0), _MOST_WIDE)


def _state(row: PersonRow) -> str:
    at = real_time()
    if row.locked_until and row.locked_until > at:
        return "locked"
    if row.set_up:
        return "active"
    return f"invited until {row.invited_until:%Y-%m-%d}" if row.invited_until and row.invited_until > at else "invitation is over"


@group.command()
def password(name: Name, workspace: Workspace = "default") -> None:
    """Give somebody a new password, which ends their sessions and a lock."""
    with servers.running():
        people.set_password(opened(workspace), name, _password(), real_time())
    typer.echo("Changed.")


@group.command()
def email(name: Name, address: Annotated[str, typer.Argument(help='Their mail address in the CRM; "" for none.')], workspace: Workspace = "default") -> None:
    """Say by which mail address the CRM knows somebody, so that their day finds their accounts."""
    with servers.running():
        people.set_email(opened(workspace), name, address, real_time())
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
