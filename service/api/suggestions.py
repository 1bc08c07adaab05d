from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints

from service import audit, feedback, jobs, signals
from service.api.access import Pusher, Reader, Reviewer
from service.api.filters import AsOf, ChangedAfter, Since, Until, fields_of, only, sparse, wanted
from service.api.listing import change_cursor, direction
from service.api.pages import After, Limit, answer, decode_change, page
from service.api.problems import documented
from service.config import now
from service.errors import Conflict, no_such
from service.playbook.pause import CARD
from service.playbook.report import good_until
from service.playbook.report import messages as rule_messages
from service.signals import SignalKind
from service.store import analytics, connections, messages, outbox, suggestions
from service.store.connections import Connection
from service.store.pool import transaction
from service.store.suggestions import SuggestionRow, Verdict
from service.task import draft_text, quoted_messages

router = APIRouter(prefix="/v1/suggestions", tags=["suggestions"], responses=documented(400, 401, 403, 404, 409, 413, 422, 503))


class Finding(BaseModel):
    """A rule of level W, which whoever sends the draft clears, or S, a hint."""

    rule: str
    severity: Literal["W", "S"]
    message: str | None


class Report(BaseModel):
    """`checked`: against how many rules."""

    checked: int
    findings: list[Finding]


class Suggestion(BaseModel):
    """`draft` is null where no honest draft is possible; `no_draft_reason` says why. `pause`: their message is angry, and nobody should answer
    before they have gone through these steps; empty otherwise. `good_until`, `report`: of the draft. `stale`: why it is not to be used any more.
    `feedback`: the last word of a person on it; `snoozed_until`: the day on which who said not_now wants to see it again, null once something else was said."""

    model_config = ConfigDict(json_schema_extra=sparse)

    id: UUID
    version: int
    account_id: UUID
    account: str
    contact_id: UUID | None
    kind: str
    signal_ids: list[UUID]
    state: Literal["open", "closed"]
    close_reason: str | None
    handling: str
    why_now: str
    plan: list[str]
    draft: str | None
    no_draft_reason: str | None
    good_until: str | None
    stale: str | None
    report: Report | None
    alternatives: list[str]
    pause: list[str]
    due: str
    priority: Literal["high", "normal"]
    opened_at: str
    push_status: str | None
    feedback: Verdict | None
    snoozed_until: str | None
    recorded_at: str
    change_no: int


class Suggestions(BaseModel):
    items: list[Suggestion]
    next: str | None


class Audited(BaseModel):
    """A draft that was shown and what came of making it again. `evidence`: what it rests on, by id. `sha256`: of the draft as it was shown."""

    draft_id: UUID
    version: int
    made_on: str
    recorded_at: str
    seed: str
    evidence: list[str]
    engine_version: str
    rules_version: str
    report: Report
    sha256: str
    verdict: audit.Verdict
    sentence: str


class Audit(BaseModel):
    items: list[Audited]


class Queued(BaseModel):
    status: Literal["queued"]


class FeedbackIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    verdict: Verdict
    note: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] | None = None
    felt: Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00]*$")] | None = None
    until: Annotated[date, Strict(strict=False), Field(description="With not_now: the day on which it is wanted again, 1 to 90 days ahead.")] | None = None


class FeedbackOut(BaseModel):
    status: Literal["recorded"]


@router.get("", response_model=Suggestions)
def list_suggestions(
    caller: Reader,
    account_id: UUID | None = None,
    kind: SignalKind | None = None,
    state: Literal["open", "closed"] | None = None,
    since: Since = None,
    until: Until = None,
    changed_after: ChangedAfter = None,
    as_of: AsOf = None,
    fields: Annotated[str | None, fields_of(Suggestion)] = None,
    cursor: After = None,
    limit: Limit = 50,
) -> Response:
    """Latest change first. `since` and `until` speak of `opened_at`. As of a day `push_status`, `stale` and
    `snoozed_until` are null: how they stood is not kept."""
    names = wanted(fields, Suggestion)
    filters = {
        **{"account_id": account_id, "kind": kind, "state": state, "since": since, "until": until},
        **{"changed_after": changed_after, "as_of": as_of},
    }
    source = analytics.SUGGESTIONS
    with transaction(caller.workspace_id) as db:
        places = analytics.page(db, source, filters, columns=["version", "verdict"], after=decode_change(cursor), most=limit, direction=direction(filters))
        rows = suggestions.by_versions(db, [(p["suggestion_id"], p["version"]) for p in places])
        bodies = messages.bodies(db, [m for r in rows.values() for m in quoted_messages(r.draft)]) if "draft" in names else {}
    items = [_as_known(_json(rows[p["suggestion_id"]], bodies), p["verdict"], today=as_of is None) for p in places]
    return page(only(items, names), limit, change_cursor(source, places))


def _as_known(item: dict[str, Any], verdict: Verdict | None, *, today: bool) -> dict[str, Any]:
    return item if today else {**item, "feedback": verdict, "push_status": None, "stale": None, "snoozed_until": None}


