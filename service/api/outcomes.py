from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from service.api.access import Reader
from service.api.filters import AsOf, ChangedAfter, Since, Until, fields_of, sparse
from service.api.listing import listed
from service.api.pages import After, Limit
from service.api.problems import documented
from service.store import analytics
from service.store.suggestions import CloseReason, Verdict

router = APIRouter(prefix="/v1/outcomes", tags=["outcomes"], responses=documented(401, 403, 422, 503))


class Outcome(BaseModel):
    """What came of a suggestion: a person's word on it (`feedback`), or how it ended (`closed`). `kind`: of the signal that led it."""

    model_config = ConfigDict(json_schema_extra=sparse)

    id: UUID
    suggestion_id: UUID
    account_id: UUID
    account: str
    kind: str
    type: Literal["feedback", "closed"]
    outcome: Verdict | CloseReason
    source: Literal["crm", "api", "console", "link", "undertone"]
    day: str
    recorded_at: str
    change_no: int


class Outcomes(BaseModel):
    items: list[Outcome]
    next: str | None


@router.get("", response_model=Outcomes)
def list_outcomes(
    caller: Reader,
    account_id: UUID | None = None,
    suggestion_id: UUID | None = None,
    type: Literal["feedback", "closed"] | None = None,  # noqa: A002 - the parameter's name in the address
    outcome: Verdict | CloseReason | None = None,
    since: Since = None,
    until: Until = None,
    changed_after: ChangedAfter = None,
    as_of: AsOf = None,
    fields: Annotated[str | None, fields_of(Outcome)] = None,
    cursor: After = None,
    limit: Limit = 50,
) -> Response:
    """Latest first; `since` and `until` speak of `day`, in UTC. Every word is kept, also one that a later word replaced."""
    filters = {
        **{"account_id": account_id, "suggestion_id": suggestion_id, "type": type, "outcome": outcome},
        **{"since": since, "until": until, "changed_after": changed_after, "as_of": as_of},
    }
    return listed(caller, analytics.OUTCOMES, Outcome, filters, fields=fields, cursor=cursor, limit=limit)
