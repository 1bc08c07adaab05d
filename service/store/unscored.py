"""What could not be read, scored or given a suggestion, and what waits for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from service.store import accounts
from service.store.pool import Db

What = Literal["message", "account", "suggestion"]
LATE_AFTER = "2 hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An account that could not be scored or given a suggestion, or of which so many messages could not be read."""

    what: What
    account_id: UUID
    account: str
    number: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    failed: tuple[Failed, ...]
    given_up: int
    """Messages whose own words could not be told from quotes and signatures."""
    waiting: int
    """Accounts that are due for too long."""
    waiting_since: datetime | None


def record(db: Db, what: What, failed: Mapping[UUID, str], reader: str, today: date) -> None:
    """`failed`: the type of the error by id. `since` stays that of the first time."""
    with db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO unscored (workspace_id, what, id, error, reader, tried_on) VALUES (current_workspace(), %s, %s, %s, %s, %s)"
            " ON CONFLICT (workspace_id, what, id) DO UPDATE SET error = excluded.error, reader = excluded.reader, tried_on = excluded.tried_on",
            [(what, i, error, reader, today) for i, error in sorted(failed.items())],
        )


def clear(db: Db, what: What, ids: Collection[UUID]) -> None:
    db.execute("DELETE FROM unscored WHERE what = %s AND id = ANY(%s)", [what, list(ids)])


def replace(db: Db, what: What, failed: Mapping[UUID, str], by: str, today: date) -> int:
    """After a run over everything there is: nothing else of this kind fails. Returns how many do."""
    db.execute("DELETE FROM unscored WHERE what = %s AND NOT id = ANY(%s)", [what, list(failed)])
    record(db, what, failed, by, today)
    return len(failed)


def again(db: Db) -> int:
    """Whatever failed is due once more, for somebody asks. Returns how much that is."""
    rows = db.execute("UPDATE unscored SET reader = '' RETURNING what, id").fetchall()
    accounts.mark_due(db, [i for what, i in rows if what != "message"])
    return len(rows)


def read(db: Db) -> Unscored:
    with db.cursor(row_factory=class_row(Failed)) as cursor:
        failed = cursor.execute(
            "SELECT f.what, a.account_id, a.name AS account, count(*) AS number, min(f.since) AS since"
            " FROM (SELECT u.what, u.since, CASE u.what WHEN 'message' THEN i.account_id ELSE u.id END AS account_id FROM unscored u"
            "  LEFT JOIN interaction i ON u.what = 'message' AND i.interaction_id = u.id AND NOT i.deleted"
            # Of what has been erased nothing is left to be read.
            "   AND EXISTS (SELECT FROM message_text t WHERE t.workspace_id = u.workspace_id AND t.interaction_id = u.id)) f"
            " JOIN account a USING (account_id) WHERE NOT a.deleted AND a.merged_into_key IS NULL"
            " GROUP BY f.what, a.account_id, a.name ORDER BY f.what, a.name, a.account_id"
        ).fetchall()
    row = db.execute("SELECT count(*) FROM message_text WHERE quote_strip = 'failed'").fetchone()
    # While somebody's first reading runs, what waits is no sign of trouble.
    waits = db.execute(
        "SELECT count(*), min(since) FROM score_due WHERE since < now() - %s::interval"
        " AND NOT EXISTS (SELECT FROM job WHERE kind = 'first_read' AND state = 'running' AND lease_until > clock_timestamp())",
        [LATE_AFTER],
    ).fetchone()
    waiting, since = waits or (0, None)
    return Unscored(failed=tuple(failed), given_up=row[0] if row else 0, waiting=waiting, waiting_since=since)


def unread(db: Db, account_id: UUID) -> list[datetime]:
    """When this account's people wrote what could not be told apart, or could not be read; the newest first."""
    rows = db.execute(
        "SELECT i.occurred_at FROM interaction i JOIN message_text t USING (workspace_id, interaction_id)"
        " LEFT JOIN unscored u ON u.workspace_id = i.workspace_id AND u.what = 'message' AND u.id = i.interaction_id"
        " WHERE i.account_id = %s AND i.direction = 'in' AND NOT i.automatic AND NOT i.deleted AND (t.quote_strip = 'failed' OR u.id IS NOT NULL)"
        " ORDER BY i.occurred_at DESC",
        [account_id],
    )
    return [at for (at,) in rows]
