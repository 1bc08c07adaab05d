from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, PackageLoader, select_autoescape

from service import keys
from service.config import now
from service.console import assets, session, story
from service.console.session import SessionCookie
from service.errors import NotFound, Unauthenticated
from service.store import accounts, connections, suggestions, usage
from service.store.pool import transaction

router = APIRouter(prefix="/console", include_in_schema=False)
router.include_router(assets.router)

_environment = Environment(
    loader=PackageLoader("service.console"), autoescape=select_autoescape(default=True, default_for_string=True), trim_blocks=True, lstrip_blocks=True
)
templates = Jinja2Templates(env=_environment)


def _day(value: date | datetime | None) -> str:
    return f"{value.day} {value:%b %Y}" if value else "none known"


def _money(amount: float | None, currency: str | None) -> str:
    return f"{amount:,.0f} {currency or ''}".strip() if amount is not None else "not known"


def _words(kind: str) -> str:
    return kind.replace("_", " ")


_environment.filters.update(day=_day, money=_money, words=_words)

HEADERS = {
    # plotly.js places style elements of its own; scripts come from this server alone.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class SignInFirst(Exception):
    """Turned into a redirect to the sign-in page."""


def visitor(cookie: SessionCookie = None) -> UUID:
    """The workspace of the session."""
    try:
        return session.unseal(cookie or "", "console session", datetime.now(UTC))
    except Unauthenticated:
        raise SignInFirst from None


Visitor = Annotated[UUID, Depends(visitor)]


def to_sign_in(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return RedirectResponse("/console/sign-in", status_code=303)


@router.get("/sign-in")
def sign_in_page(request: Request) -> HTMLResponse:
    return _page(request, "sign_in.html", problem=None)


@router.post("/sign-in")
def sign_in(request: Request, key: Annotated[str, Form(max_length=200)]) -> Response:
    at = datetime.now(UTC)
    try:
        caller = keys.authenticate(key.strip(), at)
    except Unauthenticated as error:
        return _page(request, "sign_in.html", status=401, problem=str(error))
    if "read" not in caller.scopes:
        return _page(request, "sign_in.html", status=403, problem="This key lacks the scope read.")
    return session.signed_in(caller.workspace_id, at)


@router.get("/enter")
def enter(code: str) -> Response:
    at = datetime.now(UTC)
    return session.signed_in(session.unseal(code, "console link", at), at)


@router.get("")
def account_list(request: Request, workspace_id: Visitor, search: str = "", level: str = "") -> HTMLResponse:
    with transaction(workspace_id) as db:
        rows = accounts.listing(db, level=level or None, search=search or None, most=500)
        opened = {s.account_id: s for s in suggestions.open_suggestions(db)}
        lines = usage.sparklines(db, now().date())
        paused = [c for c in connections.all_connections(db) if c.status != "active"]
    rows.sort(key=lambda r: story.urgency(r, opened.get(r.account_id)))
    sparks = {a: story.sparkline(v) for a, v in lines.items()}
    return _page(request, "accounts.html", rows=rows, opened=opened, sparks=sparks, paused=paused, search=search, level=level, today=now().date())


@router.get("/accounts/{account_id}")
def account_page(request: Request, workspace_id: Visitor, account_id: UUID) -> HTMLResponse:
    with transaction(workspace_id) as db:
        told = story.read(db, account_id, now())
    if told is None:
        message = "There is no such account in this workspace."
        raise NotFound(message)
    return _page(request, "account.html", story=told, today=now().date(), plotly=assets.plotly_url())


@router.get("/suggestions/{suggestion_id}")
def suggestion_page(workspace_id: Visitor, suggestion_id: UUID) -> Response:
    """Where a task's link leads: the account's page, at its suggestion."""
    with transaction(workspace_id) as db:
        row = suggestions.get(db, suggestion_id)
    if row is None:
        message = "There is no such suggestion in this workspace."
        raise NotFound(message)
    return RedirectResponse(f"/console/accounts/{row.account_id}#suggestion", status_code=303)


def _page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    return templates.TemplateResponse(request, template, context, status_code=status, headers=HEADERS)
