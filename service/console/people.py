"""Who may come in, people and API keys: added, changed, shown once, taken out. For who may administer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from service import invitations, keys, oidc, people
from service.config import real_time, settings
from service.console.forms import Administrating, Administrator
from service.console.pages import page
from service.console.session import Session, invitation_link
from service.errors import BadInput, Conflict, NotFound
from service.invitations import Invitation
from service.keys import Role
from service.store import workspaces
from service.store.people import PersonRow, SignIn
from service.store.pool import transaction
from service.store.workspaces import ApiKeyRow

router = APIRouter(prefix="/console")

_PAGE = "/console/people"
Days = Literal["30", "90", "365", "0"]
"""That a key is valid for; 0: until it is revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    row: ApiKeyRow
    role: Role | None
    state: Literal["active", "revoked", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown this once: an invitation's link, or a key."""

    title: str
    secret: str
    note: str


@router.get("/people")
def people_page(request: Request, session: Administrating) -> HTMLResponse:
    return _page(request, session)


@router.post("/people")
def invite(
    request: Request,
    session: Administrator,
    name: Annotated[str, Form(max_length=100)],
    role: Annotated[Role, Form()],
    sign_in: Annotated[SignIn, Form()] = "password",
    email: Annotated[str, Form(max_length=320, examples=["bo@ours.example"])] = "",
) -> Response:
    at = real_time()
    invitation = invitations.add(session.workspace_id, name.strip(), role, sign_in, at, session.who(at))
    shown = _link(invitation)
    if email.strip():
        try:
            people.set_email(session.workspace_id, invitation.name, email, at, session.who(at))
        except (BadInput, Conflict) as error:  # they are invited all the same, and the link is shown only now
            shown = replace(shown, note=f"{shown.note} The mail address was not taken: {error} Set it below.")
    return _page(request, session, shown)


@router.post("/people/{person_id}/role")
def change_role(session: Administrator, person_id: UUID, role: Annotated[Role, Form()]) -> Response:
    at = real_time()
    people.set_role(session.workspace_id, person_id, role, at, session.who(at))
    return RedirectResponse(f"{_PAGE}#p-{person_id}", status_code=303)


@router.post("/people/{person_id}/email")
def change_email(session: Administrator, person_id: UUID, email: Annotated[str, Form(max_length=320, examples=["bo@ours.example"])] = "") -> Response:
    at = real_time()
    people.set_email(session.workspace_id, person_id, email, at, session.who(at))
    return RedirectResponse(f"{_PAGE}#p-{person_id}", status_code=303)


@router.post("/people/{person_id}/invitation")
def new_link(request: Request, session: Administrator, person_id: UUID) -> Response:
    at = real_time()
    return _page(request, session, _link(invitations.renew(session.workspace_id, person_id, at, session.who(at))))


@router.post("/people/{person_id}/sign-out")
def sign_out(session: Administrator, person_id: UUID) -> Response:
    at = real_time()
    people.sign_out(session.workspace_id, person_id, at, session.who(at))
    return RedirectResponse(f"{_PAGE}#p-{person_id}", status_code=303)


@router.post("/people/{person_id}/remove")
def remove(session: Administrator, person_id: UUID) -> Response:
    at = real_time()
    people.remove(session.workspace_id, person_id, at, session.who(at))
    return RedirectResponse(_PAGE, status_code=303)


@router.post("/keys")
def create_key(
    request: Request, session: Administrator, name: Annotated[str, Form(max_length=100)], role: Annotated[Role, Form()], days: Annotated[Days, Form()]
) -> Response:
    at = real_time()
    valid = timedelta(days=int(days)) or None
    key = keys.create(session.workspace_id, name.strip() or "unnamed", sorted(keys.ROLES[role]), at, valid, session.who(at))
    return _page(request, session, Shown(title="The new key", secret=key, note="Copy it now: it is not shown again, and nobody can look it up."))


@router.post("/keys/{api_key_id}/revoke")
def revoke_key(session: Administrator, api_key_id: UUID) -> Response:
    at = real_time()
    with transaction(session.workspace_id) as db:
        prefix = next((k.prefix for k in workspaces.api_keys(db) if k.api_key_id == api_key_id and k.revoked_at is None), None)
    if prefix is None:
        message = "There is no such active key in this workspace."
        raise NotFound(message)
    keys.revoke(session.workspace_id, prefix, at, session.who(at))
    return RedirectResponse(f"{_PAGE}#keys", status_code=303)


def _link(invitation: Invitation) -> Shown:
    note = f"Give it to {invitation.name} by a way that only they read. It is good once, for three days, and not shown again."
    return Shown(title=f"The link for {invitation.name}", secret=invitation_link(invitation), note=note)


def _page(request: Request, session: Session, shown: Shown | None = None) -> HTMLResponse:
    at = real_time()
    return page(
        request,
        "people.html",
        people=[(p, _state(p, at)) for p in people.listing(session.workspace_id)],
        keys=_keys(session.workspace_id, at),
        roles=tuple(keys.ROLES),
        scopes={role: ", ".join(s for s in keys.SCOPES if s in scopes) for role, scopes in keys.ROLES.items()},
        provider=oidc.configured(settings()) is not None,
        shown=shown,
    )


def _keys(workspace_id: UUID, at: datetime) -> Sequence[KeyView]:
    """Those that open something first."""
    with transaction(workspace_id) as db:
        rows = workspaces.api_keys(db)
    views = [KeyView(row=row, role=keys.role_of(row.scopes), state=_key_state(row, at)) for row in rows]
    return sorted(views, key=lambda v: (v.state != "active", -v.row.created_at.timestamp()))


def _key_state(row: ApiKeyRow, at: datetime) -> Literal["active", "revoked", "expired"]:
    if row.revoked_at:
        return "revoked"
    return "expired" if row.expires_at and row.expires_at <= at else "active"


def _state(row: PersonRow, at: datetime) -> str:
    if row.locked_until and row.locked_until > at:
        return "locked"
    if row.invited_until and row.invited_until > at:
        return "invited"
    return "active" if row.set_up else "invitation over"
