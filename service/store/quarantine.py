"""Rows that could not be landed: kept by name and reason, read again when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from connectors.records import Rejected
from service.store.pool import Db
from service.store.streams import AFRESH

UNKNOWN_ACCOUNT = "no account has this key or name, or several have the name; its usage waits until the account is known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    connection_id: UUID
    stream: str
    source_key: str
    reason: str
    first_seen_at: datetime
    last_seen_at: datetime


def add(db: Db, connection_id: UUID, stream: str, rejected: Sequence[Rejected]) -> None:
    db.execute(
        "INSERT INTO quarantine (workspace_id, connection_id, stream, source_key, reason)"
        " SELECT DISTINCT current_workspace(), %s::uuid, %s, k, r FROM unnest(%s::text[], %s::text[]) AS u(k, r)"
        " ON CONFLICT (workspace_id, connection_id, stream, source_key, reason) DO UPDATE SET last_seen_at = now(), replay_asked_at = NULL, replaying = false",
        [connection_id, stream, [r.source_key for r in rejected], [r.reason for r in rejected]],
    )


def newest(db: Db, most: int) -> list[Quarantined]:
    with db.cursor(row_factory=class_row(Quarantined)) as cursor:
        return cursor.execute(
            "SELECT connection_id, stream, source_key, reason, first_seen_at, last_seen_at FROM quarantine"
            " ORDER BY last_seen_at DESC, stream, source_key LIMIT %s",
            [most],
        ).fetchall()


def of_connection(db: Db, connection_id: UUID, most: int) -> list[Quarantined]:
    with db.cursor(row_factory=class_row(Quarantined)) as cursor:
        return cursor.execute(
            "SELECT connection_id, stream, source_key, reason, first_seen_at, last_seen_at FROM quarantine WHERE connection_id = %s"
            " ORDER BY last_seen_at DESC, stream, source_key LIMIT %s",
            [connection_id, most],
        ).fetchall()


def counts(db: Db) -> dict[UUID, int]:
    return dict(db.execute("SELECT connection_id, count(*) FROM quarantine GROUP BY connection_id").fetchall())


def is_empty(db: Db, connection_id: UUID, stream: str) -> bool:
    row = db.execute("SELECT EXISTS (SELECT FROM quarantine WHERE connection_id = %s AND stream = %s)", [connection_id, stream]).fetchone()
    return not (row and row[0])


def resolve(db: Db, connection_id: UUID, stream: str, keys: Sequence[str]) -> None:
    """They have landed."""
    db.execute("DELETE FROM quarantine WHERE connection_id = %s AND stream = %s AND source_key = ANY(%s)", [connection_id, stream, list(keys)])


def ask(db: Db, connection_id: UUID, stream: str | None, source_key: str | None) -> int:
    """Marks rows to be read again; None is all. Returns how many."""
    return db.execute(
        "UPDATE quarantine SET replay_asked_at = now(), replaying = false WHERE connection_id = %(id)s"
        " AND (%(stream)s::text IS NULL OR stream = %(stream)s) AND (%(key)s::text IS NULL OR source_key = %(key)s)",
        {"id": connection_id, "stream": stream, "key": source_key},
    ).rowcount


def asked(db: Db, connection_id: UUID) -> list[str]:
    """The streams with rows that are to be read again."""
    rows = db.execute(
        "SELECT DISTINCT stream FROM quarantine WHERE connection_id = %s AND replay_asked_at IS NOT NULL AND NOT replaying ORDER BY stream", [connection_id]
    )
    return [stream for (stream,) in rows]


def asked_keys(db: Db, connection_id: UUID, stream: str, most: int) -> list[str]:
    rows = db.execute(
        "SELECT DISTINCT source_key FROM quarantine WHERE connection_id = %s AND stream = %s AND replay_asked_at IS NOT NULL AND NOT replaying"
        " ORDER BY source_key LIMIT %s",
        [connection_id, stream, most],
    )
    return [key for (key,) in rows]


def drop_asked(db: Db, connection_id: UUID, stream: str, keys: Sequence[str]) -> None:
    """They were asked for by key, and neither came nor were refused again: the other side holds them no more."""
    db.execute(
        "DELETE FROM quarantine WHERE connection_id = %s AND stream = %s AND source_key = ANY(%s) AND replay_asked_at IS NOT NULL AND NOT replaying",
        [connection_id, stream, list(keys)],
    )


def begin_rereading(db: Db, connection_id: UUID, stream: str) -> None:
    db.execute("UPDATE quarantine SET replaying = true WHERE connection_id = %s AND stream = %s AND replay_asked_at IS NOT NULL", [connection_id, stream])


def end_rereading(db: Db, connection_id: UUID, stream: str) -> None:
    """The stream has been read to its end: what was not refused again is well."""
    db.execute("DELETE FROM quarantine WHERE connection_id = %s AND stream = %s AND replaying", [connection_id, stream])


def reread_usage(db: Db) -> None:
    """New accounts have come in: streams that held rows of accounts nobody knew start anew, as reading twice changes nothing."""
    db.execute(
        "WITH waiting AS (DELETE FROM quarantine WHERE stream = 'usage' AND reason = %s RETURNING connection_id),"
        f" again AS (UPDATE stream SET {AFRESH} WHERE name = 'usage' AND connection_id IN (SELECT connection_id FROM waiting))"
        " UPDATE connection SET next_pull_at = now() WHERE connection_id IN (SELECT connection_id FROM waiting)",
        [UNKNOWN_ACCOUNT],
    )
