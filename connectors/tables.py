"""CSV and NDJSON files as people export them: byte-order marks, semicolons, other spellings of a column's name, gzip.

Rows are read a block at a time and handed over as columns, so that large files cost no Python work per cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from connectors.characters import clean
from connectors.csv_rows import csv_rows, delimiter_of, header_cells
from connectors.text_files import TextFile, UnreadableFile, opened

BLOCK = 2_000_000
"""Characters read at a time: about 50,000 rows of usage, and what memory holds of a file of any size."""

_NO_OBJECT = "the line is no JSON object"
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=([,;\t|])\"?\s*", re.IGNORECASE)


class UnreadableTable(UnreadableFile):
    """A file that is no table we know: the message names the file, what is missing, and what was found."""


@dataclass(frozen=True, slots=True)
class Column:
    """`names` are the accepted spellings, compared without case, spaces and punctuation; the first is the one we use."""

    names: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """`values` holds the wanted columns, stripped, None where the file or the row has none; `line` counts from 1.

    `problem` says why a row could not be taken apart; its values are None then.
    """

    line: int
    values: Mapping[str, str | None]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that follow each other. `columns` stand in the order of the wanted ones, as in the file, "" where it has none."""

    lines: Sequence[int]
    columns: Sequence[Sequence[str]]
    broken: Sequence[tuple[int, str]] = ()
    """Rows that could not be taken apart: line and reason."""
    decimal_comma: bool = False
    """Cells are parted by semicolons, as where people write 12,5."""


def read_rows(path: Path, columns: Mapping[str, Column], *, characters: int = BLOCK) -> Iterator[Row]:
    """Raises UnreadableFile (UnreadableTable before the first row if a required column is missing), Retriable where compressed data are cut off."""
    for block in blocks(path, columns, characters=characters):
        for line, cells in zip(block.lines, zip(*block.columns, strict=True), strict=True):
            yield Row(line, {name: clean(cell).strip() or None for name, cell in zip(columns, cells, strict=True)})
        for line, problem in block.broken:
            yield Row(line, dict.fromkeys(columns), problem)


def blocks(path: Path, columns: Mapping[str, Column], *, characters: int = BLOCK) -> Iterator[Block]:
    """The quick form for large files. Raises as `read_rows` does; what stands before cut-off data is handed over first."""
    read = _json_blocks if is_ndjson(path) else _csv_blocks
    with opened(path) as text:
        yield from read(path, text, columns, characters)


def is_ndjson(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith((".ndjson", ".jsonl"))


def _csv_blocks(path: Path, text: TextFile, columns: Mapping[str, Column], characters: int) -> Iterator[Block]:
    line, header, delimiter = _header(text)
    places = _places(path, header, columns)
    rest: list[str] = []
    for read, last in text.blocks(characters):
        lines = rest + read
        rows = csv_rows(lines, delimiter, len(header), places, last=last)
        yield Block(
            lines=[line + start for start in rows.starts],
            columns=rows.columns,
            broken=[(line + start, problem) for start, problem in rows.broken],
            decimal_comma=delimiter == ";",
        )
        line, rest = line + rows.used, lines[rows.used :]


def _header(text: TextFile) -> tuple[int, list[str], str]:
    """(line after it, names, delimiter). Empty lines above it are skipped, and the "sep=;" that spreadsheets put there is heeded."""
    line, delimiter = 1, ""
    while content := text.readline():
        line += 1
        if found := _SEPARATOR_LINE.fullmatch(content):
            delimiter = found[1]
        elif content.strip():
            delimiter = delimiter or delimiter_of(content)
            return line, header_cells(content, delimiter), delimiter
    return line, [], ","


def _places(path: Path, header: Sequence[str], columns: Mapping[str, Column]) -> list[int | None]:
    plain = [_plain(name) for name in header]
    places = [next((plain.index(_plain(n)) for n in column.names if _plain(n) in plain), None) for column in columns.values()]
    missing = [name for (name, column), place in zip(columns.items(), places, strict=True) if column.required and place is None]
    if missing:
        raise UnreadableTable(f"{path.name} has no column {' or '.join(missing)}. The first line must name {_required(columns)}; it names {_shown(header)}.")
    return places


def _json_blocks(path: Path, text: TextFile, columns: Mapping[str, Column], characters: int) -> Iterator[Block]:
    keys_of = _keys_finder(columns)
    line, begun = 1, False
    for lines, last in text.blocks(characters):
        objects = {line + i: _json_object(content) for i, content in enumerate(lines) if content.strip()}
        rows = {at: row for at, row in objects.items() if row is not None}
        if not begun and (rows or last):
            _require_some(path, list(rows.values()), columns, keys_of)
            begun = True
        cells = [[_as_text(row.get(key)) if key else "" for key in keys_of(tuple(row))] for row in rows.values()]
        yield Block(
            lines=list(rows),
            columns=list(zip(*cells, strict=True)) or [()] * len(columns),
            broken=[(at, _NO_OBJECT) for at in objects if at not in rows],
        )
        line += len(lines)


_Keys = Callable[[tuple[str, ...]], list[str | None]]


def _keys_finder(columns: Mapping[str, Column]) -> _Keys:
    """The names of an object -> the one that stands for each column. Objects of one file have few different sets of names."""
    accepted = [[_plain(name) for name in column.names] for column in columns.values()]

    @lru_cache(maxsize=1000)
    def keys_of(names: tuple[str, ...]) -> list[str | None]:
        plain = {_plain(name): name for name in reversed(names)}
        return [next((plain[name] for name in wanted if name in plain), None) for wanted in accepted]

    return keys_of


def _require_some(path: Path, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Column], keys_of: _Keys) -> None:
    """Single objects may lack a name; when all of the first ones do, it is the file that is wrong."""
    has = {name for row in rows for name, key in zip(columns, keys_of(tuple(row)), strict=True) if key}
    missing = [name for name, column in columns.items() if column.required and name not in has]
    if missing:
        found = _shown(list(rows[0])) if rows else "nothing"
        raise UnreadableTable(f"{path.name} has no {' or '.join(missing)}. Each line must be a JSON object with {_required(columns)}; the first has {found}.")


def _json_object(content: str) -> dict[str, Any] | None:
    try:
        row = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _as_text(value: object) -> str:
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _shown(names: Sequence[str]) -> str:
    printable = ("".join(c for c in name if c.isprintable()).strip()[:40] for name in names[:20])
    return ", ".join(name for name in printable if name) or "nothing"


def _required(columns: Mapping[str, Column]) -> str:
    return ", ".join(name for name, column in columns.items() if column.required)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
