"""Named people with a role, for the console: who there is and what they may, how they come in, and sessions that can be ended at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from service import passwords
from service.errors import BadInput, Conflict, NotFound, Unauthenticated
from service.keys import ROLES, Role
from service.store import audit_log, people, workspaces
from service.store.audit_log import COMMAND_LINE
from service.store.people import PersonRow
from service.store.pool import Db, transaction

ATTEMPTS = 5
LOCK = timedelta(minutes=15)
"""After so many wrong attempts no attempt is taken for so long."""
LASTS = timedelta(hours=12)
_LONGEST_NAME = 100
_ADDRESS = re.compile(r"(?=.{3,320}$)[!-?A-~]+@[!-?A-~]+")
_LONGEST_SUBJECT = 255
"""OpenID Connect Core 1.0, section 2."""


def add(workspace_id: UUID, name: str, role: Role, password: str, now: datetime, by: str = COMMAND_LINE) -> None:
    hashed = passwords.hashed(password)
    with transaction(workspace_id) as db:
        if not people.add(db, checked_name(name), known_role(role), "password", password=hashed):
            raise _taken()
        audit_log.write(db, now, by, "add person", name, after={"role": role, "sign_in": "password"})


def add_by_subject(workspace_id: UUID, name: str, role: Role, issuer: str, subject: str, now: datetime, by: str = COMMAND_LINE) -> None:
    """Who signs in by a provider that knows them as `subject`."""
    if not (1 <= len(subject) <= _LONGEST_SUBJECT and subject.isascii() and subject.isprintable()):
        message = f"A subject has 1 to {_LONGEST_SUBJECT} plain characters, as the provider shows it: not a name and not an address."
        raise BadInput(message)
    with transaction(workspace_id) as db:
        if not people.add(db, checked_name(name), known_role(role), "oidc", issuer=issuer, subject=subject):
            message = "Somebody of this workspace has that name or that subject already. `undertone people list` shows who there is."
            raise Conflict(message)
        audit_log.write(db, now, by, "add person", name, after={"role": role, "sign_in": "oidc", "subject": subject})


def set_role(workspace_id: UUID, person: UUID | str, role: Role, now: datetime, by: str = COMMAND_LINE) -> None:
    """Open sessions may at their next page what the new role may, and no more."""
    with _changing(workspace_id, person) as (db, row):
        if role == row.role:
            return
        if row.role == "admin":
            _keep_an_admin(db, row.person_id)
        people.set_role(db, row.person_id, known_role(role))
        audit_log.write(db, now, by, "change role", row.name, before={"role": row.role}, after={"role": role})


def set_password(workspace_id: UUID, person: UUID | str, password: str, now: datetime, by: str = COMMAND_LINE) -> None:
    """Ends all sessions, a lock and an invitation."""
    hashed = passwords.hashed(password)
    with _changing(workspace_id, person) as (db, row):
        if row.sign_in != "password":
            message = "This person signs in by the provider and has no password. Remove them and add them anew to change that."
            raise Conflict(message)
        people.end_sessions(db, row.person_id, now)
        people.set_password(db, row.person_id, hashed)
        audit_log.write(db, now, by, "set password", row.name)


def set_email(workspace_id: UUID, person: UUID | str, email: str, now: datetime, by: str = COMMAND_LINE) -> None:
    """By which the CRM knows them, for their day; "" for none."""
    address = email.strip().lower() or None  # the CRM's are compared in lower case
    if address and not _ADDRESS.fullmatch(address):
        message = "A mail address looks like ann@example.com."
        raise BadInput(message)
    with _changing(workspace_id, person) as (db, row):
        if not people.set_email(db, row.person_id, address):
            message = "Somebody else of this workspace has that mail address. Each address belongs to one person."
            raise Conflict(message)
        audit_log.write(db, now, by, "set mail address", row.name)


def remove(workspace_id: UUID, person: UUID | str, now: datetime, by: str = COMMAND_LINE) -> None:
    with _changing(workspace_id, person) as (db, row):
        if row.role == "admin":
            _keep_an_admin(db, row.person_id)
        people.end_sessions(db, row.person_id, now)
        people.remove(db, row.person_id, now)
        audit_log.write(db, now, by, "remove person", row.name, before={"role": row.role})


def sign_out(workspace_id: UUID, person: UUID | str, now: datetime, by: str = COMMAND_LINE) -> None:
    """Everywhere."""
    with _changing(workspace_id, person) as (db, row):
        people.end_sessions(db, row.person_id, now)
        audit_log.write(db, now, by, "sign out everywhere", row.name)


# Signing in


def sign_in(workspace: str, name: str, password: str, now: datetime) -> tuple[UUID, UUID]:
    """(workspace, session). Raises Unauthenticated, in the same words and after the same work whatever is wrong: workspace, name, password, or a lock."""
    sayable = workspace.isprintable() and name.isprintable()  # else Postgres may not take it
    with transaction() as db:
        workspace_id = workspaces.find(db, workspace) if sayable else None
    found = None
    if workspace_id:
        with transaction(workspace_id) as db:
            found = people.count_attempt(db, name, now, ATTEMPTS, LOCK)
    right = passwords.is_right(found[1] if found else None, password)
    if not (workspace_id and found and right):
        message = f"No: workspace, name or password is wrong, or there were {ATTEMPTS} wrong attempts in a row; then wait {LOCK.seconds // 60} minutes."
        raise Unauthenticated(message)
    with transaction(workspace_id) as db:
        return workspace_id, people.start_session(db, found[0], now, now + LASTS)


def sign_in_by_subject(issuer: str, subject: str, workspace: str | None, now: datetime) -> tuple[UUID, UUID]:
    """(workspace, session), for whom the provider has vouched. `workspace`: which of several. Raises Unauthenticated for who was not added before."""
    with transaction() as db:
        found = people.workspaces_of(db, issuer, subject)
    chosen = [workspace_id for workspace_id, name in found if workspace in (None, name)]
    if len(chosen) > 1:
        message = f"You belong to {len(chosen)} workspaces. Open /console/sign-in/oidc?workspace=NAME with the name of one of them."
        raise Unauthenticated(message)
    if not chosen:
        message = "The provider knows you, but nobody has added you here. Ask whoever runs Undertone for an invitation, and open its link."
        raise Unauthenticated(message)
    with transaction(chosen[0]) as db:
        person_id = people.of_subject(db, issuer, subject)
        if person_id is None:
            raise _over()
        return chosen[0], people.start_session(db, person_id, now, now + LASTS)


def scopes_of(workspace_id: UUID, session_id: UUID, now: datetime) -> frozenset[str]:
    """By the role that the person has now. A page asks each time, so that what was ended is over at once."""
    role = role_of(workspace_id, session_id, now)
    return frozenset().union(*(scopes for name, scopes in ROLES.items() if name == role))


def role_of(workspace_id: UUID, session_id: UUID, now: datetime) -> str | None:
    """None where the session is over."""
    with transaction(workspace_id) as db:
        return people.role_in(db, session_id, now)


def name_of(workspace_id: UUID, session_id: UUID, now: datetime) -> str:
    """Whose session it is. Raises Unauthenticated where it is over."""
    with transaction(workspace_id) as db:
        found = people.name_in(db, session_id, now)
    if found is None:
        raise _over()
    return found


def end_session(workspace_id: UUID, session_id: UUID, now: datetime) -> None:
    with transaction(workspace_id) as db:
        people.end_session(db, session_id, now)


def listing(workspace_id: UUID) -> Sequence[PersonRow]:
    with transaction(workspace_id) as db:
        return people.listing(db)


@contextmanager
def _changing(workspace_id: UUID, person: UUID | str) -> Iterator[tuple[Db, PersonRow]]:
    """By id or by name."""
    with transaction(workspace_id) as db:
        row = people.get(db, person)
        if row is None:
            message = "Nobody of this workspace has that name. `undertone people list` shows who there is."
            raise NotFound(message)
        yield db, row


def _keep_an_admin(db: Db, person_id: UUID) -> None:
    """Without one nobody could let people in from the console; the machine's own command line still could."""
    if people.admins(db) == [person_id]:
        message = "This is the last admin who can sign in. Make somebody else an admin first, else nobody could let people in any more."
        raise Conflict(message)


def checked_name(name: str) -> str:
    if not (1 <= len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()):
        message = f"A name has 1 to {_LONGEST_NAME} characters, all of which can be printed."
        raise BadInput(message)
    return name


def known_role(role: str) -> Role:
    found: Role | None = next((known for known in ROLES if known == role), None)
    if found is None:
        message = f"Roles are {', '.join(ROLES)}."
        raise BadInput(message)
    return found


def _taken() -> Conflict:
    return Conflict("Somebody of this workspace has that name. `undertone people password` gives them a new password, `remove` takes them out.")


def _over() -> Unauthenticated:
    return Unauthenticated("This session has ended. Sign in again.")
