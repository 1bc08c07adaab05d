from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from service.api.access import Reader
from service.api.accounts import Driver
from service.api.filters import AsOf, ChangedAfter, Since, Until, fields_of, sparse
from service.api.listing import listed
from service.api.pages import After, Limit
from service.api.problems import documented
from service.store import analytics

router = APIRouter(prefix="/v1/scores", tags=["scores"], responses=documented(401, 403, 422, 503))


class Score(BaseModel):
    """The outlook of an account on a day, which stands until its next one. `score` is the sum of the drivers' points and no probability."""

    model_config = ConfigDict(json_schema_extra=sparse)

    id: UUID
    account_id: UUID
    account: str
    day: str
    level: Literal["likely", "open", "at_risk", "unknown"]
    score: int
    drivers: list[Driver]
    unknown_parts: list[str]
    renewal_date: str | None
    renewal_amount: float | None
    model_version: str
    recorded_at: str
    change_no: int


class Scores(BaseModel):
    items: list[Score]
    next: str | None


@router.get("", response_model=Scores)
def list_scores(
    caller: Reader,
    account_id: UUID | None = None,
    level: Literal["likely", "open", "at_risk", "unknown"] | None = None,
    since: Since = None,
    until: Until = None,
    changed_after: ChangedAfter = None,
    as_of: AsOf = None,
    fields: Annotated[str | None, fields_of(Score)] = None,
    cursor: After = None,
    limit: Limit = 50,
) -> Response:
    """One for each account and day on which its outlook changed, latest change first. `since` and `until` speak of `day`."""
    filters = {"account_id": account_id, "level": level, "since": since, "until": until, "changed_after": changed_after, "as_of": as_of}
    return listed(caller, analytics.SCORES, Score, filters, fields=fields, cursor=cursor, limit=limit)
