"""Whole views as a stream of bytes. Postgres writes the rows, by COPY; here they are passed on in blocks, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from threading import BoundedSemaphore
from typing import Any, Literal, get_args
from uuid import UUID

from service.errors import BadInput, Unavailable
from service.store import parquet, workspaces
from service.store.analytics import OUTCOMES, SIGNALS, SUGGESTIONS, USAGE, Filters, Kind, Source
from service.store.pool import Db, transaction

Format = Literal["csv", "ndjson", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
What = Literal["signals", "suggestions", "usage", "outcomes"]
SOURCES: dict[What, Source] = {"signals": SIGNALS, "suggestions": SUGGESTIONS, "usage": USAGE, "outcomes": OUTCOMES}

BLOCK = 64 * 1024
LONGEST = "15min"
"""A reader that takes longer holds a connection, and rows that could be cleaned up, for too long."""
MOST_AT_ONCE = 2
"""In one process, so that the others' requests keep their connections."""
_places = BoundedSemaphore(MOST_AT_ONCE)


def through(workspace_id: UUID, what: What, filters: Filters) -> int | None:
    """Up to which change number an export that begins now goes, None where there are no change numbers. Raises BadInput for what the view cannot tell."""
    source = SOURCES[what]
    if filters.get("changed_after") is not None and not source.has_changes:
        message = f"{what} has no change numbers: a value that came late replaces the one before. Read it by day, with since and until."
        raise BadInput(message)
    if filters.get("as_of") is not None and not source.knows_the_past:
        message = f"What {what} said on an earlier day is not known: a value that came late replaces the one before. Leave as_of out."
        raise BadInput(message)
    if not source.has_changes:
        return None
    with transaction(workspace_id) as db:
        return workspaces.last_change(db)


def stream(workspace_id: UUID, what: What, form: Format, filters: Filters, last_change: int | None) -> Generator[bytes]:
    """In blocks of about 64 kB. Raises Unavailable, at its start, where too many exports are under way."""
    if not _places.acquire(blocking=False):
        message = f"{MOST_AT_ONCE} exports are under way. Try again when one of them is through."
        raise Unavailable(message)
    try:
        with transaction(workspace_id) as db:
            db.execute(f"SET LOCAL statement_timeout = '{LONGEST}'; SET LOCAL work_mem = '64MB'; SET LOCAL TimeZone = 'UTC'")
            yield from _WRITERS[form](db, SOURCES[what], {**filters, "changed_through": last_change})
    finally:
        _places.release()


def _csv(db: Db, source: Source, filters: Filters) -> Iterator[bytes]:
    return _copied(db, f"COPY ({_select(source, filters, _cell)}) TO STDOUT (FORMAT csv, HEADER)", filters)


def _ndjson(db: Db, source: Source, filters: Filters) -> Iterator[bytes]:
    """JSON holds no raw control character, so that a doubled backslash is all that COPY's text form adds to it."""
    rows = _copied(db, f"COPY (SELECT row_to_json(r) FROM ({_select(source, filters)}) r) TO STDOUT", filters)
    return (block.replace(b"\\\\", b"\\") for block in rows)


def _parquet(db: Db, source: Source, filters: Filters) -> Iterator[bytes]:
    return parquet.written(db, _select(source, filters), source.columns, {"as_of": None, **filters})


_WRITERS: dict[Format, Callable[[Db, Source, Filters], Iterator[bytes]]] = {"csv": _csv, "ndjson": _ndjson, "parquet": _parquet}


def _copied(db: Db, statement: str, filters: Filters) -> Iterator[bytes]:
    """Blocks of whole rows."""
    rows: list[bytes | bytearray | memoryview] = []
    size = 0
    with db.cursor().copy(statement, {"as_of": None, **filters}) as copy:
        for row in copy:
            rows.append(row)
            size += len(row)
            if size >= BLOCK:
                yield b"".join(rows)
                rows, size = [], 0
    if rows:
        yield b"".join(rows)


def _plain(expression: str, _kind: Kind) -> str:
    return expression


def _cell(expression: str, kind: Kind) -> str:
    """Lists as one cell, with blanks between; flags as words; texts so that no spreadsheet takes them for a formula."""
    if kind == "flag":
        return f"{expression}::text"
    listed = f"array_to_string({expression}, ' ')" if kind in ("ids", "texts") else expression
    return f"analytics.cell({listed})" if kind in ("text", "texts") else listed


def _select(source: Source, filters: Filters, shown: Callable[[str, Kind], str] = _plain) -> str:
    """Of an increment, which is short, each row is looked up by itself."""
    whole = filters.get("changed_after") is None
    together, joined = (source.together, source.joined) if whole else ({}, "")
    columns = [f"{shown(together.get(name, source.of(name)), kind)} AS {name}" for name, kind in source.columns.items()]
    return f"SELECT {', '.join(columns)} FROM {source.relation} v{joined}{source.beside_joined} WHERE {source.conditions(filters)}"


def media_type(form: Format) -> str:
    known: dict[Format, Any] = {"csv": "text/csv; charset=utf-8; header=present", "ndjson": "application/x-ndjson"}
    return str(known.get(form, "application/vnd.apache.parquet"))
