"""The org's rows, in SQLite: in memory, or in a file that outlives the process."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.sandbox import ids
from connectors.sandbox.schema import Field, Schema, SObject

Row = dict[str, Any]

_COLUMN_TYPES = {
    "boolean": "INTEGER",
    "int": "INTEGER",
    "double": "REAL",
    "currency": "REAL",
    "id": "TEXT",
    "reference": "TEXT",
    "date": "TEXT",
    "datetime": "TEXT",
}
_ANY_CASE = "TEXT COLLATE NOCASE"
"""Salesforce compares and sorts text without regard to case."""
_INDEXED = ("id", "reference")


class Tables:
    """One table per object. Every call holds one lock: what a write checked still holds when it writes."""

    def __init__(self, schema: Schema, path: Path | None = None) -> None:
        self._schema = schema
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, uri=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._create()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another is a part of it that can fail alone."""
        with self._lock:
            nested = self._db.in_transaction
            begin, done, undo = ("SAVEPOINT row", "RELEASE row", "ROLLBACK TO row") if nested else ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
            self._db.execute(begin)
            try:
                yield
            except BaseException:
                self._db.execute(undo)
                if nested:
                    self._db.execute(done)
                raise
            self._db.execute(done)

    def fetch(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(statement, parameters).fetchall()

    def insert(self, sobject: SObject, values: Mapping[str, Any], *, key: str | None = None) -> str:
        """The id of the new row. `key` is the row's name in the story."""
        with self.transaction():
            names = [*values, "_key"]
            statement = f'INSERT INTO "{sobject.name}" ({", ".join(_quoted(names))}) VALUES ({", ".join("?" * len(names))})'
            number = self._db.execute(statement, [*values.values(), key]).lastrowid
            new_id = ids.record_id(sobject.prefix, number or 0)
            self._db.execute(f'UPDATE "{sobject.name}" SET Id = ? WHERE _number = ?', (new_id, number))
            return new_id

    def load(self, sobject: SObject, rows: Sequence[Row]) -> None:
        """Rows with their `Id` and `_key`, in the order of their numbers, into an empty table."""
        if not rows:
            return
        names = list(rows[0])
        statement = f'INSERT INTO "{sobject.name}" ({", ".join(_quoted(names))}) VALUES ({", ".join("?" * len(names))})'
        with self.transaction():
            self._db.executemany(statement, [[row[name] for name in names] for row in rows])

    def update(self, sobject: SObject, row_id: str, values: Mapping[str, Any]) -> None:
        if not values:
            return
        with self.transaction():
            changes = ", ".join(f"{name} = ?" for name in _quoted(values))
            self._db.execute(f'UPDATE "{sobject.name}" SET {changes} WHERE Id = ?', [*values.values(), row_id])

    def remove(self, sobject: SObject, row_id: str) -> None:
        with self.transaction():
            self._db.execute(f'DELETE FROM "{sobject.name}" WHERE Id = ?', (row_id,))

    def get(self, sobject: SObject, row_id: str) -> Row | None:
        return next(iter(self.find(sobject, "Id", row_id)), None)

    def find(self, sobject: SObject, field: str, value: Any) -> list[Row]:
        """Rows whose `field` has `value`, deleted ones too."""
        names = [f.name for f in sobject.fields.values()]
        rows = self.fetch(f'SELECT {", ".join(_quoted(names))} FROM "{sobject.name}" WHERE "{field}" = ? ORDER BY _number', (value,))
        flags = [f.name for f in sobject.fields.values() if f.type == "boolean"]
        return [_with_flags(dict(zip(names, row, strict=True)), flags) for row in rows]

    def id_of(self, object_name: str, key: str) -> str:
        """The id of the row that the story calls `key`. KeyError if there is none."""
        rows = self.fetch(f'SELECT Id FROM "{object_name}" WHERE _key = ?', (key,))
        if not rows:
            raise KeyError(key)
        return str(rows[0][0])

    def show(self, sobject: SObject, row_ids: Iterable[str], *, visible: bool) -> None:
        """Rows that are not visible exist, but no query sees them: a commit that readers have not caught up with."""
        with self.transaction():
            self._db.executemany(f'UPDATE "{sobject.name}" SET _visible = ? WHERE Id = ?', [(visible, r) for r in row_ids])

    def note(self, name: str) -> str | None:
        rows = self.fetch("SELECT value FROM _note WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def write_note(self, name: str, value: str) -> None:
        with self.transaction():
            self._db.execute("INSERT OR REPLACE INTO _note VALUES (?, ?)", (name, value))

    def _create(self) -> None:
        with self.transaction():
            self._db.execute("CREATE TABLE IF NOT EXISTS _note (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            for sobject in self._schema.values():
                if sobject.queryable:
                    self._create_table(sobject)
            self._db.execute("DROP VIEW IF EXISTS Name")
            self._db.execute(f"CREATE VIEW Name AS {_names(self._schema)}")

    def _create_table(self, sobject: SObject) -> None:
        columns = ", ".join(f'"{f.name}" {_COLUMN_TYPES.get(f.type, _ANY_CASE)}' for f in sobject.fields.values())
        own = "_number INTEGER PRIMARY KEY AUTOINCREMENT, _key TEXT, _visible INTEGER NOT NULL DEFAULT 1"
        self._db.execute(f'CREATE TABLE IF NOT EXISTS "{sobject.name}" ({own}, {columns})')
        for name in ["_key", *(f.name for f in sobject.fields.values() if _is_indexed(f))]:
            self._db.execute(f'CREATE INDEX IF NOT EXISTS "{sobject.name}.{name}" ON "{sobject.name}" ("{name}")')


def _is_indexed(f: Field) -> bool:
    return f.type in _INDEXED or f.external_id or f.name in ("SystemModstamp", "Email", "MessageIdentifier")


def _names(schema: Schema) -> str:
    """What the objects that a task can point at share."""
    named = [schema[n] for n in ("account", "contact", "opportunity", "user")]
    return " UNION ALL ".join(f"SELECT Id, Name, '{o.name}' AS Type, {'Email' if o.field('Email') else 'NULL'} AS Email FROM \"{o.name}\"" for o in named)


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _with_flags(row: Row, flags: Iterable[str]) -> Row:
    for name in flags:
        row[name] = bool(row[name])
    return row
