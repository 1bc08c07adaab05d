"""API keys: 256 random bits, shown once, stored as a hash, found by their public prefix."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from service.errors import BadInput, NotFound, Unauthenticated
from service.store import audit_log, workspaces
from service.store.audit_log import COMMAND_LINE
from service.store.pool import look_up, transaction
from service.store.workspaces import ApiKey

Scope = Literal["read", "push", "feedback", "configure", "administer"]
SCOPES: tuple[str, ...] = get_args(Scope)

Role = Literal["am", "analyst", "revops", "admin"]
ROLES: Mapping[Role, frozenset[Scope]] = {
    "am": frozenset({"read", "feedback"}),
    "analyst": frozenset({"read"}),
    "revops": frozenset({"read", "push", "configure"}),
    "admin": frozenset(get_args(Scope)),
}
"""Names for sets of scopes. A key keeps the scopes that its role had when it was made."""

NOTED_EVERY = timedelta(minutes=1)
"""A call notes that its key was used, unless another has done so in this time."""
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: one key of one workspace."""

    workspace_id: UUID
    scopes: frozenset[str]
    prefix: str

    @property
    def who(self) -> str:
        """For the audit log."""
        return f"key ut_{self.prefix}"


def create(workspace_id: UUID, name: str, scopes: Sequence[str], now: datetime, valid: timedelta | None, by: str = COMMAND_LINE) -> str:
    """Returns the key, `ut_<prefix>_<secret>`. It cannot be read again."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        message = f"Scopes are {', '.join(SCOPES)}; not: {', '.join(unknown) or 'none'}."
        raise BadInput(message)
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    if not (len(name) <= _LONGEST_NAME and name.isprintable()):
        message = f"A key's name has up to {_LONGEST_NAME} characters, all of which can be printed."
        raise BadInput(message)
    with transaction(workspace_id) as db:
        workspaces.create_api_key(db, name, prefix, _hash(secret), sorted(set(scopes)), now + valid if valid else None)
        after = {"key": f"ut_{prefix}", "scopes": sorted(set(scopes)), "expires_at": (now + valid).isoformat() if valid else None}
        audit_log.write(db, now, by, "create key", name, after=after)
    return f"ut_{prefix}_{secret}"


def revoke(workspace_id: UUID, key: str, now: datetime, by: str = COMMAND_LINE) -> None:
    """`key`: whole, or as many of its first characters as tell it from the other active ones."""
    beginning = key.removeprefix("ut_").partition("_")[0].rstrip(".\u2026")[:_PREFIX]
    with transaction(workspace_id) as db:
        begin_so = sorted({k.prefix for k in workspaces.api_keys(db) if k.revoked_at is None and k.prefix.startswith(beginning)})
        if not begin_so or len(beginning) < _LEAST_TOLD:
            message = (
                f"No active key of this workspace begins so. Give at least {_LEAST_TOLD} characters of what follows its ut_; `undertone key list` shows them."
            )
            raise NotFound(message)
        if len(begin_so) > 1:
            message = f"{len(begin_so)} active keys begin so: {', '.join(f'ut_{p}' for p in begin_so)}. Give more of the one that is meant."
            raise BadInput(message)
        prefix = begin_so[0]
        name = workspaces.revoke_api_key(db, prefix, now) or ""
        audit_log.write(db, now, by, "revoke key", name, before={"key": f"ut_{prefix}"})


def authenticate(key: str, now: datetime) -> Caller:
    """Raises Unauthenticated, in the same words and after the same work whatever is wrong with the key."""
    form = _FORM.fullmatch(key)
    prefix, secret = form.groups() if form else ("", "")
    candidates = look_up(lambda db: workspaces.find_api_keys(db, prefix))
    digest = _hash(secret)
    matching = [k for k in candidates or (None,) if hmac.compare_digest(digest, k.sha256 if k else bytes(32))]
    found = next((k for k in matching if k and not _ended(k, now)), None)
    if found is None:
        message = "This API key is missing, unknown, expired or revoked. Make one with `undertone key create`."
        raise Unauthenticated(message)
    if found.last_used_at is None or found.last_used_at < now - NOTED_EVERY:
        with transaction(found.workspace_id) as db:
            workspaces.touch_api_key(db, found.api_key_id, now)
    return Caller(found.workspace_id, frozenset(found.scopes), prefix)


def scopes_of(workspace_id: UUID, prefix: str, now: datetime) -> frozenset[str]:
    """What the key that somebody showed earlier still opens. A session asks at each page."""
    found = look_up(lambda db: workspaces.find_api_keys(db, prefix))
    return frozenset(scope for k in found if k.workspace_id == workspace_id and not _ended(k, now) for scope in k.scopes)


def role_of(scopes: Sequence[str]) -> Role | None:
    """The role that has these scopes and no other."""
    return next((role for role, its in ROLES.items() if its == set(scopes)), None)


_PREFIX = 8
_LEAST_TOLD = 3
_FORM = re.compile(r"ut_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")


def _ended(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
