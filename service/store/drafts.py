"""Drafts that were shown: what each was made from, by reference, and what the critic said of it. Append-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from service.signals import Report, Segment
from service.store import suggestions
from service.store.pool import Db

MOST_AUDITED = 20
"""Drafts of one suggestion that are looked at, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """`version`: the first of the suggestion's that shows it. `pieces`: {id, type} where the words are evidence's, with a `text` where they are ours.
    `signed`: with the owner's name. `known_through`, `opened_from`: see `past` and `opened`. `sha256`: of the draft as it was shown."""

    suggestion_id: UUID
    version: int
    made_on: date
    seed: str
    situation: str
    channel: str
    lang: str
    contact_id: UUID | None
    owner_key: str | None
    signed: bool
    pieces: list[dict[str, str]]
    inputs_sha256: bytes
    known_through: int
    opened_from: int | None
    engine_version: str
    rules_version: str
    report: Report
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow(Draft):
    draft_id: UUID
    account_id: UUID
    recorded_at: datetime
    change_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDraft:
    """As much of an earlier draft as a new one is compared with."""

    suggestion_id: UUID
    account_id: UUID
    contact_id: UUID | None
    owner_key: str | None
    opened_at: date
    draft: tuple[Segment, ...]


_COLUMNS = [f.name for f in fields(Draft) if f.name != "report"]
_PAST = "s.suggestion_id, s.account_id, s.contact_id, s.owner_key, s.opened_at, s.draft"


def append(db: Db, draft: Draft, change_no: int) -> None:
    values = {name: getattr(draft, name) for name in _COLUMNS}
    values |= {"pieces": Jsonb(draft.pieces), "checked": draft.report.checked, "findings": Jsonb(draft.report.findings), "change_no": change_no}
    db.execute(
        f"INSERT INTO draft (workspace_id, {', '.join(values)}) VALUES (current_workspace(), {', '.join(f'%({name})s' for name in values)})",
        values,
    )


def audited(db: Db, id_: UUID, most: int = MOST_AUDITED) -> list[DraftRow]:
    """Those of a suggestion, or the one draft, that has this id; the newest first."""
    with db.cursor(row_factory=class_row(_from_row)) as cursor:  # type: ignore[arg-type]
        return cursor.execute(
            f"SELECT {', '.join('d.' + name for name in _COLUMNS)}, d.checked, d.findings, d.draft_id, s.account_id, d.recorded_at, d.change_no FROM draft d"
            " JOIN suggestion s USING (workspace_id, suggestion_id, version) WHERE d.suggestion_id = %(id)s OR d.draft_id = %(id)s"
            " ORDER BY d.version DESC LIMIT %(most)s",
            {"id": id_, "most": most},
        ).fetchall()


def past(db: Db, since: date, most: int, through: int) -> list[PastDraft]:
    """What suggestions showed once the change of this number was made: those opened since, the newest of them, oldest first."""
    rows = _past(
        db,
        f"SELECT {_PAST} FROM (SELECT DISTINCT ON (v.suggestion_id) v.* FROM suggestion v WHERE v.change_no <= %(through)s"
        "   ORDER BY v.suggestion_id, v.version DESC) s"
        " WHERE s.draft IS NOT NULL AND s.opened_at >= %(since)s ORDER BY s.change_no DESC, s.suggestion_id DESC LIMIT %(most)s",
        {"since": since, "most": most, "through": through},
    )
    return rows[::-1]


def opened(db: Db, first: int, before: int) -> list[PastDraft]:
    """Of suggestions that were opened in this range of changes."""
    query = f"SELECT {_PAST} FROM suggestion s WHERE s.version = 1 AND s.draft IS NOT NULL AND s.change_no >= %(first)s AND s.change_no < %(before)s"
    return _past(db, f"{query} ORDER BY s.change_no", {"first": first, "before": before})


def _past(db: Db, query: str, parameters: dict[str, object]) -> list[PastDraft]:
    with db.cursor(row_factory=class_row(_past_row)) as cursor:  # type: ignore[arg-type]
        return cursor.execute(query, parameters).fetchall()


def _past_row(*, draft: list[dict[str, Any]], **columns: Any) -> PastDraft:
    return PastDraft(draft=suggestions.segments(draft), **columns)


def _from_row(*, checked: int, findings: Sequence[Sequence[str]], **columns: Any) -> DraftRow:
    return DraftRow(report=Report.of(checked, findings), **columns)
