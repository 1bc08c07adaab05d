"""Many rows at once. COPY cannot write into a table with row-level security, so rows go by way of a landing table of the session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import sql

from service.store.pool import Db


def copy_to_landing(db: Db, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
    """Fills `landing_<table>` (columns: name -> type), which empties itself at the end of the transaction."""
    landing = sql.Identifier(f"landing_{table}")
    typed = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items())
    db.execute(sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS").format(landing, typed))
    db.execute(sql.SQL("DELETE FROM {}").format(landing))
    with db.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(landing)) as copy:
        for row in rows:
            copy.write_row(row)


def append(db: Db, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]], change_no: int | None = None) -> None:
    """Inserts into a table of this workspace; `change_no` is given to each row."""
    copy_to_landing(db, table, columns, rows)
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    extra, value = (sql.SQL(", change_no"), sql.SQL(", {}").format(sql.Literal(change_no))) if change_no is not None else (sql.SQL(""), sql.SQL(""))
    db.execute(
        sql.SQL("INSERT INTO {} (workspace_id, {}{}) SELECT current_workspace(), {}{} FROM {}").format(
            sql.Identifier(table), names, extra, names, value, sql.Identifier(f"landing_{table}")
        )
    )


_BINARY = {"integer": (">i4", 4), "double precision": (">f8", 8)}
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"


def copy_arrays(db: Db, table: str, columns: Mapping[str, tuple[str, npt.NDArray[Any]]]) -> None:
    """Fills `landing_<table>` from numpy arrays of one length (column -> type, values) without touching a row in Python."""
    landing = sql.Identifier(f"landing_{table}")
    typed = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, (kind, _) in columns.items())
    db.execute(sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS").format(landing, typed))
    db.execute(sql.SQL("DELETE FROM {}").format(landing))
    fields = [("fields", ">i2")]
    for name, (kind, _) in columns.items():
        fields += [(f"{name} length", ">i4"), (name, _BINARY[kind][0])]
    rows = np.empty(len(next(iter(columns.values()))[1]), dtype=fields)
    rows["fields"] = len(columns)
    for name, (kind, values) in columns.items():
        rows[f"{name} length"], rows[name] = _BINARY[kind][1], values
    with db.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(landing)) as copy:
        copy.write(_SIGNATURE + rows.tobytes() + _TRAILER)
