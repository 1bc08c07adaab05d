"""sObject Collections: up to 200 rows in one call, each with an outcome of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.sandbox import writes
from connectors.sandbox.errors import Refusal, SeveralRows
from connectors.sandbox.org import Org
from connectors.sandbox.schema import Field, SObject
from connectors.sandbox.writes import Writer, Written

MOST_ROWS = 200
Outcome = dict[str, Any]


def rows_of(body: Any) -> list[Mapping[str, Any]]:
    """The `records` of a collections call. Raises Refusal if there are none, too many, or one is no object."""
    records = body.get("records") if isinstance(body, Mapping) else None
    if not isinstance(records, list) or not records:
        raise Refusal("JSON_PARSER_ERROR", "The collection must contain a list of records")
    if len(records) > MOST_ROWS:
        raise Refusal("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST_ROWS} records into this call")
    if not all(isinstance(r, Mapping) for r in records):
        raise Refusal("JSON_PARSER_ERROR", "each record must be an object")
    return records


def create(writer: Writer, body: Any) -> list[Outcome]:
    return _each(writer.org, body, lambda row: writes.create(writer, writer.org.sobject(type_of(row)), row))


def update(writer: Writer, body: Any) -> list[Outcome]:
    def one(row: Mapping[str, Any]) -> Written:
        row_id = str(row.get("id") or row.get("Id") or "")
        return writes.update(writer, writer.org.sobject(type_of(row)), row_id, {k: v for k, v in row.items() if k.lower() != "id"})

    return _each(writer.org, body, one)


def upsert(writer: Writer, sobject: SObject, key_field: Field, body: Any) -> list[Outcome]:
    """Rows that share a key within the call are all refused: the org cannot tell which one is meant."""
    times = Counter(_key(row, key_field).lower() for row in rows_of(body))

    def one(row: Mapping[str, Any]) -> Written:
        key = _key(row, key_field)
        if not key:
            raise Refusal("MISSING_ARGUMENT", f"{key_field.name} not specified")
        if times[key.lower()] > 1:
            raise Refusal("DUPLICATE_VALUE", f"Duplicate external id specified: {key}", fields=(key_field.name,))
        if type_of(row).lower() != sobject.name.lower():
            raise Refusal("INVALID_TYPE", f"a record of type {type_of(row)} was sent to {sobject.name}")
        return writes.upsert(writer, sobject, key_field, key, {k: v for k, v in row.items() if k.lower() != key_field.name.lower()})

    return _each(writer.org, body, one, tells_created=True)


def delete(writer: Writer, row_ids: Sequence[str], *, all_or_none: bool) -> list[Outcome]:
    body = {"allOrNone": all_or_none, "records": [{"id": row_id} for row_id in row_ids]}
    return _each(writer.org, body, lambda row: writes.delete(writer, sobject_of(writer.org, row["id"]), row["id"]))


def sobject_of(org: Org, row_id: str) -> SObject:
    """The object that an id's first three characters name."""
    found = next((o for o in org.schema.values() if o.prefix == row_id[:3] and o.queryable), None)
    if found is None:
        raise Refusal("MALFORMED_ID", f"malformed id {row_id[:18]}")
    return found


def type_of(row: Mapping[str, Any]) -> str:
    kind = row.get("attributes")
    if not isinstance(kind, Mapping) or not isinstance(kind.get("type"), str):
        raise Refusal("INVALID_INPUT", "each record needs attributes with its type")
    return str(kind["type"])


def _key(row: Mapping[str, Any], key_field: Field) -> str:
    return next((str(v).strip() for k, v in row.items() if k.lower() == key_field.name.lower() and v is not None), "")


class _RolledBack(Exception):
    """Takes back the rows of an all-or-none call of which one failed."""


def _each(org: Org, body: Any, one: Callable[[Mapping[str, Any]], Written], *, tells_created: bool = False) -> list[Outcome]:
    results: list[Written | Refusal] = []
    rows = rows_of(body)
    try:
        with org.tables.transaction():
            results += [_attempt(org, row, one) for row in rows]
            if body.get("allOrNone") is True and any(isinstance(r, Refusal) for r in results):
                raise _RolledBack
    except _RolledBack:
        results = [r if isinstance(r, Refusal) else _rolled_back() for r in results]
    return [_outcome(org, result, tells_created=tells_created) for result in results]


def _attempt(org: Org, row: Mapping[str, Any], one: Callable[[Mapping[str, Any]], Written]) -> Written | Refusal:
    try:
        with org.tables.transaction():
            return one(row)
    except Refusal as refusal:
        return refusal
    except SeveralRows as several:
        return Refusal("DUPLICATE_EXTERNAL_ID", f"more than one record found for external id field: {several.addresses}")


def _outcome(org: Org, result: Written | Refusal, *, tells_created: bool) -> Outcome:
    if isinstance(result, Refusal):
        org.counters.refuses(result.code)
        return {"success": False, "errors": [result.as_row_error()]}
    org.counters.wrote(result.object, result.action)
    return {"id": result.id, "success": True, "errors": [], **({"created": result.created} if tells_created else {})}


def _rolled_back() -> Refusal:
    message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return Refusal("ALL_OR_NONE_OPERATION_ROLLED_BACK", message)
