"""Named people with a role and a password, for the console: Argon2id, a lock after failures, sessions that can be ended at once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, get_args
from uuid import UUID

from service.errors import BadInput, Conflict, NotFound, Unauthenticated
from service.keys import ROLES, Role
from service.store import people, workspaces
from service.store.pool import transaction

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST, MOST = 12, 200
"""Characters of a password: below, guessing pays; above, hashing does not."""
ATTEMPTS = 5
LOCK = timedelta(minutes=15)
"""After so many wrong attempts no attempt is taken for so long."""
LASTS = timedelta(hours=12)
_LONGEST_NAME = 100
_HASHING = threading.BoundedSemaphore(2)
"""A hash takes 64 MB and tens of milliseconds on purpose: many at once must not take the machine."""


def add(workspace_id: UUID, name: str, role: Role, password: str) -> None:
    if not (1 <= len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()):
        message = f"A name has 1 to {_LONGEST_NAME} characters, all of which can be printed."
        raise BadInput(message)
    if role not in get_args(Role):
        message = f"Roles are {', '.join(ROLES)}."
        raise BadInput(message)
    hashed = _hash(password)
    with transaction(workspace_id) as db:
        if not people.add(db, name, role, hashed):
            message = "Somebody of this workspace has that name. `undertone people password` gives them a new password, `remove` takes them out."
            raise Conflict(message)


def set_password(workspace_id: UUID, name: str, password: str, now: datetime) -> None:
    """Ends all sessions, and a lock."""
    hashed = _hash(password)
    with transaction(workspace_id) as db:
        if not people.end_sessions(db, name, now):
            raise _nobody()
        people.set_password(db, name, hashed)


def remove(workspace_id: UUID, name: str, now: datetime) -> None:
    with transaction(workspace_id) as db:
        if not people.end_sessions(db, name, now):
            raise _nobody()
        people.remove(db, name, now)


def sign_out(workspace_id: UUID, name: str, now: datetime) -> None:
    """Everywhere."""
    with transaction(workspace_id) as db:
        if not people.end_sessions(db, name, now):
            raise _nobody()


def sign_in(workspace: str, name: str, password: str, now: datetime) -> tuple[UUID, UUID]:
    """(workspace, session). Raises Unauthenticated, in the same words and after the same work whatever is wrong: workspace, name, password, or a lock."""
    sayable = workspace.isprintable() and name.isprintable()  # else Postgres may not take it
    with transaction() as db:
        workspace_id = workspaces.find(db, workspace) if sayable else None
    found = None
    if workspace_id:
        with transaction(workspace_id) as db:
            found = people.count_attempt(db, name, now, ATTEMPTS, LOCK)
    right = _is_right(found[1] if found else _stranger(), password)
    if not (workspace_id and found and right):
        message = f"No: workspace, name or password is wrong, or there were {ATTEMPTS} wrong attempts in a row; then wait {LOCK.seconds // 60} minutes."
        raise Unauthenticated(message)
    with transaction(workspace_id) as db:
        return workspace_id, people.start_session(db, found[0], now, now + LASTS)


def scopes_of(workspace_id: UUID, session_id: UUID, now: datetime) -> frozenset[str]:
    """By the role that the person has now. A page asks each time, so that what was ended is over at once."""
    with transaction(workspace_id) as db:
        role = people.role_in(db, session_id, now)
    return frozenset().union(*(scopes for name, scopes in ROLES.items() if name == role))


def name_of(workspace_id: UUID, session_id: UUID, now: datetime) -> str:
    """Whose session it is. Raises Unauthenticated where it is over."""
    with transaction(workspace_id) as db:
        found = people.name_in(db, session_id, now)
    if found is None:
        message = "This session has ended. Sign in again."
        raise Unauthenticated(message)
    return found


def end_session(workspace_id: UUID, session_id: UUID, now: datetime) -> None:
    with transaction(workspace_id) as db:
        people.end_session(db, session_id, now)


def _hash(password: str) -> str:
    if not (LEAST <= len(password) <= MOST and password.isprintable()):
        message = f"A password has {LEAST} to {MOST} characters, all of which can be printed. Several words in a row are a good one."
        raise BadInput(message)
    with _HASHING:
        return _hasher().hash(password)


def _is_right(hashed: str, password: str) -> bool:
    from argon2.exceptions import VerifyMismatchError

    fits = len(password) <= MOST and password.isprintable()
    with _HASHING:
        try:
            return _hasher().verify(hashed, password if fits else "") and fits
        except VerifyMismatchError:
            return False


@cache
def _stranger() -> str:
    """What the password of nobody is compared with."""
    return _hasher().hash("nobody")


@cache
def _hasher() -> PasswordHasher:
    """Argon2id with 64 MB and three passes: the second of the two profiles that RFC 9106 recommends."""
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


def _nobody() -> NotFound:
    return NotFound("Nobody of this workspace has that name. `undertone people list` shows who there is.")
