"""Create, update, upsert and delete of single rows. Each is one transaction; whether a key is taken is looked up inside it.
Who calls them counts what was written, once it is certain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.sandbox import rules
from connectors.sandbox.errors import Refusal, SeveralRows, not_found
from connectors.sandbox.objects import KEY
from connectors.sandbox.org import Org, attributes
from connectors.sandbox.schema import Field, SObject
from connectors.sandbox.tables import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    id: str
    object: str
    action: Literal["created", "updated", "deleted"]

    @property
    def created(self) -> bool:
        return self.action == "created"


def create(org: Org, sobject: SObject, body: Mapping[str, Any]) -> Written:
    if not sobject.createable:
        raise _not_supported(sobject, "create")
    values = rules.writable_values(sobject, body, "create")
    _refuse_locked(org, values.get(KEY))
    with org.tables.transaction():
        if sobject.field("OwnerId"):
            values["OwnerId"] = values.get("OwnerId") or org.user_id
        at = org.clock.stamp()
        row: Row = {**_blank(sobject), **values}
        rules.check(sobject, row, values, org.tables)
        row |= rules.derived(sobject, row, None, at, org.tables)
        audit = {"CreatedDate": at, "CreatedById": org.user_id, **_touched(org, at)}
        row_id = org.tables.insert(sobject, {k: v for k, v in row.items() if k != "Id"} | audit)
    return Written(id=row_id, object=sobject.name, action="created")


def update(org: Org, sobject: SObject, row_id: str, body: Mapping[str, Any]) -> Written:
    if not sobject.updateable:
        raise _not_supported(sobject, "update")
    values = rules.writable_values(sobject, body, "update")
    with org.tables.transaction():
        before = org.row(sobject, row_id)
        _refuse_locked(org, before.get(KEY), before["Id"])
        row = before | values
        at = org.clock.stamp()
        rules.check(sobject, row, values, org.tables)
        changes = values | rules.derived(sobject, row, before, at, org.tables) | _touched(org, at)
        org.tables.update(sobject, before["Id"], changes)
    return Written(id=str(before["Id"]), object=sobject.name, action="updated")


def delete(org: Org, sobject: SObject, row_id: str) -> Written:
    """Into the recycle bin: queryAll still sees it."""
    if not sobject.deletable:
        raise _not_supported(sobject, "delete")
    with org.tables.transaction():
        row = org.row(sobject, row_id)
        _refuse_locked(org, row.get(KEY), row["Id"])
        org.tables.update(sobject, row["Id"], {"IsDeleted": True, **_touched(org, org.clock.stamp())})
    return Written(id=str(row["Id"]), object=sobject.name, action="deleted")


def upsert(org: Org, sobject: SObject, key_field: Field, key: str, body: Mapping[str, Any], *, update_only: bool = False) -> Written:
    """Raises SeveralRows if the key is not unique and several rows have it."""
    if any(name.lower() == key_field.name.lower() for name in body):
        message = f"The {key_field.name} field should not be specified in the sobject data."
        raise Refusal("INVALID_FIELD", message, fields=(key_field.name,))
    with org.tables.transaction():
        found = with_key(org, sobject, key_field, key)
        if len(found) > 1:
            raise SeveralRows([attributes(sobject.name, row["Id"], "64.0")["url"] for row in found])
        if found:
            return update(org, sobject, found[0]["Id"], body)
        if update_only:
            raise not_found()
        return create(org, sobject, {**body, key_field.name: key})


def with_key(org: Org, sobject: SObject, key_field: Field, key: str) -> list[Row]:
    """Live rows; one in the recycle bin no longer has its key."""
    return [row for row in org.tables.find(sobject, key_field.name, key) if not row["IsDeleted"]]


def external_id(sobject: SObject, name: str) -> Field:
    """Raises Refusal: NOT_FOUND if the field is missing, hidden or no external id."""
    found = sobject.field(name)
    if found is None or not found.external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return found


def _refuse_locked(org: Org, *keys: str | None) -> None:
    if org.faults.locks(*keys):
        raise Refusal("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records")


def _blank(sobject: SObject) -> Row:
    return {f.name: False if f.type == "boolean" else None for f in sobject.fields.values()}


def _touched(org: Org, at: str) -> Row:
    return {"LastModifiedDate": at, "LastModifiedById": org.user_id, "SystemModstamp": at}


def _not_supported(sobject: SObject, action: str) -> Refusal:
    return Refusal("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {sobject.name} does not support {action}")
