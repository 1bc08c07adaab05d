"""Errors a person may see. Each says what happened, to what, and what to do next; `status` is its HTTP answer."""

from __future__ import annotations


class UndertoneError(Exception):
    """Shown as one sentence: exit code 2 in the CLI, problem+json in the API."""

    status = 500
    title = "Something went wrong"
    retry_after: int | None = None
    """Seconds after which the same request may do better."""


class BadInput(UndertoneError):
    status = 422
    title = "The input cannot be used"


class NotFound(UndertoneError):
    status = 404
    title = "Not found"


def no_such(what: str) -> NotFound:
    """The same sentence for what is not there and for what is another workspace's."""
    return NotFound(f"There is no such {what} in this workspace.")


class Refused(UndertoneError):
    status = 403
    title = "Not allowed"


class Unauthenticated(UndertoneError):
    status = 401
    title = "No valid API key"


class Conflict(UndertoneError):
    status = 409
    title = "Not possible in the present state"


class Unavailable(UndertoneError):
    status = 503
    title = "Not available right now"
    retry_after = 5


class TooMany(UndertoneError):
    status = 429
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SettingError(UndertoneError):
    title = "A setting is missing or wrong"
