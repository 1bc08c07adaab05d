"""A query as data, and how it is written. Only what the org answers exists here; everything else does not parse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "LIKE"]
Function = Literal["COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"]
Days = Literal["YESTERDAY", "TODAY", "TOMORROW", "LAST_N_DAYS", "NEXT_N_DAYS"]
Wildcard = Literal["ALL", "STANDARD", "CUSTOM"]

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"})
_PATTERN_ESCAPES = {code: text for code, text in _ESCAPES.items() if code != ord("\\")}


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """A span of whole days around today, such as LAST_N_DAYS:30."""

    word: Days
    days: int | None = None

    def __str__(self) -> str:
        return self.word if self.days is None else f"{self.word}:{self.days}"


Value = str | bool | int | float | date | datetime | DateLiteral | None


@dataclass(frozen=True, slots=True)
class Comparison:
    field: str
    operator: Operator
    value: Value

    def __str__(self) -> str:
        written = write_pattern(self.value) if self.operator == "LIKE" and isinstance(self.value, str) else write_value(self.value)
        return f"{self.field} {self.operator} {written}"


@dataclass(frozen=True, slots=True)
class Membership:
    field: str
    negated: bool
    values: tuple[Value, ...]

    def __str__(self) -> str:
        return f"{self.field} {'NOT IN' if self.negated else 'IN'} ({', '.join(map(write_value, self.values))})"


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """`field` is (or is not) among the ids that `query` selects."""

    field: str
    negated: bool
    query: Query

    def __str__(self) -> str:
        return f"{self.field} {'NOT IN' if self.negated else 'IN'} ({self.query})"


@dataclass(frozen=True, slots=True)
class Negation:
    part: Condition

    def __str__(self) -> str:
        return f"NOT {_inside(self.part)}"


@dataclass(frozen=True, slots=True)
class Combination:
    """Two or more conditions under one word. AND beside OR needs parentheses: Salesforce refuses to guess."""

    word: Literal["AND", "OR"]
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(map(_inside, self.parts))


Condition = Comparison | Membership | SemiJoin | Negation | Combination


def _inside(part: Condition) -> str:
    return f"({part})" if isinstance(part, Combination | Negation) else str(part)


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool = False
    nulls_last: bool = False

    def __str__(self) -> str:
        return f"{self.field} {'DESC' if self.descending else 'ASC'} NULLS {'LAST' if self.nulls_last else 'FIRST'}"


@dataclass(frozen=True, slots=True)
class Aggregate:
    function: Function
    field: str
    alias: str | None = None

    def __str__(self) -> str:
        return f"{self.function}({self.field})" + (f" {self.alias}" if self.alias else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """SELECT COUNT() has neither `fields`, `aggregates` nor `wildcard`."""

    fields: tuple[str, ...]
    object: str
    aggregates: tuple[Aggregate, ...] = ()
    wildcard: Wildcard | None = None
    where: Condition | None = None
    group: str | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None

    @property
    def counts(self) -> bool:
        return not self.fields and not self.aggregates and not self.wildcard

    def __str__(self) -> str:
        selected = [*self.fields, *map(str, self.aggregates), *([f"FIELDS({self.wildcard})"] if self.wildcard else [])]
        parts = [f"SELECT {', '.join(selected) or 'COUNT()'} FROM {self.object}"]
        parts += [f"WHERE {self.where}"] if self.where else []
        parts += [f"GROUP BY {self.group}"] if self.group else []
        parts += [f"ORDER BY {', '.join(map(str, self.order))}"] if self.order else []
        parts += [f"LIMIT {self.limit}"] if self.limit is not None else []
        parts += [f"OFFSET {self.offset}"] if self.offset is not None else []
        return " ".join(parts)


def write_value(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, DateLiteral) else repr(value)


def write_pattern(pattern: str) -> str:
    r"""A LIKE pattern keeps its `\%`, `\_` and `\\`: there the backslash is part of the pattern, not of the string."""
    return f"'{pattern.translate(_PATTERN_ESCAPES)}'"