@router.get("/{suggestion_id}", response_model=Suggestion)
def get_suggestion(caller: Reader, suggestion_id: UUID) -> Response:
    with transaction(caller.workspace_id) as db:
        row = _found(suggestions.get(db, suggestion_id))
        bodies = messages.bodies(db, quoted_messages(row.draft))
    return answer(_json(row, bodies))


@router.get("/{suggestion_id}/audit", response_model=Audit)
def audit_suggestion(caller: Reader, suggestion_id: UUID) -> Response:
    """Each draft that the suggestion has shown, the newest first, made again from what it was made from: is it the same, byte for byte? Takes some 100 ms
    a draft."""
    with transaction(caller.workspace_id) as db:
        _found(suggestions.get(db, suggestion_id))
    return answer({"items": [_audited(one) for one in audit.audit(caller.workspace_id, suggestion_id)]})


@router.post("/{suggestion_id}/push", status_code=202, response_model=Queued)
def push_suggestion(caller: Pusher, suggestion_id: UUID) -> JSONResponse:
    """Queues the suggestion's task for the one push path. Asking again changes nothing: one suggestion is one task."""
    with transaction(caller.workspace_id) as db:
        row = _found(suggestions.get(db, suggestion_id))
        connection = _approved(connections.of_account(db, row.account_id))
        if row.state == "closed":
            message = "This suggestion is closed. Only an open one becomes a task."
            raise Conflict(message)
        # A row that waits or is in a worker's hands is left to it: to queue it anew would take it away from that worker.
        if row.push_status != "sent" and suggestion_id not in outbox.waiting(db, connection.connection_id):
            outbox.add(db, [suggestion_id], connection.connection_id)
    jobs.ring(jobs.PUSH, workspace_id=caller.workspace_id, connection_id=connection.connection_id)
    return JSONResponse({"status": "queued"}, 202)


@router.post("/{suggestion_id}/feedback", status_code=201, response_model=FeedbackOut)
def give_feedback(caller: Reviewer, suggestion_id: UUID, body: FeedbackIn) -> JSONResponse:
    """Was it used, edited, not for now, or did we read it wrong? Kept beside the suggestion; the last word counts. Where the suggestion has a `pause`,
    used and edited need `felt`: one line on what you think they feel. A draft that is stale can be neither. not_now may name with `until` a day before
    which it is not shown in my day; to say something else ends that."""
    feedback.give(caller.workspace_id, suggestion_id, body.verdict, "api", now().date(), note=body.note, felt=body.felt, until=body.until)
    return JSONResponse({"status": "recorded"}, 201)


def _approved(connection: Connection | None) -> Connection:
    if connection is None or connection.push_approved_at is None:
        message = "Pushing to this CRM has not been approved yet: look at `undertone push --preview`, then say `undertone push --approve`."
        raise Conflict(message)
    return connection


def _found(row: SuggestionRow | None) -> SuggestionRow:
    if row is None:
        raise no_such("suggestion")
    return row


def _checked(row: SuggestionRow) -> dict[str, Any]:
    last = row.last_draft if row.draft is not None else None
    if last is None:
        return {"good_until": None, "stale": feedback.stale(row, now().date()), "report": None}
    return {"good_until": good_until(last.made_on), "stale": feedback.stale(row, now().date()), "report": _reported(last.report)}


def _reported(report: signals.Report) -> dict[str, Any]:
    found = [{"rule": rule, "severity": severity, "message": rule_messages().get(rule)} for rule, severity in report.findings]
    return {"checked": report.checked, "findings": found}


def _audited(one: audit.Audited) -> dict[str, Any]:
    names = ("draft_id", "version", "made_on", "recorded_at", "seed", "evidence", "engine_version", "rules_version", "sha256", "verdict")
    return {**{name: getattr(one, name) for name in names}, "report": _reported(one.report), "sentence": audit.SENTENCES[one.verdict]}


def _json(row: SuggestionRow, bodies: dict[UUID, str]) -> dict[str, Any]:
    return {
        "id": row.suggestion_id,
        "version": row.version,
        "account_id": row.account_id,
        "account": row.account_name,
        "contact_id": row.contact_id,
        "kind": row.lead_kind,
        "signal_ids": row.signal_ids,
        "state": row.state,
        "close_reason": row.close_reason,
        "handling": row.handling,
        "why_now": row.why_now,
        "plan": row.plan,
        "draft": draft_text(row.draft, bodies, row.last_draft),
        "no_draft_reason": row.no_draft_reason,
        **_checked(row),
        "alternatives": row.alternatives,
        "pause": CARD if row.pause else [],
        "due": row.due,
        "priority": row.priority,
        "opened_at": row.opened_at,
        "push_status": row.push_status,
        "feedback": row.feedback,
        "snoozed_until": row.snoozed_until,
        "recorded_at": row.recorded_at,
        "change_no": row.change_no,
    }
