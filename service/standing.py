"""What a person does with a connection that is there: hold it, let it go on, say who is told when it needs somebody. Each is written to the audit log."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from connectors.base import Cursor
from connectors.records import User
from service.config import real_time
from service.connect import known, open_source
from service.errors import BadInput, Conflict
from service.store import accounts, audit_log, connections, notices
from service.store.connections import Connection
from service.store.pool import Db, transaction


def pause(workspace_id: UUID, connection_id: UUID, reason: str, by: str = audit_log.COMMAND_LINE) -> None:
    """Raises Conflict for one that has stopped by itself: there is nothing to hold."""
    with transaction(workspace_id) as db:
        held = known(db, connection_id)
        if _has_stopped(held):
            raise Conflict(f"Connection {held.name} has stopped already: {held.status_reason or held.status}")
        connections.set_status(db, connection_id, "paused", reason or None)
        accounts.mark_all_due(db)
        _note(db, by, "pause connection", held, {"status": "paused", "reason": reason or None})


def resume(workspace_id: UUID, connection_id: UUID, by: str = audit_log.COMMAND_LINE) -> None:
    """Raises Conflict for one that has not been paused but stopped."""
    with transaction(workspace_id) as db:
        held = known(db, connection_id)
        if _has_stopped(held):
            raise Conflict(
                f"Connection {held.name} has not been paused but stopped: {held.status_reason or held.status} "
                f"Mend that, then run `undertone connect {held.connector} --name {held.name}`, or save its settings anew in the console."
            )
        connections.set_status(db, connection_id, "active", None)
        connections.schedule_pull(db, connection_id, timedelta(0))
        accounts.mark_all_due(db)
        _note(db, by, "resume connection", held, {"status": "active"})


def set_owner(workspace_id: UUID, connection: Connection, email: str, now: datetime, by: str = audit_log.COMMAND_LINE) -> None:
    """Finds the CRM's user with this address, as the CRM has it now or as it was read before. Raises BadInput if there is none, and ConnectorError."""
    with transaction(workspace_id) as db:
        read_before = notices.users_with(db, email)
    found = next((key for connection_id, key in read_before if connection_id == connection.connection_id), None)
    found = found or _user_at_source(workspace_id, connection, email, now) or next((key for _, key in read_before), None)
    if found is None:
        given = "".join(c for c in email.strip() if c.isprintable())
        raise BadInput(f"No active user of the CRM has the address {given}. Name one who has, so that the task finds its reader.")
    give_owner(workspace_id, connection, found, by)


def give_owner(workspace_id: UUID, connection: Connection, key: str | None, by: str) -> None:
    """By the key of the CRM's user; None: nobody is told."""
    with transaction(workspace_id) as db:
        notices.set_owner(db, connection.connection_id, key)
        audit_log.write(db, real_time(), by, "set owner", connection.name, before={"owner": connection.owner_key}, after={"owner": key})


def _user_at_source(workspace_id: UUID, connection: Connection, email: str, now: datetime) -> str | None:
    source = open_source(workspace_id, connection)
    if "users" not in {s.name for s in source.streams()}:
        return None
    every = (r for page in source.read("users", Cursor(), now) for r in page.records if isinstance(r, User))
    wanted = email.strip().casefold()
    return next((u.key for u in every if u.active and not u.deleted and (u.email or "").casefold() == wanted), None)


def _has_stopped(held: Connection) -> bool:
    return held.status in ("auth_failed", "misconfigured")


def _note(db: Db, by: str, action: str, held: Connection, after: dict[str, object]) -> None:
    audit_log.write(db, real_time(), by, action, held.name, before={"status": held.status, "reason": held.status_reason}, after=after)
