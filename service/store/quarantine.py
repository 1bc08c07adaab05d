"""Rows that could not be landed: kept by name and reason, read again when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from service.store.pool import Db


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
