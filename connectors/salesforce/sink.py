"""Writes tasks. Two ways: by a unique key in batches, or, where the org has no such field, one by one after a search."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from connectors.base import Change, Outcome, Task
from connectors.errors import Misconfigured, StreamUnavailable
from connectors.records import TaskState
from connectors.salesforce import soql
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.faults import Refused, error_of
from connectors.salesforce.interactions import key_in, state
from connectors.salesforce.keys import KeyField, key_field
from connectors.salesforce.plan import Planner
from connectors.salesforce.row import Row
from connectors.salesforce.schema import Schema, Table
from connectors.salesforce.several import LIST_ROOM, SeveralQueries
from connectors.salesforce.writes import Writer

_STATE = {
    "modified_at": "SystemModstamp",
    "deleted": "IsDeleted",
    "is_closed": "IsClosed",
    "status": "Status",
    "owner_key": "OwnerId",
    "edited_by_key": "LastModifiedById",
    "subject": "Subject",
    "description": "Description",
}


class SalesforceSink:
    def __init__(
        self, client: Client, config: SalesforceConfig, *, pause: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._config = config
        self._pause = pause
        self._clock = clock
        self._schema = Schema(client)
        self._several = SeveralQueries(client, config.api_version)
        self._planner: Planner | None = None
        self._user: str | None = None

    @property
    def guarded(self) -> bool:
        return self._key().way != "keyed"

    @property
    def user_key(self) -> str | None:
        """The user that we write as; None where the org does not tell."""
        if self._user is None:
            identity = str((self._client.get("") or {}).get("identity") or "")
            self._user = identity.rpartition("/")[2]
        return self._user if self._user.startswith("005") else None

    def plan(self, tasks: Sequence[Task], found: Mapping[str, TaskState | None]) -> Sequence[Change]:
        planner = self._ready()
        return [planner.change(task, found.get(task.key)) for task in tasks]

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        writer = Writer(self._client, self._key(), search=self.found_before_create, lookup=self.lookup, pause=self._pause, clock=self._clock)
        return writer.apply(changes)

    def lookup(self, keys: Sequence[str]) -> Mapping[str, TaskState | None]:
        """Tasks in the recycle bin as well: one that a person deleted is not to come back."""
        wanted = set(keys)
        found: dict[str, TaskState | None] = dict.fromkeys(keys)
        for task in self._states(self._conditions(keys)):
            if task.key in wanted:
                found[task.key] = _standing(found[task.key], task)
        return found

    def found_before_create(self, change: Change) -> TaskState | None:
        """The last look before a task is made without a unique key."""
        key = self._key()
        account = change.fields.get("WhatId")
        where = f"{key.name} = {soql.literal(change.key)}" if key.name else f"WhatId = {soql.literal(str(account)) if account else 'null'}"
        found: TaskState | None = None
        for task in self._states(iter([where])):
            found = _standing(found, task) if task.key == change.key else found
        return found

    def _conditions(self, keys: Sequence[str]) -> Iterator[str]:
        key = self._key()
        if key.name:
            yield from (f"{key.name} IN {listed}" for listed in soql.lists(keys, LIST_ROOM))
        elif keys:
            # A description cannot be searched by, but who made a task can.
            yield f"CreatedById = {soql.literal(self.user_key)}" if self.user_key else "Id != null"

    def _states(self, conditions: Iterator[str]) -> Iterator[TaskState]:
        columns = {**_STATE, **self._own_columns()}
        queries = (soql.select(["Id", *columns.values()], "Task", where, soql.ORDER) for where in conditions)
        try:
            for raw in self._several.rows(queries):
                ours = _ours(Row(raw, columns))
                if ours is not None:
                    yield ours
        except Refused as refused:
            raise error_of(refused.fault, "Task") from None

    def _own_columns(self) -> dict[str, str]:
        key = self._key()
        feedback = self._task().column(self._config.feedback_field)
        return {**({"task_key": key.name} if key.name else {}), **({"feedback": feedback.name} if feedback else {})}

    def _ready(self) -> Planner:
        if self._planner is None:
            inactive = frozenset(str(r["Id"]) for r in self._client.rows("SELECT Id FROM User WHERE IsActive = false"))
            self._planner = Planner(table=self._task(), key=self._key(), inactive=inactive, fallback_owner=self._config.fallback_owner)
        return self._planner

    def _key(self) -> KeyField:
        return key_field(self._task(), self._config)

    def _task(self) -> Table:
        try:
            return self._schema.table("Task")
        except StreamUnavailable as error:
            message = f"No task can be written: {error}"
            raise Misconfigured(message) from None


def _ours(row: Row) -> TaskState | None:
    key = row.text("task_key") or key_in(row.text("description"))
    if key is None:
        return None
    return replace(state(row, key), subject=row.text("subject"), description=row.text("description"))


def _standing(held: TaskState | None, other: TaskState) -> TaskState:
    """Of several tasks with one key, the one that still stands."""
    return other if held is None or (held.deleted and not other.deleted) else held
