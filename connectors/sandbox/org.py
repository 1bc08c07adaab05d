"""The org: its rows, who sees what of them, and the queries over them."""

from __future__ import annotations

import sqlite3
import threading
import time
from array import array
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from connectors.sandbox import clock, ids, objects, sql, story
from connectors.sandbox.auth import Credentials, Tokens
from connectors.sandbox.bulk_jobs import Jobs
from connectors.sandbox.clock import Clock, Now
from connectors.sandbox.counters import Counters
from connectors.sandbox.cursors import Cursor, Cursors, attributes, record, rows_of
from connectors.sandbox.errors import Refusal, StoryError, not_found
from connectors.sandbox.faults import Faults
from connectors.sandbox.rules import ValidationRule
from connectors.sandbox.schema import Options, Schema, SObject, visible
from connectors.sandbox.soql import Comparison, Query
from connectors.sandbox.soql_parser import parse
from connectors.sandbox.tables import Row, Tables

__all__ = ["INTEGRATION_USER", "Org", "attributes", "full_id"]

INTEGRATION_USER = "undertone.integration@sandbox.example"


class Org:
    """Thread-safe. `options` may be replaced, and objects altered, while it runs: an admin has changed something."""

    def __init__(
        self,
        folder: Path,
        *,
        now: datetime | Now,
        options: Options | None = None,
        state: Path | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.story = story.read(folder)
        self.faults = Faults()
        self.clock = Clock(now, lambda: self.faults.skew)
        self.counters = Counters()
        self.tokens = tokens or Tokens(Credentials(), time.time)
        self.tokens.skew = lambda: self.faults.skew
        self.everything: Schema = objects.SCHEMA
        self.options = options or Options()
        self.tables = _opened(state)
        self.cursors = Cursors(self.tables)
        self.jobs = Jobs()
        self.validation_rules: list[ValidationRule] = []
        self._burst: str | None = None
        self._burst_lock = threading.Lock()
        self._fill(state)
        self.clock.go_on_after(self._last_write())
        self.user_id = self._integration_user()

    @property
    def options(self) -> Options:
        return self._options

    @options.setter
    def options(self, options: Options) -> None:
        self._options = options
        self.schema: Schema = visible(self.everything, options)

    def alter(self, sobject: SObject) -> None:
        """An admin has changed this object: from now on it is `sobject`."""
        self.everything = {**self.everything, sobject.name.lower(): sobject}
        self.options = self._options

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
        if found is None or not self.tables.is_shared(sobject, found["Id"]):
            raise not_found()
        if found.get("IsDeleted"):
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return found

    def record(self, sobject: SObject, row_id: str, version: str, only: Iterable[str] = ()) -> Row:
        """One live row as `GET sobjects/...` answers it: all its visible fields, or `only` some. Raises Refusal."""
        found = self.row(sobject, row_id)
        fields = tuple(dict.fromkeys(only)) or tuple(f.name for f in sobject.fields.values())
        plan = self.planner(deleted=True).plan(Query(fields=fields, object=sobject.name, where=Comparison("Id", "=", found["Id"])))
        number = self.tables.fetch(f'SELECT _number FROM "{sobject.name}" WHERE Id = ? AND _until IS NULL', (found["Id"],))[0][0]
        return next(record(plan, row, version) for _, row in rows_of(self.tables, plan, array("q", [number])))

    def planner(self, *, deleted: bool) -> sql.Planner:
        return sql.Planner(schema=self.schema, everything=self.everything, empty=self.options.empty, deleted=deleted, now=self.clock.now())

    def query(self, text: str, *, deleted: bool, version: str, page_size: int | None = None, most: int | None = None) -> Row:
        """The first page. `deleted`: with the rows in the recycle bin and the archive. `most`: see Cursors.first."""
        query = parse(text)
        planner = self.planner(deleted=deleted)
        if query.aggregates:
            return self._summed(planner.summary(query))
        plan = planner.plan(query)
        numbers = self.numbers(plan)
        if query.counts:
            return {"totalSize": len(numbers), "done": True, "records": []}
        options = self.options
        size = min(page_size or options.page_size, options.page_size)
        cursor = Cursor(plan=plan, numbers=numbers, page_size=size, characters=options.page_characters, uneven=options.uneven_pages)
        return self.cursors.first(cursor, version, most)

    def query_more(self, locator: str, version: str, most: int | None = None) -> Row:
        """The page that `nextRecordsUrl` names. Raises Refusal: INVALID_QUERY_LOCATOR."""
        return self.cursors.more(locator, version, most)

    def numbers(self, plan: sql.Plan) -> array[int]:
        """The numbers of the rows that a query finds, in its order."""
        return array("q", (number for (number,) in self.tables.fetch(plan.numbers, plan.parameters)))

    def forget_cursors(self) -> None:
        """As after two days: every nextRecordsUrl is dead."""
        self.cursors.forget()

    def stamp(self, object_name: str) -> tuple[str, str | None]:
        """The time of a write, and from when on queries see it if that is later."""
        with self._burst_lock:
            burst = self.faults.hits("equal_stamps", object_name)
            at = self._burst if burst and self._burst else self.clock.stamp()
            self._burst = at if burst else None
        late = self.faults.hits("late_visible", object_name)
        return at, clock.wire(clock.from_wire(at) + timedelta(seconds=late.seconds)) if late else None

    def close(self) -> None:
        self.tables.close()

    def _summed(self, summary: sql.Summary) -> Row:
        rows = self.tables.fetch(summary.statement, summary.parameters)
        names = [c.name for c in summary.columns]
        flags = {c.name for c in summary.columns if c.type == "boolean"}
        records = [{"attributes": {"type": "AggregateResult"}} | {n: bool(v) if n in flags else v for n, v in zip(names, row, strict=True)} for row in rows]
        return {"totalSize": len(records), "done": True, "records": records}

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
