"""Signing in: by an API key with scope read, or by a link that `undertone` prints. The cookie is sealed and ends by itself."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Cookie
from fastapi.responses import RedirectResponse, Response

from service.config import settings
from service.errors import Conflict, Unauthenticated
from service.vault import Sealed, vault

COOKIE = "undertone_session"
LASTS = timedelta(hours=12)
LINK_LASTS = timedelta(minutes=10)
_NOBODY = UUID(int=0)


def seal(workspace_id: UUID, purpose: str, until: datetime) -> str:
    """An opaque text that only this installation can make or read, good for one purpose until then."""
    plain = json.dumps({"workspace": str(workspace_id), "until": until.isoformat()})
    sealed = vault(settings()).seal(plain, _NOBODY, _NOBODY, purpose)
    return f"{sealed.key_id}.{base64.urlsafe_b64encode(sealed.ciphertext).decode().rstrip('=')}"


def unseal(text: str, purpose: str, at: datetime) -> UUID:
    """Raises Unauthenticated for anything that seal() did not make, or whose time is over."""
    key_id, _, encoded = text.partition(".")
    try:
        ciphertext = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        found = json.loads(vault(settings()).open(Sealed(key_id, ciphertext), _NOBODY, _NOBODY, purpose))
    except (Conflict, binascii.Error, ValueError):
        message = "This link or session is not valid. Sign in again."
        raise Unauthenticated(message) from None
    if datetime.fromisoformat(found["until"]) <= at:
        message = "This link or session has ended. Sign in again."
        raise Unauthenticated(message)
    return UUID(found["workspace"])


def sign_in_link(workspace_id: UUID, at: datetime) -> str:
    return f"{settings().public_url}/console/enter?code={seal(workspace_id, 'console link', at + LINK_LASTS)}"


def signed_in(workspace_id: UUID, at: datetime) -> Response:
    response = RedirectResponse("/console", status_code=303)
    response.set_cookie(
        COOKIE,
        seal(workspace_id, "console session", at + LASTS),
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=settings().public_url.startswith("https://"),
        path="/console",
    )
    return response


SessionCookie = Annotated[str | None, Cookie(alias=COOKIE)]
