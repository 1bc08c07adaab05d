"""erase: what a person wrote, gone for good."""

from __future__ import annotations

from typing import Annotated

import typer

from connectors.addresses import addresses
from service import servers
from service.cli.workspace import Workspace, opened
from service.errors import BadInput, NotFound
from service.store import messages, models, suggestions
from service.store.pool import transaction


def register(app: typer.Typer) -> None:
    app.command()(erase)


def erase(email: Annotated[str, typer.Argument(help="The person's mail address.")], workspace: Workspace = "default") -> None:
    """Delete every word that a person wrote. Evidence keeps its dates, drafts that quoted them go. Cannot be undone."""
    found = addresses(email)
    if len(found) != 1:
        message = "Give one mail address, like bo@acme.example."
        raise BadInput(message)
    with servers.running(), transaction(opened(workspace)) as db:
        if not messages.knows_person(db, found[0]):
            message = "No person of this workspace has this address; nothing was deleted."
            raise NotFound(message)
        count, taught = messages.erase_person(db, found[0]), models.keeps_weights(db)
        suggestions.erase_felt(db, found[0])
    typer.echo(
        f"Deleted the words of {count} message{'s' * (count != 1)}. Remove the person from the CRM and the mail source too, or the next pull brings them back."
    )
    if taught:
        typer.echo('What the workspace\'s own reader learned from such words stays in its weights: see "Teach it your words" in docs/reading.md.')
