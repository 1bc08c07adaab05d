"""Many rows at once. COPY cannot write into a table with row-level security, so rows go by way of a landing table of the session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import sql

from service.store.pool import Db


def copy_to_landing(db: Db, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]], *, binary: bool = False) -> None:
    """Fills `landing_<table>` (columns: name -> type), which empties itself at the end of the transaction.

    `binary`: three times as quick, and takes each value to be of the column's type already: an int too large for "integer" would come in as another one.
    """
    _empty(db, table, tuple(columns.items()))
    name = sql.Identifier(f"landing_{table}")
    with db.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT {})").format(name, sql.SQL("binary" if binary else "text"))) as copy:
        if binary:
            copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)


def _empty(db: Db, table: str, columns: tuple[tuple[str, str], ...]) -> None:
    db.execute(_emptying(table, columns), prepare=False)


@cache
def _emptying(table: str, columns: tuple[tuple[str, str], ...]) -> bytes:
    """Two statements sent as one."""
    typed = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns)
    making = sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {0} ({1}) ON COMMIT DELETE ROWS; DELETE FROM {0}")
    return making.format(sql.Identifier(f"landing_{table}"), typed).as_bytes(None)


def append(
    db: Db, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]], change_no: int | None = None, *, unless_there: bool = False
) -> None:
    """Inserts into a table of this workspace; `change_no` is given to each row. `unless_there`: rows whose key is there already are left out."""
    copy_to_landing(db, table, columns, rows)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    extra, value = (sql.SQL(", change_no"), sql.SQL(", {}").format(sql.Literal(change_no))) if change_no is not None else (sql.SQL(""), sql.SQL(""))
    db.execute(
        sql.SQL("INSERT INTO {} (workspace_id, {}{}) SELECT current_workspace(), {}{} FROM {}{}").format(
            sql.Identifier(table),
            names,
            extra,
            names,
            value,
            sql.Identifier(f"landing_{table}"),
            sql.SQL(" ON CONFLICT DO NOTHING" if unless_there else ""),
        )
    )


_BINARY = {"integer": (">i4", 4), "bigint": (">i8", 8), "date": (">i4", 4), "double precision": (">f8", 8), "boolean": ("?", 1), "uuid": ("V16", 16)}
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_ARRAY_HEADER = 20
_FIRST_DAY = np.datetime64("2000-01-01")
"""Day 0 of Postgres."""


def copy_arrays(db: Db, table: str, columns: Mapping[str, tuple[str, npt.NDArray[Any]]]) -> None:
    """Fills `landing_<table>` from numpy arrays of one length (column -> type, values) without touching a row in Python. Dates are datetime64[D]."""
    _empty(db, table, tuple((name, kind) for name, (kind, _) in columns.items()))
    fields = [("fields", ">i2")]
    for name, (kind, _) in columns.items():
        fields += [(f"{name} length", ">i4"), (name, _BINARY[kind][0])]
    rows = np.empty(len(next(iter(columns.values()))[1]), dtype=fields)
    rows["fields"] = len(columns)
    for name, (kind, values) in columns.items():
        rows[f"{name} length"] = _BINARY[kind][1]
        rows[name] = (values - _FIRST_DAY).astype(np.int64) if kind == "date" else values
    with db.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(f"landing_{table}"))) as copy:
        copy.write(_SIGNATURE + rows.tobytes() + _TRAILER)


def read_arrays(db: Db, query: str, columns: Mapping[str, str], parameters: Sequence[object] = ()) -> tuple[npt.NDArray[Any], ...]:
    """One numpy array for each column (name -> type) of the query, in the order of its rows. No row is touched in Python; there may be no NULL in them."""
    names = [sql.SQL("array_send(array_agg({}))").format(sql.Identifier(name)) for name in columns]
    row = db.cursor(binary=True).execute(sql.SQL("SELECT {} FROM ({}) q").format(sql.SQL(", ").join(names), sql.SQL(query)), parameters).fetchone()
    assert row is not None
    return tuple(array_of(sent, kind) for sent, kind in zip(row, columns.values(), strict=True))


def read_ragged(db: Db, query: str, columns: Mapping[str, str], parameters: Sequence[object] = ()) -> tuple[npt.NDArray[Any], ...]:
    """As read_arrays, of a query whose rows hold an array in each column, all of one length or all NULL: the lengths, and each column's arrays one after
    the other. Cheaper where many values belong to few rows."""
    sent = [sql.SQL("array_send({})").format(sql.Identifier(name)) for name in columns]
    rows = db.cursor(binary=True).execute(sql.SQL("SELECT {} FROM ({}) q").format(sql.SQL(", ").join(sent), sql.SQL(query)), parameters).fetchall()
    found = [array_of(bytes(_ARRAY_HEADER) + b"".join(row[k][_ARRAY_HEADER:] for row in rows if row[k]), kind) for k, kind in enumerate(columns.values())]
    item = 4 + _BINARY[next(iter(columns.values()))][1]
    return np.array([(len(row[0]) - _ARRAY_HEADER) // item if row[0] else 0 for row in rows], np.int64), *found


def array_of(sent: bytes | None, kind: str) -> npt.NDArray[Any]:
    """Of what array_send() gave; without NULLs."""
    form, _ = _BINARY[kind]
    items = np.frombuffer(sent or b"", dtype=[("length", ">i4"), ("value", form)], offset=_ARRAY_HEADER if sent else 0)["value"]
    values = items.astype(np.dtype(form).newbyteorder("="))
    return _FIRST_DAY + values if kind == "date" else values
