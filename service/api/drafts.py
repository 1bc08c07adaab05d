from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from service import policy, rewriter
from service.api.access import Reader
from service.api.pages import GivenId, answer
from service.api.problems import documented
from service.api.review import MOST, EvidenceIn, Name
from service.config import settings
from service.critic.draft import Channel, Situation
from service.critic.rows import MOST_EVIDENCE
from service.drafting.rows import DraftRow, draft_row
from service.store.pool import transaction

router = APIRouter(prefix="/v1/drafts", tags=["drafts"], responses=documented(400, 401, 403, 413, 422, 503))


class RequestIn(BaseModel):
    """`situation` as docs/reading.md names them; without one the evidence decides. The same request gives the same draft."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: GivenId
    channel: Channel = "email"
    lang: Name = "en"
    am_name: Name | None = None
    recipient_name: Name | None = None
    evidence: Annotated[list[EvidenceIn], Field(max_length=MOST_EVIDENCE)] = []
    situation: Situation | None = None


class RequestsIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    drafts: Annotated[list[RequestIn], Field(min_length=1, max_length=MOST)]


class Drafts(BaseModel):
    items: list[DraftRow]


@router.post("", response_model=Drafts)
def write_drafts(caller: Reader, given: RequestsIn) -> Response:
    """A draft for each, in the order given, or why there is none. Nothing is stored and nothing is sent; where a language model is set it is asked
    to put each draft better, which takes up to 8 seconds a draft. What a workspace has decided changes the report, never the draft."""
    with transaction(caller.workspace_id) as db:
        decided = policy.current(db)
    rewrite = rewriter.rewriting(settings())
    return answer({"items": [asdict(_reported(draft_row(one.model_dump(), rewrite), one, decided)) for one in given.drafts]})


def _reported(row: DraftRow, asked: RequestIn, decided: policy.Policy) -> DraftRow:
    if row.draft is None or row.report is None:
        return row
    return replace(row, report=policy.review_of(decided, row.report, row.draft, asked.channel, asked.lang))
