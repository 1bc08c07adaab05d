"""Connections to the outside: make one with its secrets sealed, check it, open its source or sink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from connectors import registry
from connectors.base import Finding, Sink, Source
from connectors.context import Context, alone
from service.config import settings
from service.errors import BadInput
from service.store import connections
from service.store.connections import Connection
from service.store.pool import transaction
from service.vault import vault


def connect(workspace_id: UUID, connector: str, name: str, config: Mapping[str, Any], secrets: Mapping[str, str]) -> UUID:
    """Stores a connection; an existing one of that name is set up anew. Raises BadInput naming the field that is wrong."""
    checked = _checked_config(connector, config)
    with transaction(workspace_id) as db:
        connection_id = connections.create(db, connector, name, checked)
        for secret, plain in secrets.items():
            connections.save_secret(db, connection_id, secret, vault(settings()).seal(plain, workspace_id, connection_id, secret))
    return connection_id


def check(workspace_id: UUID, connection: Connection, now: datetime) -> Sequence[Finding]:
    return open_source(workspace_id, connection).check(now)


def open_source(workspace_id: UUID, connection: Connection) -> Source:
    return registry.connector(connection.connector).source(_context(workspace_id, connection))


def open_sink(workspace_id: UUID, connection: Connection) -> Sink | None:
    """None for a connection that only delivers."""
    sink = registry.connector(connection.connector).sink
    return sink(_context(workspace_id, connection)) if sink else None


def rotate_secrets(workspace_id: UUID) -> int:
    """Re-encrypts under the first key what an older key still holds. Returns how many."""
    keyring = vault(settings())
    current = keyring.keys[0][0]
    with transaction(workspace_id) as db:
        old = connections.secrets_not_under(db, current)
        for connection_id, name, sealed in old:
            plain = keyring.open(sealed, workspace_id, connection_id, name)
            connections.save_secret(db, connection_id, name, keyring.seal(plain, workspace_id, connection_id, name))
    return len(old)


def _context(workspace_id: UUID, connection: Connection) -> Context:
    return alone(connection.config, _secrets(workspace_id, connection))


def _secrets(workspace_id: UUID, connection: Connection) -> dict[str, str]:
    with transaction(workspace_id) as db:
        sealed = connections.secrets_of(db, connection.connection_id)
    keyring = vault(settings())
    return {name: keyring.open(s, workspace_id, connection.connection_id, name) for name, s in sealed.items()}


def _checked_config(connector: str, config: Mapping[str, Any]) -> dict[str, Any]:
    known = registry.names()
    if connector not in known:
        message = f"There is no connector named {connector}. There are: {', '.join(known)}."
        raise BadInput(message)
    try:
        checked: dict[str, Any] = registry.connector(connector).config_model.model_validate(dict(config)).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = f"Setting {field or 'config'} of connector {connector}: {first['msg']}."
        raise BadInput(message) from None
    return checked
