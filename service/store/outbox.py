"""What is to be pushed, and the ledger of what became of it. Time is the database's; a lease carries a fence that a late worker fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A row to push, and what the ledger knows of it: `status` and `version` are None and 0 before the first try.

    `attempts` failed since something last went well, the first of them `failing_for` ago. `absent`: the CRM was asked a short while ago
    and has no task of it, and nobody has tried to make one.
    """

    suggestion_id: UUID
    fence: int
    attempts: int
    failing_for: timedelta
    absent: bool
    status: str | None
    version: int
    payload_sha256: bytes | None
    sending_sha256: bytes | None
    remote_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A write that is about to begin. `sha256`: of the texts that it writes; `standing`: of those of ours that it finds."""

    suggestion_id: UUID
    fence: int
    key: str
    sha256: bytes
    standing: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What to record of one item. `status` is the ledger's, None leaves what it says. A `retry_in` puts the item back in line.

    `seen`: the suggestion's version that this came of; if there is a newer one by now, the item is due again.
    """

    suggestion_id: UUID
    fence: int
    key: str
    status: str | None
    version: int
    seen: int | None = None
    payload_sha256: bytes | None = None
    remote_id: str | None = None
    error: str | None = None
    retry_in: timedelta | None = None
    dead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """`remote_...`: the task as the CRM showed it last. `edited_by_person`: whether somebody else than we changed it last; None where that is not known."""

    suggestion_id: UUID
    connection_id: UUID
    key: str
    status: str
    version: int
    remote_id: str | None
    remote_status: str | None
    remote_closed: bool
    remote_deleted: bool
    remote_owner_key: str | None
    remote_edited_by_key: str | None
    edited_by_person: bool | None
    sent_at: datetime | None
    seen_at: datetime | None
    error: str | None


_READY = (
    "o.connection_id = %(id)s AND o.run_at <= clock_timestamp() AND (o.state = 'ready' OR o.state = 'leased' AND o.lease_until < clock_timestamp())"
    # Asked anew for each batch: a person may pause the connection in the middle of a run.
    " AND EXISTS (SELECT FROM connection c WHERE c.workspace_id = o.workspace_id AND c.connection_id = o.connection_id AND c.status = 'active'"
    "  AND (c.parked_until IS NULL OR c.parked_until <= clock_timestamp()))"
)
_ORDER = "ORDER BY o.run_at, o.suggestion_id"
_ITEM = (
    "t.suggestion_id, t.fence, t.attempts, COALESCE(clock_timestamp() - t.failing_since, '0') AS failing_for,"
    " t.fence = 1 AND p.status IS NULL AND COALESCE(t.absent_at > clock_timestamp() - %(believed)s, false) AS absent,"
    " p.status, COALESCE(p.version, 0) AS version, p.payload_sha256, p.sending_sha256, p.remote_id"
)
_OF_LEDGER = "LEFT JOIN push_ledger p ON p.workspace_id = t.workspace_id AND p.suggestion_id = t.suggestion_id AND p.connection_id = t.connection_id"

BELIEVED = timedelta(minutes=5)
"""So long, what was looked up ahead counts."""


def add(db: Db, suggestion_ids: Sequence[UUID], connection_id: UUID, not_before: datetime | None = None) -> None:
    """In the transaction that writes the suggestions. A row that waits already is left alone; one that is done is due again, not before a time if
    one is named."""
    db.execute(
        "INSERT INTO outbox AS o (workspace_id, suggestion_id, connection_id, run_at)"
        " SELECT current_workspace(), s, %s, GREATEST(now(), %s::timestamptz) FROM unnest(%s::uuid[]) s"
        " ON CONFLICT (workspace_id, suggestion_id, connection_id) DO UPDATE"
        " SET state = CASE WHEN o.state = 'leased' THEN o.state ELSE 'ready' END, run_at = EXCLUDED.run_at, attempts = 0, failing_since = NULL,"
        " queued_at = NULL, error = NULL,"
        # A change that arrives while a worker holds the row must not be lost: ending that worker's fence makes the row due again.
        " fence = o.fence + CASE WHEN o.state = 'leased' THEN 1 ELSE 0 END",
        [connection_id, not_before, list(suggestion_ids)],
    )


def lease(db: Db, connection_id: UUID, most: int, hold: timedelta) -> list[Item]:
    """Takes due rows, unless the connection is paused or parked by now."""
    with db.cursor(row_factory=class_row(Item)) as cursor:
        return cursor.execute(
            f"WITH due AS (SELECT o.workspace_id, o.suggestion_id FROM outbox o WHERE {_READY} {_ORDER} LIMIT %(most)s FOR UPDATE OF o SKIP LOCKED),"
            " taken AS (UPDATE outbox o SET state = 'leased', fence = fence + 1, lease_until = clock_timestamp() + %(hold)s FROM due"
            "  WHERE o.workspace_id = due.workspace_id AND o.suggestion_id = due.suggestion_id AND o.connection_id = %(id)s RETURNING o.*)"
            f" SELECT {_ITEM} FROM taken t {_OF_LEDGER} ORDER BY t.run_at, t.suggestion_id",
            {"id": connection_id, "most": most, "hold": hold, "believed": BELIEVED},
        ).fetchall()


