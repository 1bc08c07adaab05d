"""Readers that a workspace taught: which one is in use, their weights, and the corrected messages they learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Json, Jsonb

from service.store.corrections import Label
from service.store.pool import Db
from service.store.readings import StoredReading

State = Literal["promoted", "refused", "rolled_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """`model_id` is None where the shipped model reads. `since`: the change number of the last promotion or rollback, None before the first."""

    model_id: UUID | None
    since: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    model_id: UUID
    version: str
    base: str
    state: State
    figures: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedMessage:
    """`reading`: the one that the latest correction speaks of. `corrections`: the last word on each label."""

    interaction_id: UUID
    kind: str
    body: str
    starts: list[int]
    ends: list[int]
    reading: StoredReading
    corrections: dict[Label, Any]


def in_use(db: Db, base: str) -> InUse:
    """The latest promoted model, of those that were learned beside the shipped model `base`."""
    with db.cursor(row_factory=class_row(InUse)) as cursor:
        found = cursor.execute(
            "SELECT (SELECT reader_model_id FROM reader_model WHERE state = 'promoted' AND base = %s ORDER BY change_no DESC LIMIT 1)"
            " AS model_id, (SELECT max(change_no) FROM reader_model WHERE state <> 'refused') AS since",
            [base],
        ).fetchone()
    assert found is not None
    return found


def weights(db: Db, model_id: UUID) -> tuple[dict[str, Any], bytes] | None:
    """(metadata, arrays), as ml.artifact packs them; None once they are gone."""
    return db.execute("SELECT meta, weights FROM reader_model WHERE reader_model_id = %s AND weights IS NOT NULL", [model_id]).fetchone()


def keeps_weights(db: Db) -> bool:
    """Whether any weights are kept that learned from words of this workspace."""
    return db.execute("SELECT FROM reader_model WHERE weights IS NOT NULL LIMIT 1").fetchone() is not None


def append(db: Db, version: str, base: str, state: State, meta: Mapping[str, Any], content: bytes | None, figures: Mapping[str, Any], change_no: int) -> None:
    db.execute(
        "INSERT INTO reader_model (workspace_id, version, base, state, meta, weights, figures, change_no)"
        " VALUES (current_workspace(), %s, %s, %s, %s, %s, %s, %s)",
        [version, base, state, Json(meta), content, Jsonb(figures), change_no],
    )


def roll_back(db: Db, model_id: UUID, change_no: int) -> None:
    """Its weights go."""
    db.execute("UPDATE reader_model SET state = 'rolled_back', weights = NULL, change_no = %s WHERE reader_model_id = %s", [change_no, model_id])


def history(db: Db) -> list[ModelRow]:
    """Newest first."""
    with db.cursor(row_factory=class_row(ModelRow)) as cursor:
        return cursor.execute(
            "SELECT reader_model_id AS model_id, version, base, state, figures, recorded_at FROM reader_model ORDER BY recorded_at DESC, change_no DESC"
        ).fetchall()


def corrected(db: Db) -> list[CorrectedMessage]:
    """Messages whose words are still there, in the order in which they were last corrected."""
    with db.cursor(row_factory=class_row(_corrected)) as cursor:  # type: ignore[arg-type]
        return cursor.execute(
            "SELECT i.interaction_id, i.kind, t.body, t.own_starts AS starts, t.own_ends AS ends, s.reading, c.corrections"
            " FROM (SELECT workspace_id, interaction_id, jsonb_object_agg(label, corrected) AS corrections, max(change_no) AS corrected_at,"
            "  (array_agg(model_version ORDER BY change_no DESC))[1] AS model_version FROM correction_current GROUP BY workspace_id, interaction_id) c"
            " JOIN message_score s USING (workspace_id, interaction_id, model_version) JOIN interaction i USING (workspace_id, interaction_id)"
            " JOIN message_text t USING (workspace_id, interaction_id)"
            " WHERE NOT i.deleted AND t.quote_strip IS NOT NULL AND s.reading IS NOT NULL ORDER BY c.corrected_at"
        ).fetchall()


def _corrected(*, reading: dict[str, Any], **columns: Any) -> CorrectedMessage:
    return CorrectedMessage(reading=StoredReading.from_json(reading), **columns)
