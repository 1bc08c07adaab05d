"""A Query over the org's tables: fields and types are checked against the schema, values become parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from connectors.sandbox import clock, ids
from connectors.sandbox.errors import Refusal, unknown_object
from connectors.sandbox.schema import Field, Schema, SObject
from connectors.sandbox.soql import Combination, Comparison, Condition, Membership, Order, Query, Value

_TEXT = frozenset({"string", "textarea", "picklist", "email", "url", "phone", "id", "reference"})
_NUMBERS = frozenset({"int", "double", "currency"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Where a selected value goes in the answer: `relationship` is None for the object's own fields."""

    name: str
    relationship: str | None
    is_flag: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`numbers` finds the row numbers in order, `rows` fetches some of them: row number and id, then
    `columns`, then the id of each of `parents` (relationship and object), which is None where there is no parent."""

    sobject: SObject
    columns: tuple[Column, ...]
    numbers: str
    parameters: tuple[Any, ...]
    rows: str
    parents: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Joins:
    """The parents a query touches, each joined once."""

    sobject: SObject
    schema: Schema
    by_relationship: dict[str, Field] = field(default_factory=dict)

    def column(self, path: str) -> tuple[Field, str, str | None]:
        """The field at the end of `path`, its SQL, and the relationship it is reached through."""
        relationship, dot, name = path.rpartition(".")
        if not dot:
            own = self.sobject.field(name)
            if own is None:
                raise _no_column(name, self.sobject.name)
            return own, f't."{own.name}"', None
        parent = self._join(relationship)
        other = self.schema.get(str(parent.joins).lower())
        found = other.field(name) if other else None
        if found is None or parent.relationship is None:
            raise _no_column(name, str(parent.joins))
        return found, f'"{parent.relationship}"."{found.name}"', parent.relationship

    def _join(self, relationship: str) -> Field:
        parent = self.sobject.parent(relationship)
        if parent is None or parent.relationship is None:
            message = f"Didn't understand relationship '{relationship}' in field path. A custom relationship ends in '__r'."
            raise Refusal("INVALID_FIELD", message)
        self.by_relationship[parent.relationship] = parent
        return parent

    def sql(self) -> str:
        return "".join(f' LEFT JOIN "{f.joins}" "{alias}" ON "{alias}".Id = t."{f.name}"' for alias, f in self.by_relationship.items())


def plan(query: Query, schema: Schema, *, deleted: bool) -> Plan:
    """`deleted`: rows in the recycle bin are answered too. Raises Refusal: INVALID_TYPE, INVALID_FIELD, ..."""
    sobject = schema.get(query.object.lower())
    if sobject is None or not sobject.queryable:
        raise unknown_object(query.object)
    for_rows, for_numbers = _Joins(sobject, schema), _Joins(sobject, schema)
    selected = [for_rows.column(path) for path in query.fields]
    parameters: list[Any] = []
    where = [_condition(query.where, for_numbers, parameters)] if query.where else []
    where += ["t._visible"] if deleted or "isdeleted" not in sobject.fields else ["t._visible AND NOT t.IsDeleted"]
    order = [_order(o, for_numbers) for o in query.order]
    parameters += [-1 if query.limit is None else query.limit, query.offset or 0]
    return Plan(
        sobject=sobject,
        columns=tuple(Column(name=f.name, relationship=via, is_flag=f.type == "boolean") for f, _, via in selected),
        numbers=(
            f'SELECT t._number FROM "{sobject.name}" t{for_numbers.sql()} WHERE {" AND ".join(where)}'
            f" ORDER BY {', '.join([*order, 't._number'])} LIMIT ? OFFSET ?"
        ),
        parameters=tuple(parameters),
        rows=_rows_statement(for_rows, [sql for _, sql, _ in selected]),
        parents=tuple((alias, f.joins or "") for alias, f in for_rows.by_relationship.items()),
    )


def _rows_statement(joins: _Joins, selected: list[str]) -> str:
    wanted = ["t._number", "t.Id", *selected, *(f'"{alias}".Id' for alias in joins.by_relationship)]
    return f'SELECT {", ".join(wanted)} FROM "{joins.sobject.name}" t{joins.sql()} WHERE t._number IN (SELECT value FROM json_each(?))'


def _condition(condition: Condition, joins: _Joins, parameters: list[Any]) -> str:
    if isinstance(condition, Combination):
        return "(" + f" {condition.word} ".join(_condition(p, joins, parameters) for p in condition.parts) + ")"
    found, sql, _ = joins.column(condition.field)
    if not found.filterable:
        raise Refusal("INVALID_FIELD", f"field '{found.name}' can not be filtered in a query call")
    if isinstance(condition, Membership):
        return _membership(condition, found, sql, parameters)
    return _comparison(condition, found, sql, parameters)


def _comparison(condition: Comparison, found: Field, sql: str, parameters: list[Any]) -> str:
    operator, value = condition.operator, condition.value
    if value is None:
        if operator not in ("=", "!="):
            raise _wrong_operator(found)
        return f"{sql} IS {'NOT ' if operator == '!=' else ''}NULL"
    if operator == "LIKE":
        if found.type not in _TEXT or found.type in ("id", "reference") or not isinstance(value, str):
            raise _wrong_operator(found)
        parameters.append(value)
        return f"{sql} LIKE ? ESCAPE '\\'"
    if found.type == "boolean" and operator not in ("=", "!="):
        raise _wrong_operator(found)
    parameters.append(_stored(value, found))
    # A row without a value is "not equal" to every value, in SOQL as in SQLite's IS NOT.
    return f"{sql} {'IS NOT' if operator == '!=' else operator} ?"


def _membership(condition: Membership, found: Field, sql: str, parameters: list[Any]) -> str:
    given = [_stored(v, found) for v in condition.values if v is not None]
    parameters += given
    among = f"{sql} IN ({', '.join('?' * len(given))})"
    with_null = None in condition.values
    if condition.negated:
        return f"({sql} IS NOT NULL AND NOT {among})" if with_null else f"({sql} IS NULL OR NOT {among})"
    return f"({among} OR {sql} IS NULL)" if with_null else among


def _order(order: Order, joins: _Joins) -> str:
    found, sql, _ = joins.column(order.field)
    if not found.filterable:
        raise Refusal("MALFORMED_QUERY", f"field '{found.name}' can not be sorted in a query call")
    return f"{sql} {'DESC' if order.descending else 'ASC'} NULLS {'LAST' if order.nulls_last else 'FIRST'}"


def _stored(value: Value, found: Field) -> Any:
    """The value as its column holds it; refuses a value of another type, as Salesforce does (a quoted time, an unquoted text)."""
    if found.type in ("id", "reference") and isinstance(value, str):
        return _stored_id(value, found)
    if found.type in _TEXT and isinstance(value, str):
        return value
    if found.type == "boolean" and isinstance(value, bool):
        return value
    if found.type in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if found.type == "datetime" and isinstance(value, datetime):
        return clock.wire(value)
    if found.type == "date" and isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    quotes = "should be enclosed in quotes" if found.type in _TEXT else "should not be enclosed in quotes"
    raise Refusal("INVALID_FIELD", f"value of filter criterion for field '{found.name}' must be of type {found.type} and {quotes}")


def _stored_id(text: str, found: Field) -> str:
    try:
        return ids.full_id(text)
    except ValueError as error:
        raise Refusal("INVALID_QUERY_FILTER_OPERATOR", f"{found.name}: invalid ID field: {text[:40]}") from error


def _wrong_operator(found: Field) -> Refusal:
    return Refusal("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {found.type} field '{found.name}'")


def _no_column(name: str, object_name: str) -> Refusal:
    message = (
        f"No such column '{name}' on entity '{object_name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom "
        "field name. Please reference your WSDL or the describe call for the appropriate names."
    )
    return Refusal("INVALID_FIELD", message)
