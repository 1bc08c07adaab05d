"""The condition of everything that comes in and goes out, as rows and counts: what service.trouble puts into sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from service.store import connections, quarantine
from service.store.connections import Connection
from service.store.pool import Db
from service.store.streams import GUARD, StreamState, states


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """`lacking`, `vanished`, `stale`: the drift that the last finished sweep over ids found and healed, in rows. `withheld`: so many rows
    had vanished at once that none was marked."""

    connection_id: UUID
    stream: str
    kind: str
    started_at: datetime | None
    done_at: datetime | None
    lacking: int | None
    vanished: int | None
    stale: int | None
    withheld: int | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """Tasks that no further try will write: how many for one reason."""

    connection_id: UUID
    tasks: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    connections: Sequence[Connection]
    streams: Sequence[StreamState]
    sweeps: Sequence[SweepRow]
    quarantined: Mapping[UUID, int]
    stuck: Sequence[Stuck]


def read(db: Db) -> Conditions:
    return Conditions(
        connections=connections.all_connections(db),
        streams=streams(db),
        sweeps=sweeps(db),
        quarantined=quarantine.counts(db),
        stuck=stuck(db),
    )


def streams(db: Db) -> list[StreamState]:
    return [s for s in states(db) if s.name != GUARD.name]


def sweeps(db: Db) -> list[SweepRow]:
    with db.cursor(row_factory=class_row(SweepRow)) as cursor:
        return cursor.execute(
            "SELECT connection_id, stream, kind, started_at, done_at, lacking, vanished, stale, withheld, error FROM sweep ORDER BY connection_id, stream, kind"
        ).fetchall()


def stuck(db: Db) -> list[Stuck]:
    """The most frequent reasons first."""
    with db.cursor(row_factory=class_row(Stuck)) as cursor:
        return cursor.execute(
            "SELECT connection_id, count(*) AS tasks, reason FROM"
            " (SELECT connection_id, suggestion_id, max(error) AS reason FROM"
            "   (SELECT connection_id, suggestion_id, error FROM push_ledger WHERE status = 'blocked'"
            "    UNION ALL SELECT connection_id, suggestion_id, error FROM outbox WHERE state = 'dead') every GROUP BY connection_id, suggestion_id) task"
            " GROUP BY connection_id, reason ORDER BY tasks DESC, reason"
        ).fetchall()
