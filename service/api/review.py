from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service import critic, policy
from service.api.access import Reader
from service.api.pages import GivenId, answer
from service.api.problems import documented
from service.critic.draft import LANG, MOST_CHARS, Channel, Situation
from service.critic.rows import LONGEST_NAME, MOST_EVIDENCE
from service.critic.rules import rules
from service.store.pool import transaction

MOST, MOST_EARLIER = 20, 50

router = APIRouter(prefix="/v1/review", tags=["review"], responses=documented(400, 401, 403, 413, 422, 503))

Name = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
Lang = Annotated[str, StringConstraints(pattern=LANG)]
Text = Annotated[str, StringConstraints(max_length=MOST_CHARS)]


class EvidenceIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: Name
    type: Name
    text: Text


def _reasons(schema: dict[str, Any]) -> None:
    """What critic.review() refuses, for the document alone: it says so in better words."""
    schema["propertyNames"] = {"maxLength": LONGEST_NAME, "not": {"enum": sorted(rule.id for rule in rules() if rule.locked)}}
    schema["additionalProperties"]["pattern"] = r"[^\s\x1c-\x1f\x85]"


class DraftIn(BaseModel):
    """`situation` as docs/reading.md names them; without one the evidence decides. `earlier`: drafts to the same account.
    `set_aside`: rule to the reason for which a person sets its findings aside."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: GivenId
    draft: Text
    channel: Channel = "email"
    lang: Lang = "en"
    evidence: Annotated[list[EvidenceIn], Field(max_length=MOST_EVIDENCE)] = []
    recipient_name: Name | None = None
    am_name: Name | None = None
    situation: Situation | None = None
    earlier: Annotated[list[Text], Field(max_length=MOST_EARLIER)] = []
    set_aside: Annotated[dict[Name, Name], Field(json_schema_extra=_reasons)] = {}


class DraftsIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    drafts: Annotated[list[DraftIn], Field(min_length=1, max_length=MOST)]


class Reviews(BaseModel):
    items: list[critic.Review]


@router.post("", response_model=Reviews)
def review_drafts(caller: Reader, given: DraftsIn) -> Response:
    """Which rules each draft breaks, in the order given: those of docs/rules.md that the workspace has not switched off, and `TEAM`, its own words.
    Nothing is stored. `start` and `end` are offsets into the draft."""
    with transaction(caller.workspace_id) as db:
        decided = policy.current(db).critic
    found = [critic.review(_draft(d), decided, d.set_aside) for d in given.drafts]
    return answer({"items": [asdict(r) for r in found]})


def _draft(given: DraftIn) -> critic.Draft:
    return critic.Draft(
        id=given.id,
        text=given.draft,
        channel=given.channel,
        lang=given.lang,
        evidence=tuple(critic.Evidence(id=e.id, type=e.type, text=e.text) for e in given.evidence),
        recipient_name=given.recipient_name,
        am_name=given.am_name,
        situation=given.situation,
        earlier=tuple(given.earlier),
    )
