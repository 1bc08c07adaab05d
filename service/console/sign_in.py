"""Signing in, by name and password, by an API key with scope read or by a link that `undertone` prints, and out again.

Beside it lie the other ways in: `provider.py` and `invitation.py`.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from service import keys, limits, people
from service.config import real_time, settings
from service.console.pages import Visit, page
from service.console.session import COOKIE, LASTS, Session, seal, unseal
from service.errors import Refused, Unauthenticated
from service.limits import Rate

router = APIRouter(prefix="/console")

FORM_COOKIE = "undertone_form"
PER_ADDRESS = Rate(per_minute=20, burst=60)
"""Attempts to sign in from one address: an office behind one address comes in, and who guesses gets nowhere."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_HOME = "/console"
_DAY = "/console/day"
_NOT_OURS = "This form is out of date or was sent from another site. Try once more."
_RETURN = re.compile(r"/console(/[a-z]+(/[0-9a-f-]{36}|/new)?)?")
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
    back = safe_back(request.url.path)
    return RedirectResponse(f"{_HOME}/sign-in" + (f"?next={back}" if back != _HOME else ""), status_code=303)


class NotLetIn(Exception):
    """Turned into the sign-in page, which says why. `back`: where it was to lead."""

    def __init__(self, status: int, why: str, back: str, retry_after: int | None = None) -> None:
        super().__init__(why)
        self.status, self.back, self.retry_after = status, back, retry_after


def to_form(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotLetIn)
    response = _form(request, request.cookies.get(FORM_COOKIE), error.back, error.status, str(error))
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


@contextmanager
def attempt(request: Request, form: str | None, token: str, back: str) -> Iterator[None]:
    """What every way in asks before it looks at a secret; what is wrong then is said on the sign-in page.

    A form that another site has filled in would sign somebody in to a stranger's workspace: it has neither our origin nor our token.
    """
    if not (from_here(request) and is_forms_token(form, token)):
        raise NotLetIn(403, _NOT_OURS, back)
    count_address(request, back)
    try:
        yield
    except (Unauthenticated, Refused) as error:
        raise NotLetIn(error.status, str(error), back) from None


def count_address(request: Request, back: str) -> None:
    """A name's lock ends guesses at one password; this one ends guesses at many names from one address."""
    bucket = limits.take(f"sign-in:{_network(request.client.host if request.client else '')}", PER_ADDRESS, real_time())
    if not bucket.granted:
        raise NotLetIn(429, f"Too many attempts from your address. Try again in {bucket.wait} s.", back, bucket.wait)


def _network(host: str) -> str:
    """Whoever has one address of IPv6 has 64 bits of them."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else host


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
    with attempt(request, form, token, back):
        caller = keys.authenticate(key.strip(), real_time())
        if "read" not in caller.scopes:
            message = "This key lacks the scope read."
            raise Refused(message)
    return signed_in(Session(caller.workspace_id, caller.prefix), back)


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
    with attempt(request, form, token, back):
        workspace_id, session_id = people.sign_in(workspace.strip(), name.strip(), password, real_time())
    return signed_in(Session(workspace_id, None, session_id), _DAY if _starts_in_their_day(workspace_id, session_id) and safe_back(back) == _HOME else back)


@router.get("/enter")
def enter(
    request: Request,
    code: Annotated[str, Query(max_length=1000)] = "",
    back: Annotated[str, Query(alias="next", max_length=100)] = _HOME,
    form: Annotated[str | None, Cookie(alias=FORM_COOKIE)] = None,
) -> Response:
    try:
        found = unseal(code, "console link", real_time())
    except Unauthenticated as error:
        return _form(request, form, back, 401, str(error))
    return signed_in(found, back)


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
    response.delete_cookie(COOKIE, path=_HOME, httponly=True, samesite="lax", secure=secure())
    return response


def is_forms_token(form: str | None, token: str) -> bool:
    """Whether what a form brings is what our page gave to this browser."""
    return bool(form) and hmac.compare_digest((form or "").encode(), token.encode())


def _form(request: Request, token: str | None, back: str, status: int = 200, problem: str | None = None) -> Response:
    issuer = settings().oidc_issuer
    provider = urlsplit(issuer).hostname if issuer else None
    return form_page(request, "sign_in.html", token, status, problem=problem, back=safe_back(back), provider=provider)


def form_page(request: Request, template: str, token: str | None, status: int = 200, **context: Any) -> Response:
    """A page for who is not signed in yet, whose form proves by a token that this browser was given it."""
    token = token if token and _TOKEN.fullmatch(token) else secrets.token_urlsafe(32)
    response = page(request, template, status, token=token, **context)
    response.set_cookie(FORM_COOKIE, token, max_age=3600, httponly=True, samesite="strict", secure=secure(), path=f"{_HOME}/sign-in")
    return response


def signed_in(session: Session, back: str) -> Response:
    response = RedirectResponse(safe_back(back), status_code=303)
    # Lax, not strict: a task's link in the CRM leads here from another site. All that a link can do here is read.
    response.set_cookie(
        COOKIE,
        seal(session, "console session", real_time() + LASTS),
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=secure(),
        path=_HOME,
    )
    return response


def _starts_in_their_day(workspace_id: UUID, session_id: UUID) -> bool:
    return people.role_of(workspace_id, session_id, real_time()) == "am"


def safe_back(path: str) -> str:
    """Only to a page of ours."""
    return path if _RETURN.fullmatch(path) else _HOME


def from_here(request: Request) -> bool:
    """Browsers name the page a form came from; what names none is no browser. Behind a proxy the host we see may differ from the one people open."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") in ("same-origin", "none")
    ours = {request.headers.get("host", ""), urlsplit(settings().public_url).netloc}
    return origin != "null" and urlsplit(origin).netloc in ours


def secure() -> bool:
    return settings().public_url.startswith("https://")
