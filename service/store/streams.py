"""Where each stream of a connection stands: its window of time, its turn, when it is due next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from connectors.base import Cursor, Stream
from service.store.pool import Db

GUARD = Stream(name="push")
"""A row that no source reads: whoever pushes without a unique key holds it."""


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
class Standing:
    """`due`: nobody is reading it, and its pause is over. `next_at`: when its last turn ended, for one that was not read to its end."""

    name: str
    unfinished: bool
    due: bool
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A stream in one runner's hands. `window_until`: a window is open, read as far as `cursor`. `reread_from`: see the migration."""

    fence: int
    cursor: Cursor
    window_until: datetime | None
    reread_from: datetime | None


def prepare(db: Db, connection_id: UUID, streams: Sequence[Stream]) -> None:
    """A row for each, so that one which no run has reached yet is known to be due."""
    db.execute(
        "INSERT INTO stream AS s (workspace_id, connection_id, name, fresh_seconds)"
        " SELECT current_workspace(), %s, u.name, u.fresh FROM unnest(%s::text[], %s::integer[]) AS u(name, fresh)"
        " ON CONFLICT (workspace_id, connection_id, name) DO UPDATE SET fresh_seconds = excluded.fresh_seconds"
        " WHERE s.fresh_seconds <> excluded.fresh_seconds",
        [connection_id, [s.name for s in streams], [int(s.fresh_within.total_seconds()) for s in streams]],
    )


def retire(db: Db, connection_id: UUID, names: Sequence[str]) -> None:
    """Without those that the source offers no more: they would be stale for ever."""
    db.execute("DELETE FROM stream WHERE connection_id = %s AND name <> ALL(%s)", [connection_id, [*names, GUARD.name]])


def states(db: Db) -> list[StreamState]:
    with db.cursor(row_factory=class_row(StreamState)) as cursor:
        return cursor.execute(
            "SELECT connection_id, name, cursor_at, cursor_key, pulled_until, succeeded_at, fresh_seconds, landed, error, error_since, unfinished,"
            " missing, calls FROM stream ORDER BY connection_id, name"
        ).fetchall()


def standings(db: Db, connection_id: UUID) -> dict[str, Standing]:
    with db.cursor(row_factory=class_row(Standing)) as cursor:
        rows = cursor.execute(
            "SELECT name, unfinished, next_at, COALESCE(next_at, '-infinity') <= clock_timestamp() AND COALESCE(lease_until, '-infinity') < clock_timestamp()"
            " AS due FROM stream WHERE connection_id = %s",
            [connection_id],
        )
        return {row.name: row for row in rows}


def note_missing(db: Db, connection_id: UUID, missing: Mapping[str, Sequence[str]]) -> None:
    """Fields of each stream that cannot be seen today."""
    for name, fields in missing.items():
        db.execute(
            "UPDATE stream SET missing = %(fields)s::text[] WHERE connection_id = %(id)s AND name = %(name)s AND missing <> %(fields)s::text[]",
            {"fields": list(fields), "id": connection_id, "name": name},
        )


def lease(db: Db, connection_id: UUID, stream: Stream, hold: timedelta) -> Lease | None:
    """Takes the stream for one runner; None while another holds it."""
    row = db.execute(
        "INSERT INTO stream (workspace_id, connection_id, name, fresh_seconds, fence, lease_until)"
        " VALUES (current_workspace(), %(id)s, %(name)s, %(fresh)s, 1, clock_timestamp() + %(hold)s)"
        " ON CONFLICT (workspace_id, connection_id, name) DO UPDATE"
        " SET fence = stream.fence + 1, lease_until = clock_timestamp() + %(hold)s, fresh_seconds = %(fresh)s"
        " WHERE stream.lease_until IS NULL OR stream.lease_until < clock_timestamp()"
        " RETURNING fence, cursor_at, cursor_key, cursor_resume, window_until, reread_from",
        {"id": connection_id, "name": stream.name, "fresh": int(stream.fresh_within.total_seconds()), "hold": hold},
    ).fetchone()
    if row is None:
        return None
    fence, at, key, resume, window_until, reread_from = row
    return Lease(fence=fence, cursor=Cursor(at=at, key=key, resume=resume), window_until=window_until, reread_from=reread_from)


def is_held(db: Db, connection_id: UUID, name: str, fence: int) -> bool:
    """Locks the stream's row to the end of the transaction: what follows is landed by the runner that holds it, or not at all."""
    return (
        db.execute(
            "SELECT FROM stream WHERE connection_id = %s AND name = %s AND fence = %s FOR NO KEY UPDATE",
            [connection_id, name, fence],
        ).rowcount
        == 1
    )


