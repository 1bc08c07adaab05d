"""JSON lines from scripts: each line becomes what it asks for, or what is wrong with it, and no bad line loses a good one beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from service.errors import BadInput

LONGEST_ID = 1_000
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that cannot be used, by its number from 1. `error` says why, without its words."""

    id: str | int | None
    line: int
    error: str


def parsed(line: bytes, number: int, taken: Callable[[dict[str, Any]], Row], example: str) -> Row | BadLine:
    """`taken` raises BadInput for an object that does not fit; `example` shows one that does."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return BadLine(id=None, line=number, error=f"This line is not JSON. Each line is one object like {example}, in UTF-8.")
    if not isinstance(row, dict):
        return BadLine(id=None, line=number, error=f"This line holds no JSON object. Each line is one like {example}.")
    try:
        return taken(row)
    except BadInput as problem:
        return BadLine(id=row["id"] if is_id(row.get("id")) else None, line=number, error=str(problem))


def is_id(value: object) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and 0 < len(value) <= LONGEST_ID)


def numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """From 1, blank lines counted and left out: they are no rows."""
    return ((number, line) for number, line in enumerate(lines, 1) if not line.isspace())
