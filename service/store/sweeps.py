"""Sweeps: how far each has come, what it has seen, and how that differs from what we hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from connectors.base import Cursor, Present, Sweep
from service.store.accounts import due_of
from service.store.pool import Db

Drift = Literal["lacking", "vanished", "stale"]

TABLES: Mapping[str, tuple[str, str | None]] = {
    "user": ("crm_user", None),
    "account": ("account", None),
    "contact": ("contact", None),
    "opportunity": ("opportunity", None),
    **{kind: ("interaction", kind) for kind in ("email", "call", "meeting", "chat", "note")},
}
"""Where records of a kind are stored, and which of the table's rows they are."""
_ACCOUNTS = {"account": "t.account_id", "contact": "t.account_id", "opportunity": "t.account_id", "interaction": "t.account_id", "crm_user": "NULL::uuid"}

_RELINK = "INSERT INTO link_due (workspace_id, what, id) SELECT current_workspace(), '{0}', {0}_id FROM gone ON CONFLICT DO NOTHING"
_FOLLOWING = {
    "interaction": (", t.interaction_id", ", words AS (DELETE FROM message_text m USING gone WHERE m.interaction_id = gone.interaction_id)"),
    "contact": (", t.contact_id", f", again AS ({_RELINK.format('contact')})"),
    "account": ("", f", again AS ({_RELINK.format('account')})"),
}
"""What a row that has vanished takes with it: a column to return, and what is done with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """`started_at`: the sweep is under way, as far as `cursor`; `listed`: all ids are in."""

    stream: str
    kind: Sweep
    cursor: Cursor
    started_at: datetime | None
    listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    key: str
    drift: Drift


def prepare(db: Db, connection_id: UUID, every: Mapping[tuple[str, Sweep], timedelta], now: datetime) -> None:
    """A row for each sweep of a stream that has been read whole: the first is due a full interval after that."""
    db.execute(
        "INSERT INTO sweep (workspace_id, connection_id, stream, kind, due_at)"
        " SELECT current_workspace(), s.connection_id, s.name, u.kind, %s + u.every"
        " FROM unnest(%s::text[], %s::text[], %s::interval[]) AS u(stream, kind, every)"
        " JOIN stream s ON s.connection_id = %s AND s.name = u.stream WHERE s.succeeded_at IS NOT NULL ON CONFLICT DO NOTHING",
        [now, [stream for stream, _ in every], [kind for _, kind in every], list(every.values()), connection_id],
    )


def due(db: Db, connection_id: UUID, now: datetime) -> list[Due]:
    """The one that has waited longest first. A stream that is not read to its end has to be, before it is compared."""
    rows = db.execute(
        "SELECT w.stream, w.kind, w.cursor_at, w.cursor_key, w.cursor_resume, w.started_at, w.listed FROM sweep w"
        " JOIN stream s ON s.connection_id = w.connection_id AND s.name = w.stream"
        " WHERE w.connection_id = %s AND w.due_at <= %s AND NOT s.unfinished AND s.error IS NULL ORDER BY w.due_at, w.stream, w.kind",
        [connection_id, now],
    )
    return [
        Due(stream=stream, kind=kind, cursor=Cursor(at=at, key=key, resume=resume), started_at=started, listed=listed)
        for stream, kind, at, key, resume, started, listed in rows
    ]


def ask(db: Db, connection_id: UUID, stream: str | None, kind: Sweep | None, now: datetime) -> int:
    """Due now instead of at its time; None is all. Returns how many."""
    return db.execute(
        "UPDATE sweep SET due_at = LEAST(due_at, %(now)s) WHERE connection_id = %(id)s"
        " AND (%(stream)s::text IS NULL OR stream = %(stream)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)",
        {"id": connection_id, "stream": stream, "kind": kind, "now": now},
    ).rowcount


def begin(db: Db, connection_id: UUID, stream: str, kind: Sweep, started_at: datetime) -> None:
    db.execute(
        "UPDATE sweep SET started_at = %s, cursor_at = NULL, cursor_key = '', cursor_resume = '', listed = false, error = NULL,"
        " lacking = CASE kind WHEN 'ids' THEN 0 END, vanished = CASE kind WHEN 'ids' THEN 0 END, stale = CASE kind WHEN 'ids' THEN 0 END"
        " WHERE connection_id = %s AND stream = %s AND kind = %s",
        [started_at, connection_id, stream, kind],
    )
    if kind == "ids":
        db.execute("DELETE FROM sweep_present WHERE connection_id = %s AND stream = %s", [connection_id, stream])


def advance(db: Db, connection_id: UUID, stream: str, kind: Sweep, cursor: Cursor) -> None:
    db.execute(
        "UPDATE sweep SET cursor_at = %s, cursor_key = %s, cursor_resume = %s, error = NULL WHERE connection_id = %s AND stream = %s AND kind = %s",
        [cursor.at, cursor.key, cursor.resume, connection_id, stream, kind],
    )


def add_present(db: Db, connection_id: UUID, stream: str, present: Sequence[Present]) -> None:
    db.execute(
        "INSERT INTO sweep_present AS p (workspace_id, connection_id, stream, key, modified_at)"
        " SELECT current_workspace(), %s, %s, u.key, max(u.at) FROM unnest(%s::text[], %s::timestamptz[]) AS u(key, at) GROUP BY u.key"
        " ON CONFLICT (workspace_id, connection_id, stream, key) DO UPDATE SET modified_at = GREATEST(p.modified_at, excluded.modified_at)",
        [connection_id, stream, [p.key for p in present], [p.modified_at for p in present]],
    )


def fail(db: Db, connection_id: UUID, stream: str, kind: Sweep, error: str) -> None:
    db.execute("UPDATE sweep SET error = %s WHERE connection_id = %s AND stream = %s AND kind = %s", [error, connection_id, stream, kind])


def finish(db: Db, connection_id: UUID, stream: str, kind: Sweep, now: datetime, every: timedelta, *, error: str | None = None) -> None:
    db.execute(
        "UPDATE sweep SET started_at = NULL, listed = false, cursor_at = NULL, cursor_key = '', cursor_resume = '', done_at = %(now)s,"
        " due_at = %(now)s + %(every)s, error = %(error)s WHERE connection_id = %(id)s AND stream = %(stream)s AND kind = %(kind)s",
        {"now": now, "every": every, "error": error, "id": connection_id, "stream": stream, "kind": kind},
    )
    if kind == "ids":
        db.execute("DELETE FROM sweep_present WHERE connection_id = %s AND stream = %s", [connection_id, stream])


def compare(db: Db, connection_id: UUID, stream: str, covers: Collection[str], started_at: datetime, now: datetime, recheck: timedelta) -> tuple[int, int]:
    """What was seen becomes the list of what differs. Returns (rows that have vanished, rows held before).

    Left alone: what was written after `started_at`; rows without a stamp; and, until `recheck` has passed, rows of which nothing was kept.
    """
    parameters = {"id": connection_id, "stream": stream, "started": started_at, "checked": now - recheck}
    vanishing = total = 0
    db.execute("CREATE TEMP TABLE IF NOT EXISTS sweep_gone (key text, modified_at timestamptz) ON COMMIT DELETE ROWS")
    db.execute("DELETE FROM sweep_gone")
    for table, kinds in _own_kinds(db, connection_id, stream, covers).items():
        row = db.execute(_count(table, kinds), parameters).fetchone()
        total += row[0] if row else 0
        vanishing += db.execute(_gone(table, kinds), parameters).rowcount
    db.execute(
        sql.SQL(
            "WITH held AS ({held}), judged AS (SELECT p.key, CASE WHEN h.key IS NULL OR h.deleted AND h.modified_at <= p.modified_at THEN 'lacking'"
            "   WHEN NOT h.deleted AND h.modified_at < p.modified_at THEN 'stale' END AS drift"
            "   FROM sweep_present p LEFT JOIN held h ON h.key = p.key WHERE p.connection_id = %(id)s AND p.stream = %(stream)s"
            "   AND p.modified_at <= %(started)s AND NOT EXISTS (SELECT FROM sweep_passed o WHERE o.connection_id = %(id)s AND o.stream = %(stream)s"
            "     AND o.key = p.key AND o.modified_at = p.modified_at AND o.passed_at > %(checked)s))"
            " UPDATE sweep_present p SET drift = j.drift FROM judged j"
            " WHERE p.connection_id = %(id)s AND p.stream = %(stream)s AND p.key = j.key AND j.drift IS NOT NULL"
        ).format(held=_held()),
        parameters,
    )
    db.execute("DELETE FROM sweep_present WHERE connection_id = %(id)s AND stream = %(stream)s AND drift IS NULL", parameters)
    return vanishing, total


def list_gone(db: Db, connection_id: UUID, stream: str) -> None:
    """After `compare`, in the same transaction: what has vanished is looked at as well."""
    db.execute(
        "INSERT INTO sweep_present (workspace_id, connection_id, stream, key, modified_at, drift)"
        " SELECT current_workspace(), %s, %s, key, max(modified_at), 'vanished' FROM sweep_gone GROUP BY key ON CONFLICT DO NOTHING",
        [connection_id, stream],
    )


def withheld(db: Db, connection_id: UUID, stream: str) -> int | None:
    row = db.execute("SELECT withheld FROM sweep WHERE connection_id = %s AND stream = %s AND kind = 'ids'", [connection_id, stream]).fetchone()
    return row[0] if row else None


def mark_listed(db: Db, connection_id: UUID, stream: str, withheld: int | None) -> None:
    db.execute(
        "UPDATE sweep SET listed = true, withheld = %s WHERE connection_id = %s AND stream = %s AND kind = 'ids'",
        [withheld, connection_id, stream],
    )


def differing(db: Db, connection_id: UUID, stream: str, most: int) -> list[Drifted]:
    with db.cursor(row_factory=class_row(Drifted)) as cursor:
        return cursor.execute(
            "SELECT key, drift FROM sweep_present WHERE connection_id = %s AND stream = %s AND drift IS NOT NULL ORDER BY key LIMIT %s",
            [connection_id, stream, most],
        ).fetchall()


def settle(db: Db, connection_id: UUID, stream: str, covers: Collection[str], keys: Sequence[str], gone: Sequence[str], now: datetime) -> None:
    """These have been looked at. Counts those that differ no more, notes those of which nothing was kept, takes all off the list.

    `gone`: vanished, and the other side does not know them either; they are stored as deleted, and come back when they are seen again.
    """
    parameters = {"id": connection_id, "stream": stream, "keys": list(keys), "now": now}
    for table, kinds in _own_kinds(db, connection_id, stream, covers).items() if gone else ():
        db.execute(_delete(table, kinds), {"id": connection_id, "keys": list(gone)})
    db.execute(
        sql.SQL(
            "WITH held AS ({held}), looked AS (SELECT p.key, p.drift, p.modified_at, CASE p.drift WHEN 'vanished' THEN h.deleted"
            "   ELSE h.key IS NOT NULL AND COALESCE(h.modified_at >= p.modified_at, true) AND NOT (h.deleted AND h.modified_at <= p.modified_at) END AS healed"
            "   FROM sweep_present p LEFT JOIN held h ON h.key = p.key"
            "   WHERE p.connection_id = %(id)s AND p.stream = %(stream)s AND p.key = ANY(%(keys)s)),"
            " passed AS (INSERT INTO sweep_passed AS o (workspace_id, connection_id, stream, key, modified_at, passed_at)"
            "   SELECT current_workspace(), %(id)s, %(stream)s, key, modified_at, %(now)s FROM looked WHERE NOT healed AND drift <> 'vanished'"
            "   ON CONFLICT (workspace_id, connection_id, stream, key) DO UPDATE SET modified_at = excluded.modified_at, passed_at = excluded.passed_at)"
            " UPDATE sweep w SET lacking = w.lacking + n.lacking, vanished = w.vanished + n.vanished, stale = w.stale + n.stale FROM"
            "   (SELECT count(*) FILTER (WHERE healed AND drift = 'lacking') AS lacking, count(*) FILTER (WHERE healed AND drift = 'vanished') AS vanished,"
            "    count(*) FILTER (WHERE healed AND drift = 'stale') AS stale FROM looked) n"
            " WHERE w.connection_id = %(id)s AND w.stream = %(stream)s AND w.kind = 'ids'"
        ).format(held=_held()),
        parameters,
    )
    db.execute("DELETE FROM sweep_present WHERE connection_id = %(id)s AND stream = %(stream)s AND key = ANY(%(keys)s)", parameters)


def _own_kinds(db: Db, connection_id: UUID, stream: str, covers: Collection[str]) -> dict[str, list[str]]:
    """By table, the kinds that this stream delivers and no other one of the connection, and those that it covers: there it can be told what has vanished."""
    rows = db.execute(
        "SELECT DISTINCT unnest(holds) AS kind FROM stream WHERE connection_id = %(id)s AND name = %(stream)s"
        " EXCEPT SELECT unnest(holds) FROM stream WHERE connection_id = %(id)s AND name <> %(stream)s UNION SELECT unnest(%(covers)s::text[])",
        {"id": connection_id, "stream": stream, "covers": list(covers)},
    )
    found: dict[str, list[str]] = {}
    for (kind,) in rows:
        if kind in TABLES:
            table, part = TABLES[kind]
            found.setdefault(table, []).extend([part] if part else [])
    return found


def _held() -> sql.Composed:
    """Every row of the connection by the source's key, whichever stream it came by; our own tasks by theirs, without a stamp."""
    tables = sorted({table for table, _ in TABLES.values()})
    parts = [sql.SQL("SELECT key, deleted, modified_at FROM {} WHERE connection_id = %(id)s").format(sql.Identifier(t)) for t in tables]
    tasks = sql.SQL("SELECT remote_id, false, NULL FROM push_ledger WHERE connection_id = %(id)s AND remote_id IS NOT NULL")
    return sql.SQL(" UNION ALL ").join([*parts, tasks])


