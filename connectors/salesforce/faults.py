"""What Salesforce's refusals mean for the caller. One table; the words are ours, because theirs may repeat a record's content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from connectors.base import Outcome
from connectors.errors import ConnectorError, Misconfigured, Parked, Retriable, StreamUnavailable

Then = Literal["retry", "missing", "person"]


@dataclass(frozen=True, slots=True)
class Rule:
    """`then`: try again, go on without this object, or a person must change something."""

    then: Then
    says: str
    wait: timedelta | None = None


_SECONDS, _MINUTES, _HOUR = timedelta(seconds=5), timedelta(minutes=2), timedelta(hours=1)
_NO_OBJECT = "the object does not exist for the connected user. Give its permission set read access to the object, or leave it out."
_GONE_TARGET = "the account or contact it points to was deleted or merged away. Check the record in Salesforce."
_INACTIVE = "the owner is inactive and no other owner is known. Reassign the account, or set fallback_owner on the connection."
_DUPLICATE = "a duplicate rule of the org refused it. Let the rule except the connected user, or, if it only alerts, set duplicate_rules to save."
_PICKLIST = "a picklist does not have the value. Add the value, or make the picklist unrestricted."

_RULES: dict[str, Rule] = {
    "SERVER_UNAVAILABLE": Rule("retry", "Salesforce is unavailable at the moment.", _MINUTES),
    "UNABLE_TO_LOCK_ROW": Rule("retry", "someone else is changing the same record just now.", _SECONDS),
    "QUERY_TIMEOUT": Rule("retry", "Salesforce took too long over the query.", _MINUTES),
    "INVALID_QUERY_LOCATOR": Rule("retry", "Salesforce forgot the query before it was read to its end.", _SECONDS),
    "UNKNOWN_EXCEPTION": Rule("retry", "Salesforce failed inside.", _MINUTES),
    "CONCURRENT_REQUESTS": Rule("retry", "too many long requests run in the org at once.", timedelta(seconds=30)),
    "REQUEST_LIMIT_EXCEEDED": Rule("retry", "the org's daily API requests are used up. Nothing is lost; it goes on when the limit is free again.", _HOUR),
    "DUPLICATE_VALUE": Rule("retry", "another writer made the same task first.", _SECONDS),
    "ENTITY_IS_DELETED": Rule("retry", "it was deleted in the meantime.", _SECONDS),
    "API_DISABLED_FOR_ORG": Rule("person", "the API is not enabled. Use an edition with API access, and give the user the API Enabled permission."),
    "API_CURRENTLY_DISABLED": Rule("person", "the API is switched off for the org. Ask the Salesforce administrator."),
    "UNSUPPORTED_API_VERSION": Rule("person", "this API version is retired. Upgrade: set a newer api_version on the connection."),
    "INVALID_FIELD": Rule("person", "a field does not exist for the connected user. Give its permission set access to the field, or map another one."),
    "INVALID_FIELD_FOR_INSERT_UPDATE": Rule("person", "a field may not be written by the connected user. Give its permission set edit access."),
    "INVALID_TYPE": Rule("missing", _NO_OBJECT),
    "INSUFFICIENT_ACCESS": Rule("missing", _NO_OBJECT),
    "INSUFFICIENT_ACCESS_OR_READONLY": Rule("person", "the connected user may not change it. Give its permission set edit access."),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Rule("person", "the connected user may not see the account or contact. Widen its access."),
    "NOT_FOUND": Rule("missing", _NO_OBJECT),
    "MULTIPLE_CHOICES": Rule("person", "several tasks carry the same key. Delete all but one of them in Salesforce."),
    "DUPLICATE_EXTERNAL_ID": Rule("person", "several tasks carry the same key. Delete all but one of them in Salesforce."),
    "DUPLICATES_DETECTED": Rule("person", _DUPLICATE),
    "STRING_TOO_LONG": Rule("person", "a text is longer than its field. Lengthen the field."),
    "INVALID_CROSS_REFERENCE_KEY": Rule("person", _GONE_TARGET),
    "INACTIVE_OWNER_OR_USER": Rule("person", _INACTIVE),
    "OPERATION_WITH_INACTIVE_USER_EXCEPTION": Rule("person", _INACTIVE),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Rule("person", _PICKLIST),
    "REQUIRED_FIELD_MISSING": Rule("person", "the org requires a field that Undertone does not fill. Give it a default, or make it optional."),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Rule("person", "a validation rule of the org refused it. Let the rule except the connected user."),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Rule("person", "an automation of the org (a trigger or a flow) failed on it. Ask the Salesforce administrator."),
}
_UNKNOWN = Rule("person", "Salesforce refused it for a reason that Undertone does not know. Show this code to the Salesforce administrator.")

_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,79}")
_COLUMN = re.compile(r"No such column '([A-Za-z0-9_.]{1,100})'")


class Refused(ConnectorError):
    """Salesforce's answer to a whole call was no. `fault` says why; it becomes one of connectors.errors at the edge."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


class TooBig(Retriable):
    """An answer larger than is ever taken into memory at once: ask for fewer rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A refusal. `fields` are API names of fields, never their values."""

    code: str
    fields: tuple[str, ...] = ()

    @property
    def rule(self) -> Rule:
        return _RULES.get(self.code, _UNKNOWN)

    @property
    def sentence(self) -> str:
        named = f" [{', '.join(self.fields)}]" if self.fields else ""
        return f"{self.rule.says} ({self.code}{named})"


def fault_of(error: object) -> Fault:
    """From one entry of Salesforce's error list: {errorCode | statusCode, message, fields}."""
    entry: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    code = str(entry.get("errorCode") or entry.get("statusCode") or "")
    message = str(entry.get("message") or "")
    if code == "REQUEST_LIMIT_EXCEEDED" and "ConcurrentRequests" in message:
        code = "CONCURRENT_REQUESTS"
    fields = tuple(f for f in entry.get("fields") or () if isinstance(f, str)) or tuple(_COLUMN.findall(message[:2_000]))
    return Fault(code=code if _CODE.fullmatch(code) else "UNKNOWN", fields=fields)


def fault_of_answer(status: int, content: object) -> Fault:
    """From a refused call. Salesforce answers with a list of errors, a stray proxy with anything."""
    if status == 300:
        return Fault(code="MULTIPLE_CHOICES")
    if status == 410:
        return Fault(code="UNSUPPORTED_API_VERSION")
    first = content[0] if isinstance(content, list) and content else content
    fault = fault_of(first)
    if fault.code == "UNKNOWN" and status == 404:
        return Fault(code="NOT_FOUND")
    return fault


def error_of(fault: Fault, about: str) -> ConnectorError:
    message = f"{about}: {fault.sentence}"
    if fault.code == "REQUEST_LIMIT_EXCEEDED":
        return Parked(message, wait=fault.rule.wait)
    if fault.rule.then == "retry":
        return Retriable(message, wait=fault.rule.wait)
    return StreamUnavailable(message) if fault.rule.then == "missing" else Misconfigured(message)


def outcome_of(key: str, errors: Iterable[object]) -> Outcome:
    """Of one refused row. A row that may be tried again stays so only if none of its errors is lasting."""
    faults = [fault_of(e) for e in errors] or [Fault(code="UNKNOWN")]
    lasting = next((f for f in faults if f.rule.then != "retry"), None)
    if lasting:
        return Outcome(key=key, status="permanent", message=f"Task {key} was not written: {lasting.sentence}")
    return Outcome(key=key, status="retry", message=f"Task {key} is tried again: {faults[0].sentence}", wait=faults[0].rule.wait)
