from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service.config import now
from service.console import assets, overview, sign_in, story
from service.console.pages import page
from service.console.sign_in import Visitor
from service.errors import NotFound
from service.store import suggestions
from service.store.pool import transaction

router = APIRouter(prefix="/console", include_in_schema=False)
router.include_router(assets.router)
router.include_router(sign_in.router)

Words = Annotated[str, Query(max_length=200)]


@router.get("")
@router.get("/")
def account_list(
    request: Request,
    workspace_id: Visitor,
    search: Words = "",
    owner: Words = "",
    level: Literal["", "likely", "open", "at_risk", "unknown"] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    wanted = overview.Wanted(search=search, owner=owner, level=level, page=number)
    with transaction(workspace_id) as db:
        found = overview.read(db, wanted, now().date())
    return page(request, "accounts.html", found=found, wanted=wanted, today=now().date())


@router.get("/accounts/{account_id}")
def account_page(request: Request, workspace_id: Visitor, account_id: UUID) -> HTMLResponse:
    with transaction(workspace_id) as db:
        told = story.read(db, account_id, now())
    if told is None:
        message = "There is no such account in this workspace."
        raise NotFound(message)
    return page(request, "account.html", charts=True, story=told, today=now().date(), plotly=assets.plotly_url())


@router.get("/suggestions/{suggestion_id}")
def suggestion_page(workspace_id: Visitor, suggestion_id: UUID) -> Response:
    """Where a task's link leads: the account's page, at its suggestion."""
    with transaction(workspace_id) as db:
        row = suggestions.get(db, suggestion_id)
    if row is None:
        message = "There is no such suggestion in this workspace."
        raise NotFound(message)
    return RedirectResponse(f"/console/accounts/{row.account_id}#suggestion", status_code=303)
