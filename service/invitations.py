"""Invitations: a link, good once and for three days, by which somebody sets their password or says who they are to the provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service import passwords
from service.errors import Conflict, NotFound, Unauthenticated
from service.keys import Role
from service.people import LASTS, checked_name, known_role
from service.store import audit_log, people
from service.store.audit_log import COMMAND_LINE
from service.store.people import PersonRow, SignIn
from service.store.pool import transaction

GOOD_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    workspace_id: UUID
    invitation_id: UUID
    name: str
    until: datetime


def add(workspace_id: UUID, name: str, role: Role, sign_in: SignIn, now: datetime, by: str = COMMAND_LINE) -> Invitation:
    """Somebody who can come in by nothing but the link, until they have used it."""
    with transaction(workspace_id) as db:
        person_id = people.add(db, checked_name(name), known_role(role), sign_in)
        if person_id is None:
            message = "Somebody of this workspace has that name. Give them a new link, or remove them first."
            raise Conflict(message)
        audit_log.write(db, now, by, "invite person", name, after={"role": role, "sign_in": sign_in})
        return Invitation(workspace_id=workspace_id, invitation_id=people.invite(db, person_id, now + GOOD_FOR), name=name, until=now + GOOD_FOR)


def renew(workspace_id: UUID, person: UUID | str, now: datetime, by: str = COMMAND_LINE) -> Invitation:
    """Another link, which ends the one before. How they came in until now stays good until they use it."""
    with transaction(workspace_id) as db:
        row = people.get(db, person)
        if row is None:
            message = "There is nobody of that name in this workspace."
            raise NotFound(message)
        audit_log.write(db, now, by, "invite person", row.name)
        return Invitation(workspace_id=workspace_id, invitation_id=people.invite(db, row.person_id, now + GOOD_FOR), name=row.name, until=now + GOOD_FOR)


def who(workspace_id: UUID, invitation_id: UUID, now: datetime) -> PersonRow:
    """Raises Unauthenticated where it was used, replaced, or is over."""
    with transaction(workspace_id) as db:
        found = people.invited(db, invitation_id, now)
    if found is None:
        raise _over()
    return found


def accept_password(workspace_id: UUID, invitation_id: UUID, password: str, now: datetime) -> UUID:
    """The session that begins with it; all others of theirs are over."""
    hashed = passwords.hashed(password)
    with transaction(workspace_id) as db:
        row = people.invited(db, invitation_id, now)
        if row is None or row.sign_in != "password":
            raise _over()
        people.end_sessions(db, row.person_id, now)
        people.set_password(db, row.person_id, hashed)
        audit_log.write(db, now, row.name, "set password", row.name)
        return people.start_session(db, row.person_id, now, now + LASTS)


def accept_subject(workspace_id: UUID, invitation_id: UUID, issuer: str, subject: str, now: datetime) -> UUID:
    """As accept_password(), for whom the provider has just vouched. From here on `subject` is them, whatever address they have."""
    with transaction(workspace_id) as db:
        row = people.invited(db, invitation_id, now)
        if row is None or row.sign_in != "oidc":
            raise _over()
        if people.of_subject(db, issuer, subject) not in (None, row.person_id):
            message = "With this account of the provider somebody else of this workspace signs in already. Sign out there, and open the link once more."
            raise Conflict(message)
        people.end_sessions(db, row.person_id, now)
        people.bind_subject(db, row.person_id, issuer, subject)
        audit_log.write(db, now, row.name, "bind subject", row.name, after={"subject": subject})
        return people.start_session(db, row.person_id, now, now + LASTS)


def _over() -> Unauthenticated:
    return Unauthenticated("This invitation was used or replaced, or its three days are over. Ask for another one.")
