"""Forms on the pages of somebody who is signed in: who may send them, and the proof that they come from a page of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Form, Request

from service.config import real_time
from service.console.session import Session, unseal
from service.console.sign_in import Visitor, from_here
from service.errors import Refused, Unauthenticated
from service.keys import ROLES, Scope


def sender_with(scope: Scope) -> Callable[..., Session]:
    """A dependency. As at the sign-in, two proofs: a form that another site has filled in has neither our origin nor our token."""

    def sender(request: Request, session: Visitor, token: Annotated[str, Form(max_length=1000)] = "") -> Session:
        mind_origin(request)
        mind_token(session, token)
        mind_scope(request, scope)
        return session

    return sender


def visitor_with(scope: Scope) -> Callable[..., Session]:
    """A dependency of pages that not everybody may see."""

    def viewer(request: Request, session: Visitor) -> Session:
        mind_scope(request, scope)
        return session

    return viewer


def mind_origin(request: Request) -> None:
    """This and the next two raise Refused: separately for a form whose body is too large to be read before its sender is known."""
    if not from_here(request):
        raise Refused(_NOT_OURS)


def mind_token(session: Session, token: str) -> None:
    if not _is_of(session, token):
        raise Refused(_NOT_OURS)


def mind_scope(request: Request, scope: Scope) -> None:
    if scope not in request.state.visit.scopes:
        roles = " or ".join(role for role, scopes in ROLES.items() if scope in scopes)
        message = f"This session may not do that. Sign in as {roles}, or with a key made by `undertone key create --scope read --scope {scope}`."
        raise Refused(message)


_NOT_OURS = "This form is out of date or was sent from another site. Open its page anew and try once more."


Looker = Annotated[Session, Depends(sender_with("read"))]
"""For forms that change nothing, and are forms because what is typed has no place in an address."""
Reviewer = Annotated[Session, Depends(sender_with("feedback"))]
Configurer = Annotated[Session, Depends(sender_with("configure"))]
Administrator = Annotated[Session, Depends(sender_with("administer"))]
Administrating = Annotated[Session, Depends(visitor_with("administer"))]


def _is_of(session: Session, token: str) -> bool:
    try:
        return unseal(token, "console form", real_time()) == session
    except Unauthenticated:
        return False
