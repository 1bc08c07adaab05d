"""Signing in by the OIDC provider: there with what this browser alone knows, and back with who it is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Query, Request
from fastapi.responses import RedirectResponse, Response

from service import invitations, oidc, people
from service.config import real_time, settings
from service.console import sealed
from service.console.session import Session, invitation_of
from service.console.sign_in import FORM_COOKIE, NotLetIn, count_address, is_forms_token, secure, signed_in
from service.errors import Conflict, NotFound, Unauthenticated
from service.oidc import Going, Provider

router = APIRouter(prefix="/console")

COOKIE = "undertone_provider"
LASTS = timedelta(minutes=10)
_HOME = "/console"
_PATH = "/console/sign-in/oidc"


@router.get("/sign-in/oidc")
def go(
    request: Request,
    back: Annotated[str, Query(alias="next", max_length=100)] = _HOME,
    workspace: Annotated[str, Query(max_length=100)] = "",
    invitation: Annotated[str, Query(max_length=1000)] = "",
    token: Annotated[str, Query(max_length=200)] = "",
    form: Annotated[str | None, Cookie(alias=FORM_COOKIE)] = None,
) -> Response:
    """A link, not a form: the policy of our pages lets no form go to another site, not even by a redirect."""
    provider, at = _provider(), real_time()
    count_address(request, back)
    if invitation and not is_forms_token(form, token):
        # Else a link that somebody is sent could tie their account of the provider to a stranger's name.
        raise NotLetIn(403, "Open the link of your invitation, and go on from there.", _HOME)
    address, going = oidc.begin(provider, _redirect_uri(), at)
    kept = {**asdict(going), "back": back, "workspace": workspace or None, "invitation": invitation or None}
    response = RedirectResponse(address, status_code=303)
    # Lax: the way back is a link from another site.
    response.set_cookie(
        COOKIE,
        sealed.seal(kept, "console provider", at + LASTS),
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=secure(),
        path=_PATH,
    )
    return response


@router.get("/sign-in/oidc/callback")
def come_back(request: Request, cookie: Annotated[str | None, Cookie(alias=COOKIE)] = None) -> Response:
    provider, at = _provider(), real_time()
    count_address(request, _HOME)
    try:
        kept = sealed.unseal(cookie or "", "console provider", at)
        going = Going(state=kept["state"] or "", nonce=kept["nonce"] or "", verifier=kept["verifier"] or "")
        subject = oidc.finish(provider, _redirect_uri(), going, dict(request.query_params), at)
        workspace_id, session_id = _let_in(provider, subject, kept["invitation"], kept["workspace"])
    except (Unauthenticated, Conflict) as error:
        raise NotLetIn(error.status, str(error), _HOME) from None
    response = signed_in(Session(workspace_id, None, session_id), kept["back"] or _HOME)
    response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="lax", secure=secure())
    return response


def _let_in(provider: Provider, subject: str, invitation: str | None, workspace: str | None) -> tuple[UUID, UUID]:
    """(workspace, session). Who comes with an invitation is from now on known by the subject; who comes without must have been before."""
    at = real_time()
    if invitation is None:
        return people.sign_in_by_subject(provider.issuer, subject, workspace, at)
    workspace_id, invitation_id = invitation_of(invitation, at)
    return workspace_id, invitations.accept_subject(workspace_id, invitation_id, provider.issuer, subject, at)


def _provider() -> Provider:
    found = oidc.configured(settings())
    if found is None:
        message = "No sign-in provider is set up here. docs/access.md says how."
        raise NotFound(message)
    return found


def _redirect_uri() -> str:
    return f"{settings().public_url}{_PATH}/callback"
