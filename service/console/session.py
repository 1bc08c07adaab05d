"""A session, a sign-in link: sealed texts that only this installation can make or read, each good for one purpose and for a time."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from service import keys, people
from service.config import real_time, settings
from service.errors import Conflict, Unauthenticated
from service.store.audit_log import COMMAND_LINE
from service.vault import Sealed, vault

COOKIE = "undertone_session"
LASTS = timedelta(hours=12)
LINK_LASTS = timedelta(minutes=10)
_NOBODY = UUID(int=0)

Purpose = Literal["console session", "console link", "console form"]


@dataclass(frozen=True, slots=True)
class Session:
    """`key`: prefix of the API key that it began with; `person_session`: of the person who gave their password. Neither for a link, which was printed on
    the machine itself."""

    workspace_id: UUID
    key: str | None
    person_session: UUID | None = None

    def scopes(self, at: datetime) -> frozenset[str]:
        """Asked at each page: what a session began with may have ended since, and then it opens nothing."""
        if self.person_session is not None:
            return people.scopes_of(self.workspace_id, self.person_session, at)
        return frozenset(keys.SCOPES) if self.key is None else keys.scopes_of(self.workspace_id, self.key, at)

    def who(self, at: datetime) -> str:
        """For the audit log."""
        if self.person_session is not None:
            return people.name_of(self.workspace_id, self.person_session, at)
        return f"key ut_{self.key}" if self.key else COMMAND_LINE


def seal(session: Session, purpose: Purpose, until: datetime) -> str:
    person = str(session.person_session) if session.person_session else None
    plain = json.dumps({"workspace": str(session.workspace_id), "key": session.key, "person": person, "until": until.isoformat()})
    sealed = vault(settings()).seal(plain, _NOBODY, _NOBODY, purpose)
    return f"{sealed.key_id}.{base64.urlsafe_b64encode(sealed.ciphertext).decode().rstrip('=')}"


def form_token(session: Session) -> str:
    """For the hidden field of each form. Sealed for this session: no cookie of its own is needed."""
    return seal(session, "console form", real_time() + LASTS)


def unseal(text: str, purpose: Purpose, at: datetime) -> Session:
    """Raises Unauthenticated for anything that seal() did not make for this purpose, or whose time is over."""
    key_id, _, encoded = text.partition(".")
    try:
        ciphertext = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        found = json.loads(vault(settings()).open(Sealed(key_id, ciphertext), _NOBODY, _NOBODY, purpose))
    except (Conflict, ValueError):
        message = "This link or session is not valid. Sign in again."
        raise Unauthenticated(message) from None
    if datetime.fromisoformat(found["until"]) <= at:
        message = "This link or session has ended. Sign in again."
        raise Unauthenticated(message)
    person = found.get("person")  # not in what was sealed before there were people
    return Session(UUID(found["workspace"]), found["key"], UUID(person) if person else None)


def sign_in_link(workspace_id: UUID, at: datetime) -> str:
    return f"{settings().public_url}/console/enter?code={seal(Session(workspace_id, None), 'console link', at + LINK_LASTS)}"
