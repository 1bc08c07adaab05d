"""Signing in, by name and password, by an API key with scope read or by a link that `undertone` prints, and out again."""

from __future__ import annotations

import hmac
import re
import secrets
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Cookie, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from service import keys, people
from service.config import real_time, settings
from service.console.pages import Visit, page
from service.console.session import COOKIE, LASTS, Session, seal, unseal
from service.errors import Refused, Unauthenticated

router = APIRouter(prefix="/console")

FORM_COOKIE = "undertone_form"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_HOME = "/console"
_NOT_OURS = "This form is out of date or was sent from another site. Try once more."
_RETURN = re.compile(r"/console(/connections|/(accounts|suggestions)/[0-9a-f-]{36})?")
"""Where a sign-in may lead back to: our own pages, never another address."""


class SignInFirst(Exception):
    """Turned into a redirect to the sign-in page."""


def visitor(request: Request, cookie: Annotated[str | None, Cookie(alias=COOKIE)] = None) -> Session:
    """A session ends with the key or the person that it began with."""
    at = real_time()
    try:
        found = unseal(cookie or "", "console session", at)
    except Unauthenticated:
        raise SignInFirst from None
    scopes = found.scopes(at)
    if "read" not in scopes:
        raise SignInFirst
    request.state.visit = Visit(found, scopes)
    return found


Visitor = Annotated[Session, Depends(visitor)]


def to_sign_in(request: Request, error: Exception) -> Response:  # noqa: ARG001
    back = _back(request.url.path)
    return RedirectResponse(f"{_HOME}/sign-in" + (f"?next={back}" if back != _HOME else ""), status_code=303)


@router.get("/sign-in")
def sign_in_page(
    request: Request, back: Annotated[str, Query(alias="next", max_length=100)] = _HOME, form: Annotated[str | None, Cookie(alias=FORM_COOKIE)] = None
) -> Response:
    return _form(request, form, back)


@router.post("/sign-in")
def sign_in(
    request: Request,
    key: Annotated[str, Form(max_length=200)],
    token: Annotated[str, Form(max_length=200)] = "",
    back: Annotated[str, Form(alias="next", max_length=100)] = _HOME,
    form: Annotated[str | None, Cookie(alias=FORM_COOKIE)] = None,
) -> Response:
    """A form that another site has filled in would sign somebody in to a stranger's workspace: it has neither our origin nor our token."""
    if not _is_our_form(request, form, token):
        return _form(request, form, back, 403, _NOT_OURS)
    try:
        caller = keys.authenticate(key.strip(), real_time())
    except Unauthenticated as error:
        return _form(request, form, back, 401, str(error))
    if "read" not in caller.scopes:
        return _form(request, form, back, 403, "This key lacks the scope read.")
    return _signed_in(Session(caller.workspace_id, caller.prefix), back)


@router.post("/sign-in/password")
def sign_in_by_password(
    request: Request,
    workspace: Annotated[str, Form(max_length=100)],
    name: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=1000)],
    token: Annotated[str, Form(max_length=200)] = "",
    back: Annotated[str, Form(alias="next", max_length=100)] = _HOME,
    form: Annotated[str | None, Cookie(alias=FORM_COOKIE)] = None,
) -> Response:
    if not _is_our_form(request, form, token):
        return _form(request, form, back, 403, _NOT_OURS)
    try:
        workspace_id, session_id = people.sign_in(workspace.strip(), name.strip(), password, real_time())
    except Unauthenticated as error:
        return _form(request, form, back, 401, str(error))
    return _signed_in(Session(workspace_id, None, session_id), back)


@router.get("/enter")
def enter(request: Request, code: Annotated[str, Query(max_length=1000)] = "", form: Annotated[str | None, Cookie(alias=FORM_COOKIE)] = None) -> Response:
    try:
        found = unseal(code, "console link", real_time())
    except Unauthenticated as error:
        return _form(request, form, _HOME, 401, str(error))
    return _signed_in(found, _HOME)


@router.post("/sign-out")
def sign_out(request: Request, cookie: Annotated[str | None, Cookie(alias=COOKIE)] = None) -> Response:
    """A person's session is over wherever its cookie may lie."""
    if not from_here(request):
        message = "This form was sent from another site."
        raise Refused(message)
    with suppress(Unauthenticated):
        found = unseal(cookie or "", "console session", real_time())
        if found.person_session is not None:
            people.end_session(found.workspace_id, found.person_session, real_time())
    response = RedirectResponse(f"{_HOME}/sign-in", status_code=303)
    response.delete_cookie(COOKIE, path=_HOME, httponly=True, samesite="lax", secure=_secure())
    return response


def _is_our_form(request: Request, form: str | None, token: str) -> bool:
    return from_here(request) and bool(form) and hmac.compare_digest((form or "").encode(), token.encode())


def _form(request: Request, token: str | None, back: str, status: int = 200, problem: str | None = None) -> Response:
    token = token if token and _TOKEN.fullmatch(token) else secrets.token_urlsafe(32)
    response = page(request, "sign_in.html", status, problem=problem, token=token, back=_back(back))
    response.set_cookie(FORM_COOKIE, token, max_age=3600, httponly=True, samesite="strict", secure=_secure(), path=f"{_HOME}/sign-in")
    return response


def _signed_in(session: Session, back: str) -> Response:
    response = RedirectResponse(_back(back), status_code=303)
    # Lax, not strict: a task's link in the CRM leads here from another site. All that a link can do here is read.
    response.set_cookie(
        COOKIE,
        seal(session, "console session", real_time() + LASTS),
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_secure(),
        path=_HOME,
    )
    return response


def _back(path: str) -> str:
    return path if _RETURN.fullmatch(path) else _HOME


def from_here(request: Request) -> bool:
    """Browsers name the page a form came from; what names none is no browser. Behind a proxy the host we see may differ from the one people open."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") in ("same-origin", "none")
    ours = {request.headers.get("host", ""), urlsplit(settings().public_url).netloc}
    return origin != "null" and urlsplit(origin).netloc in ours


def _secure() -> bool:
    return settings().public_url.startswith("https://")
