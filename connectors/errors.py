"""Errors of connectors, named by what the caller does next. Messages say what happened, to what, and what to do; never a secret or a body."""

from __future__ import annotations

from datetime import timedelta


class ConnectorError(Exception):
    """Base of everything a connector may raise on purpose."""


class Retriable(ConnectorError):
    """Try the same thing again later, after `wait` if given."""

    def __init__(self, message: str, *, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Misconfigured(ConnectorError):
    """A person must change something (credentials, permission, field): pause the connection and say so."""


class AuthFailed(Misconfigured):
    """The other side refuses these credentials: no further attempt is made with them, because refused logins can lock a user out."""


class Parked(Retriable):
    """The share of the other side's daily calls is used up: the connection waits for `wait`, keeps its cursors and goes on by itself."""


class StreamUnavailable(ConnectorError):
    """This stream cannot be read (object or permission missing); the others go on."""


class UnknownOutcome(ConnectorError):
    """A write was sent and its answer is missing: read by key before writing again."""
