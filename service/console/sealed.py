"""Sealed texts that only this installation can make or read, each good for one purpose and for a time."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from service.config import settings
from service.errors import Conflict, Unauthenticated
from service.vault import Sealed, vault

Purpose = Literal["console session", "console link", "console form", "console invitation", "console provider"]
_NOBODY = UUID(int=0)


def seal(fields: Mapping[str, str | None], purpose: Purpose, until: datetime) -> str:
    sealed = vault(settings()).seal(json.dumps({**fields, "until": until.isoformat()}), _NOBODY, _NOBODY, purpose)
    return f"{sealed.key_id}.{base64.urlsafe_b64encode(sealed.ciphertext).decode().rstrip('=')}"


def unseal(text: str, purpose: Purpose, at: datetime) -> dict[str, str | None]:
    """Raises Unauthenticated for anything that seal() did not make for this purpose, or whose time is over."""
    key_id, _, encoded = text.partition(".")
    try:
        ciphertext = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        found: dict[str, str | None] = json.loads(vault(settings()).open(Sealed(key_id, ciphertext), _NOBODY, _NOBODY, purpose))
    except (Conflict, ValueError):
        message = "This link or session is not valid. Sign in again."
        raise Unauthenticated(message) from None
    if datetime.fromisoformat(found["until"] or "") <= at:
        message = "This link or session has ended. Sign in again."
        raise Unauthenticated(message)
    return found
