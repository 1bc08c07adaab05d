"""Passwords as Argon2id hashes: made, and held against what somebody typed."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

from service.errors import BadInput

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST, MOST = 12, 200
"""Characters: below, guessing pays; above, hashing does not."""
_HASHING = threading.BoundedSemaphore(2)
"""A hash takes 64 MB and tens of milliseconds on purpose: many at once must not take the machine."""


def hashed(password: str) -> str:
    if not (LEAST <= len(password) <= MOST and password.isprintable()):
        message = f"A password has {LEAST} to {MOST} characters, all of which can be printed. Several words in a row are a good one."
        raise BadInput(message)
    with _HASHING:
        return _hasher().hash(password)


def is_right(found: str | None, password: str) -> bool:
    """`found`: a hash. Where there is none it takes as long to say no."""
    from argon2.exceptions import VerifyMismatchError

    fits = len(password) <= MOST and password.isprintable()
    with _HASHING:
        try:
            return _hasher().verify(found or _strangers(), password if fits else "") and fits and found is not None
        except VerifyMismatchError:
            return False


@cache
def _strangers() -> str:
    return _hasher().hash("nobody")


@cache
def _hasher() -> PasswordHasher:
    """Argon2id with 64 MB and three passes: the second of the two profiles that RFC 9106 recommends."""
    from argon2 import PasswordHasher, profiles

    return PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)
