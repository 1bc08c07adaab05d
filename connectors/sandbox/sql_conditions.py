"""A WHERE clause as SQL: types are checked against the schema as Salesforce checks them, values become parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from connectors.sandbox import clock, ids
from connectors.sandbox.errors import Refusal, unknown_object
from connectors.sandbox.schema import Field
from connectors.sandbox.soql import Combination, Comparison, Condition, DateLiteral, Membership, Negation, SemiJoin, Value
from connectors.sandbox.sql_columns import Joins, seen

_TEXT = frozenset({"string", "textarea", "picklist", "email", "url", "phone", "id", "reference"})
_NUMBERS = frozenset({"int", "double", "currency"})
_IDS = frozenset({"id", "reference"})


@dataclass(slots=True)
class Where:
    """Collects `parameters` in the order of its question marks."""

    joins: Joins
    now: datetime
    parameters: list[Any] = field(default_factory=list)

    def sql(self, condition: Condition) -> str:
        if isinstance(condition, Combination):
            return "(" + f" {condition.word} ".join(self.sql(p) for p in condition.parts) + ")"
        if isinstance(condition, Negation):
            return f"NOT coalesce({self.sql(condition.part)}, 0)"
        found, sql, _ = self.joins.column(condition.field)
        if not found.filterable:
            raise Refusal("INVALID_FIELD", f"field '{found.name}' can not be filtered in a query call")
        if isinstance(condition, SemiJoin):
            return self._semi_join(condition, found, sql)
        if isinstance(condition, Membership):
            return self._membership(condition, found, sql)
        if isinstance(condition.value, DateLiteral):
            return self._span(condition, condition.value, found, sql)
        return self._comparison(condition, found, sql)

    def _comparison(self, condition: Comparison, found: Field, sql: str) -> str:
        operator, value = condition.operator, condition.value
        if value is None:
            if operator not in ("=", "!="):
                raise _wrong_operator(found)
            return f"{sql} IS {'NOT ' if operator == '!=' else ''}NULL"
        if operator == "LIKE":
            if found.type not in _TEXT or found.type in _IDS or not isinstance(value, str):
                raise _wrong_operator(found)
            self.parameters.append(value)
            return f"{sql} LIKE ? ESCAPE '\\'"
        if found.type == "boolean" and operator not in ("=", "!="):
            raise _wrong_operator(found)
        self.parameters.append(_stored(value, found))
        # A row without a value is "not equal" to every value, in SOQL as in SQLite's IS NOT.
        return f"{sql} {'IS NOT' if operator == '!=' else operator} ?"

    def _membership(self, condition: Membership, found: Field, sql: str) -> str:
        given = [_stored(v, found) for v in condition.values if v is not None]
        self.parameters += given
        among = f"{sql} IN ({', '.join('?' * len(given))})"
        with_null = None in condition.values
        if condition.negated:
            return f"({sql} IS NOT NULL AND NOT {among})" if with_null else f"({sql} IS NULL OR NOT {among})"
        return f"({among} OR {sql} IS NULL)" if with_null else among

    def _span(self, condition: Comparison, literal: DateLiteral, found: Field, sql: str) -> str:
        """`=` inside the span, `<` and `>=` by its beginning, `>` and `<=` by its end. What `>` means for a span of n days is unclear: refused."""
        if found.type not in ("date", "datetime") or condition.operator == "LIKE":
            raise _wrong_operator(found)
        if literal.days is not None and condition.operator in (">", "<="):
            raise Refusal("MALFORMED_QUERY", f"this org answers {literal.word} with = != < >= only")
        first, end = (_at(day, found) for day in _days(literal, self.now.date()))
        inside = f"({sql} >= ? AND {sql} < ?)"
        if condition.operator in ("=", "!="):
            self.parameters += [first, end]
            return inside if condition.operator == "=" else f"NOT coalesce({inside}, 0)"
        self.parameters.append(first if condition.operator in ("<", ">=") else end)
        return f"{sql} {'<' if condition.operator in ('<', '<=') else '>='} ?"

    def _semi_join(self, condition: SemiJoin, found: Field, sql: str) -> str:
        sobject = self.joins.schema.get(condition.query.object.lower())
        if sobject is None or not sobject.queryable:
            raise unknown_object(condition.query.object)
        inner = Where(Joins(sobject, self.joins.schema, self.joins.everything, alias="s"), self.now)
        selected, column, _ = inner.joins.column(condition.query.fields[0])
        if found.type not in _IDS or selected.type not in _IDS:
            raise Refusal("MALFORMED_QUERY", "The inner and outer selects of a semi join must name an id or a reference")
        where = [seen(sobject, "s", deleted=False, now=self.now), f"{column} IS NOT NULL"]
        where += [inner.sql(condition.query.where)] if condition.query.where else []
        self.parameters += inner.parameters
        among = f'{sql} IN (SELECT {column} FROM "{sobject.name}" s{inner.joins.sql()} WHERE {" AND ".join(where)})'
        return f"({sql} IS NULL OR NOT {among})" if condition.negated else among


def _days(literal: DateLiteral, today: date) -> tuple[date, date]:
    """The first day of the span, and the one after its last. Spans of the past include today."""
    one = timedelta(days=1)
    match literal.word:
        case "YESTERDAY":
            return today - one, today
        case "TOMORROW":
            return today + one, today + 2 * one
        case "LAST_N_DAYS":
            return today - timedelta(days=literal.days or 0), today + one
        case "NEXT_N_DAYS":
            return today + one, today + timedelta(days=(literal.days or 0) + 1)
    return today, today + one


def _at(day: date, found: Field) -> str:
    """As the column holds it; the org's days begin at midnight UTC."""
    return day.isoformat() if found.type == "date" else clock.wire(datetime.combine(day, time(tzinfo=UTC)))


def _stored(value: Value, found: Field) -> Any:
    """The value as its column holds it; refuses a value of another type, as Salesforce does (a quoted time, an unquoted text)."""
    if found.type in _IDS and isinstance(value, str):
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
