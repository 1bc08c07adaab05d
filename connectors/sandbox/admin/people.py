"""What a person does to a row in the user interface. `by` is the person, by id or by the story's key; the first active one if left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sandbox import rules
from connectors.sandbox.objects import SCHEMA, TASK_STATUSES
from connectors.sandbox.org import INTEGRATION_USER, Org
from connectors.sandbox.tables import Row


def edit(org: Org, object_name: str, row_id: str, changes: Mapping[str, Any], *, stamp: str | None = None, by: str | None = None) -> None:
    """A person changes a row, by rule; `stamp` (on the wire's form) puts the change into the past, as a late commit does."""
    sobject = org.everything[object_name.lower()]
    with org.tables.transaction():
        before = org.row(sobject, row_id)
        at, seen_from = (stamp, None) if stamp else org.stamp(sobject.name)
        worked_out = rules.derived(sobject, {**before, **changes}, before, at, org.tables)
        org.tables.update(sobject, before["Id"], {**changes, **worked_out, **touched(org, at, by)}, seen_from=seen_from)


def insert(org: Org, object_name: str, values: Mapping[str, Any], *, at: str | None = None, by: str | None = None, key: str | None = None) -> str:
    """A new row, whatever the API would let anybody write, and its id. `at` (on the wire's form) is when it was made, `key` how the story would call it."""
    sobject = org.everything[object_name.lower()]
    stored = [f for f in sobject.fields.values() if f.stored and f.name != "Id"]
    row: Row = {f.name: False if f.type == "boolean" else f.default for f in stored} | dict(values)
    with org.tables.transaction():
        stamp, seen_from = (at, None) if at else org.stamp(sobject.name)
        who = person(org, by)
        if sobject.field("OwnerId"):
            row["OwnerId"] = row.get("OwnerId") or who
        worked_out = rules.derived(sobject, row, None, stamp, org.tables)
        audit = {"CreatedDate": stamp, "CreatedById": who, **touched(org, stamp, by)}
        return org.tables.insert(sobject, {**row, **worked_out, **audit, **values}, key=key, seen_from=seen_from)


def close_task(org: Org, row_id: str, *, status: str | None = None, by: str | None = None) -> None:
    """By the first status that closes a task, if none is given."""
    closing = status or next(name for name, closes in TASK_STATUSES.items() if closes)
    edit(org, "Task", row_id, {"Status": closing}, by=by)


def deactivate_user(org: Org, row_id: str, *, by: str | None = None) -> None:
    edit(org, "User", row_id, {"IsActive": False}, by=by)


def person(org: Org, by: str | None = None) -> str:
    """The id of a user by id or key; of the first active one in the story if None. KeyError for one that is not there."""
    if by is None:
        statement = "SELECT Id FROM User WHERE IsActive AND Username != ? AND _until IS NULL ORDER BY _number LIMIT 1"
        found = org.tables.fetch(statement, (INTEGRATION_USER,))
        return str(found[0][0]) if found else org.user_id
    return str(by) if org.tables.get(SCHEMA["user"], by) else org.id_of("User", by)


def touched(org: Org, at: str, by: str | None = None) -> Row:
    """What an edit by a person leaves on a row."""
    return {"LastModifiedDate": at, "LastModifiedById": person(org, by), "SystemModstamp": at}
