"""A figure with what it has to reach, and how it was found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Bounds:
    low: float = -math.inf
    high: float = math.inf

    def hold(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:g}"
        if math.isinf(self.high):
            return f"≥ {self.low:g}"
        return f"≤ {self.high:g}" if math.isinf(self.low) else f"{self.low:g} to {self.high:g}"


def at_least(value: float) -> Bounds:
    return Bounds(low=value)


def at_most(value: float) -> Bounds:
    return Bounds(high=value)


def exactly(value: float) -> Bounds:
    return Bounds(value, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`value` is NaN where there was nothing to measure: then no gate holds. `digits` behind the point as shown."""

    name: str
    value: float
    how: str
    gate: Bounds | None = None
    aim: Bounds | None = None
    digits: int = 3

    @property
    def holds(self) -> bool:
        return self.gate is None or self.gate.hold(self.value)

    @property
    def shown(self) -> str:
        return "nothing to measure" if math.isnan(self.value) else f"{self.value:,.{self.digits}f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`notes`: tables and remarks in Markdown that stand below the figures."""

    title: str
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default=())


def share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
