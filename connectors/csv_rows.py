"""Lines of CSV taken apart into rows of one width. Where a line is damaged, that line is given up and the next one is read for itself."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter, methodcaller

from connectors.text_files import MAX_LINE

MAX_ROW_LINES = 200
"""A quoted cell may hold line breaks; beyond this many lines its quote was opened by mistake."""

OVERLONG = f"the line is longer than {MAX_LINE:,} characters"
STRAY_QUOTE = "a quotation mark is opened and not closed"
TOO_MANY = "there are more cells than the first line has names; a cell that holds the separator must stand in quotation marks"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRows:
    """`starts` are indices into the lines. `used`: lines from there on belong to a row that is not complete yet."""

    starts: Sequence[int]
    columns: Sequence[list[str]]
    broken: Sequence[tuple[int, str]]
    used: int


def csv_rows(lines: Sequence[str], delimiter: str, width: int, places: Sequence[int | None], *, last: bool) -> CsvRows:
    """The cells at `places`, column by column; "" for a place that the file does not have. `last`: no lines follow.

    Empty rows are left out, short ones filled up.
    """
    if columns := _without_quotes(lines, delimiter, width, places):
        return CsvRows(starts=range(len(lines)), columns=columns, broken=(), used=len(lines))
    broken: list[tuple[int, str]] = []
    if max(map(len, lines), default=0) > MAX_LINE:
        broken = [(i, OVERLONG) for i, line in enumerate(lines) if len(line) > MAX_LINE]
        lines = ["" if len(line) > MAX_LINE else line for line in lines]
    starts, cells, used = _taken_apart(lines, delimiter, width, broken, last=last)
    starts, cells = _of_one_width(starts, cells, broken, width)
    columns = [[""] * len(cells) if place is None else list(map(itemgetter(place), cells)) for place in places]
    return CsvRows(starts=starts, columns=columns, broken=broken, used=used)


def _without_quotes(lines: Sequence[str], delimiter: str, width: int, places: Sequence[int | None]) -> list[list[str]] | None:
    """The quick way for lines that hold no quote and the right number of cells, the first of them never empty."""
    text = "".join(lines)
    if '"' in text or set(map(methodcaller("count", delimiter), lines)) != {width - 1} or max(map(len, lines)) > MAX_LINE:
        return None
    cells = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", delimiter).split(delimiter)
    end = len(lines) * width
    if "" in cells[0:end:width]:
        return None
    return [[""] * len(lines) if place is None else cells[place:end:width] for place in places]


def _taken_apart(lines: Sequence[str], delimiter: str, width: int, broken: list[tuple[int, str]], *, last: bool) -> tuple[list[int], list[list[str]], int]:
    starts: list[int] = []
    cells: list[list[str]] = []
    at, used = 0, len(lines)
    while at < used:
        reader = csv.reader(map(lines.__getitem__, range(at, used)), delimiter=delimiter)
        origin = at
        try:
            for row in reader:
                end = origin + reader.line_num
                if (end - at > 1 or end == used) and not _is_whole(lines[at:end], delimiter, width):
                    break
                starts.append(at)
                cells.append(row)
                at = end
        except csv.Error:
            end = used
        if at == used:
            break
        if not last and end == used and used - at <= MAX_ROW_LINES and _is_open(lines[at:used], delimiter):
            used = at
            break
        broken.append((at, STRAY_QUOTE))
        at += 1
    return starts, cells, used


def header_cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def delimiter_of(line: str) -> str:
    outside = re.sub(r'"[^"]*"', "", line)
    return max(",;\t|", key=outside.count)


def _is_whole(lines: Sequence[str], delimiter: str, width: int) -> bool:
    """A row of several lines must be well formed and as wide as the first line of the file: else a stray quote has swallowed its neighbours."""
    if _is_open(lines, delimiter):
        return False
    if len(lines) == 1:
        return True
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return False
    return len(rows) == 1 and len(rows[0]) >= width and not any(rows[0][width:])


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    """Does the row end inside a quoted cell? One more quote then closes it, else it begins a row of its own."""
    if not any('"' in line for line in lines):
        return False
    try:
        return len(list(csv.reader([*lines, '"'], delimiter=delimiter))) == 1
    except csv.Error:
        return False


def _of_one_width(starts: list[int], cells: list[list[str]], broken: list[tuple[int, str]], width: int) -> tuple[list[int], list[list[str]]]:
    left_out = set()
    for i in [i for i, row in enumerate(cells) if len(row) != width or not row[0]]:
        row = cells[i]
        if any(cell.strip() for cell in row[width:]):
            broken.append((starts[i], TOO_MANY))
            left_out.add(i)
        elif any(cell.strip() for cell in row):
            cells[i] = [*row, *[""] * (width - len(row))][:width]
        else:
            left_out.add(i)
    if not left_out:
        return starts, cells
    kept = [i for i in range(len(cells)) if i not in left_out]
    return [starts[i] for i in kept], [cells[i] for i in kept]
