"""API keys: 256 random bits, shown once, stored as a hash, found by their public prefix."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from service.errors import BadInput, NotFound, Unauthenticated
from service.store import workspaces
from service.store.pool import transaction

Scope = Literal["read", "push", "feedback"]
SCOPES: tuple[str, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: one key of one workspace."""

    workspace_id: UUID
    scopes: frozenset[str]


def create(workspace_id: UUID, name: str, scopes: Sequence[str], now: datetime, valid: timedelta | None) -> str:
    """Returns the key, `ut_<prefix>_<secret>`. It cannot be read again."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        message = f"Scopes are {', '.join(SCOPES)}; not: {', '.join(unknown) or 'none'}."
        raise BadInput(message)
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    with transaction(workspace_id) as db:
        workspaces.create_api_key(db, name, prefix, _hash(secret), sorted(set(scopes)), now + valid if valid else None)
    return f"ut_{prefix}_{secret}"


def revoke(workspace_id: UUID, prefix: str, now: datetime) -> None:
    with transaction(workspace_id) as db:
        if not workspaces.revoke_api_key(db, prefix.removeprefix("ut_").split("_")[0], now):
            message = f"No active key of this workspace begins with {prefix[:11]}. `undertone key list` shows them."
            raise NotFound(message)


def authenticate(key: str, now: datetime) -> Caller:
    """Raises Unauthenticated, in the same words whatever is wrong with the key."""
    kind, _, rest = key.partition("_")
    prefix, _, secret = rest.partition("_")
    with transaction() as db:
        found = workspaces.find_api_key(db, prefix) if kind == "ut" and prefix else None
    stored = found.sha256 if found else bytes(32)
    valid = hmac.compare_digest(_hash(secret), bytes(stored))
    if not found or not valid or found.revoked_at or (found.expires_at and found.expires_at <= now):
        message = "This API key is missing, unknown, expired or revoked. Make one with `undertone key create`."
        raise Unauthenticated(message)
    with transaction(found.workspace_id) as db:
        workspaces.touch_api_key(db, found.api_key_id, now)
    return Caller(found.workspace_id, frozenset(found.scopes))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
