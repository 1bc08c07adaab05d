"""A Query as statements over the org's tables: one that finds rows and one that fetches them, or one that aggregates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.sandbox.errors import Refusal, unknown_object
from connectors.sandbox.schema import Field, FieldType, Schema, SObject
from connectors.sandbox.soql import Aggregate, Order, Query
from connectors.sandbox.sql_columns import Joins, seen
from connectors.sandbox.sql_conditions import Where

_NUMBERS = frozenset({"int", "double", "currency"})
_MOST_GROUPS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Where a selected value goes in the answer: `relationship` is None for the object's own fields."""

    name: str
    relationship: str | None
    type: FieldType

    @property
    def path(self) -> str:
        return f"{self.relationship}.{self.name}" if self.relationship else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`numbers` finds the row numbers in order, `rows` fetches some of them: row number and id, then
    `columns` (as c0, c1, ...), then the id of each of `parents` (relationship and object), which is None where there is no parent."""

    sobject: SObject
    columns: tuple[Column, ...]
    numbers: str
    parameters: tuple[Any, ...]
    rows: str
    parents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One statement whose rows are the answer, value by value under `columns`."""

    sobject: SObject
    columns: tuple[Column, ...]
    statement: str
    parameters: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """`schema` is what the user sees, `everything` what there is, `empty` what answers no rows.
    `deleted`: rows in the recycle bin and the archive are answered too."""

    schema: Schema
    everything: Schema
    empty: frozenset[str]
    deleted: bool
    now: datetime

    def plan(self, query: Query) -> Plan:
        """Of a query without aggregates. Raises Refusal: INVALID_TYPE, INVALID_FIELD, ..."""
        sobject = self._sobject(query)
        fields = _wildcard(sobject, query) if query.wildcard else query.fields
        for_rows, for_numbers = self._joins(sobject), self._joins(sobject)
        selected = [for_rows.column(path) for path in fields]
        where, parameters = self._where(query, sobject, for_numbers)
        order = [_order(o, for_numbers) for o in query.order]
        parameters += [-1 if query.limit is None else query.limit, query.offset or 0]
        return Plan(
            sobject=sobject,
            columns=tuple(Column(name=f.name, relationship=via, type=f.type) for f, _, via in selected),
            numbers=(f'SELECT t._number FROM "{sobject.name}" t{for_numbers.sql()} WHERE {where} ORDER BY {", ".join([*order, "t._number"])} LIMIT ? OFFSET ?'),
            parameters=tuple(parameters),
            rows=_rows_statement(for_rows, [sql for _, sql, _ in selected]),
            parents=for_rows.parents(),
        )

    def summary(self, query: Query) -> Summary:
        """Of a query with aggregates."""
        sobject = self._sobject(query)
        joins = self._joins(sobject)
        grouped = [joins.column(query.group)] if query.group else []
        selected = [(f.name, f.type, sql) for f, sql, _ in grouped if query.fields]
        selected += [_aggregate(a, place, joins) for place, a in enumerate(query.aggregates)]
        where, parameters = self._where(query, sobject, joins)
        statement = f'SELECT {", ".join(sql for _, _, sql in selected)} FROM "{sobject.name}" t{joins.sql()} WHERE {where}'
        if grouped:
            statement += f" GROUP BY {grouped[0][1]} LIMIT {min(_MOST_GROUPS, query.limit if query.limit is not None else _MOST_GROUPS)}"
        columns = tuple(Column(name=name, relationship=None, type=kind) for name, kind, _ in selected)
        return Summary(sobject=sobject, columns=columns, statement=statement, parameters=tuple(parameters))

    def _sobject(self, query: Query) -> SObject:
        sobject = self.schema.get(query.object.lower())
        if sobject is None or not sobject.queryable:
            raise unknown_object(query.object)
        return sobject

    def _joins(self, sobject: SObject) -> Joins:
        return Joins(sobject, self.schema, self.everything)

    def _where(self, query: Query, sobject: SObject, joins: Joins) -> tuple[str, list[Any]]:
        where = Where(joins, self.now)
        conditions = [where.sql(query.where)] if query.where else []
        conditions += ["0"] if sobject.name in self.empty else []
        return " AND ".join([*conditions, seen(sobject, "t", deleted=self.deleted, now=self.now)]), where.parameters


def _wildcard(sobject: SObject, query: Query) -> tuple[str, ...]:
    wanted = {"ALL": (True, False), "STANDARD": (False,), "CUSTOM": (True,)}[str(query.wildcard)]
    return tuple(f.name for f in sobject.fields.values() if f.custom in wanted)


def _rows_statement(joins: Joins, selected: list[str]) -> str:
    named = [f"{sql} AS c{place}" for place, sql in enumerate(selected)]
    wanted = ["t._number", "t.Id", *named, *(f'"{alias}".Id' for alias, _ in joins.parents())]
    return f'SELECT {", ".join(wanted)} FROM "{joins.sobject.name}" t{joins.sql()} WHERE t._number IN (SELECT value FROM json_each(?))'


def _aggregate(aggregate: Aggregate, place: int, joins: Joins) -> tuple[str, FieldType, str]:
    found, sql, _ = joins.column(aggregate.field)
    if not _can(aggregate, found):
        raise Refusal("MALFORMED_QUERY", f"field {found.name} does not support aggregate operator {aggregate.function}")
    name = aggregate.alias or f"expr{place}"
    match aggregate.function:
        case "COUNT":
            return name, "int", f"count({sql})"
        case "COUNT_DISTINCT":
            return name, "int", f"count(DISTINCT {sql})"
        case "AVG":
            return name, "double", f"avg({sql})"
    return name, found.type, f"{aggregate.function.lower()}({sql})"


def _can(aggregate: Aggregate, found: Field) -> bool:
    if aggregate.function in ("SUM", "AVG"):
        return found.type in _NUMBERS
    if aggregate.function in ("MIN", "MAX"):
        return found.type not in ("boolean", "id", "reference") and found.filterable
    return found.filterable


def _order(order: Order, joins: Joins) -> str:
    found, sql, _ = joins.column(order.field)
    if not found.filterable:
        raise Refusal("MALFORMED_QUERY", f"field '{found.name}' can not be sorted in a query call")
    return f"{sql} {'DESC' if order.descending else 'ASC'} NULLS {'LAST' if order.nulls_last else 'FIRST'}"
