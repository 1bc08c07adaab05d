from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from service.api.access import Reader
from service.api.filters import AsOf, ChangedAfter, InName, Since, Until, fields_of, only, sparse, wanted
from service.api.listing import change_cursor, columns_of, direction
from service.api.messages import Correction
from service.api.pages import After, Limit, decode_change, page
from service.api.problems import documented
from service.signals import Evidence as Found
from service.signals import SignalKind, SignalState
from service.store import analytics, signals
from service.store.pool import Db, transaction

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


class MessageCorrection(Correction):
    interaction_id: UUID


class Signal(BaseModel):
    """`confirmed`: what people said of it, null where nobody has. `corrections`: of the readings of its messages, beside what was predicted."""

    model_config = ConfigDict(json_schema_extra=sparse)

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
    evidence_ids: list[UUID]
    evidence: list[Evidence]
    confirmed: bool | None
    corrections: list[MessageCorrection]
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
    account: InName = None,
    kind: SignalKind | None = None,
    state: Literal["forming", "open", "ended"] | None = None,
    since: Since = None,
    until: Until = None,
    changed_after: ChangedAfter = None,
    as_of: AsOf = None,
    fields: Annotated[str | None, fields_of(Signal)] = None,
    cursor: After = None,
    limit: Limit = 50,
) -> Response:
    """Latest change first, each with its evidence. `since` and `until` speak of `detected_at`."""
    names = wanted(fields, Signal)
    filters = {
        **{"account_id": account_id, "account": account, "kind": kind, "state": state, "since": since, "until": until},
        **{"changed_after": changed_after, "as_of": as_of},
    }
    with transaction(caller.workspace_id) as db:
        # With the evidence come its ids, and need not be looked up row by row; what people said is looked up for these signals alone.
        looked_up = [name for name in names if name != "confirmed" and (name != "evidence_ids" or "evidence" not in names)]
        rows = analytics.page(
            db,
            analytics.SIGNALS,
            filters,
            columns=[*columns_of(analytics.SIGNALS, looked_up), "version"],
            after=decode_change(cursor),
            most=limit,
            direction=direction(filters),
        )
        _add(db, rows, names, as_of)
    return page(only(rows, names), limit, change_cursor(analytics.SIGNALS, rows))


def _add(db: Db, rows: Sequence[dict[str, Any]], names: Sequence[str], as_of: date | None) -> None:
    """To each row what its view does not hold, as far as it is wanted."""
    evidence: dict[UUID, tuple[Found, ...]] = {}
    judged: dict[UUID, bool] = {}
    corrected: dict[UUID, list[dict[str, Any]]] = {}
    if "evidence" in names or "corrections" in names:
        evidence = signals.evidence_of(db, [(r["signal_id"], r["version"]) for r in rows])
    if "confirmed" in names:
        judged = analytics.verdicts(db, [r["signal_id"] for r in rows], as_of)
    if "corrections" in names:
        corrected = analytics.corrections(db, [e.interaction_id for found in evidence.values() for e in found if e.interaction_id], as_of)
    for row in rows:
        found = evidence.get(row["signal_id"], ())
        row["id"] = row["signal_id"]
        row["evidence"] = found
        row.setdefault("evidence_ids", [e.id for e in found])
        row["confirmed"] = judged.get(row["signal_id"])
        row["corrections"] = [c for m in dict.fromkeys(e.interaction_id for e in found if e.interaction_id) for c in corrected.get(m, ())]
