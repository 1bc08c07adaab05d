"""Connections and their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from service.store.pool import Db
from service.vault import Sealed

Status = Literal["active", "paused", "auth_failed", "misconfigured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    connection_id: UUID
    connector: str
    name: str
    config: dict[str, Any]
    status: Status
    status_reason: str | None
    status_since: datetime
    push_approved_at: datetime | None
    created_at: datetime
    parked_until: datetime | None = None
    parked_reason: str | None = None
    owner_key: str | None = None
    """The CRM user who is told when this connection needs somebody."""


_COLUMNS = "connection_id, connector, name, config, status, status_reason, status_since, push_approved_at, created_at, parked_until, parked_reason, owner_key"


def create(db: Db, connector: str, name: str, config: Mapping[str, Any]) -> UUID:
    row = db.execute(
        "INSERT INTO connection (workspace_id, connector, name, config) VALUES (current_workspace(), %s, %s, %s)"
        " ON CONFLICT (workspace_id, name) DO UPDATE SET connector = excluded.connector, config = excluded.config, status = 'active',"
        " status_reason = NULL, status_since = clock_timestamp(), next_pull_at = now(), parked_until = NULL, parked_reason = NULL"
        " RETURNING connection_id",
        [connector, name, Jsonb(dict(config))],
    ).fetchone()
    assert row is not None
    connection_id: UUID = row[0]
    return connection_id


def all_connections(db: Db) -> list[Connection]:
    with db.cursor(row_factory=class_row(Connection)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM connection ORDER BY created_at").fetchall()


def get(db: Db, connection_id: UUID) -> Connection | None:
    with db.cursor(row_factory=class_row(Connection)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM connection WHERE connection_id = %s", [connection_id]).fetchone()


def by_name(db: Db, name: str) -> Connection | None:
    with db.cursor(row_factory=class_row(Connection)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM connection WHERE name = %s", [name]).fetchone()


def of_account(db: Db, account_id: UUID) -> Connection | None:
    """The connection that an account came from, which is where its tasks go."""
    with db.cursor(row_factory=class_row(Connection)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM connection WHERE connection_id = (SELECT a.connection_id FROM account a WHERE a.account_id = %s)", [account_id]
        ).fetchone()


def set_status(db: Db, connection_id: UUID, status: Status, reason: str | None) -> None:
    db.execute(
        "UPDATE connection SET status = %(status)s, status_reason = %(reason)s, status_since = now()"
        " WHERE connection_id = %(id)s AND (status, status_reason) IS DISTINCT FROM (%(status)s, %(reason)s)",
        {"status": status, "reason": reason, "id": connection_id},
    )


def stop(db: Db, connection_id: UUID, status: Status, reason: str, seen: datetime) -> bool:
    """False where the connection has been set up anew or stopped since `seen`, its status_since when it was read."""
    return (
        db.execute(
            "UPDATE connection SET status = %s, status_reason = %s, status_since = clock_timestamp() WHERE connection_id = %s AND status_since = %s",
            [status, reason, connection_id, seen],
        ).rowcount
        == 1
    )


def park(db: Db, connection_id: UUID, wait: timedelta, reason: str) -> None:
    db.execute(
        "UPDATE connection SET parked_until = clock_timestamp() + %s, parked_reason = %s WHERE connection_id = %s",
        [wait, reason, connection_id],
    )


def unpark(db: Db, connection_id: UUID) -> None:
    db.execute(
        "UPDATE connection SET parked_until = NULL, parked_reason = NULL WHERE connection_id = %s AND parked_until IS NOT NULL",
        [connection_id],
    )


def parked(db: Db, connection_id: UUID) -> str | None:
    """Why the connection is waiting just now, its pulls and its pushes; None when it is not."""
    row = db.execute("SELECT parked_reason FROM connection WHERE connection_id = %s AND parked_until > clock_timestamp()", [connection_id]).fetchone()
    return row[0] if row else None


def ready_to_push(db: Db) -> list[UUID]:
    rows = db.execute(
        "SELECT connection_id FROM connection WHERE status = 'active' AND push_approved_at IS NOT NULL"
        " AND (parked_until IS NULL OR parked_until <= clock_timestamp()) ORDER BY created_at"
    )
    return [connection_id for (connection_id,) in rows]


def schedule_pull(db: Db, connection_id: UUID, after: timedelta) -> None:
    db.execute(
        "UPDATE connection SET next_pull_at = clock_timestamp() + %s, queued_at = NULL WHERE connection_id = %s",
        [after, connection_id],
    )


def approve_push(db: Db, connection_id: UUID, at: datetime) -> bool:
    """False where it has been approved before."""
    return db.execute("UPDATE connection SET push_approved_at = %s WHERE connection_id = %s AND push_approved_at IS NULL", [at, connection_id]).rowcount == 1


def withdraw_push(db: Db, connection_id: UUID) -> bool:
    """False where it was not approved."""
    return db.execute("UPDATE connection SET push_approved_at = NULL WHERE connection_id = %s AND push_approved_at IS NOT NULL", [connection_id]).rowcount == 1


def save_secret(db: Db, connection_id: UUID, name: str, sealed: Sealed) -> None:
    db.execute(
        "INSERT INTO secret (workspace_id, connection_id, name, key_id, ciphertext) VALUES (current_workspace(), %s, %s, %s, %s)"
        " ON CONFLICT (workspace_id, connection_id, name) DO UPDATE SET key_id = excluded.key_id, ciphertext = excluded.ciphertext",
        [connection_id, name, sealed.key_id, sealed.ciphertext],
    )


def secrets_of(db: Db, connection_id: UUID) -> dict[str, Sealed]:
    rows = db.execute("SELECT name, key_id, ciphertext FROM secret WHERE connection_id = %s", [connection_id])
    return {name: Sealed(key_id, bytes(ciphertext)) for name, key_id, ciphertext in rows}


def secrets_not_under(db: Db, key_id: str) -> list[tuple[UUID, str, Sealed]]:
    rows = db.execute("SELECT connection_id, name, key_id, ciphertext FROM secret WHERE key_id <> %s FOR UPDATE", [key_id])
    return [(connection_id, name, Sealed(old, bytes(ciphertext))) for connection_id, name, old, ciphertext in rows]


def claim_due(db: Db, most: int, patience: timedelta) -> list[tuple[UUID, UUID]]:
    """Across workspaces, ids only: (workspace, connection) pairs to pull, marked as queued."""
    return db.execute("SELECT workspace_id, connection_id FROM claim_due_pulls(%s, %s)", [most, patience]).fetchall()
