"""Jobs that somebody waits for, as rows. What is not ended and in nobody's hands is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from service.store.pool import Db

State = Literal["queued", "running", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`done` of `total`, in units of the job's own; None: nobody knows how much there is. `said`: a sentence for the person who waits."""

    job_id: UUID
    kind: str
    about: Mapping[str, Any]
    state: State
    done: int
    total: int | None
    said: str
    result: Mapping[str, Any] | None
    made_by: str
    made_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A job in one worker's hands. `tries`: the how many-th time it was begun without getting anywhere since."""

    kind: str
    about: Mapping[str, Any]
    fence: int
    tries: int


_COLUMNS = "job_id, kind, about, state, done, total, said, result, made_by, made_at, started_at, ended_at"


def add(db: Db, kind: str, about: Mapping[str, Any], made_by: str) -> tuple[UUID, bool]:
    """(its id, whether it is new): one that is under way with the same kind and about is as good."""
    row = db.execute(
        "INSERT INTO job (workspace_id, kind, about, made_by) VALUES (current_workspace(), %(kind)s, %(about)s, %(by)s)"
        " ON CONFLICT (workspace_id, kind, about) WHERE state IN ('queued', 'running') DO UPDATE SET queued_at = job.queued_at RETURNING job_id, xmax = 0",
        {"kind": kind, "about": Jsonb(dict(about)), "by": made_by},
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def get(db: Db, job_id: UUID) -> Job | None:
    with db.cursor(row_factory=class_row(Job)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM job WHERE job_id = %s", [job_id]).fetchone()


def newest(db: Db, kind: str, about: Mapping[str, Any]) -> Job | None:
    """Of that kind, whose `about` holds at least this."""
    with db.cursor(row_factory=class_row(Job)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM job WHERE kind = %s AND about @> %s ORDER BY made_at DESC LIMIT 1", [kind, Jsonb(dict(about))]
        ).fetchone()


def take(db: Db, job_id: UUID, hold: timedelta) -> Taken | None:
    """None where it has ended or another worker has it."""
    with db.cursor(row_factory=class_row(Taken)) as cursor:
        return cursor.execute(
            "UPDATE job SET state = 'running', started_at = COALESCE(started_at, clock_timestamp()), lease_until = clock_timestamp() + %s,"
            " fence = fence + 1, tries = tries + 1"
            " WHERE job_id = %s AND (state = 'queued' OR state = 'running' AND lease_until < clock_timestamp()) RETURNING kind, about, fence, tries",
            [hold, job_id],
        ).fetchone()


def prolong(db: Db, job_id: UUID, fence: int, hold: timedelta) -> None:
    db.execute("UPDATE job SET lease_until = clock_timestamp() + %s WHERE job_id = %s AND fence = %s AND state = 'running'", [hold, job_id, fence])


def tell(db: Db, job_id: UUID, fence: int, said: str, done: int, total: int | None) -> bool:
    """False: another worker has taken it over."""
    return (
        db.execute(
            "UPDATE job SET said = %s, done = %s, total = %s WHERE job_id = %s AND fence = %s AND state = 'running'", [said, done, total, job_id, fence]
        ).rowcount
        == 1
    )


def give_back(db: Db, job_id: UUID, fence: int, *, moved: bool) -> None:
    """To be taken up at once. `moved`: it got somewhere, so that its tries count anew."""
    db.execute(
        "UPDATE job SET lease_until = '-infinity', queued_at = clock_timestamp(), tries = CASE WHEN %s THEN 0 ELSE tries END"
        " WHERE job_id = %s AND fence = %s AND state = 'running'",
        [moved, job_id, fence],
    )


def end(db: Db, job_id: UUID, fence: int, state: Literal["done", "failed"], said: str, result: Mapping[str, Any] | None) -> None:
    db.execute(
        "UPDATE job SET state = %s, said = %s, result = %s, lease_until = NULL, ended_at = clock_timestamp() WHERE job_id = %s AND fence = %s"
        " AND state = 'running'",
        [state, said, Jsonb(dict(result)) if result is not None else None, job_id, fence],
    )


def claim_due(db: Db, most: int, patience: timedelta) -> list[tuple[UUID, UUID]]:
    """Across workspaces, ids only: (workspace, job) pairs that are in nobody's hands, marked as queued."""
    return db.execute("SELECT workspace_id, job_id FROM claim_due_jobs(%s, %s)", [most, patience]).fetchall()
