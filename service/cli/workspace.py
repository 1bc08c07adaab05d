from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

import typer

from service import servers
from service.errors import NotFound
from service.store import connections, workspaces
from service.store.connections import Connection
from service.store.pool import transaction

Workspace = Annotated[str, typer.Option("--workspace", "-w", help="Which workspace; they share nothing.")]


def opened(name: str, *, create: bool = False) -> UUID:
    """The workspace's id, with the schema brought up to date first. Raises NotFound unless it may be created."""
    if create:
        servers.migrate()
    with transaction() as db:
        found = workspaces.find(db, name)
    if found:
        return found
    if not create:
        message = f"There is no workspace named {name} yet. `undertone connect` makes one."
        raise NotFound(message)
    workspace_id = uuid4()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, name)
    return workspace_id


def connection_named(workspace_id: UUID, name: str | None) -> Connection:
    """The one that is named, or the only one there is."""
    with transaction(workspace_id) as db:
        found = connections.all_connections(db)
    chosen = [c for c in found if name is None or c.name == name]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(c.name for c in found) or "none yet: `undertone connect` makes one"
    message = f"Say which connection with --connection NAME. There are: {names}." if name is None else f"There is no connection {name}. There are: {names}."
    raise NotFound(message)
