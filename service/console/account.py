"""An account's page, where a task's link leads, and what a person says there."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service import feedback
from service.config import now
from service.console import assets, figures, said, story
from service.console.forms import Reviewer
from service.console.pages import page
from service.console.sign_in import Visitor
from service.errors import no_such
from service.store import accounts, messages, suggestions
from service.store.pool import transaction

router = APIRouter(prefix="/console")


@router.get("/accounts/{account_id}")
def account_page(request: Request, session: Visitor, account_id: UUID) -> HTMLResponse:
    with transaction(session.workspace_id) as db:
        told = story.read(db, account_id, now())
        heard = said.read(db, account_id, now())
    if told is None:
        raise no_such("account")
    return page(request, "account.html", charts=True, story=told, said=heard, today=now().date(), plotly=assets.plotly_url())


@router.get("/accounts/{account_id}/charts")
def charts(session: Visitor, account_id: UUID) -> Response:
    """Mood and usage by day, for charts.js; the page itself does not wait for it."""
    at = now()
    with transaction(session.workspace_id) as db:
        account = accounts.get(db, account_id)
        if account is None:
            raise no_such("account")
        mood = messages.mood(db, account_id)
        usage = figures.read(db, account_id, account.name, at.date())
    points = {"at": [p.occurred_at for p in mood], "sentiment": [round(p.sentiment, 3) for p in mood], "who": [p.contact_name or "unknown" for p in mood]}
    return Response(orjson.dumps({"now": at, "mood": points, "usage": usage}), media_type="application/json")


@router.get("/suggestions/{suggestion_id}")
def suggestion_page(session: Visitor, suggestion_id: UUID) -> Response:
    """Where a task's link leads: the account's page, at its suggestion."""
    with transaction(session.workspace_id) as db:
        row = suggestions.get(db, suggestion_id)
    if row is None:
        raise no_such("suggestion")
    return RedirectResponse(f"/console/accounts/{row.account_id}#suggestion", status_code=303)


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
