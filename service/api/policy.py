from __future__ import annotations

import re
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service import policy
from service.api.access import Configurer, Reader
from service.api.pages import WHOLE, answer
from service.api.problems import documented
from service.config import real_time
from service.critic.rules import rules
from service.policy.document import LARGEST_VALUE, LEAST_BUDGET, LONGEST_KEY, LONGEST_PHRASE, LONGEST_REASON, MOST_BUDGET, MOST_KEYS, MOST_OPEN, MOST_PHRASES
from service.policy.versions import LONGEST_WHY
from service.store.pool import transaction

router = APIRouter(prefix="/v1/policy", tags=["policy"], responses=documented(401, 403, 503))

MOST_VERSION = 2_000_000_000
_LINE = r"^[^\x00-\x1f\x7f]*$"
Number = Annotated[int, Field(ge=0, le=MOST_VERSION), WHOLE]
Key = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY, pattern=_LINE)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_REASON, pattern=_LINE)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PHRASE, pattern=_LINE)]


# Said in the document, and judged by service.policy, whose sentences say more than a pattern.
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_HOURS = {"pattern": f"^(?!([0-9:]{{5}})-\\1 ){_TIME}-{_TIME} (?:{'|'.join(sorted(map(re.escape, available_timezones())))})$"}
_RULES = {"propertyNames": {"enum": [rule.id for rule in rules() if rule.severity != "E" and not rule.locked]}}


class Phrase(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    phrase: Words
    say_instead: Words | None = None


class Accounts(BaseModel):
    """`owners`: keys of users in the CRM, null for everybody's accounts. `least_value`: yearly. `left_out`: keys of accounts in the CRM."""

    model_config = ConfigDict(extra="forbid", strict=True)

    owners: Annotated[list[Key], Field(max_length=MOST_KEYS)] | None = None
    least_value: Annotated[float, Field(ge=0, le=LARGEST_VALUE)] | None = None
    left_out: Annotated[list[Key], Field(max_length=MOST_KEYS)] = []


class PolicyFields(BaseModel):
    """`usage_budget`: false alarms of usage drops that are accepted per account and year. `most_open`: suggestions that one owner has open at a time.
    `quiet_hours`: like "18:00-08:00 Europe/Berlin". `rules_off`: rule of level W or S to the reason. `lexicon`: phrases that the team does not use."""

    usage_budget: float
    most_open: int
    quiet_hours: str | None
    quotes_in_task: bool
    rules_off: dict[str, str]
    lexicon: list[Phrase]
    accounts: Accounts


class ChangedFields(BaseModel):
    """Only the fields that are given change, each as a whole."""

    model_config = ConfigDict(extra="forbid", strict=True)

    usage_budget: Annotated[float, Field(ge=LEAST_BUDGET, le=MOST_BUDGET)] = 0.15
    most_open: Annotated[int, Field(ge=1, le=MOST_OPEN), WHOLE] = 5
    quiet_hours: Annotated[str, Field(max_length=80, json_schema_extra=_HOURS)] | None = None
    quotes_in_task: bool = True
    rules_off: Annotated[dict[Key, Reason], Field(json_schema_extra=_RULES)] = {}
    lexicon: Annotated[list[Phrase], Field(max_length=MOST_PHRASES)] = []
    accounts: Accounts = Accounts()


class PolicyVersion(BaseModel):
    """`version` 0 are the defaults, which nobody made."""

    version: int
    made_at: str | None
    made_by: str | None
    why: str
    undoes: int | None
    policy: PolicyFields


class Difference(BaseModel):
    """`changed`: the difference to the version before, a line for each thing."""

    version: int
    made_at: str
    made_by: str
    why: str
    undoes: int | None
    changed: list[str]


class Differences(BaseModel):
    items: list[Difference]


class ChangeIn(BaseModel):
    """`from_version`: the version that was looked at. If it is no longer the newest, nothing is changed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    from_version: Number
    why: Annotated[str, StringConstraints(max_length=LONGEST_WHY, pattern=_LINE)] = ""
    policy: ChangedFields


@router.get("", response_model=PolicyVersion)
def get_policy(caller: Reader) -> Response:
    """What the workspace has decided; every field, also those that have their defaults."""
    with transaction(caller.workspace_id) as db:
        found = policy.standing(db)
    return answer(_whole(found))


@router.put("", response_model=PolicyVersion, responses=documented(400, 409, 413, 422))
def change_policy(caller: Configurer, given: ChangeIn) -> Response:
    """Writes a new version; where nothing differs none is written. An E rule can never be switched off."""
    fields = given.policy.model_dump(include=given.policy.model_fields_set)
    made = policy.change(caller.workspace_id, fields, caller.who, given.why, given.from_version, real_time())
    return answer(_whole(made))


@router.get("/versions", response_model=Differences, responses=documented(422))
def list_versions(
    caller: Reader,
    before: Annotated[int | None, Query(ge=1, le=MOST_VERSION, description="Only versions with lower numbers.")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at the most.")] = 50,
) -> Response:
    """The newest first."""
    with transaction(caller.workspace_id) as db:
        found = policy.versions(db, most=limit, before=before)
    return answer({"items": [{**_made(v), "changed": list(v.changed)} for v in found]})


@router.post("/versions/{version}/undo", response_model=PolicyVersion, responses=documented(404, 409, 422))
def undo_version(caller: Configurer, version: Annotated[int, Path(ge=1, le=MOST_VERSION)]) -> Response:
    """Writes a new version in which what that one changed is as it was before. Undoing an undo brings it back."""
    return answer(_whole(policy.undo(caller.workspace_id, version, caller.who, real_time())))


def _whole(found: policy.Version) -> dict[str, Any]:
    return {**_made(found), "policy": policy.to_document(found.policy)}


def _made(found: policy.Version) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("version", "made_at", "made_by", "why", "undoes")}
