"""Connections to the outside: make one with its secrets sealed, check it, open its source or sink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from connectors import registry
from connectors.base import Finding, Sink, Source
from connectors.context import Budget, Context, Unlimited
from connectors.errors import AuthFailed, Misconfigured
from service import tokens
from service.budget import SharedBudget, shares_of
from service.config import now as clock
from service.config import real_time, settings
from service.errors import BadInput, Conflict, NotFound
from service.store import accounts, audit_log, connections, streams
from service.store import tokens as stored_tokens
from service.store.connections import Connection
from service.store.pool import Db, transaction
from service.vault import vault

UNTIL_ASKED = timedelta(days=365)
"""Before the first reading of a connection that somebody sets up in the browser: they ask for it when the settings are right."""


def connect(
    workspace_id: UUID,
    connector: str,
    name: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    by: str = audit_log.COMMAND_LINE,
    pull_in: timedelta | None = None,
) -> UUID:
    """Stores a connection; an existing one of that name is set up anew. Raises BadInput naming the field that is wrong.

    `pull_in`: no worker begins to read before that; at once if not given.
    """
    checked = checked_config(connector, config)
    with transaction(workspace_id) as db:
        before = connections.by_name(db, name)
        connection_id = connections.create(db, connector, name, checked)
        after = {"connector": connector, "config": checked, "secrets given": sorted(secrets)}
        was = {"connector": before.connector, "config": before.config} if before else None
        audit_log.write(db, real_time(), by, "change connection" if before else "make connection", name, before=was, after=after)
        # Before the secrets are written: a login that is under way holds the token's row and may be about to write one itself.
        tokens.forget(db, connection_id)
        streams.make_due(db, connection_id)
        if pull_in is not None:
            connections.schedule_pull(db, connection_id, pull_in)
        for secret, plain in secrets.items():
            connections.save_secret(db, connection_id, secret, vault(settings()).seal(plain, workspace_id, connection_id, secret))
    return connection_id


def known(db: Db, connection_id: UUID) -> Connection:
    """Raises NotFound."""
    connection = connections.get(db, connection_id)
    if connection is None:
        message = "There is no such connection in this workspace. `undertone status` lists them."
        raise NotFound(message)
    return connection


def ready(db: Db, connection_id: UUID) -> Connection:
    """Raises NotFound, and Conflict for one that is paused or has stopped."""
    connection = known(db, connection_id)
    if connection.status != "active":
        message = f"Connection {connection.name} is {connection.status}: {connection.status_reason}. Mend that and connect again."
        raise Conflict(message)
    return connection


def check(workspace_id: UUID, connection: Connection, now: datetime) -> Sequence[Finding]:
    """Also while the connection is parked: it is what tells how many calls are left."""
    return open_source(workspace_id, connection, Unlimited()).check(now)


def open_source(workspace_id: UUID, connection: Connection, budget: Budget | None = None) -> Source:
    return registry.connector(connection.connector).source(_context(workspace_id, connection, budget or budget_of(workspace_id, connection, clock(), "pull")))


def open_sink(workspace_id: UUID, connection: Connection) -> Sink | None:
    """None for a connection that only delivers."""
    sink = registry.connector(connection.connector).sink
    return sink(_context(workspace_id, connection, budget_of(workspace_id, connection, clock(), "push"))) if sink else None


def budget_of(workspace_id: UUID, connection: Connection, now: datetime, run: str) -> SharedBudget:
    """Raises Misconfigured where a share in the settings is none."""
    return SharedBudget(workspace_id, connection.connection_id, shares_of(connection.config), now, run=run)


def stop(workspace_id: UUID, connection: Connection, error: Misconfigured) -> None:
    """Stops a connection until a person has acted, unless somebody has connected again since it was opened."""
    refused = isinstance(error, AuthFailed)
    with transaction(workspace_id) as db:
        status: connections.Status = "auth_failed" if refused else "misconfigured"
        stopped = connections.stop(db, connection.connection_id, status, str(error), connection.status_since)
        if stopped and refused:
            stored_tokens.refuse(db, connection.connection_id, str(error))
        if stopped:  # what rests on it is unknown from now on
            accounts.mark_all_due(db)


def rotate_secrets(workspace_id: UUID) -> int:
    """Re-encrypts under the first key what an older key still holds. Returns how many."""
    keyring = vault(settings())
    current = keyring.keys[0][0]
    with transaction(workspace_id) as db:
        tokens.rotate(db, workspace_id)  # first, as a login locks its token and then its secrets
        old = connections.secrets_not_under(db, current)
        for connection_id, name, sealed in old:
            plain = keyring.open(sealed, workspace_id, connection_id, name)
            connections.save_secret(db, connection_id, name, keyring.seal(plain, workspace_id, connection_id, name))
    return len(old)


def _context(workspace_id: UUID, connection: Connection, budget: Budget) -> Context:
    try:
        with transaction(workspace_id) as db:
            secrets = tokens.secrets_of(db, workspace_id, connection.connection_id)
    except Conflict as error:
        raise Misconfigured(str(error)) from None
    return Context(config=connection.config, secrets=secrets, tokens=tokens.StoredTokens(workspace_id, connection.connection_id), budget=budget)


def checked_config(connector: str, config: Mapping[str, Any]) -> dict[str, Any]:
    known = registry.names()
    if connector not in known:
        message = f"There is no connector named {connector}. There are: {', '.join(known)}."
        raise BadInput(message)
    try:
        checked: dict[str, Any] = registry.connector(connector).config_model.model_validate(dict(config)).model_dump(mode="json")
    except ValidationError as error:
        lacking = [str(e["loc"][0]) for e in error.errors() if e["type"] == "missing" and len(e["loc"]) == 1]
        if lacking:
            given = " ".join(f"--set {name}={name.upper() if name != 'accounts' else 'PATH'}" for name in lacking)
            message = f"It needs {' and '.join(lacking)}: `undertone connect {connector} {given}`."
            raise BadInput(message) from None
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = f"Setting {field or 'config'} of connector {connector}: {first['msg']}."
        raise BadInput(message) from None
    return checked
