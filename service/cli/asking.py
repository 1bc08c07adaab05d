"""preferences: what a contact has asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import typer

from connectors.addresses import addresses
from service import preferences as stating
from service import servers
from service.cli.workspace import Workspace, opened
from service.config import now
from service.errors import BadInput, NotFound
from service.playbook.asked import lines
from service.signals import Preference
from service.store import accounts
from service.store.pool import transaction


def register(app: typer.Typer) -> None:
    app.command()(preferences)


def preferences(
    email: Annotated[str, typer.Argument(help="The contact's mail address.")],
    *,
    channel: Annotated[Literal["email", "chat", "call", "meeting"] | None, typer.Option(help="How they want to be reached.")] = None,
    language: Annotated[str | None, typer.Option(help="In which language, in two letters: de.")] = None,
    until: Annotated[datetime | None, typer.Option("--no-contact-until", formats=["%Y-%m-%d"], help="Nothing before this day.")] = None,
    opted_out: Annotated[bool | None, typer.Option("--opt-out/--opt-in", help="They want not to be written to at all, or may be again.")] = None,
    workspace: Workspace = "default",
) -> None:
    """Show or record what a contact has asked for. What is not named stays as it is; drafts and tasks go by it from the next run on."""
    if language is not None and not (len(language) == 2 and language.isascii() and language.isalpha() and language.islower()):
        message = "A language has two small letters, like de."
        raise BadInput(message)
    given = {"channel": channel, "language": language, "no_contact_until": until.date() if until else None, "opted_out": opted_out}
    changes = {name: value for name, value in given.items() if value is not None}
    with servers.running():
        workspace_id = opened(workspace)
        for contact_id in _contacts(workspace_id, email):
            found = stating.stated(workspace_id, contact_id) or Preference(stated_at=now())
            if changes:
                found = replace(found, **changes, evidence_id=None, stated_at=now())  # type: ignore[arg-type]
                stating.state(workspace_id, contact_id, found, "cli")
            for line in _told(found):
                typer.echo(line)


def _contacts(workspace_id: UUID, email: str) -> list[UUID]:
    """Several where the CRM has them twice."""
    given = addresses(email)
    if len(given) != 1:
        message = "Give one mail address, like bo@acme.example."
        raise BadInput(message)
    with transaction(workspace_id) as db:
        found = accounts.contacts_with(db, given[0])
    if not found:
        message = "No contact of this workspace has this address."
        raise NotFound(message)
    return found


def _told(found: Preference) -> list[str]:
    return (["Not to be written to at all."] if found.opted_out else []) + lines(found, now().date()) or ["Nothing is recorded that they asked for."]
