"""Create, update, upsert and delete of single rows. Each is one transaction; whether a key is taken is looked up inside it.
Who calls them counts what was written, once it is certain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from connectors.sandbox import ids, rules
from connectors.sandbox.errors import Refusal, SeveralRows, not_found
from connectors.sandbox.objects import KEY
from connectors.sandbox.org import Org, attributes
from connectors.sandbox.schema import Field, SObject
from connectors.sandbox.tables import Row

_NOBODYS_NUMBER = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes. `allow_save`: an alert of a duplicate rule does not stop it."""

    org: Org
    user_id: str
    allow_save: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    id: str
    object: str
    action: Literal["created", "updated", "deleted"]

    @property
    def created(self) -> bool:
        return self.action == "created"


def create(writer: Writer, sobject: SObject, body: Mapping[str, Any]) -> Written:
    if not sobject.createable:
        raise _not_supported(sobject, "create")
    org = writer.org
    values = rules.writable_values(sobject, body, "create")
    _refuse(writer, sobject, values.get(KEY))
    with org.tables.transaction():
        if sobject.field("OwnerId"):
            values["OwnerId"] = values.get("OwnerId") or writer.user_id
        at, seen_from = org.stamp(sobject.name)
        row: Row = {**_blank(sobject), **values}
        _check(org, sobject, row, values)
        row |= rules.derived(sobject, row, None, at, org.tables)
        audit = {"CreatedDate": at, "CreatedById": writer.user_id, **_touched(writer, at)}
        row_id = org.tables.insert(sobject, {k: v for k, v in row.items() if k != "Id"} | audit, seen_from=seen_from)
    return Written(id=row_id, object=sobject.name, action="created")


def update(writer: Writer, sobject: SObject, row_id: str, body: Mapping[str, Any]) -> Written:
    if not sobject.updateable:
        raise _not_supported(sobject, "update")
    org = writer.org
    values = rules.writable_values(sobject, body, "update")
    with org.tables.transaction():
        before = org.row(sobject, row_id)
        _refuse(writer, sobject, before.get(KEY), before["Id"])
        row = before | values
        at, seen_from = org.stamp(sobject.name)
        _check(org, sobject, row, values)
        changes = values | rules.derived(sobject, row, before, at, org.tables) | _touched(writer, at)
        org.tables.update(sobject, before["Id"], changes, seen_from=seen_from)
    return Written(id=str(before["Id"]), object=sobject.name, action="updated")


def delete(writer: Writer, sobject: SObject, row_id: str) -> Written:
    """Into the recycle bin: queryAll still sees it."""
    if not sobject.deletable:
        raise _not_supported(sobject, "delete")
    org = writer.org
    with org.tables.transaction():
        row = org.row(sobject, row_id)
        _refuse_locked(org, row.get(KEY), row["Id"])
        at, seen_from = org.stamp(sobject.name)
        org.tables.update(sobject, row["Id"], {"IsDeleted": True, **_touched(writer, at)}, seen_from=seen_from)
        org.tables.log_deletion(sobject, row["Id"], at)
    return Written(id=str(row["Id"]), object=sobject.name, action="deleted")


def hard_delete(writer: Writer, sobject: SObject, row_id: str) -> Written:
    """Past the recycle bin."""
    written = delete(writer, sobject, row_id)
    writer.org.tables.remove(sobject, written.id)
    return written


def upsert(writer: Writer, sobject: SObject, key_field: Field, key: str, body: Mapping[str, Any], *, update_only: bool = False) -> Written:
    """Raises SeveralRows if the key is not unique and several rows have it."""
    if any(name.lower() == key_field.name.lower() for name in body):
        message = f"The {key_field.name} field should not be specified in the sobject data."
        raise Refusal("INVALID_FIELD", message, fields=(key_field.name,))
    org = writer.org
    with org.tables.transaction():
        found = [row["Id"] for row in with_key(org, sobject, key_field, key)]
        if org.faults.hits("several", key):
            found = (found + [ids.record_id(sobject.prefix, _NOBODYS_NUMBER + n) for n in range(2)])[:2]
        if len(found) > 1:
            raise SeveralRows([attributes(sobject.name, row_id, "64.0")["url"] for row_id in found])
        if found:
            return update(writer, sobject, found[0], body)
        if update_only:
            raise not_found()
        return create(writer, sobject, {**body, key_field.name: key})


def with_key(org: Org, sobject: SObject, key_field: Field, key: str) -> list[Row]:
    """Live rows that the user sees; one in the recycle bin no longer has its key."""
    return [row for row in org.tables.find(sobject, key_field.name, key) if not row["IsDeleted"] and org.tables.is_shared(sobject, row["Id"])]


def external_id(sobject: SObject, name: str) -> Field:
    """Raises Refusal: NOT_FOUND if the field is missing, hidden or no external id."""
    found = sobject.field(name)
    if found is None or not found.external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return found


def _check(org: Org, sobject: SObject, row: Row, values: Row) -> None:
    rules.check(sobject, row, values, org.tables)
    for rule in org.validation_rules:
        rule.check(sobject, row)


def _refuse(writer: Writer, sobject: SObject, *keys: str | None) -> None:
    _refuse_locked(writer.org, *keys)
    fault = writer.org.faults.hits("duplicate_rule", *keys)
    if fault is None or (fault.alert and writer.allow_save):
        return
    message = "Use one of these records?"
    result = {"allowSave": fault.alert, "duplicateRule": "Like_records", "duplicateRuleEntityType": sobject.name, "errorMessage": message, "matchResults": []}
    raise Refusal("DUPLICATES_DETECTED", message, more={"duplicateResult": result})


def _refuse_locked(org: Org, *keys: str | None) -> None:
    if org.faults.hits("row_locked", *keys):
        raise Refusal("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records")


def _blank(sobject: SObject) -> Row:
    return {f.name: False if f.type == "boolean" else None for f in sobject.fields.values() if f.stored}


def _touched(writer: Writer, at: str) -> Row:
    return {"LastModifiedDate": at, "LastModifiedById": writer.user_id, "SystemModstamp": at}


def _not_supported(sobject: SObject, action: str) -> Refusal:
    return Refusal("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {sobject.name} does not support {action}")