def advance(
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


def note_kinds(db: Db, connection_id: UUID, name: str, kinds: Collection[str]) -> None:
    """What kinds of records the stream delivers, as far as they have been seen."""
    db.execute(
        "UPDATE stream SET holds = ARRAY(SELECT DISTINCT unnest(holds || %(kinds)s::text[]) ORDER BY 1)"
        " WHERE connection_id = %(id)s AND name = %(name)s AND NOT holds @> %(kinds)s::text[]",
        {"kinds": sorted(kinds), "id": connection_id, "name": name},
    )


def finish(db: Db, connection_id: UUID, name: str, fence: int, until: datetime, every: timedelta) -> bool:
    """Everything up to `until` has been read."""
    return (
        db.execute(
            "UPDATE stream SET lease_until = NULL, error = NULL, error_since = NULL, unfinished = false, pulled_until = %(until)s, succeeded_at = %(until)s,"
            " reread_from = COALESCE(window_until, %(until)s), window_until = NULL, next_at = clock_timestamp() + %(every)s"
            " WHERE connection_id = %(id)s AND name = %(name)s AND fence = %(fence)s",
            {"until": until, "every": every, "id": connection_id, "name": name, "fence": fence},
        ).rowcount
        == 1
    )


def pause(db: Db, connection_id: UUID, name: str, fence: int, *, unfinished: bool) -> None:
    """It goes on where it stands, at its next turn. `next_at` lets the one that has waited longest go first."""
    db.execute(
        "UPDATE stream SET lease_until = NULL, error = NULL, error_since = NULL, unfinished = %(unfinished)s OR window_until IS NOT NULL,"
        " next_at = clock_timestamp() WHERE connection_id = %(id)s AND name = %(name)s AND fence = %(fence)s",
        {"unfinished": unfinished, "id": connection_id, "name": name, "fence": fence},
    )


def give_back(db: Db, connection_id: UUID, name: str, fence: int) -> None:
    """Nothing has been learned of how the stream stands."""
    db.execute("UPDATE stream SET lease_until = NULL WHERE connection_id = %s AND name = %s AND fence = %s", [connection_id, name, fence])


def fail(db: Db, connection_id: UUID, name: str, fence: int, error: str, said: timedelta, first: timedelta, longest: timedelta) -> None:
    """Tried again after the pause that the other side asked for (`said`), and no sooner than a quarter of the time for which it has failed."""
    db.execute(
        f"UPDATE stream SET lease_until = NULL, {_FAILED} WHERE connection_id = %(id)s AND name = %(name)s AND fence = %(fence)s",
        {"error": error, "said": said, "first": first, "longest": longest, "id": connection_id, "name": name, "fence": fence},
    )


def fail_all(db: Db, connection_id: UUID, names: Sequence[str], error: str, said: timedelta, first: timedelta, longest: timedelta) -> None:
    """The other side could not be asked about any of them. Those that another runner is reading are left to it."""
    db.execute(
        f"UPDATE stream SET {_FAILED} WHERE connection_id = %(id)s AND name = ANY(%(names)s) AND COALESCE(lease_until, '-infinity') < clock_timestamp()",
        {"error": error, "said": said, "first": first, "longest": longest, "id": connection_id, "names": list(names)},
    )


_FAILED = (
    "error = %(error)s, error_since = COALESCE(error_since, now()), next_at = clock_timestamp()"
    " + GREATEST(%(said)s, LEAST(GREATEST(%(first)s, (now() - COALESCE(error_since, now())) / 4), %(longest)s))"
)


AFRESH = "cursor_at = NULL, cursor_key = '', cursor_resume = '', window_until = NULL, reread_from = NULL, fence = fence + 1, lease_until = NULL, next_at = NULL"
"""To be read again from the start. The new fence stops a run that is reading the stream just now: its next cursor would undo the restart."""


def restart(db: Db, connection_id: UUID, name: str) -> None:
    """Read again from its start, which changes nothing that is right."""
    db.execute(f"UPDATE stream SET {AFRESH} WHERE connection_id = %s AND name = %s", [connection_id, name])


def make_due(db: Db, connection_id: UUID) -> None:
    db.execute("UPDATE stream SET next_at = NULL WHERE connection_id = %s AND next_at IS NOT NULL", [connection_id])


def schedule(db: Db, connection_id: UUID, names: Sequence[str], every: timedelta) -> None:
    """The connection is due when the first of its streams is, or a sweep has not come to its end."""
    db.execute(
        "UPDATE connection SET queued_at = NULL, next_pull_at = LEAST(clock_timestamp() + %(every)s,"
        " (SELECT min(GREATEST(COALESCE(next_at, clock_timestamp()), COALESCE(lease_until, '-infinity'))) FROM stream"
        "   WHERE connection_id = %(id)s AND name = ANY(%(names)s)),"
        " (SELECT clock_timestamp() FROM sweep WHERE connection_id = %(id)s AND stream = ANY(%(names)s) AND started_at IS NOT NULL AND error IS NULL LIMIT 1))"
        " WHERE connection_id = %(id)s",
        {"every": every, "id": connection_id, "names": list(names)},
    )