def waiting_items(db: Db, connection_id: UUID) -> list[Item]:
    """What a push would take now or later, without taking it."""
    with db.cursor(row_factory=class_row(Item)) as cursor:
        return cursor.execute(
            f"SELECT {_ITEM} FROM outbox t {_OF_LEDGER} WHERE t.connection_id = %(id)s AND t.state IN ('ready', 'leased') ORDER BY t.run_at, t.suggestion_id",
            {"id": connection_id, "believed": timedelta(0)},
        ).fetchall()


def waiting(db: Db, connection_id: UUID) -> list[UUID]:
    return [item.suggestion_id for item in waiting_items(db, connection_id)]


def anything_due(db: Db, connection_id: UUID) -> bool:
    return db.execute(f"SELECT FROM outbox o WHERE {_READY} LIMIT 1", {"id": connection_id}).fetchone() is not None


def ahead(db: Db, connection_id: UUID, most: int) -> tuple[datetime, list[UUID]]:
    """The next rows that nobody has taken or looked up yet, and the moment of asking."""
    row = db.execute(
        "SELECT clock_timestamp(), ARRAY(SELECT o.suggestion_id FROM outbox o WHERE o.connection_id = %(id)s AND o.state = 'ready' AND o.fence = 0"
        " AND o.run_at <= clock_timestamp() AND (o.absent_at IS NULL OR o.absent_at <= clock_timestamp() - %(believed)s)"
        f" {_ORDER} LIMIT %(most)s)",
        {"id": connection_id, "most": most, "believed": BELIEVED},
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def note_absent(db: Db, connection_id: UUID, suggestion_ids: Sequence[UUID], at: datetime) -> None:
    """The CRM had no task of these at that moment."""
    db.execute("UPDATE outbox SET absent_at = %s WHERE connection_id = %s AND suggestion_id = ANY(%s) AND fence = 0", [at, connection_id, list(suggestion_ids)])


def mark_sending(db: Db, connection_id: UUID, writes: Sequence[Sending], hold: timedelta) -> set[UUID]:
    """Before the call. Returns those whose lease still holds, and holds it anew; only they may be sent."""
    rows = db.execute(
        "WITH held AS (UPDATE outbox o SET lease_until = clock_timestamp() + %(hold)s"
        "  FROM unnest(%(suggestions)s::uuid[], %(fences)s::bigint[], %(keys)s::text[], %(hashes)s::bytea[],"
        "    %(standing)s::bytea[]) AS u(s, fence, key, hash, standing)"
        "  WHERE o.suggestion_id = u.s AND o.connection_id = %(id)s AND o.fence = u.fence AND o.state = 'leased'"
        "  RETURNING o.workspace_id, o.suggestion_id, o.connection_id, o.fence, u.key, u.hash, u.standing)"
        " INSERT INTO push_ledger AS p (workspace_id, suggestion_id, connection_id, key, status, fence, sending_sha256, payload_sha256)"
        " SELECT workspace_id, suggestion_id, connection_id, key, 'sending', fence, hash, standing FROM held"
        " ON CONFLICT (workspace_id, suggestion_id, connection_id) DO UPDATE"
        " SET status = 'sending', fence = excluded.fence, sending_sha256 = excluded.sending_sha256,"
        "  payload_sha256 = COALESCE(excluded.payload_sha256, p.payload_sha256), error = NULL"
        " WHERE p.fence < excluded.fence RETURNING p.suggestion_id",
        {
            "id": connection_id,
            "hold": hold,
            "suggestions": [w.suggestion_id for w in writes],
            "fences": [w.fence for w in writes],
            "keys": [w.key for w in writes],
            "hashes": [w.sha256 for w in writes],
            "standing": [w.standing for w in writes],
        },
    )
    return {suggestion_id for (suggestion_id,) in rows}


def record(db: Db, connection_id: UUID, results: Sequence[Result]) -> int:
    """After the call, in one statement. A result whose fence is old changes nothing. Returns how many were recorded."""
    columns = {f"c_{name}": [getattr(r, name) for r in results] for name in _RESULT}
    row = db.execute(_RECORD, {"id": connection_id, **columns}).fetchone()
    assert row is not None
    return int(row[0])


def give_back(db: Db, connection_id: UUID, items: Sequence[Item]) -> None:
    """Leased rows that nothing was tried with: due again at once, for whoever comes next."""
    db.execute(
        "UPDATE outbox o SET state = 'ready', lease_until = NULL, queued_at = NULL FROM unnest(%s::uuid[], %s::bigint[]) AS u(s, fence)"
        " WHERE o.suggestion_id = u.s AND o.connection_id = %s AND o.fence = u.fence AND o.state = 'leased'",
        [[i.suggestion_id for i in items], [i.fence for i in items], connection_id],
    )


def revive(db: Db, connection_id: UUID) -> int:
    """What was given up or refused for good is tried once more: a person has mended something. Returns how many."""
    return db.execute(
        "UPDATE outbox SET state = 'ready', run_at = now(), attempts = 0, failing_since = NULL, queued_at = NULL, error = NULL"
        " WHERE connection_id = %s AND state = 'dead'",
        [connection_id],
    ).rowcount


def ledger(db: Db, suggestion_ids: Sequence[UUID] | None = None) -> list[LedgerRow]:
    with db.cursor(row_factory=class_row(LedgerRow)) as cursor:
        return cursor.execute(
            "SELECT p.suggestion_id, p.connection_id, p.key, p.status, p.version, p.remote_id, p.remote_status, p.remote_closed, p.remote_deleted,"
            " p.remote_owner_key, p.remote_edited_by_key, p.remote_edited_by_key <> c.acts_as AS edited_by_person, p.sent_at, p.seen_at, p.error"
            " FROM push_ledger p JOIN connection c USING (workspace_id, connection_id)"
            " WHERE (%(ids)s::uuid[] IS NULL OR p.suggestion_id = ANY(%(ids)s))",
            {"ids": list(suggestion_ids) if suggestion_ids is not None else None},
        ).fetchall()


def acts_as(db: Db, connection_id: UUID, user_key: str) -> None:
    """The CRM's user that we write as."""
    db.execute(
        "UPDATE connection SET acts_as = %(user)s WHERE connection_id = %(id)s AND acts_as IS DISTINCT FROM %(user)s", {"user": user_key, "id": connection_id}
    )


def counts(db: Db) -> dict[str, int]:
    """Outbox rows by state."""
    return dict(db.execute("SELECT state, count(*) FROM outbox GROUP BY state").fetchall())


def claim_due(db: Db, most: int, patience: timedelta) -> list[tuple[UUID, UUID]]:
    """Across workspaces, ids only: (workspace, connection) pairs with rows to push, marked as queued."""
    return db.execute("SELECT workspace_id, connection_id FROM claim_due_pushes(%s, %s)", [most, patience]).fetchall()


_RESULT = {
    **{"suggestion_id": "uuid", "fence": "bigint", "key": "text", "status": "text", "version": "integer", "seen": "integer"},
    **{"payload_sha256": "bytea", "remote_id": "text", "error": "text", "retry_in": "interval", "dead": "boolean"},
}
_RECORD = (
    f"WITH given AS (SELECT * FROM unnest({', '.join(f'%(c_{name})s::{kind}[]' for name, kind in _RESULT.items())}) AS u({', '.join(_RESULT)})),"
    " result AS (SELECT g.*, CASE WHEN g.dead THEN 'dead' WHEN g.retry_in IS NOT NULL THEN 'ready'"
    "   WHEN EXISTS (SELECT FROM suggestion s WHERE s.workspace_id = current_workspace() AND s.suggestion_id = g.suggestion_id AND s.version > g.seen)"
    "   THEN 'ready' ELSE 'done' END AS state FROM given g),"
    " held AS (UPDATE outbox o SET state = r.state, run_at = clock_timestamp() + COALESCE(r.retry_in, '0'), lease_until = NULL, queued_at = NULL,"
    "   error = r.error, attempts = CASE WHEN r.retry_in IS NULL THEN 0 ELSE o.attempts + 1 END,"
    "   failing_since = CASE WHEN r.retry_in IS NOT NULL THEN COALESCE(o.failing_since, clock_timestamp()) END FROM result r"
    "   WHERE o.workspace_id = current_workspace() AND o.suggestion_id = r.suggestion_id AND o.connection_id = %(id)s AND o.fence = r.fence"
    "   AND o.state = 'leased' RETURNING r.*),"
    " written AS (INSERT INTO push_ledger AS p (workspace_id, suggestion_id, connection_id, key, status, version, payload_sha256, remote_id, fence, error,"
    "   sent_at) SELECT current_workspace(), h.suggestion_id, %(id)s, h.key, COALESCE(h.status, k.status), h.version, h.payload_sha256, h.remote_id, h.fence,"
    "   h.error, CASE WHEN h.status = 'sent' THEN clock_timestamp() END FROM held h LEFT JOIN push_ledger k"
    "   ON k.workspace_id = current_workspace() AND k.suggestion_id = h.suggestion_id AND k.connection_id = %(id)s"
    # What never came near the CRM has no place in the ledger.
    "   WHERE k.status IS NOT NULL OR h.status NOT IN ('pending', 'withdrawn')"
    "   ON CONFLICT (workspace_id, suggestion_id, connection_id) DO UPDATE SET status = excluded.status, version = excluded.version,"
    "   payload_sha256 = COALESCE(excluded.payload_sha256, p.payload_sha256), remote_id = COALESCE(excluded.remote_id, p.remote_id),"
    "   error = excluded.error, sent_at = COALESCE(excluded.sent_at, p.sent_at) WHERE p.fence <= excluded.fence)"
    " SELECT count(*) FROM held"
)
