"""The org's rows, in SQLite: in memory, or in a file that outlives the process."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.sandbox import ids
from connectors.sandbox.generated import generated_text
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
_NAME_FIELDS = ("Name", "CaseNumber", "ContractNumber")
_OWN_COLUMNS = (
    "_number INTEGER PRIMARY KEY AUTOINCREMENT, _key TEXT, _visible INTEGER NOT NULL DEFAULT 1, _shared INTEGER NOT NULL DEFAULT 1, _from TEXT, _until TEXT"
)
"""`_visible`: committed and seen. `_shared`: with the connected user. `_from`, `_until`: when readers see this version of the row;
the version that holds is the one without `_until`."""


class Tables:
    """One table per object. Every call holds one lock: what a write checked still holds when it writes."""

    def __init__(self, schema: Schema, path: Path | None = None) -> None:
        self._schema = schema
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False, uri=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.create_function("generated_text", 2, generated_text, deterministic=True)
        self._db.create_function("record_id", 2, ids.record_id, deterministic=True)
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

    def change(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        with self.transaction():
            self._db.execute(statement, parameters)

    def insert(self, sobject: SObject, values: Mapping[str, Any], *, key: str | None = None, seen_from: str | None = None) -> str:
        """The id of the new row. `key` is the row's name in the story; queries see it `seen_from` that time on."""
        with self.transaction():
            names = [*values, "_key", "_from"]
            number = self._db.execute(_insert(sobject, names), [*values.values(), key, seen_from]).lastrowid
            new_id = ids.record_id(sobject.prefix, number or 0)
            self._db.execute(f'UPDATE "{sobject.name}" SET Id = ? WHERE _number = ?', (new_id, number))
            return new_id

    def load(self, sobject: SObject, rows: Sequence[Row]) -> None:
        """Rows with their `Id` and `_key`, in the order of their numbers, into an empty table."""
        if not rows:
            return
        names = list(rows[0])
        with self.transaction():
            self._db.executemany(_insert(sobject, names), [[row[name] for name in names] for row in rows])

    def update(self, sobject: SObject, row_id: str, values: Mapping[str, Any], *, seen_from: str | None = None) -> None:
        """Until `seen_from`, queries go on to see the row as it was."""
        if not values:
            return
        with self.transaction():
            if seen_from:
                self._keep_version(sobject, row_id, seen_from)
                values = {**values, "_from": seen_from}
            changes = ", ".join(f"{name} = ?" for name in _quoted(values))
            self._db.execute(f'UPDATE "{sobject.name}" SET {changes} WHERE Id = ? AND _until IS NULL', [*values.values(), row_id])

    def remove(self, sobject: SObject, row_id: str) -> None:
        self.change(f'DELETE FROM "{sobject.name}" WHERE Id = ?', (row_id,))

    def get(self, sobject: SObject, row_id: str) -> Row | None:
        return next(iter(self.find(sobject, "Id", row_id)), None)

    def find(self, sobject: SObject, field: str, value: Any) -> list[Row]:
        """Rows whose `field` has `value`, as they are now; deleted ones too."""
        stored = [f for f in sobject.fields.values() if f.stored]
        names = [f.name for f in stored]
        selected = ", ".join(_quoted(names))
        rows = self.fetch(f'SELECT {selected} FROM "{sobject.name}" WHERE "{field}" = ? AND _until IS NULL ORDER BY _number', (value,))
        flags = [f.name for f in stored if f.type == "boolean"]
        return [_with_flags(dict(zip(names, row, strict=True)), flags) for row in rows]

    def id_of(self, object_name: str, key: str) -> str:
        """The id of the row that the story calls `key`. KeyError if there is none."""
        rows = self.fetch(f'SELECT Id FROM "{object_name}" WHERE _key = ?', (key,))
        if not rows:
            raise KeyError(key)
        return str(rows[0][0])

    def show(self, sobject: SObject, row_ids: Iterable[str], *, visible: bool) -> None:
        """Rows that are not visible exist, but no query sees them: a commit that readers have not caught up with."""
        self._mark(sobject, row_ids, "_visible", value=visible)

    def share(self, sobject: SObject, row_ids: Iterable[str], *, shared: bool) -> None:
        """Rows that are not shared do not exist for the connected user."""
        self._mark(sobject, row_ids, "_shared", value=shared)

    def is_shared(self, sobject: SObject, row_id: str) -> bool:
        return bool(self.fetch(f'SELECT 1 FROM "{sobject.name}" WHERE Id = ? AND _until IS NULL AND _shared', (row_id,)))

    def note(self, name: str) -> str | None:
        rows = self.fetch("SELECT value FROM _note WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def write_note(self, name: str, value: str) -> None:
        self.change("INSERT OR REPLACE INTO _note VALUES (?, ?)", (name, value))

    def log_deletion(self, sobject: SObject, row_id: str, at: str | None) -> None:
        """What getDeleted answers from; None takes it back."""
        self.change("DELETE FROM _deletion WHERE object = ? AND id = ?", (sobject.name, row_id))
        if at is not None:
            self.change("INSERT INTO _deletion VALUES (?, ?, ?)", (sobject.name, row_id, at))

    def add_column(self, sobject: SObject, f: Field) -> None:
        """A column that an earlier field of this name left behind is used again, with what it held."""
        held = {name for _, name, *_ in self.fetch(f'PRAGMA table_info("{sobject.name}")')}
        if f.name not in held:
            default = " DEFAULT 0" if f.type == "boolean" else ""
            self.change(f'ALTER TABLE "{sobject.name}" ADD COLUMN {_column(f)}{default}')

    def rename_column(self, sobject: SObject, old: str, new: str) -> None:
        self.change(f'ALTER TABLE "{sobject.name}" RENAME COLUMN "{old}" TO "{new}"')

    def _mark(self, sobject: SObject, row_ids: Iterable[str], column: str, *, value: bool) -> None:
        with self.transaction():
            self._db.executemany(f'UPDATE "{sobject.name}" SET {column} = ? WHERE Id = ?', [(value, r) for r in row_ids])

    def _keep_version(self, sobject: SObject, row_id: str, until: str) -> None:
        names = ", ".join(_quoted(name for _, name, *_ in self.fetch(f'PRAGMA table_info("{sobject.name}")') if name not in ("_number", "_key", "_until")))
        self._db.execute(
            f'INSERT INTO "{sobject.name}" ({names}, _until) SELECT {names}, ? FROM "{sobject.name}" WHERE Id = ? AND _until IS NULL', (until, row_id)
        )

    def _create(self) -> None:
        with self.transaction():
            self._db.execute("CREATE TABLE IF NOT EXISTS _note (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            self._db.execute("CREATE TABLE IF NOT EXISTS _deletion (object TEXT, id TEXT, at TEXT, PRIMARY KEY (object, id))")
            for sobject in self._schema.values():
                if sobject.queryable:
                    self._create_table(sobject)
            self._db.execute("DROP VIEW IF EXISTS Name")
            self._db.execute(f"CREATE VIEW Name AS {_names(self._schema)}")

    def _create_table(self, sobject: SObject) -> None:
        columns = ", ".join(_column(f) for f in sobject.fields.values() if f.stored)
        self._db.execute(f'CREATE TABLE IF NOT EXISTS "{sobject.name}" ({_OWN_COLUMNS}, {columns})')
        for name in ["_key", *(f.name for f in sobject.fields.values() if _is_indexed(f))]:
            # Most rows have no key and no parent of most kinds: those take no room.
            self._db.execute(f'CREATE INDEX IF NOT EXISTS "{sobject.name}.{name}" ON "{sobject.name}" ("{name}") WHERE "{name}" IS NOT NULL')


def _insert(sobject: SObject, names: Sequence[str]) -> str:
    return f'INSERT INTO "{sobject.name}" ({", ".join(_quoted(names))}) VALUES ({", ".join("?" * len(names))})'


def _column(f: Field) -> str:
    return f'"{f.name}" {_COLUMN_TYPES.get(f.type, _ANY_CASE)}'


def _is_indexed(f: Field) -> bool:
    return f.type in _INDEXED or f.external_id or f.name in ("SystemModstamp", "Email", "MessageIdentifier")


def _names(schema: Schema) -> str:
    """What the objects that a polymorphic field can point at share."""
    wanted = schema["name"].fields.values()
    parts = []
    for sobject in (o for o in schema.values() if o.queryable and any(o.field(name) for name in _NAME_FIELDS)):
        own_name = next(name for name in _NAME_FIELDS if sobject.field(name))
        known = {f.name: f'"{f.name}"' for f in wanted if sobject.field(f.name)} | {"Type": f"'{sobject.name}'", "Name": own_name}
        columns = ", ".join(f'{known.get(f.name, "NULL")} AS "{f.name}"' for f in wanted)
        parts.append(f'SELECT {columns}, _shared, _until FROM "{sobject.name}"')
    return " UNION ALL ".join(parts)


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _with_flags(row: Row, flags: Iterable[str]) -> Row:
    for name in flags:
        row[name] = bool(row[name])
    return row
