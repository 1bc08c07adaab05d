"""An account's page, where a task's link leads, and what a person says there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service import feedback, unscored
from service.config import now
from service.console import assets, said, story, work
from service.console.forms import Reviewer
from service.console.pages import compress, page
from service.console.session import Session
from service.console.sign_in import Visitor
from service.console.work import Typed
from service.errors import no_such
from service.store import unscored as stored_unscored
from service.store.pool import transaction

router = APIRouter(prefix="/console")
NOTHING = Typed()


@router.get("/accounts/{account_id}")
def account_page(request: Request, session: Visitor, account_id: UUID) -> HTMLResponse:
    return show(request, session, account_id)


def show(request: Request, session: Session, account_id: UUID, typed: Typed = NOTHING) -> HTMLResponse:
    """`typed`: what a form on the page has sent."""
    at = now()
    with transaction(session.workspace_id) as db:
        told = story.read(db, account_id, at)
        if told is None:
            raise no_such("account")
        heard = said.read(db, account_id, at)
        row = told.suggestion
        not_known = unscored.of_account(stored_unscored.read(db), account_id, told.account.scored_at, stored_unscored.unread(db, account_id))
        working = work.read(db, row, told.lead, told.recipient, at.date(), typed) if row else None
    status = HTTPStatus.UNPROCESSABLE_ENTITY if typed.problem else HTTPStatus.OK
    return page(
        request,
        "account.html",
        status,
        charts=True,
        story=told,
        said=heard,
        heard={m.id for m in heard},
        work=working,
        not_known=not_known,
        today=at.date(),
        plotly=assets.plotly_url(),
    )


@router.get("/accounts/{account_id}/charts.json")
def account_charts(request: Request, session: Visitor, account_id: UUID) -> Response:
    """Asked for by the page once it is shown: the words do not wait for the numbers."""
    with transaction(session.workspace_id) as db:
        found = story.charts(db, account_id, now())
    if found is None:
        raise no_such("account")
    answer = Response(orjson.dumps(found), media_type="application/json")
    compress(request, answer)
    return answer


@router.post("/messages/{interaction_id}/sentiment")
def correct_sentiment(
    session: Reviewer,
    interaction_id: UUID,
    value: Annotated[Literal["-0.5", "0", "0.5"], Form()],
    version: Annotated[str, Form(max_length=200, pattern=r"^[^\x00]*$")],
) -> Response:
    """Not right? A person says what the mood was; back to the message, which shows both."""
    account_id = feedback.correct(session.workspace_id, interaction_id, "sentiment", float(value), "console", version)
    return RedirectResponse(f"/console/accounts/{account_id}#message-{interaction_id}", status_code=303)
