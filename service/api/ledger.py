from __future__ import annotations

from datetime import UTC
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from ml.labels import SituationName
from ml.ledger import State
from ml.taking_up import Basis
from service import ledger
from service.api.access import Reader
from service.api.pages import After, Limit, decode, encode, page
from service.api.problems import documented
from service.config import now
from service.errors import no_such
from service.ledger import Line, Settled, Words
from service.store.pool import transaction

router = APIRouter(prefix="/v1/accounts", tags=["ledger"], responses=documented(401, 403, 404, 422, 503))


class Said(BaseModel):
    """`start` and `end` are offsets into the raw message."""

    interaction_id: UUID
    at: str
    day: str
    start: int
    end: int
    text: str


class Settlement(BaseModel):
    """By which message, on which day, and how sure that is. `working_days`: how long it had been waiting by then."""

    interaction_id: UUID
    source: str
    day: str
    state: Literal["acknowledged", "answered", "withdrawn"]
    basis: Basis
    certainty: float
    working_days: int


class Entry(BaseModel):
    """Something that the buyer voiced, and whether our side took it up. `again`: where the same person said it again.

    `confidence` is that of the reading of a concern, null for a question. `waiting_days` are working days.
    """

    kind: Literal["concern", "question"]
    state: State
    situation: SituationName | None
    confidence: float | None
    contact_id: UUID | None
    contact: str | None
    said: Said
    again: list[Said]
    settled: list[Settlement]
    waiting_days: int


class Ledger(BaseModel):
    items: list[Entry]
    next: str | None


@router.get("/{account_id}/ledger", response_model=Ledger)
def get_ledger(caller: Reader, account_id: UUID, state: State | None = None, cursor: After = None, limit: Limit = 50) -> Response:
    """What was voiced and whether it was taken up: open first, then by the day on which it was first said. Erased words are in no entry."""
    after = decode(cursor)
    with transaction(caller.workspace_id) as db:
        lines = ledger.read(db, account_id, now(), state)
    if lines is None:
        raise no_such("account")
    rows = sorted(((_place(line), line) for line in lines), key=lambda row: row[0])
    shown = [row for row in rows if after is None or row[0] > (after[0], str(after[1]))][:limit]
    return page([_json(line) for _, line in shown], limit, encode(*shown[-1][0]) if shown else None)


def _place(line: Line) -> tuple[str, str]:
    """In the order of the listing, as a cursor holds it."""
    rank = 0 if line.is_open else 1
    return f"{rank} {line.said.at.astimezone(UTC).isoformat()} {line.said.start:09}", str(line.said.interaction_id)


def _json(line: Line) -> dict[str, Any]:
    e = line.entry
    return {
        "kind": e.kind,
        "state": e.state,
        "situation": e.situation,
        "confidence": e.confidence,
        "contact_id": line.contact_id,
        "contact": line.contact,
        "said": _said(line.said),
        "again": [_said(words) for words in line.again],
        "settled": [_settled(s) for s in line.settled],
        "waiting_days": e.waiting,
    }


def _said(words: Words) -> dict[str, Any]:
    return {"interaction_id": words.interaction_id, "at": words.at, "day": words.day, "start": words.start, "end": words.end, "text": words.text}


def _settled(s: Settled) -> dict[str, Any]:
    return {
        "interaction_id": s.interaction_id,
        "source": s.source,
        "day": s.how.day,
        "state": s.how.state,
        "basis": s.how.basis,
        "certainty": s.how.certainty,
        "working_days": s.how.working_days,
    }
