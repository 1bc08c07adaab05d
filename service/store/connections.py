"""Connections, their secrets, the state of their streams, and the quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from connectors.base import Cursor, Stream
from connectors.records import Rejected
from service.store.pool import Db
from service.vault import Sealed

UNKNOWN_ACCOUNT = "no account has this key or name, or several have the name; its usage waits until the account is known"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    connection_id: UUID
    name: str
    cursor_at: datetime | None
    cursor_key: str
    pulled_until: datetime | None
    succeeded_at: datetime | None
    fresh_seconds: int
    landed: int
    error: str | None
    error_since: datetime | None = None
    unfinished: bool = False
    """Read so far and not to its end: the next turn goes on at once."""
    missing: Sequence[str] = ()
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    connection_id: UUID
    stream: str
    source_key: str
    reason: str
    first_seen_at: datetime
    last_seen_at: datetime


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


def approve_push(db: Db, connection_id: UUID, at: datetime) -> None:
    db.execute("UPDATE connection SET push_approved_at = %s WHERE connection_id = %s AND push_approved_at IS NULL", [at, connection_id])


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


def streams(db: Db) -> list[StreamState]:
    with db.cursor(row_factory=class_row(StreamState)) as cursor:
        return cursor.execute(
            "SELECT connection_id, name, cursor_at, cursor_key, pulled_until, succeeded_at, fresh_seconds, landed, error, error_since, unfinished,"
            " missing, calls FROM stream ORDER BY connection_id, name"
        ).fetchall()


def lease_stream(db: Db, connection_id: UUID, stream: Stream, hold: timedelta) -> tuple[int, Cursor] | None:
    """Takes the stream for one runner and returns its fence and cursor; None while another runner holds it."""
    row = db.execute(
        "INSERT INTO stream (workspace_id, connection_id, name, fresh_seconds, fence, lease_until)"
        " VALUES (current_workspace(), %(id)s, %(name)s, %(fresh)s, 1, clock_timestamp() + %(hold)s)"
        " ON CONFLICT (workspace_id, connection_id, name) DO UPDATE"
        " SET fence = stream.fence + 1, lease_until = clock_timestamp() + %(hold)s, fresh_seconds = %(fresh)s"
        " WHERE stream.lease_until IS NULL OR stream.lease_until < clock_timestamp()"
        " RETURNING fence, cursor_at, cursor_key, cursor_resume",
        {"id": connection_id, "name": stream.name, "fresh": int(stream.fresh_within.total_seconds()), "hold": hold},
    ).fetchone()
    return (row[0], Cursor(at=row[1], key=row[2], resume=row[3])) if row else None


def advance_stream(
    db: Db, connection_id: UUID, name: str, fence: int, cursor: Cursor | None, rows: int, hold: timedelta, *, until: datetime | None = None, calls: int = 0
) -> bool:
    """In the transaction that lands the page. False: another runner took over, so the page must not be kept.

    `until`: the end of the window that this page is of; the first page of a window writes it down.
    """
    moved = "cursor_at = %(at)s, cursor_key = %(key)s, cursor_resume = %(resume)s, window_until = COALESCE(window_until, %(until)s)," if cursor else ""
    return (
        db.execute(
            f"UPDATE stream SET {moved} landed = landed + %(rows)s, calls = calls + %(calls)s, lease_until = clock_timestamp() + %(hold)s"
            " WHERE connection_id = %(id)s AND name = %(name)s AND fence = %(fence)s",
            {
                "at": cursor.at if cursor else None,
                "key": cursor.key if cursor else "",
                "resume": cursor.resume if cursor else "",
                "until": until,
                "rows": rows,
                "calls": calls,
                "hold": hold,
                "id": connection_id,
                "name": name,
                "fence": fence,
            },
        ).rowcount
        == 1
    )


def release_stream(db: Db, connection_id: UUID, name: str, fence: int, *, until: datetime | None, error: str | None) -> None:
    """`until` is given on success: everything up to it has been read."""
    db.execute(
        "UPDATE stream SET lease_until = NULL, error = %(error)s, error_since = CASE WHEN %(error)s::text IS NOT NULL THEN COALESCE(error_since, now()) END,"
        " pulled_until = COALESCE(%(until)s, pulled_until), succeeded_at = COALESCE(%(until)s, succeeded_at)"
        " WHERE connection_id = %(id)s AND name = %(name)s AND fence = %(fence)s",
        {"error": error, "until": until, "id": connection_id, "name": name, "fence": fence},
    )


def quarantine(db: Db, connection_id: UUID, stream: str, rejected: Sequence[Rejected]) -> None:
    db.execute(
        "INSERT INTO quarantine (workspace_id, connection_id, stream, source_key, reason)"
        " SELECT DISTINCT current_workspace(), %s::uuid, %s, k, r FROM unnest(%s::text[], %s::text[]) AS u(k, r)"
        " ON CONFLICT (workspace_id, connection_id, stream, source_key, reason) DO UPDATE SET last_seen_at = now(), replay_asked_at = NULL, replaying = false",
        [connection_id, stream, [r.source_key for r in rejected], [r.reason for r in rejected]],
    )


def quarantined(db: Db, most: int) -> list[Quarantined]:
    with db.cursor(row_factory=class_row(Quarantined)) as cursor:
        return cursor.execute(
            "SELECT connection_id, stream, source_key, reason, first_seen_at, last_seen_at FROM quarantine"
            " ORDER BY last_seen_at DESC, stream, source_key LIMIT %s",
            [most],
        ).fetchall()


def quarantine_counts(db: Db) -> dict[UUID, int]:
    return dict(db.execute("SELECT connection_id, count(*) FROM quarantine GROUP BY connection_id").fetchall())


def reread_usage(db: Db) -> None:
    """New accounts have come in: streams that held rows of accounts nobody knew start anew, as reading twice changes nothing.

    The new fence stops a run that is reading such a stream just now: its next cursor would undo the restart.
    """
    db.execute(
        "WITH waiting AS (DELETE FROM quarantine WHERE stream = 'usage' AND reason = %s RETURNING connection_id),"
        " again AS (UPDATE stream SET cursor_at = NULL, cursor_key = '', cursor_resume = '', window_until = NULL, reread_from = NULL,"
        "   fence = fence + 1, lease_until = NULL, next_at = NULL WHERE name = 'usage' AND connection_id IN (SELECT connection_id FROM waiting))"
        " UPDATE connection SET next_pull_at = now() WHERE connection_id IN (SELECT connection_id FROM waiting)",
        [UNKNOWN_ACCOUNT],
    )


def claim_due(db: Db, most: int, patience: timedelta) -> list[tuple[UUID, UUID]]:
    """Across workspaces, ids only: (workspace, connection) pairs to pull, marked as queued."""
    return db.execute("SELECT workspace_id, connection_id FROM claim_due_pulls(%s, %s)", [most, patience]).fetchall()
