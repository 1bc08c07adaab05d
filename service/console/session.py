"""Who a cookie, a form or a link speaks for: a session, or an invitation to begin one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service import keys, people
from service.config import real_time, settings
from service.console import sealed
from service.console.sealed import Purpose
from service.invitations import Invitation
from service.store.audit_log import BY_LINK

COOKIE = "undertone_session"
LASTS = timedelta(hours=12)
LINK_LASTS = timedelta(minutes=10)


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
        return f"key ut_{self.key}" if self.key else BY_LINK


def seal(session: Session, purpose: Purpose, until: datetime) -> str:
    person = str(session.person_session) if session.person_session else None
    return sealed.seal({"workspace": str(session.workspace_id), "key": session.key, "person": person}, purpose, until)


def form_token(session: Session) -> str:
    """For the hidden field of each form. Sealed for this session: no cookie of its own is needed."""
    return seal(session, "console form", real_time() + LASTS)


def unseal(text: str, purpose: Purpose, at: datetime) -> Session:
    """Raises Unauthenticated as sealed.unseal() does."""
    found = sealed.unseal(text, purpose, at)
    person = found.get("person")  # not in what was sealed before there were people
    return Session(UUID(found["workspace"]), found["key"], UUID(person) if person else None)


def sign_in_link(workspace_id: UUID, at: datetime, to: str = "") -> str:
    """`to`: the page of ours that it leads to, the first one if not given."""
    code = seal(Session(workspace_id, None), "console link", at + LINK_LASTS)
    return f"{settings().public_url}/console/enter?code={code}{f'&next={to}' if to else ''}"


def invitation_link(invitation: Invitation) -> str:
    """What is stored does not make one: it takes the installation's own key as well."""
    fields = {"workspace": str(invitation.workspace_id), "invitation": str(invitation.invitation_id)}
    return f"{settings().public_url}/console/sign-in/invitation?code={sealed.seal(fields, 'console invitation', invitation.until)}"


def invitation_of(code: str, at: datetime) -> tuple[UUID, UUID]:
    """(workspace, invitation). Raises Unauthenticated for what is no link of ours; whether it was used, the database knows."""
    found = sealed.unseal(code, "console invitation", at)
    return UUID(found["workspace"]), UUID(found["invitation"])
