"""What a connection's owner is told, once for each trouble, and what became of the task. Time is the database's; a lease carries a fence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from service.store.pool import Db

NoticeStatus = Literal["pending", "sending", "unknown", "sent", "blocked", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    connection_id: UUID
    kind: str
    since: datetime
    sentence: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`target_id`: by which connection the task is, or may have been, written. `over_at`: the connection worked again."""

    notice_id: UUID
    connection_id: UUID
    kind: str
    since: datetime
    sentence: str
    opened_at: datetime
    over_at: datetime | None
    key: str
    target_id: UUID | None
    status: NoticeStatus
    remote_id: str | None
    error: str | None


_COLUMNS = "notice_id, connection_id, kind, since, sentence, opened_at, over_at, key, target_id, status, remote_id, error"


def renew(db: Db, new: Sequence[New]) -> None:
    """What a notice says before it is written is what is the matter then."""
    db.execute(
        "UPDATE notice n SET kind = u.kind, sentence = u.sentence"
        " FROM unnest(%(connections)s::uuid[], %(kinds)s::text[], %(sentences)s::text[]) AS u(connection_id, kind, sentence)"
        " WHERE n.connection_id = u.connection_id AND n.over_at IS NULL AND n.status = 'pending'",
        {"connections": [n.connection_id for n in new], "kinds": [n.kind for n in new], "sentences": [n.sentence for n in new]},
    )


def begin(db: Db, new: Sequence[New], at: datetime) -> int:
    """A connection that has a notice already, and a trouble that had one before, get none. Returns how many there are more."""
    return db.execute(
        "INSERT INTO notice (workspace_id, connection_id, kind, since, sentence, opened_at, key)"
        " SELECT current_workspace(), u.connection_id, u.kind, u.since, u.sentence, %(at)s, u.key"
        " FROM unnest(%(connections)s::uuid[], %(kinds)s::text[], %(since)s::timestamptz[], %(sentences)s::text[], %(keys)s::text[])"
        "   AS u(connection_id, kind, since, sentence, key)"
        " ON CONFLICT DO NOTHING",
        {
            "at": at,
            "connections": [n.connection_id for n in new],
            "kinds": [n.kind for n in new],
            "since": [n.since for n in new],
            "sentences": [n.sentence for n in new],
            "keys": [n.key for n in new],
        },
    ).rowcount


def end(db: Db, well: Sequence[UUID], at: datetime) -> None:
    """These connections need nobody. Their notices are over once something has been read since; a task that was not begun is not made."""
    db.execute(
        "UPDATE notice n SET over_at = %(at)s, status = CASE WHEN status = 'pending' THEN 'withdrawn' ELSE status END"
        " WHERE n.over_at IS NULL AND n.connection_id = ANY(%(well)s)"
        " AND EXISTS (SELECT FROM stream s WHERE s.connection_id = n.connection_id AND s.succeeded_at > n.opened_at)",
        {"at": at, "well": list(well)},
    )


def standing(db: Db) -> list[Notice]:
    """Those that are not over."""
    return _select(db, "over_at IS NULL ORDER BY opened_at, key")


def due(db: Db) -> list[Notice]:
    """Those whose task is still to be written, or may have been, unless somebody is at it."""
    free = "run_at <= clock_timestamp() AND (lease_until IS NULL OR lease_until < clock_timestamp())"
    return _select(db, f"status IN ('pending', 'sending', 'unknown') AND {free} ORDER BY opened_at, key")


def lease(db: Db, notice_id: UUID, target_id: UUID, hold: timedelta) -> int | None:
    """Takes the notice for one writer and returns its fence. None while another holds it, or once its task may stand in another CRM."""
    row = db.execute(
        "UPDATE notice SET fence = fence + 1, lease_until = clock_timestamp() + %(hold)s, target_id = %(target)s"
        " WHERE notice_id = %(id)s AND (lease_until IS NULL OR lease_until < clock_timestamp())"
        " AND (status = 'pending' OR status IN ('sending', 'unknown') AND target_id = %(target)s) RETURNING fence",
        {"id": notice_id, "target": target_id, "hold": hold},
    ).fetchone()
    return row[0] if row else None


def mark_sending(db: Db, notice_id: UUID, fence: int) -> bool:
    """Before the call. False: the lease is over, so the task must not be written."""
    changed = db.execute("UPDATE notice SET status = 'sending' WHERE notice_id = %s AND fence = %s AND lease_until > clock_timestamp()", [notice_id, fence])
    return changed.rowcount == 1


def record(db: Db, notice_id: UUID, fence: int, status: NoticeStatus | None, *, remote_id: str | None, error: str | None, retry_in: timedelta) -> None:
    """After the call; a writer whose lease was taken over changes nothing. Without a status it stays as it was."""
    db.execute(
        "UPDATE notice SET status = COALESCE(%(status)s, status), remote_id = COALESCE(%(remote_id)s, remote_id), error = %(error)s,"
        " run_at = clock_timestamp() + %(retry_in)s, lease_until = NULL WHERE notice_id = %(id)s AND fence = %(fence)s",
        {"status": status, "remote_id": remote_id, "error": error, "retry_in": retry_in, "id": notice_id, "fence": fence},
    )


def owners(db: Db, target_id: UUID, owner_key: str | None) -> list[str]:
    """Users of the CRM who may be told, best first: the connection's owner, then whoever manages most people, then whoever owns most accounts."""
    rows = db.execute(
        "SELECT u.key FROM crm_user u"
        " LEFT JOIN (SELECT manager_key AS key, count(*) AS n FROM crm_user WHERE connection_id = %(id)s AND active AND NOT deleted GROUP BY 1) m"
        "   ON m.key = u.key"
        " LEFT JOIN (SELECT owner_key AS key, count(*) AS n FROM account WHERE connection_id = %(id)s AND NOT deleted GROUP BY 1) a ON a.key = u.key"
        " WHERE u.connection_id = %(id)s AND u.active AND NOT u.deleted AND (u.key = %(owner)s OR m.n > 0 OR a.n > 0)"
        " ORDER BY u.key IS NOT DISTINCT FROM %(owner)s DESC, COALESCE(m.n, 0) DESC, COALESCE(a.n, 0) DESC, u.key LIMIT 3",
        {"id": target_id, "owner": owner_key},
    )
    return [key for (key,) in rows]


def users_with(db: Db, email: str) -> list[tuple[UUID, str]]:
    """(connection, key) of the active users with this address, as they were last read."""
    rows = db.execute("SELECT connection_id, key FROM crm_user WHERE lower(email) = lower(%s) AND active AND NOT deleted ORDER BY 1, 2", [email.strip()])
    return rows.fetchall()


def set_owner(db: Db, connection_id: UUID, key: str | None) -> None:
    db.execute("UPDATE connection SET owner_key = %s WHERE connection_id = %s", [key, connection_id])


def _select(db: Db, condition: str) -> list[Notice]:
    with db.cursor(row_factory=class_row(Notice)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM notice WHERE {condition}".encode()).fetchall()
