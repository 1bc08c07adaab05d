from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

import typer

from service import servers
from service.config import settings
from service.errors import BadInput, NotFound
from service.store import connections, workspaces
from service.store.connections import Connection
from service.store.pool import transaction

Workspace = Annotated[str, typer.Option("--workspace", "-w", help="Which workspace; they share nothing.")]


def ready_schema() -> None:
    """Up to date, where this process may see to it. Where it does not know the owner's login, `undertone migrate` has run before."""
    if settings().database_owner_url:
        servers.migrate()


def opened(name: str, *, create: bool = False) -> UUID:
    """The workspace's id, with the schema brought up to date first. Raises NotFound unless it may be created."""
    ready_schema()
    with transaction() as db:
        found = workspaces.find(db, name)
    if found:
        return found
    if not create:
        message = f"There is no workspace named {printable(name)} yet. `undertone connect` makes one."
        raise NotFound(message)
    if not 1 <= len(name) <= _LONGEST_NAME:
        message = f"A workspace's name has 1 to {_LONGEST_NAME} characters."
        raise BadInput(message)
    workspace_id = uuid4()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, name)
    return workspace_id


_LONGEST_NAME = 100


def printable(text: str) -> str:
    """A text from outside as a terminal may show it: no escape sequence, no line of its own making."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def connection_named(workspace_id: UUID, name: str | None, how: str = "with --connection NAME") -> Connection:
    """The one that is named, or the only one there is. `how` a command is told which."""
    with transaction(workspace_id) as db:
        found = connections.all_connections(db)
    chosen = [c for c in found if name is None or c.name == name]
    if len(chosen) == 1:
        return chosen[0]
    missing = "" if name is None else f"There is no connection {printable(name)}. "
    if not found:
        message = f"{missing}Nothing is connected yet. `undertone connect` makes a connection."
        raise NotFound(message)
    names = ", ".join(printable(c.name) for c in found)
    message = f"{missing or f'Say which connection: {how}. '}There are: {names}."
    raise NotFound(message)
