"""CSV and NDJSON files as people export them: byte-order marks, semicolons, other spellings of a column's name, gzip."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from connectors.errors import Misconfigured

SNIFF = 64_000
csv.field_size_limit(1_000_000)


class UnreadableTable(Misconfigured):
    """A file that is no table we know: the message names the file, what is missing, and what was found."""


@dataclass(frozen=True, slots=True)
class Column:
    """`names` are the accepted spellings, compared without case, spaces and punctuation; the first is the one we use."""

    names: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """`values` holds the wanted columns that the file has, stripped, None where a cell is empty; `line` counts from 1."""

    line: int
    values: Mapping[str, str | None]


def read_rows(path: Path, columns: Mapping[str, Column]) -> Iterator[Row]:
    """Raises UnreadableTable before the first row if a required column is missing."""
    for line, cells in raw_rows(path, columns):
        yield Row(line, dict(zip(columns, cells, strict=True)))


def raw_rows(path: Path, columns: Mapping[str, Column]) -> Iterator[tuple[int, list[str | None]]]:
    """(line, cells in the order of `columns`): the quick form for large files."""
    if is_ndjson(path):
        yield from _json_rows(path, columns)
        return
    text = _opened(path)
    with text:
        sample = text.read(SNIFF)
        text.seek(0)
        reader = csv.reader(text, delimiter=_delimiter(sample))
        header = next(reader, None)
        places = _places(path, header or [], columns)
        for cells in reader:
            if cells:
                yield reader.line_num, [_cell(cells, place) for place in places]


def is_ndjson(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith((".ndjson", ".jsonl"))


def _cell(cells: Sequence[str], place: int | None) -> str | None:
    return (cells[place].strip() or None) if place is not None and place < len(cells) else None


def _json_rows(path: Path, columns: Mapping[str, Column]) -> Iterator[tuple[int, list[str | None]]]:
    wanted = [{_plain(name) for name in column.names} for column in columns.values()]
    missing_everywhere = True
    with _opened(path) as text:
        for line, content in enumerate(text, 1):
            if not content.strip():
                continue
            row = _json_object(content)
            cells = [next((_as_text(row[k]) for k in row if _plain(k) in names), None) for names in wanted]
            missing_everywhere = missing_everywhere and not any(cells)
            yield line, cells
    if missing_everywhere:
        raise UnreadableTable(f"{path.name}: no row is a JSON object with {_named(columns)}.")


def _json_object(content: str) -> dict[str, Any]:
    """An unreadable line is an empty row: its required cells are missing, which is what will be said of it."""
    try:
        row = json.loads(content)
    except ValueError:
        return {}
    return cast("dict[str, Any]", row) if isinstance(row, dict) else {}


def _as_text(value: object) -> str | None:
    return None if value is None else str(value).strip() or None


def _places(path: Path, header: Sequence[str], columns: Mapping[str, Column]) -> list[int | None]:
    plain = [_plain(name) for name in header]
    places = [next((plain.index(_plain(n)) for n in column.names if _plain(n) in plain), None) for column in columns.values()]
    missing = [name for (name, column), place in zip(columns.items(), places, strict=True) if column.required and place is None]
    if missing:
        found = ", ".join(name.strip()[:40] for name in header[:20]) or "nothing"
        raise UnreadableTable(f"{path.name} has no column {' or '.join(missing)}. The first line must name {_named(columns)}; it names {found}.")
    return places


def _named(columns: Mapping[str, Column]) -> str:
    return ", ".join(name for name, column in columns.items() if column.required)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _delimiter(sample: str) -> str:
    first = sample.partition("\n")[0]
    return max(",;\t|", key=first.count)


def _opened(path: Path) -> io.TextIOWrapper:
    """UTF-8 with or without a mark, UTF-16 with one, else the Windows code page that spreadsheets write."""
    with _binary(path) as probe:
        head = probe.read(SNIFF)
    return io.TextIOWrapper(_binary(path), encoding=_encoding(head), errors="replace", newline="")


def _encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        # A character cut at the end of the sample is no sign of another encoding.
        head.decode("utf-8-sig") if len(head) < SNIFF else head[:-4].decode("utf-8-sig", "strict")
    except UnicodeDecodeError as error:
        return "cp1252" if error.start < len(head) - 8 else "utf-8-sig"
    return "utf-8-sig"


def _binary(path: Path) -> BinaryIO:
    try:
        return cast("BinaryIO", gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb"))
    except OSError as error:
        raise UnreadableTable(f"{path} cannot be read ({error.strerror}). Check the path and its permissions.") from None
