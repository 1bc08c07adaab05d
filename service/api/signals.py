from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from service.api.access import Reader
from service.api.pages import After, Limit, decode_change, encode, page
from service.api.problems import documented
from service.signals import SignalKind, SignalState
from service.store import signals
from service.store.pool import transaction
from service.store.signals import SignalRow

router = APIRouter(prefix="/v1/signals", tags=["signals"], responses=documented(401, 403, 422, 503))


class Evidence(BaseModel):
    """`text` is null for numbers, and once the words have been erased. `start` and `end` are offsets into the raw message."""

    id: UUID
    type: str
    source: str
    observed_at: str
    contact_id: UUID | None
    interaction_id: UUID | None
    start: int | None
    end: int | None
    text: str | None
    numbers: dict[str, float | int | str]


class Signal(BaseModel):
    id: UUID
    version: int
    account_id: UUID
    account: str
    contact_id: UUID | None
    kind: SignalKind
    state: SignalState
    detected_at: str
    ended_at: str | None
    confidence: float
    numbers: dict[str, float | int | str]
    alternatives: list[str]
    evidence: list[Evidence]
    model_version: str
    recorded_at: str
    change_no: int


class Signals(BaseModel):
    items: list[Signal]
    next: str | None


@router.get("", response_model=Signals)
def list_signals(
    caller: Reader,
    account_id: UUID | None = None,
    kind: SignalKind | None = None,
    state: Literal["forming", "open", "ended"] | None = None,
    cursor: After = None,
    limit: Limit = 50,
) -> Response:
    """Latest change first, each with its evidence."""
    with transaction(caller.workspace_id) as db:
        rows = signals.listing(db, account_id=account_id, kind=kind, state=state, after=decode_change(cursor), most=limit)
    return page([_json(r) for r in rows], limit, encode(rows[-1].change_no, rows[-1].signal.id) if rows else None)


def _json(row: SignalRow) -> dict[str, Any]:
    s = row.signal
    return {
        "id": s.id,
        "version": row.version,
        "account_id": s.account_id,
        "account": row.account_name,
        "contact_id": s.contact_id,
        "kind": s.kind,
        "state": s.state,
        "detected_at": s.detected_at,
        "ended_at": s.ended_at,
        "confidence": s.confidence,
        "numbers": s.numbers,
        "alternatives": s.alternatives,
        "evidence": [
            {
                "id": e.id,
                "type": e.type,
                "source": e.source,
                "observed_at": e.observed_at,
                "contact_id": e.contact_id,
                "interaction_id": e.interaction_id,
                "start": e.start,
                "end": e.end,
                "text": e.text,
                "numbers": e.numbers,
            }
            for e in s.evidence
        ],
        "model_version": row.model_version,
        "recorded_at": row.recorded_at,
        "change_no": row.change_no,
    }
