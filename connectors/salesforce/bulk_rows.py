"""The CSV of a Bulk API result as rows of the shape that a query answers, taken apart as it arrives."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Collection, Iterable, Iterator
from typing import Any

_LONGEST_CELL = 1_000_000
"""Characters. Salesforce's longest text fields hold 131,072."""


class Damaged(Exception):
    """The text ends inside a row, or a row has another number of cells than the first line."""


class BulkRows:
    """Iterates rows; `fields` are those of the first line. An empty cell is None: Bulk results do not tell it from null.

    `flags`: fields that hold true or false. Names as `known` spells them, whatever case the answer has.
    """

    def __init__(self, pieces: Iterable[bytes], known: Collection[str], flags: Collection[str]) -> None:
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
        self._rows = csv.reader(_lines(pieces), strict=True)
        spelled = {name.lower(): name for name in known}
        self.fields = [spelled.get(name.lower(), name) for name in self._row() or ()]
        self._flags = [place for place, name in enumerate(self.fields) if name in flags]
        self._parents = [name for name in self.fields if "." in name]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        width = len(self.fields)
        while cells := self._row():
            if len(cells) != width:
                message = "a row has another number of cells than the first line"
                raise Damaged(message)
            yield self._as_answered(cells)

    def _row(self) -> list[str] | None:
        try:
            return next(self._rows, None)
        except csv.Error as error:
            message = f"the text is no CSV: {error}"
            raise Damaged(message) from None

    def _as_answered(self, cells: list[str]) -> dict[str, Any]:
        """A parent's field stands inside the parent, as in the answer to a query."""
        values: list[Any] = [cell or None for cell in cells]
        for place in self._flags:
            values[place] = cells[place] == "true"
        row = dict(zip(self.fields, values, strict=True))
        for name in self._parents:
            parent, _, field = name.partition(".")
            value = row.pop(name)
            row[parent] = None if value is None else {field: value}
        return row


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """With their ends. A line may be spread over many pieces, and a character over two."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    begun: list[str] = []
    for piece in pieces:
        first, *more = decoder.decode(piece).split("\n")
        begun.append(first)
        for line in more:
            yield "".join(begun) + "\n"
            begun = [line]
    if rest := "".join(begun) + decoder.decode(b"", final=True):
        yield rest
