"""Where the signed link of a task leads: what came of its suggestion, said without signing in. To open it changes nothing; mail scanners open links, too."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from service import feedback, feedback_link, limits
from service.config import now, real_time, settings
from service.console import work
from service.console.pages import page
from service.console.sign_in import from_here
from service.errors import BadInput, Conflict, NotFound, TooMany
from service.feedback import MOST_SNOOZED
from service.feedback_link import Named
from service.limits import Rate
from service.playbook.describe import MOMENT
from service.playbook.wording import capitalised
from service.store import suggestions
from service.store.pool import transaction
from service.store.suggestions import SuggestionRow, Verdict

router = APIRouter(prefix="/feedback")

COOKIE = "undertone_feedback"
OF_A_LINK = Rate(per_minute=20, burst=20)
"""What a person clicks, with much to spare: each answer is a row that stays."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_NOT_OURS = "This form is out of date or was sent from another site. Try once more."

Cookied = Annotated[str | None, Cookie(alias=COOKIE)]


def named(token: str) -> Named:
    """A dependency. Links that are none share one bucket: guessing is slow, and nobody who has a link waits for it."""
    try:
        found = feedback_link.opened(token, now().date())
    except NotFound:
        _count("feedback-link:none", limits.configured())
        raise
    _count(f"feedback-link:{found.suggestion_id}", OF_A_LINK)
    return found


Link = Annotated[Named, Depends(named)]


@router.get("/{token}")
def feedback_page(request: Request, link: Link, form: Cookied = None) -> Response:
    return _page(request, link, form)


@router.post("/{token}")
def say(
    request: Request,
    token: str,
    link: Link,
    verdict: Annotated[Verdict, Form()],
    felt: Annotated[str, Form(max_length=300, pattern=r"^[^\x00]*$")] = "",
    note: Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")] = "",
    until: Annotated[date | None, Form()] = None,
    form_token: Annotated[str, Form(max_length=200)] = "",
    form: Cookied = None,
) -> Response:
    if not (from_here(request) and form and hmac.compare_digest(form.encode(), form_token.encode())):
        return _page(request, link, form, HTTPStatus.FORBIDDEN, _NOT_OURS)
    try:
        feedback.give(link.workspace_id, link.suggestion_id, verdict, "link", now().date(), note=note.strip() or None, felt=felt, until=until)
    except (BadInput, Conflict) as error:
        return _page(request, link, form, error.status, str(error))
    return RedirectResponse(f"/feedback/{token}", status_code=303)


def _page(request: Request, link: Named, form: str | None, status: int = HTTPStatus.OK, problem: str | None = None) -> Response:
    """Which suggestion it is, by account, kind and day: no word of the buyer, no draft."""
    row = _row(link)
    today = now().date()
    form = form if form and _TOKEN.fullmatch(form) else secrets.token_urlsafe(32)
    response = page(
        request,
        "feedback.html",
        status,
        row=row,
        kind=capitalised(MOMENT[row.lead_kind]),  # type: ignore[index]
        said=work.said(row),
        problem=problem,
        token=form,
        stale=feedback.stale(row, today) if row.draft is not None else None,
        first_day=today + timedelta(days=1),
        last_day=today + timedelta(days=MOST_SNOOZED),
    )
    secure = settings().public_url.startswith("https://")
    response.set_cookie(COOKIE, form, max_age=3600, httponly=True, samesite="strict", secure=secure, path="/feedback")
    return response


def _row(link: Named) -> SuggestionRow:
    with transaction(link.workspace_id) as db:
        row = suggestions.get(db, link.suggestion_id)
    if row is None:
        raise feedback_link.invalid()
    return row


def _count(name: str, rate: Rate) -> None:
    bucket = limits.take(name, rate, real_time())
    if not bucket.granted:
        message = f"This page has been asked for too often. Try again in {bucket.wait} s."
        raise TooMany(message, retry_after=bucket.wait)
