"""Where an invitation's link leads: somebody sets their password, or goes on to the provider, and is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Cookie, Form, Query, Request
from fastapi.responses import Response

from service import invitations
from service.config import real_time
from service.console.session import Session, invitation_of
from service.console.sign_in import FORM_COOKIE, NotLetIn, attempt, form_page, signed_in
from service.errors import BadInput, Unauthenticated
from service.store import workspaces
from service.store.pool import transaction

router = APIRouter(prefix="/console")

_HOME = "/console"
_Code = Annotated[str, Query(max_length=1000)]
_FormCookie = Annotated[str | None, Cookie(alias=FORM_COOKIE)]


@router.get("/sign-in/invitation")
def invitation_page(request: Request, code: _Code = "", form: _FormCookie = None) -> Response:
    return _page(request, code, form)


@router.post("/sign-in/invitation")
def accept(
    request: Request,
    code: Annotated[str, Form(max_length=1000)],
    password: Annotated[str, Form(max_length=1000)],
    token: Annotated[str, Form(max_length=200)] = "",
    form: _FormCookie = None,
) -> Response:
    with attempt(request, form, token, _HOME):
        workspace_id, invitation_id = invitation_of(code, real_time())
        try:
            session_id = invitations.accept_password(workspace_id, invitation_id, password, real_time())
        except BadInput as error:
            return _page(request, code, form, str(error))
    return signed_in(Session(workspace_id, None, session_id), _HOME)


def _page(request: Request, code: str, form: str | None, problem: str | None = None) -> Response:
    try:
        workspace_id, invitation_id = invitation_of(code, real_time())
        person = invitations.who(workspace_id, invitation_id, real_time())
    except Unauthenticated as error:
        raise NotLetIn(401, str(error), _HOME) from None
    with transaction(workspace_id) as db:
        workspace = workspaces.name(db)
    return form_page(request, "invitation.html", form, BadInput.status if problem else 200, problem=problem, person=person, workspace=workspace, code=code)
