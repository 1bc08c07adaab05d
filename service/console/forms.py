"""Forms on the pages of somebody who is signed in: who may send them, and the proof that they come from a page of ours."""

from __future__ import annotations

from typing import Annotated

from fastapi import Cookie, Depends, Form, Request

from service.config import real_time
from service.console.session import COOKIE, LASTS, Session, seal, unseal
from service.console.sign_in import Visitor, from_here
from service.errors import Refused, Unauthenticated


def session_of(workspace_id: Visitor, cookie: Annotated[str | None, Cookie(alias=COOKIE)] = None) -> Session:  # noqa: ARG001
    """The session of a visitor who has been let in."""
    return unseal(cookie or "", "console session", real_time())


SignedIn = Annotated[Session, Depends(session_of)]


def form_token(session: Session) -> str | None:
    """For the hidden field of each form; None for a session that may only read. Sealed for this session: no cookie of its own is needed."""
    return seal(session, "console form", real_time() + LASTS) if session.may("feedback", real_time()) else None


def reviewer(request: Request, session: SignedIn, token: Annotated[str, Form(max_length=1000)] = "") -> Session:
    """As at the sign-in, two proofs: a form that another site has filled in has neither our origin nor our token."""
    if not from_here(request) or not _is_of(session, token):
        message = "This form is out of date or was sent from another site. Open the account's page anew and try once more."
        raise Refused(message)
    if not session.may("feedback", real_time()):
        message = "This session may only read. Sign in as an am or admin, or with a key made by `undertone key create --scope read --scope feedback`."
        raise Refused(message)
    return session


Reviewer = Annotated[Session, Depends(reviewer)]


def _is_of(session: Session, token: str) -> bool:
    try:
        return unseal(token, "console form", real_time()) == session
    except Unauthenticated:
        return False
