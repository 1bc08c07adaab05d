"""What the org answers when it refuses: Salesforce's own codes, statuses and (where known) wording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """A call, or one row of a call, that the org does not carry out."""

    def __init__(self, code: str, message: str, *, fields: tuple[str, ...] = (), status: int = 400, more: Mapping[str, Any] | None = None) -> None:
        """`more` stands beside code and message in the answer."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields
        self.status = status
        self.more = dict(more or {})

    def as_answer(self) -> list[dict[str, object]]:
        """The body of a refused REST call: a list with one error."""
        error: dict[str, object] = {**self.more, "message": self.message, "errorCode": self.code}
        return [{**error, "fields": list(self.fields)} if self.fields else error]

    def as_row_error(self) -> dict[str, object]:
        """The error of one row inside a collections call: another shape than that of a whole call."""
        return {**self.more, "statusCode": self.code, "message": self.message, "fields": list(self.fields)}


class SeveralRows(Exception):
    """HTTP 300: more than one row has the external id. `addresses` are those of the rows."""

    def __init__(self, addresses: list[str]) -> None:
        super().__init__(f"{len(addresses)} rows have this external id")
        self.addresses = addresses


class TokenRefused(Exception):
    """The token endpoint's answer, which has a shape of its own (OAuth 2.0)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body: Mapping[str, str] = {"error": error, "error_description": description}


class Cut(Exception):
    """The connection ends here without an answer."""


class StoryError(Exception):
    """The story folder or the state file cannot be served; the message says which file, which line and why."""


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    return Refusal("NOT_FOUND", message, status=404)


def invalid_session() -> Refusal:
    return Refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)


def limit_exceeded(limit: str = "TotalRequests") -> Refusal:
    return Refusal("REQUEST_LIMIT_EXCEEDED", f"{limit} Limit exceeded.", status=403)


def unknown_object(name: str) -> Refusal:
    message = (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )
    return Refusal("INVALID_TYPE", message)
