"""What a person does on a suggestion's place: has a text checked, looks at another draft, says what came of it. No text is kept."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ml.labels import SituationName
from service import desk, feedback, limits
from service.config import now, real_time
from service.console import account, critique
from service.console.forms import Looker, Reviewer
from service.console.pages import fragment
from service.console.session import Session
from service.console.sign_in import Visitor
from service.console.work import Typed
from service.critic.draft import MOST_CHARS
from service.desk import Desk
from service.errors import BadInput, Conflict, no_such
from service.store import suggestions
from service.store.corrections import Label
from service.store.pool import Db, transaction
from service.store.suggestions import SuggestionRow, Verdict

router = APIRouter(prefix="/console/suggestions")

# As a form sends it: a line break is two characters there, and one in the box that the offsets speak of.
Text = Annotated[str, Form(max_length=2 * MOST_CHARS, pattern=r"^[^\x00]*$")]
Part = Annotated[Literal["page", "fragment"], Form()]
"""fragment: critic.js puts it into the page."""
About = Literal["", SituationName]
Line = Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")]


@router.get("/{suggestion_id}")
def suggestion_page(session: Visitor, suggestion_id: UUID) -> Response:
    """Where a task's link leads: the account's page, at its suggestion."""
    with transaction(session.workspace_id) as db:
        row = _row(db, suggestion_id)
    return RedirectResponse(f"/console/accounts/{row.account_id}#suggestion", status_code=303)


@router.post("/{suggestion_id}/check")
def check(request: Request, session: Looker, suggestion_id: UUID, text: Text = "", part: Part = "page") -> Response:
    if wait := _wait(session):
        return _later(request, session, suggestion_id, text, part, wait)
    with transaction(session.workspace_id) as db:
        row = _row(db, suggestion_id)
        found = _critique(_desk(db, row), text)
    if part == "fragment":
        return fragment(request, "critic.html", critic=found)
    return account.show(request, session, row.account_id, Typed(text=_lines(text), critic=found))


@router.post("/{suggestion_id}/another")
def another(request: Request, session: Looker, suggestion_id: UUID, text: Text = "", part: Part = "page") -> Response:
    if wait := _wait(session):
        return _later(request, session, suggestion_id, text, part, wait)
    with transaction(session.workspace_id) as db:
        row = _row(db, suggestion_id)
        at = _desk(db, row)
        other = desk.another(db, at, now().date()) if at.draft is not None else None
        found = _critique(at, text)
    if part == "fragment":
        return fragment(request, "another.html", other=other)
    return account.show(request, session, row.account_id, Typed(text=_lines(text), critic=found, other=other or ""))


@router.post("/{suggestion_id}/feedback")
def say(
    request: Request,
    session: Reviewer,
    suggestion_id: UUID,
    verdict: Annotated[Verdict, Form()],
    felt: Annotated[str, Form(max_length=300, pattern=r"^[^\x00]*$")] = "",
    note: Line = "",
    until: Annotated[date | None, Form()] = None,
    about: Annotated[About, Form()] = "",
    mood: Annotated[Literal["", "-0.5", "0", "0.5"], Form()] = "",
) -> Response:
    """Said, and back to the suggestion; what cannot be said is told on the page, with what was typed."""
    instead: dict[Label, Any] = {**({"situations": [about]} if about else {}), **({"sentiment": float(mood)} if mood else {})}
    try:
        feedback.give(session.workspace_id, suggestion_id, verdict, "console", now().date(), note=note.strip() or None, felt=felt, until=until, instead=instead)
    except (BadInput, Conflict) as error:
        return account.show(request, session, _account_of(session.workspace_id, suggestion_id), Typed(problem=str(error), verdict=verdict, felt=felt))
    return RedirectResponse(f"/console/accounts/{_account_of(session.workspace_id, suggestion_id)}#suggestion", status_code=303)


def _wait(session: Session) -> int:
    """Seconds until this session may have something looked at again; 0 where it may now."""
    who = session.person_session or session.key or "link"
    bucket = limits.take(f"{session.workspace_id}:critic:{who}", limits.CRITIC, real_time())
    return 0 if bucket.granted else max(1, bucket.wait)


def _later(request: Request, session: Session, suggestion_id: UUID, text: str, part: str, wait: int) -> Response:
    """What was typed stays on the page."""
    critic = critique.later(wait)
    if part == "fragment":
        return fragment(request, "critic.html", critic=critic, wait=wait)
    return account.show(request, session, _account_of(session.workspace_id, suggestion_id), Typed(text=_lines(text), critic=critic))


def _account_of(workspace_id: UUID, suggestion_id: UUID) -> UUID:
    with transaction(workspace_id) as db:
        return _row(db, suggestion_id).account_id


def _row(db: Db, suggestion_id: UUID) -> SuggestionRow:
    row = suggestions.get(db, suggestion_id)
    if row is None:
        raise no_such("suggestion")
    return row


def _desk(db: Db, row: SuggestionRow) -> Desk:
    found = desk.read(db, row)
    if found is None:
        message = "What this suggestion rested on is gone, so that no text can be held against it."
        raise Conflict(message)
    return found


def _critique(at: Desk, text: str) -> critique.Critique:
    return critique.of_text(desk.review(at, _lines(text)), at.request.lang)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")[:MOST_CHARS]
