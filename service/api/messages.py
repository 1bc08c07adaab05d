from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ml.labels import EMOTIONS, PRIORITIES, SITUATIONS, EmotionName, Language, Priority, SituationName
from service import feedback
from service.api.access import Reader, Reviewer
from service.api.pages import After, Limit, decode_time, encode_time, page
from service.api.problems import documented
from service.config import now
from service.errors import no_such
from service.store import accounts, corrections, readings
from service.store.corrections import CorrectionRow, Label, Source
from service.store.pool import transaction
from service.store.readings import MessageRow, StoredReading

router = APIRouter(prefix="/v1", tags=["messages"], responses=documented(401, 403, 404, 422, 503))


class Emotion(BaseModel):
    """Inferred, never observed; `alternative` is a key for another thing that the same words may mean."""

    name: EmotionName
    confidence: float
    alternative: str | None


class Situation(BaseModel):
    name: SituationName
    confidence: float


class Quote(BaseModel):
    """`start` and `end` are offsets into the raw message; `text` is null once the words have been erased."""

    start: int
    end: int
    text: str | None
    why: list[str]


class Reading(BaseModel):
    """Where `abstained`, take `sentiment` for unknown, not for neutral. `alternatives` are sentences: what else it could mean."""

    language: Language
    sentiment: float
    confidence: float
    abstained: bool
    emotions: list[Emotion]
    situations: list[Situation]
    churn_risk: int
    priority: Priority
    quotes: list[Quote]
    alternatives: list[str]
    model_version: str


class Correction(BaseModel):
    """What a person said instead. `predicted` is what the reading of `model_version` said, null where it abstained."""

    label: Label
    predicted: float | str | list[str] | None
    corrected: float | str | list[str]
    source: Source
    model_version: str
    recorded_at: str


class Message(BaseModel):
    """Only what the customer's people wrote has a reading. `corrections`: of each label the latest."""

    id: UUID
    at: str
    contact_id: UUID | None
    contact: str | None
    kind: Literal["email", "call", "meeting", "chat", "note"]
    direction: Literal["in", "out"]
    automatic: bool
    reading: Reading | None
    corrections: list[Correction]


class Messages(BaseModel):
    items: list[Message]
    next: str | None


def _names(known: Sequence[str], **bounds: int) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "enum": list(known)}, "uniqueItems": True, **bounds}


_VALUES: dict[Label, dict[str, Any]] = {
    "sentiment": {"type": "number", "minimum": -1, "maximum": 1},
    "emotions": {"anyOf": [_names([e for e in EMOTIONS if e != "neutral"], minItems=1, maxItems=feedback.MOST_EMOTIONS), {"const": ["neutral"]}]},
    "situations": _names(SITUATIONS),
    "churn_risk": {"type": "integer", "minimum": 0, "maximum": 3},
    "priority": {"type": "string", "enum": list(PRIORITIES)},
}
"""For the document alone: `feedback.correct` refuses what is not so, in better words."""


def _value_by_label(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"properties": {"label": {"const": label}, "value": value}} for label, value in _VALUES.items()]


class CorrectionIn(BaseModel):
    """`value` has the shape of its label: a number, a name, or a list of names. `model_version`: of the reading that was looked at, else the newest."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=_value_by_label)

    label: Label
    value: Annotated[Any, Field(description="sentiment: -1 to 1; emotions and situations: lists of names; churn_risk: 0 to 3; priority: a name")]
    model_version: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] | None = None


class CorrectionOut(BaseModel):
    status: Literal["recorded"]


@router.get("/accounts/{account_id}/messages", response_model=Messages)
def list_messages(caller: Reader, account_id: UUID, cursor: After = None, limit: Limit = 50) -> Response:
    """What was exchanged with an account, newest first; what its people wrote comes with its reading and what was corrected in it."""
    with transaction(caller.workspace_id) as db:
        if accounts.get(db, account_id) is None:
            raise no_such("account")
        rows = readings.listing(db, account_id, now(), after=decode_time(cursor), most=limit)
        corrected = corrections.current(db, [r.interaction_id for r in rows])
    items = [_json(r, corrected.get(r.interaction_id, ())) for r in rows]
    return page(items, limit, encode_time(rows[-1].occurred_at, rows[-1].interaction_id) if rows else None)


@router.post("/messages/{interaction_id}/corrections", status_code=201, response_model=CorrectionOut, responses=documented(400, 409, 413))
def correct_reading(caller: Reviewer, interaction_id: UUID, body: CorrectionIn) -> JSONResponse:
    """Was the message read wrong? Kept beside the prediction, which stays; of each label the last word counts."""
    feedback.correct(caller.workspace_id, interaction_id, body.label, body.value, "api", body.model_version)
    return JSONResponse({"status": "recorded"}, 201)


def _json(row: MessageRow, corrected: Sequence[CorrectionRow]) -> dict[str, Any]:
    return {
        "id": row.interaction_id,
        "at": row.occurred_at,
        "contact_id": row.contact_id,
        "contact": row.contact_name,
        "kind": row.kind,
        "direction": row.direction,
        "automatic": row.automatic,
        "reading": _reading(row, row.reading) if row.reading else None,
        "corrections": [_correction(c) for c in corrected],
    }


def _reading(row: MessageRow, reading: StoredReading) -> dict[str, Any]:
    return {
        **reading.to_json(),
        "quotes": [{"start": q.start, "end": q.end, "text": text, "why": q.why} for q, text in zip(reading.quotes, row.words, strict=True)],
        "alternatives": reading.alternatives,
        "model_version": row.model_version,
    }


def _correction(c: CorrectionRow) -> dict[str, Any]:
    return {
        "label": c.label,
        "predicted": c.predicted,
        "corrected": c.corrected,
        "source": c.source,
        "model_version": c.model_version,
        "recorded_at": c.recorded_at,
    }
