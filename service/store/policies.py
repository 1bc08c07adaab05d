"""The versions of what a workspace has decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    version: int
    document: Mapping[str, Any]
    made_at: datetime
    made_by: str
    why: str
    undoes: int | None


_COLUMNS = "version, document, made_at, made_by, why, undoes"


def lock(db: Db) -> None:
    """Until the end of the transaction nobody else writes a version of this workspace."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended('policy ' || current_workspace(), 0))")


def current(db: Db) -> PolicyRow | None:
    rows = listing(db, most=1)
    return rows[0] if rows else None


def listing(db: Db, *, most: int, before: int | None = None, made_before: datetime | None = None) -> Sequence[PolicyRow]:
    """The newest first; `before`: only those of lower numbers, `made_before`: only those that were made before that."""
    with db.cursor(row_factory=class_row(PolicyRow)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM policy WHERE (%(before)s::integer IS NULL OR version < %(before)s)"
            " AND (%(made_before)s::timestamptz IS NULL OR made_at < %(made_before)s) ORDER BY version DESC LIMIT %(most)s",
            {"before": before, "made_before": made_before, "most": most},
        ).fetchall()


def append(db: Db, row: PolicyRow) -> None:
    """Under the lock."""
    db.execute(
        f"INSERT INTO policy (workspace_id, {_COLUMNS}) VALUES (current_workspace(), %s, %s, %s, %s, %s, %s)",
        [row.version, Jsonb(row.document), row.made_at, row.made_by, row.why, row.undoes],
    )
