from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from service import preferences
from service.api.access import Reader, Reviewer
from service.api.filters import FIRST, LAST, YEARS
from service.api.pages import answer
from service.api.problems import documented
from service.config import now
from service.signals import Preference

router = APIRouter(prefix="/v1/contacts", tags=["contacts"], responses=documented(400, 401, 403, 404, 413, 422, 503))


class PreferencesIn(BaseModel):
    """What the contact has asked for; what is left out is no wish of theirs. `language`: two letters. `evidence_id`: of what they wrote, as
    GET /v1/signals shows it, where they said so in a message."""

    model_config = ConfigDict(extra="forbid")

    channel: Literal["email", "chat", "call", "meeting"] | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] | None = None
    no_contact_until: Annotated[date, Field(ge=FIRST, le=LAST, json_schema_extra=YEARS)] | None = None
    opted_out: Annotated[bool, Strict()] = False
    evidence_id: UUID | None = None


class PreferencesOut(BaseModel):
    """`stated_at` is null where nothing has been recorded."""

    channel: Literal["email", "chat", "call", "meeting"] | None
    language: str | None
    no_contact_until: str | None
    opted_out: bool
    evidence_id: UUID | None
    stated_at: str | None


@router.get("/{contact_id}/preferences", response_model=PreferencesOut)
def get_preferences(caller: Reader, contact_id: UUID) -> Response:
    """What the contact has asked for, as a person recorded it. An opt-out that the CRM knows of is not in it, and is respected all the same."""
    return _answer(preferences.stated(caller.workspace_id, contact_id))


@router.put("/{contact_id}/preferences", response_model=PreferencesOut)
def put_preferences(caller: Reviewer, contact_id: UUID, body: PreferencesIn) -> Response:
    """Replaces what was recorded before. Drafts go by it from the next run on: none for who opted out, none before the day, in their channel and language."""
    preferences.state(caller.workspace_id, contact_id, Preference(**body.model_dump(), stated_at=now()), "api")
    return _answer(preferences.stated(caller.workspace_id, contact_id))


def _answer(stated: Preference | None) -> Response:
    return answer(asdict(stated) if stated else {**dict.fromkeys(PreferencesOut.model_fields), "opted_out": False})
