"""A query as data, and how it is written. Only what the org answers exists here; everything else does not parse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "LIKE"]
Value = str | bool | int | float | date | datetime | None

_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"})
_PATTERN_ESCAPES = {code: text for code, text in _ESCAPES.items() if code != ord("\\")}


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
class Combination:
    """Two or more conditions under one word. AND beside OR needs parentheses: Salesforce refuses to guess."""

    word: Literal["AND", "OR"]
    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(f"({p})" if isinstance(p, Combination) else str(p) for p in self.parts)


Condition = Comparison | Membership | Combination


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool = False
    nulls_last: bool = False

    def __str__(self) -> str:
        return f"{self.field} {'DESC' if self.descending else 'ASC'} NULLS {'LAST' if self.nulls_last else 'FIRST'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """`fields` is empty for SELECT COUNT()."""

    fields: tuple[str, ...]
    object: str
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None

    @property
    def counts(self) -> bool:
        return not self.fields

    def __str__(self) -> str:
        parts = [f"SELECT {', '.join(self.fields) or 'COUNT()'} FROM {self.object}"]
        parts += [f"WHERE {self.where}"] if self.where else []
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
    return repr(value)


def write_pattern(pattern: str) -> str:
    r"""A LIKE pattern keeps its `\%`, `\_` and `\\`: there the backslash is part of the pattern, not of the string."""
    return f"'{pattern.translate(_PATTERN_ESCAPES)}'"
