"""Corrections of readings: append-only, beside the prediction that was shown. Of one message and label the last word counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from service.store.pool import Db

Label = Literal["sentiment", "emotions", "situations", "churn_risk", "priority"]
Source = Literal["api", "console"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """`predicted` and `corrected` have one shape: a number, a name, or a list of names. `predicted` is None where the reader abstained."""

    interaction_id: UUID
    model_version: str
    label: Label
    predicted: Any
    corrected: Any
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRow(Correction):
    recorded_at: datetime


def append(db: Db, correction: Correction, change_no: int) -> None:
    c = correction
    db.execute(
        "INSERT INTO correction (workspace_id, interaction_id, model_version, label, predicted, corrected, source, change_no)"
        " VALUES (current_workspace(), %s, %s, %s, %s, %s, %s, %s)",
        [c.interaction_id, c.model_version, c.label, Jsonb(c.predicted), Jsonb(c.corrected), c.source, change_no],
    )


def current(db: Db, interaction_ids: Sequence[UUID]) -> dict[UUID, list[CorrectionRow]]:
    """The latest for each label of a message; messages without any are missing."""
    with db.cursor(row_factory=class_row(CorrectionRow)) as cursor:
        rows = cursor.execute(
            "SELECT interaction_id, model_version, label, predicted, corrected, source, recorded_at FROM correction_current"
            " WHERE interaction_id = ANY(%s) ORDER BY label",
            [list(interaction_ids)],
        ).fetchall()
    found: dict[UUID, list[CorrectionRow]] = {}
    for row in rows:
        found.setdefault(row.interaction_id, []).append(row)
    return found
