from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from service.api.access import Reader
from service.api.accounts import Driver
from service.api.filters import AsOf, Since, Until, fields_of, only, sparse, wanted
from service.api.messages import Correction
from service.api.pages import After, Limit, decode_as, encode, page
from service.api.problems import documented
from service.errors import no_such
from service.store import accounts, analytics
from service.store.pool import transaction

router = APIRouter(prefix="/v1/accounts", tags=["timeline"], responses=documented(401, 403, 404, 422, 503))

EventType = Literal["signal", "signal_ended", "score", "suggestion", "outcome", "reading"]
_PLACE = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}) ({'|'.join(get_args(EventType))})")


class Event(BaseModel):
    """`id`: of the signal, score, suggestion, outcome or message. `what`: its state, level, outcome, or whether the reader abstained. `value`: points of a
    score, sentiment of a reading. `confidence`, `drivers`, `model_version`, `evidence_ids`: where such an event has them. `corrections`: what people
    said of a reading, beside it."""

    model_config = ConfigDict(json_schema_extra=sparse)

    day: str
    type: EventType
    id: UUID
    kind: str
    what: str
    value: float | None
    confidence: float | None
    drivers: list[Driver] | None
    evidence_ids: list[UUID]
    model_version: str | None
    corrections: list[Correction]
    recorded_at: str
    change_no: int


class Timeline(BaseModel):
    items: list[Event]
    next: str | None


@router.get("/{account_id}/timeline", response_model=Timeline)
def get_timeline(
    caller: Reader,
    account_id: UUID,
    type: Annotated[list[EventType] | None, Query(description="Only these; repeat for several.")] = None,  # noqa: A002 - its name in the address
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    fields: Annotated[str | None, fields_of(Event)] = None,
    cursor: After = None,
    limit: Limit = 50,
) -> Response:
    """What became known of an account: signals and their ends, outlooks, suggestions and what came of them, readings of messages; the latest day first."""
    names = wanted(fields, Event)
    with transaction(caller.workspace_id) as db:
        if accounts.get(db, account_id) is None:
            raise no_such("account")
        rows = analytics.timeline(db, account_id, as_of=as_of, since=since, until=until, types=type, after=decode_as(cursor, _place), most=limit)
        corrected = analytics.corrections(db, [r["id"] for r in rows if r["type"] == "reading"], as_of)
    items = [{**row, "corrections": [_correction(c) for c in corrected.get(row["id"], ())]} for row in rows]
    following = encode(f"{rows[-1]['day']} {rows[-1]['type']}", rows[-1]["id"]) if rows else None
    return page(only(items, names), limit, following)


def _correction(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in Correction.model_fields}


def _place(first: str, row_id: UUID) -> tuple[date, str, UUID]:
    """(day, type, id) of the last event seen."""
    found = _PLACE.fullmatch(first)
    if found is None:
        raise ValueError(first)
    return date.fromisoformat(found[1]), found[2], row_id
