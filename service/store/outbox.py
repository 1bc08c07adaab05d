"""What is to be pushed, and the ledger of what became of it. Time is the database's; a lease carries a fence that a late worker fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from psycopg.rows import class_row

from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A leased row: push this suggestion. `status` and `version` are the ledger's, None and 0 before the first try."""

    suggestion_id: UUID
    fence: int
    attempts: int
    key: str | None
    status: str | None
    version: int
    payload_sha256: bytes | None
    remote_id: str | None
    remote_closed: bool
    remote_deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What to record of one item. `status` is the ledger's; a `retry_in` puts the item back in line."""

    suggestion_id: UUID
    fence: int
    status: str
    version: int
    payload_sha256: bytes | None = None
    remote_id: str | None = None
    error: str | None = None
    retry_in: timedelta | None = None
    dead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    suggestion_id: UUID
    connection_id: UUID
    key: str
    status: str
    version: int
    remote_id: str | None
    remote_status: str | None
    remote_closed: bool
    remote_deleted: bool
    error: str | None


def add(db: Db, suggestion_ids: Sequence[UUID], connection_id: UUID) -> None:
    """In the transaction that writes the suggestions. A row that waits already is left alone; one that is done is due again."""
    db.execute(
        "INSERT INTO outbox AS o (workspace_id, suggestion_id, connection_id) SELECT current_workspace(), s, %s FROM unnest(%s::uuid[]) s"
        " ON CONFLICT (workspace_id, suggestion_id, connection_id) DO UPDATE"
        " SET state = CASE WHEN o.state = 'leased' THEN o.state ELSE 'ready' END, run_at = now(), attempts = 0, queued_at = NULL, error = NULL,"
        # A change that arrives while a worker holds the row must not be lost: ending that worker's fence makes the row due again.
        " fence = o.fence + CASE WHEN o.state = 'leased' THEN 1 ELSE 0 END",
        [connection_id, list(suggestion_ids)],
    )


def lease(db: Db, connection_id: UUID, most: int, hold: timedelta) -> list[Item]:
    with db.cursor(row_factory=class_row(Item)) as cursor:
        return cursor.execute(
            "WITH due AS (SELECT suggestion_id FROM outbox WHERE connection_id = %(id)s AND run_at <= clock_timestamp()"
            "     AND (state = 'ready' OR state = 'leased' AND lease_until < clock_timestamp()) ORDER BY run_at LIMIT %(most)s FOR UPDATE SKIP LOCKED),"
            " taken AS (UPDATE outbox o SET state = 'leased', fence = fence + 1, attempts = attempts + 1, lease_until = clock_timestamp() + %(hold)s"
            "     FROM due WHERE o.suggestion_id = due.suggestion_id AND o.connection_id = %(id)s RETURNING o.suggestion_id, o.fence, o.attempts)"
            " SELECT t.suggestion_id, t.fence, t.attempts, p.key, p.status, COALESCE(p.version, 0) AS version, p.payload_sha256, p.remote_id,"
            " COALESCE(p.remote_closed, false) AS remote_closed, COALESCE(p.remote_deleted, false) AS remote_deleted"
            " FROM taken t LEFT JOIN push_ledger p ON p.suggestion_id = t.suggestion_id AND p.connection_id = %(id)s",
            {"id": connection_id, "most": most, "hold": hold},
        ).fetchall()


def waiting(db: Db, connection_id: UUID) -> list[UUID]:
    """What a push would take now or later, without taking it."""
    rows = db.execute("SELECT suggestion_id FROM outbox WHERE connection_id = %s AND state IN ('ready', 'leased') ORDER BY run_at", [connection_id])
    return [suggestion_id for (suggestion_id,) in rows]


def mark_sending(db: Db, connection_id: UUID, items: Sequence[tuple[UUID, int, str]]) -> set[UUID]:
    """Before the call: (suggestion, fence, key) as `sending`. Returns those whose lease still holds; only they may be sent."""
    rows = db.execute(
        "INSERT INTO push_ledger AS p (workspace_id, suggestion_id, connection_id, key, status, fence)"
        " SELECT current_workspace(), u.s, %(id)s, u.key, 'sending', u.fence"
        " FROM unnest(%(suggestions)s::uuid[], %(fences)s::bigint[], %(keys)s::text[]) AS u(s, fence, key)"
        " JOIN outbox o ON o.suggestion_id = u.s AND o.connection_id = %(id)s AND o.fence = u.fence AND o.state = 'leased'"
        " ON CONFLICT (workspace_id, suggestion_id, connection_id) DO UPDATE SET status = 'sending', fence = excluded.fence, error = NULL"
        " WHERE p.fence < excluded.fence RETURNING p.suggestion_id",
        {"id": connection_id, "suggestions": [i[0] for i in items], "fences": [i[1] for i in items], "keys": [i[2] for i in items]},
    )
    return {suggestion_id for (suggestion_id,) in rows}


def record(db: Db, connection_id: UUID, results: Sequence[Result]) -> int:
    """After the call. A result whose fence is old changes nothing. Returns how many were recorded."""
    recorded = 0
    for r in results:
        state = "dead" if r.dead else "ready" if r.retry_in is not None else "done"
        held = db.execute(
            "UPDATE outbox SET state = %(state)s, run_at = clock_timestamp() + %(retry_in)s, lease_until = NULL, queued_at = NULL, error = %(error)s"
            " WHERE suggestion_id = %(s)s AND connection_id = %(id)s AND fence = %(fence)s AND state = 'leased'",
            {
                "state": state,
                "retry_in": r.retry_in or timedelta(0),
                "error": r.error,
                "s": r.suggestion_id,
                "id": connection_id,
                "fence": r.fence,
            },
        ).rowcount
        if held:
            _record_in_ledger(db, connection_id, r)
        recorded += held
    return recorded


def ledger(db: Db, suggestion_ids: Sequence[UUID] | None = None) -> list[LedgerRow]:
    with db.cursor(row_factory=class_row(LedgerRow)) as cursor:
        return cursor.execute(
            "SELECT suggestion_id, connection_id, key, status, version, remote_id, remote_status, remote_closed, remote_deleted, error FROM push_ledger"
            " WHERE (%(ids)s::uuid[] IS NULL OR suggestion_id = ANY(%(ids)s))",
            {"ids": list(suggestion_ids) if suggestion_ids is not None else None},
        ).fetchall()


def counts(db: Db) -> dict[str, int]:
    """Outbox rows by state."""
    return dict(db.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())


def claim_due(db: Db, most: int, patience: timedelta) -> list[tuple[UUID, UUID]]:
    """Across workspaces, ids only: (workspace, connection) pairs with rows to push, marked as queued."""
    return db.execute("SELECT workspace_id, connection_id FROM claim_due_pushes(%s, %s)", [most, patience]).fetchall()


def _record_in_ledger(db: Db, connection_id: UUID, r: Result) -> None:
    db.execute(
        "UPDATE push_ledger SET status = %(status)s, version = %(version)s, payload_sha256 = COALESCE(%(sha)s, payload_sha256),"
        " remote_id = COALESCE(%(remote_id)s, remote_id), error = %(error)s,"
        " sent_at = CASE WHEN %(status)s = 'sent' THEN clock_timestamp() ELSE sent_at END"
        " WHERE suggestion_id = %(s)s AND connection_id = %(id)s AND fence <= %(fence)s",
        {
            "status": r.status,
            "version": r.version,
            "sha": r.payload_sha256,
            "remote_id": r.remote_id,
            "error": r.error,
            "s": r.suggestion_id,
            "id": connection_id,
            "fence": r.fence,
        },
    )