def _rows(table: str, kinds: Sequence[str]) -> sql.Composed:
    part = sql.SQL(" AND t.kind = ANY({})").format(sql.Literal(list(kinds))) if kinds else sql.SQL("")
    return sql.SQL("{} t WHERE t.connection_id = %(id)s AND NOT t.deleted AND t.modified_at IS NOT NULL{}").format(sql.Identifier(table), part)


def _count(table: str, kinds: Sequence[str]) -> sql.Composed:
    return sql.SQL("SELECT count(*) FROM {}").format(_rows(table, kinds))


def _gone(table: str, kinds: Sequence[str]) -> sql.Composed:
    return sql.SQL(
        "INSERT INTO sweep_gone SELECT t.key, t.modified_at FROM {} AND t.modified_at <= %(started)s AND NOT EXISTS"
        " (SELECT FROM sweep_present p WHERE p.connection_id = %(id)s AND p.stream = %(stream)s AND p.key = t.key)"
    ).format(_rows(table, kinds))


def _delete(table: str, kinds: Sequence[str]) -> sql.Composed:
    """Their accounts are due to be scored. A message that is gone keeps no words, and what was linked by a contact or an account is looked at again."""
    part = sql.SQL(" AND t.kind = ANY({})").format(sql.Literal(list(kinds))) if kinds else sql.SQL("")
    return sql.SQL(
        "WITH gone AS (UPDATE {} t SET deleted = true WHERE t.connection_id = %(id)s AND NOT t.deleted AND t.key = ANY(%(keys)s){}"
        "   RETURNING {} AS account_id{}){} {}"
    ).format(sql.Identifier(table), part, sql.SQL(_ACCOUNTS[table]), *map(sql.SQL, (*_FOLLOWING.get(table, ("", "")), due_of("gone"))))
