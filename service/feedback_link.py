"""The signed link in a task's text: it lets whoever may read the task say what came of one suggestion, for 30 days, and nothing else."""

from __future__ import annotations

import base64
import hmac
import struct
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

from service.config import settings
from service.errors import NotFound
from service.vault import vault

GOOD_FOR = timedelta(days=30)
"""From the day on which the suggestion was opened: as long as it may stay open."""
_PURPOSE = b"undertone feedback link 1"
_CONTENT = struct.Struct(">16s16sI")
_SIGNATURE = 16
"""Bytes of the HMAC that are kept: 128 bits cannot be guessed, and the address stays short."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a link speaks of."""

    workspace_id: UUID
    suggestion_id: UUID


def address(workspace_id: UUID, suggestion_id: UUID, opened_at: date) -> str:
    """The same whenever it is asked for, so that the task's text stays as it is."""
    content = _CONTENT.pack(workspace_id.bytes, suggestion_id.bytes, (opened_at + GOOD_FOR).toordinal())
    token = base64.urlsafe_b64encode(content + _signature(_keys()[0], content)).decode().rstrip("=")
    return f"{settings().public_url}/feedback/{token}"


def opened(token: str, today: date) -> Named:
    """Raises NotFound, in the same words, for whatever is no such link, and for one whose days are over."""
    raw = _decoded(token)
    content, signature = raw[: _CONTENT.size], raw[_CONTENT.size :]
    if len(raw) != _CONTENT.size + _SIGNATURE or not any(hmac.compare_digest(signature, _signature(key, content)) for key in _keys()):
        raise invalid()
    workspace, suggestion, last = _CONTENT.unpack(content)
    if today.toordinal() > last:
        raise invalid()
    return Named(UUID(bytes=workspace), UUID(bytes=suggestion))


def invalid() -> NotFound:
    message = "This link is not valid any more. The task leads to the suggestion itself, where the same can be said by who is signed in."
    return NotFound(message)


def _decoded(token: str) -> bytes:
    """Of one spelling alone: the last character could hold bits that mean nothing."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return b""
    return raw if base64.urlsafe_b64encode(raw).decode().rstrip("=") == token else b""


def _signature(key: bytes, content: bytes) -> bytes:
    """With a key of its own, made for this purpose: what is signed here means nothing anywhere else."""
    return hmac.digest(hmac.digest(key, _PURPOSE, sha256), content, sha256)[:_SIGNATURE]


def _keys() -> list[bytes]:
    """The first signs; links that an earlier one has signed stay good while it is kept."""
    return [key for _, key in vault(settings()).keys]
