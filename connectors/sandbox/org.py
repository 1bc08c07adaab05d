"""The org: its rows, who sees what of them, and the queries over them."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.sandbox import ids, objects, sql, story
from connectors.sandbox.clock import Clock, Now
from connectors.sandbox.counters import Counters
from connectors.sandbox.errors import Refusal, StoryError, not_found
from connectors.sandbox.faults import Faults
from connectors.sandbox.schema import Options, Schema, SObject, visible
from connectors.sandbox.soql_parser import parse
from connectors.sandbox.tables import Row, Tables

INTEGRATION_USER = "undertone.integration@sandbox.example"
_UNEVEN = (0.6, 1.0, 0.25, 0.85, 0.4)
"""Share of the asked page size that the n-th page of an uneven answer holds."""
_MOST_CURSORS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    plan: sql.Plan
    numbers: list[int]
    page_size: int


class Org:
    """Thread-safe. `options` may be replaced while it runs: an admin has changed something."""

    def __init__(self, folder: Path, *, now: datetime | Now, options: Options | None = None, state: Path | None = None) -> None:
        self.story = story.read(folder)
        self.clock = Clock(now)
        self.counters = Counters()
        self.faults = Faults()
        self.options = options or Options()
        self.tables = _opened(state)
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._cursor_lock = threading.Lock()
        self._cursors_made = secrets.randbelow(10**12)  # a locator of an earlier run must not name a cursor of this one
        self._fill(state)
        self.clock.go_on_after(self._last_write())
        self.user_id = self._integration_user()

    @property
    def options(self) -> Options:
        return self._options

    @options.setter
    def options(self, options: Options) -> None:
        self._options = options
        self.schema: Schema = visible(objects.SCHEMA, options)

    def sobject(self, name: str) -> SObject:
        """As the connected user sees it. Raises Refusal, as a path that names an unknown object does."""
        found = self.schema.get(name.lower())
        if found is None or not found.queryable:
            raise not_found()
        return found

    def id_of(self, object_name: str, key: str) -> str:
        """The id of the row that the story calls `key`. KeyError if there is none."""
        return self.tables.id_of(object_name, key)

    def row(self, sobject: SObject, row_id: str) -> Row:
        """A live row. Raises Refusal: NOT_FOUND, ENTITY_IS_DELETED."""
        found = self.tables.get(sobject, full_id(row_id))
        if found is None:
            raise not_found()
        if found.get("IsDeleted"):
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return found

    def query(self, text: str, *, deleted: bool, version: str, page_size: int | None = None) -> Row:
        """The first page. `deleted`: with the rows in the recycle bin."""
        query = parse(text)
        plan = sql.plan(query, self.schema, deleted=deleted)
        found = [] if plan.sobject.name in self.options.empty else self.tables.fetch(plan.numbers, plan.parameters)
        numbers = [number for (number,) in found]
        if query.counts:
            return {"totalSize": len(numbers), "done": True, "records": []}
        cursor = _Cursor(plan=plan, numbers=numbers, page_size=min(page_size or self.options.page_size, self.options.page_size))
        return self._page(cursor, self._new_locator(), 0, version)

    def query_more(self, locator: str, version: str) -> Row:
        """The page that `nextRecordsUrl` names. Raises Refusal: INVALID_QUERY_LOCATOR."""
        name, _, start = locator.rpartition("-")
        with self._cursor_lock:
            cursor = self._cursors.get(name)
        if cursor is None or not start.isdigit() or int(start) >= len(cursor.numbers):
            raise Refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(cursor, name, int(start), version)

    def forget_cursors(self) -> None:
        """As after two days: every nextRecordsUrl is dead."""
        with self._cursor_lock:
            self._cursors.clear()

    def close(self) -> None:
        self.tables.close()

    def _page(self, cursor: _Cursor, name: str, start: int, version: str) -> Row:
        end = start + self._rows_on_page(cursor.page_size, start)
        answer: Row = {"totalSize": len(cursor.numbers), "done": end >= len(cursor.numbers)}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{name}-{end}"
            self._keep(name, cursor)
        return {**answer, "records": self._records(cursor.plan, cursor.numbers[start:end], version)}

    def _rows_on_page(self, page_size: int, start: int) -> int:
        share = _UNEVEN[start % len(_UNEVEN)] if self.options.uneven_pages else 1.0
        return max(1, int(page_size * share))

    def _records(self, plan: sql.Plan, numbers: list[int], version: str) -> list[Row]:
        rows = {row[0]: row for row in self.tables.fetch(plan.rows, (json.dumps(numbers),))}
        return [_record(plan, rows[number], version) for number in numbers if number in rows]

    def _new_locator(self) -> str:
        with self._cursor_lock:
            self._cursors_made += 1
            return ids.record_id("01g", self._cursors_made)

    def _keep(self, name: str, cursor: _Cursor) -> None:
        with self._cursor_lock:
            self._cursors[name] = cursor
            while len(self._cursors) > _MOST_CURSORS:
                self._cursors.popitem(last=False)

    def _fill(self, state: Path | None) -> None:
        held = self.tables.note("story")
        if held is None:
            with self.tables.transaction():
                story.load(self.story, self.tables)
                self.tables.write_note("story", self.story.fingerprint)
        elif held != self.story.fingerprint:
            self.tables.close()
            message = f"{state} holds the org of another story than {self.story.name}. Delete that file to begin anew, or serve the story it was made from."
            raise StoryError(message)

    def _last_write(self) -> str | None:
        """The latest stamp that a write of an earlier run left; rows of the story were written by nobody."""
        tables = [o.name for o in objects.SCHEMA.values() if o.createable]
        latest = [self.tables.fetch(f'SELECT max(SystemModstamp) FROM "{name}" WHERE LastModifiedById IS NOT NULL')[0][0] for name in tables]
        return max((at for at in latest if at), default=None)

    def _integration_user(self) -> str:
        """The user the API runs as; it owns what is created without an owner."""
        user = objects.SCHEMA["user"]
        held = self.tables.find(user, "Username", INTEGRATION_USER)
        if held:
            return str(held[0]["Id"])
        at = self.clock.stamp()
        stamps = {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
        name = {"LastName": "Integration", "FirstName": "Undertone", "Name": "Undertone Integration"}
        return self.tables.insert(user, {"Username": INTEGRATION_USER, "Email": INTEGRATION_USER, "IsActive": True, "UserType": "Standard", **name, **stamps})


def attributes(object_name: str, row_id: str, version: str) -> dict[str, str]:
    return {"type": object_name, "url": f"/services/data/v{version}/sobjects/{object_name}/{row_id}"}


def as_record(sobject: SObject, row: Row, version: str, only: Iterable[str] = ()) -> Row:
    """One row as `GET sobjects/...` answers it: all its visible fields, or `only` some. Raises Refusal: INVALID_FIELD."""
    fields = [sobject.field(name) for name in only] or list(sobject.fields.values())
    if None in fields:
        raise Refusal("INVALID_FIELD", f"No such column in {', '.join(only)} on entity '{sobject.name}'")
    return {"attributes": attributes(sobject.name, row["Id"], version), **{f.name: row[f.name] for f in fields if f}}


def _record(plan: sql.Plan, row: tuple[Any, ...], version: str) -> Row:
    count = len(plan.columns)
    record: Row = {"attributes": attributes(plan.sobject.name, row[1], version)}
    for (relationship, object_name), parent_id in zip(plan.parents, row[2 + count :], strict=True):
        record[relationship] = None if parent_id is None else {"attributes": attributes(object_name, parent_id, version)}
    for column, value in zip(plan.columns, row[2 : 2 + count], strict=True):
        shown = bool(value) if column.is_flag else value
        if column.relationship is None:
            record[column.name] = shown
        elif record[column.relationship] is not None:
            record[column.relationship][column.name] = shown
    return record


def full_id(text: str) -> str:
    """The 18 characters of an id in an address. Raises Refusal."""
    try:
        return ids.full_id(text)
    except ValueError as error:
        raise not_found("Provided external ID field does not exist or is not accessible") from error


def _opened(state: Path | None) -> Tables:
    try:
        return Tables(objects.SCHEMA, state)
    except sqlite3.Error as error:
        message = f"{state} cannot be used as a state file: {error}. Give another path, or delete it to begin anew."
        raise StoryError(message) from error
