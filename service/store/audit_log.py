"""Who changed what of the set-up. Written in the transaction of the change itself, so that neither is there without the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from service.store.pool import Db

COMMAND_LINE = "command line"
"""Changed by whoever runs the machine."""
BY_LINK = "link from the machine"
"""Changed in a browser that a link of theirs has signed in."""
CHANGE_POLICY = "change policy"
"""Its versions hold the same and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`action`: a verb and a noun, 'pause connection'; `subject`: the name of what was changed."""

    audit_id: UUID
    happened_at: datetime
    changed_by: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


_COLUMNS = "audit_id, happened_at, changed_by, action, subject, before, after"


def write(db: Db, at: datetime, by: str, action: str, subject: str, *, before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None) -> None:
    """Never a secret in `before` or `after`, and never words of a buyer."""
    db.execute(
        "INSERT INTO audit_log (workspace_id, happened_at, changed_by, action, subject, before, after) VALUES (current_workspace(), %s, %s, %s, %s, %s, %s)",
        [at, by, action, subject, Jsonb(before) if before is not None else None, Jsonb(after) if after is not None else None],
    )


def get(db: Db, audit_id: UUID) -> Entry | None:
    with db.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM audit_log WHERE audit_id = %s", [audit_id]).fetchone()


def listing(db: Db, most: int, before: datetime | None = None) -> Sequence[Entry]:
    """The newest first; of those that happened at one moment all or none."""
    with db.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM audit_log"
            " WHERE %(before)s::timestamptz IS NULL OR happened_at < %(before)s ORDER BY happened_at DESC FETCH FIRST %(most)s ROWS WITH TIES",
            {"before": before, "most": most},
        ).fetchall()


def set_up_at(db: Db, connection: str) -> datetime | None:
    """When its settings or secrets were last given; None for one that nobody has set up by a step that is logged."""
    row = db.execute(
        "SELECT max(happened_at) FROM audit_log WHERE action IN ('make connection', 'change connection') AND subject = %s", [connection]
    ).fetchone()
    return row[0] if row else None
