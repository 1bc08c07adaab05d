"""Queries over REST: the first page, and the cursors behind nextRecordsUrl."""

from __future__ import annotations

import json
import secrets
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connectors.sandbox import ids, sql
from connectors.sandbox.errors import Refusal
from connectors.sandbox.tables import Row, Tables

_UNEVEN = (0.6, 1.0, 0.25, 0.85, 0.4)
"""Share of the asked page size that the n-th page of an uneven answer holds."""
_MOST_NUMBERS = 2_000_000
"""Row numbers that all cursors together may hold; beyond it the oldest are forgotten."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """What a query found, and how it is paged."""

    plan: sql.Plan
    numbers: array[int]
    page_size: int
    characters: int
    uneven: bool

    def end(self, start: int, most: int | None) -> int:
        """Where the page from `start` ends by its number of rows."""
        share = _UNEVEN[start % len(_UNEVEN)] if self.uneven else 1.0
        rows = max(1, int(self.page_size * share))
        left = len(self.numbers) - start
        if most is not None and left > 1:
            rows = min(most or max(1, min(rows, left) // 2), left - 1)
        return min(start + rows, len(self.numbers))


class Cursors:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Cursor] = OrderedDict()
        self._made = secrets.randbelow(10**12)  # a locator of an earlier run must not name a cursor of this one

    def first(self, cursor: Cursor, version: str, most: int | None = None) -> Row:
        """The first page. `most`: at most so many rows although there are more, 0 for half of them."""
        return self._page(cursor, None, 0, version, most)

    def more(self, locator: str, version: str, most: int | None = None) -> Row:
        """The page that `nextRecordsUrl` names. Raises Refusal: INVALID_QUERY_LOCATOR."""
        name, _, start = locator.rpartition("-")
        with self._lock:
            cursor = self._open.get(name)
        if cursor is None or not start.isdigit() or int(start) >= len(cursor.numbers):
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(cursor, name, int(start), version, most)

    def forget(self, locator: str | None = None) -> None:
        """As after two days: this nextRecordsUrl, or every one, is dead."""
        with self._lock:
            if locator is None:
                self._open.clear()
            else:
                self._open.pop(locator.rpartition("-")[0], None)

    def _page(self, cursor: Cursor, name: str | None, start: int, version: str, most: int | None) -> Row:
        records, end = self._records(cursor, start, cursor.end(start, most), version)
        answer: Row = {"totalSize": len(cursor.numbers), "done": end >= len(cursor.numbers)}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{self._keep(name, cursor)}-{end}"
        return {**answer, "records": records}

    def _records(self, cursor: Cursor, start: int, end: int, version: str) -> tuple[list[Row], int]:
        """Up to `end`, or until the rows are too large for a page; and where that was."""
        records: list[Row] = []
        size = 0
        for at in range(start, end, _AT_ONCE):
            numbers = cursor.numbers[at : min(at + _AT_ONCE, end)]
            for place, row in rows_of(self._tables, cursor.plan, numbers):
                size += sum(len(value) for value in row if isinstance(value, str))
                if size > cursor.characters and records:
                    return records, at + place
                records.append(record(cursor.plan, row, version))
        return records, end

    def _keep(self, name: str | None, cursor: Cursor) -> str:
        with self._lock:
            if name is None:
                self._made += 1
                name = ids.record_id("01g", self._made)
            self._open[name] = cursor
            while len(self._open) > 1 and sum(len(c.numbers) for c in self._open.values()) > _MOST_NUMBERS:
                self._open.popitem(last=False)
            return name


def rows_of(tables: Tables, plan: sql.Plan, numbers: array[int]) -> Iterable[tuple[int, tuple[Any, ...]]]:
    """The rows with these numbers and the place of each, in this order; rows that are gone are left out."""
    found = {row[0]: row for row in tables.fetch(plan.rows, (json.dumps(numbers.tolist()),))}
    return ((place, found[number]) for place, number in enumerate(numbers) if number in found)


def record(plan: sql.Plan, row: tuple[Any, ...], version: str) -> Row:
    count = len(plan.columns)
    made: Row = {"attributes": attributes(plan.sobject.name, row[1], version)}
    for (relationship, object_name), parent_id in zip(plan.parents, row[2 + count :], strict=True):
        made[relationship] = None if parent_id is None else {"attributes": attributes(object_name, parent_id, version)}
    for column, value in zip(plan.columns, row[2 : 2 + count], strict=True):
        shown = bool(value) if column.type == "boolean" and value is not None else value
        if column.relationship is None:
            made[column.name] = shown
        elif made[column.relationship] is not None:
            made[column.relationship][column.name] = shown
    return made


def attributes(object_name: str, row_id: str, version: str) -> dict[str, str]:
    return {"type": object_name, "url": f"/services/data/v{version}/sobjects/{object_name}/{row_id}"}
