"""What the org checks before it writes a row, and what it works out by itself. Raises Refusal with Salesforce's codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from connectors.sandbox import clock, ids
from connectors.sandbox.errors import Refusal
from connectors.sandbox.objects import SCHEMA, TASK_STATUSES
from connectors.sandbox.schema import Field, SObject
from connectors.sandbox.tables import Row, Tables

Mode = Literal["create", "update"]
_LARGEST_INT, _LARGEST_NUMBER = 2**31 - 1, 10**18
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TEXT = frozenset({"string", "textarea", "picklist", "email", "url", "phone"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRule:
    """An admin's rule: no row of `object` may have `value` in `field` (None: the field must not be empty)."""

    object: str
    field: str
    value: Any
    message: str

    def check(self, sobject: SObject, row: Row) -> None:
        if sobject.name == self.object and row.get(self.field) == self.value:
            raise Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", self.message, fields=(self.field,))


def writable_values(sobject: SObject, body: Mapping[str, Any], mode: Mode) -> Row:
    """`body` as columns hold it: fields that exist, may be written and have the right type, length and choice."""
    given = {name: value for name, value in body.items() if name != "attributes"}
    fields = {name: _known(sobject, name) for name in given}
    barred = [f.name for f in fields.values() if not (f.createable if mode == "create" else f.updateable)]
    if barred:
        message = (
            f"Unable to create/update fields: {', '.join(barred)}. Please check the security settings of this field and verify that it is read/write "
            "for your profile or permission set."
        )
        raise Refusal("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=tuple(barred))
    values = {fields[name].name: _stored(fields[name], value) for name, value in given.items()}
    if mode == "create":
        values = {f.name: f.default for f in sobject.fields.values() if f.default is not None} | values
    return values


def check(sobject: SObject, row: Row, changed: Row, tables: Tables) -> None:
    """`row` is what would stand after the write, `changed` the part that the caller gave."""
    missing = [f.name for f in sobject.fields.values() if f.required and row.get(f.name) is None]
    if missing:
        raise Refusal("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", fields=tuple(missing))
    for name, value in changed.items():
        found = sobject.field(name)
        if found is None or value is None:
            continue
        if found.type == "reference":
            _check_reference(sobject, found, value, tables)
        if found.unique:
            _check_unique(sobject, found, row, tables)


def derived(sobject: SObject, row: Row, before: Row | None, at: str, tables: Tables) -> Row:
    """Values that follow from others and that nobody can write."""
    work_out = _DERIVED.get(sobject.name)
    return work_out(row, before, at, tables) if work_out else {}


def _known(sobject: SObject, name: str) -> Field:
    found = sobject.field(name)
    if found is None:
        raise Refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
    return found


def _stored(f: Field, value: Any) -> Any:
    if value is None or value == "":
        return f.default if f.type == "boolean" else None
    if f.type in _TEXT:
        return _text(f, value)
    if f.type == "reference":
        return _reference(f, value)
    return _CONVERT[f.type](f, value)


def _text(f: Field, value: Any) -> str | None:
    if not isinstance(value, str) or _LONE_SURROGATE.search(value):
        raise _wrong_type(f, value)
    text = value.strip()
    if f.length and len(text) > f.length:
        raise Refusal("STRING_TOO_LONG", f"{f.label}: data value too large: {text[:60]} (max length={f.length})", fields=(f.name,))
    if f.restricted and text and text not in f.values:
        raise Refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{f.label}: bad value for restricted picklist field: {text[:60]}", fields=(f.name,))
    return text or None


def _reference(f: Field, value: Any) -> str:
    try:
        return ids.full_id(value)
    except (ValueError, TypeError) as error:
        raise Refusal("MALFORMED_ID", f"{f.label}: id value of incorrect type: {str(value)[:40]}", fields=(f.name,)) from error


def _flag(f: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(f, value)
    return value


def _number(f: Field, value: Any) -> float:
    largest = _LARGEST_INT if f.type == "int" else _LARGEST_NUMBER
    if isinstance(value, bool) or not isinstance(value, int | float) or not -largest <= value <= largest:
        raise _wrong_type(f, value)
    return int(value) if f.type == "int" else float(value)


def _day(f: Field, value: Any) -> str:
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except (ValueError, TypeError) as error:
        raise _wrong_type(f, value) from error


def _time(f: Field, value: Any) -> str:
    try:
        return clock.wire(clock.parse(value))
    except (ValueError, TypeError) as error:
        raise _wrong_type(f, value) from error


def _wrong_type(f: Field, value: Any) -> Refusal:
    message = f"Cannot deserialize instance of {f.type} from {type(value).__name__} value {str(value)[:40]} or request may be missing a required field"
    return Refusal("JSON_PARSER_ERROR", message, fields=(f.name,))


_CONVERT: Mapping[str, Callable[[Field, Any], Any]] = {
    "boolean": _flag,
    "int": _number,
    "double": _number,
    "currency": _number,
    "date": _day,
    "datetime": _time,
}


def _check_reference(sobject: SObject, f: Field, row_id: str, tables: Tables) -> None:
    target = next((SCHEMA[o.lower()] for o in f.reference_to if SCHEMA[o.lower()].prefix == row_id[:3]), None)
    found = tables.get(target, row_id) if target else None
    if target is None or found is None:
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {f.label}", fields=(f.name,))
    if found.get("IsDeleted"):
        raise Refusal("ENTITY_IS_DELETED", f"entity is deleted: {f.label}", fields=(f.name,))
    if not tables.is_shared(target, row_id):
        raise Refusal("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", f"insufficient access rights on cross-reference id: {row_id[:15]}")
    if f.name == "OwnerId" and target.name == "Group" and found["Type"] != "Queue":
        raise Refusal("INVALID_CROSS_REFERENCE_KEY", f"only a queue can own a record, not group {row_id[:15]}", fields=(f.name,))
    if f.name == "OwnerId" and target.name == "User" and not found["IsActive"]:
        message = f"operation performed with inactive user [{row_id[:15]}] as owner of {sobject.name.lower()}"
        raise Refusal("OPERATION_WITH_INACTIVE_USER_EXCEPTION", message)


def _check_unique(sobject: SObject, f: Field, row: Row, tables: Tables) -> None:
    others = [o for o in tables.find(sobject, f.name, row[f.name]) if o["Id"] != row.get("Id") and not o["IsDeleted"]]
    if others:
        where = others[0]["Id"][:15] if tables.is_shared(sobject, others[0]["Id"]) else "<unknown>"
        message = f"duplicate value found: {f.name} duplicates value on record with id: {where}"
        raise Refusal("DUPLICATE_VALUE", message)


def _account_of(row: Row, tables: Tables) -> str | None:
    """A task or event belongs to the account it points at, or that of the opportunity, case, contract or contact it points at."""
    what, who = row.get("WhatId"), row.get("WhoId")
    if what and what.startswith(SCHEMA["account"].prefix):
        return str(what)
    row_id = what or who
    target = next((o for o in SCHEMA.values() if row_id and o.prefix == row_id[:3] and o.field("AccountId")), None)
    found = tables.get(target, row_id) if target and row_id else None
    return found["AccountId"] if found else None


def _of_task(row: Row, before: Row | None, at: str, tables: Tables) -> Row:
    closed = TASK_STATUSES.get(row["Status"], False)
    completed = (before or {}).get("CompletedDateTime") or at
    return {
        "IsClosed": closed,
        "IsHighPriority": row["Priority"] == "High",
        "CompletedDateTime": completed if closed else None,
        "AccountId": _account_of(row, tables),
    }


def _of_event(row: Row, _before: Row | None, _at: str, tables: Tables) -> Row:
    start = clock.from_wire(row["StartDateTime"])
    return {
        "ActivityDateTime": row["StartDateTime"],
        "ActivityDate": row["StartDateTime"][:10],
        "EndDateTime": clock.wire(start + timedelta(minutes=row["DurationInMinutes"])),
        "AccountId": _account_of(row, tables),
        "EventSubtype": "Event",
    }


def _of_contact(row: Row, _before: Row | None, _at: str, _tables: Tables) -> Row:
    return {"Name": " ".join(part for part in (row.get("FirstName"), row["LastName"]) if part)}


def _of_opportunity(row: Row, _before: Row | None, _at: str, _tables: Tables) -> Row:
    won = row["StageName"] == "Closed Won"
    return {"IsClosed": won or row["StageName"] == "Closed Lost", "IsWon": won}


def _of_case(row: Row, _before: Row | None, _at: str, _tables: Tables) -> Row:
    return {"IsClosed": row["Status"] == "Closed"}


def _of_contract(row: Row, _before: Row | None, _at: str, _tables: Tables) -> Row:
    """The last day of the term."""
    if not row.get("StartDate") or not row.get("ContractTerm"):
        return {"EndDate": None}
    start = date.fromisoformat(row["StartDate"])
    months = start.month - 1 + row["ContractTerm"]
    first = date(start.year + months // 12, months % 12 + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return {"EndDate": (min(first + timedelta(days=start.day - 1), following) - timedelta(days=1)).isoformat()}


_DERIVED: Mapping[str, Callable[[Row, Row | None, str, Tables], Row]] = {
    "Task": _of_task,
    "Event": _of_event,
    "Contact": _of_contact,
    "Opportunity": _of_opportunity,
    "Case": _of_case,
    "Contract": _of_contract,
}
