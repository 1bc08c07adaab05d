from __future__ import annotations

import re
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from service.api.access import Reader
from service.api.filters import Since, Until, fields_of, only, sparse, wanted
from service.api.pages import After, Limit, decode_as, encode, page
from service.api.problems import documented
from service.store import analytics
from service.store.pool import transaction

router = APIRouter(prefix="/v1/usage", tags=["usage"], responses=documented(401, 403, 422, 503))

_PLACE = re.compile(r"(0|[1-9][0-9]{0,8}) ([0-9]{4}-[0-9]{2}-[0-9]{2})")


class UsageDay(BaseModel):
    """One metric of one account on one day, in whatever unit its source counts."""

    model_config = ConfigDict(json_schema_extra=sparse)

    account_id: UUID
    account: str
    metric: str
    day: str
    value: float


class Usage(BaseModel):
    items: list[UsageDay]
    next: str | None


@router.get("", response_model=Usage)
def list_usage(
    caller: Reader,
    account_id: UUID | None = None,
    metric: Annotated[str | None, Query(max_length=200)] = None,
    since: Since = None,
    until: Until = None,
    fields: Annotated[str | None, fields_of(UsageDay)] = None,
    cursor: After = None,
    limit: Limit = 50,
) -> Response:
    """Series by series, each by its days. A value that came late replaces the one before: there is no as-of day, and there are no change numbers."""
    names = wanted(fields, UsageDay)
    filters = {"account_id": account_id, "metric": metric, "since": since, "until": until}
    with transaction(caller.workspace_id) as db:
        rows = analytics.page(db, analytics.USAGE, filters, columns=["account_id", *names], after=decode_as(cursor, _place), most=limit, direction="oldest")
    following = encode(f"{rows[-1]['series_no']} {rows[-1]['day']}", rows[-1]["account_id"]) if rows else None
    return page(only(rows, names), limit, following)


def _place(first: str, _: UUID) -> tuple[int, date]:
    """(series number, day) of the last row seen."""
    found = _PLACE.fullmatch(first)
    if found is None:
        raise ValueError(first)
    return int(found[1]), date.fromisoformat(found[2])
