"""The calls that write tasks, and what came of each row."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from connectors.base import Change, Outcome
from connectors.errors import Misconfigured, Retriable, UnknownOutcome
from connectors.records import TaskState
from connectors.salesforce import soql
from connectors.salesforce.client import Client
from connectors.salesforce.faults import Fault, Refused, error_of, fault_of, outcome_of
from connectors.salesforce.keys import KeyField

MOST_ROWS = 200
"""Of one call, Salesforce's own limit."""
LOCK_SECONDS = (1.0, 3.0)
"""Before the second and third try of rows that somebody else holds."""
_LOST_TARGET = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_MOST_MERGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Salesforce's answer to one row; `errors` as it gave them."""

    key: str
    remote_id: str | None
    created: bool
    errors: tuple[Any, ...]

    def has(self, codes: Collection[str]) -> bool:
        return any(fault_of(e).code in codes for e in self.errors)

    @property
    def outcome(self) -> Outcome:
        if self.errors:
            return outcome_of(self.key, self.errors)
        return Outcome(key=self.key, status="ok", remote_id=self.remote_id, created=self.created)


Send = Callable[[Sequence[Change]], list[Written]]


class Writer:
    """`search` finds a task by key just before it is made where the org itself would take a second one."""

    def __init__(self, client: Client, key: KeyField, pause: Callable[[float], None], search: Callable[[Change], TaskState | None]) -> None:
        self._client = client
        self._key = key
        self._pause = pause
        self._search = search

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        done = {c.key: Outcome(key=c.key, status="ok", remote_id=c.remote_id) for c in changes if c.action == "skip"}
        # A key twice in one call would be refused both times.
        creates = list({c.key: c for c in changes if c.action == "create"}.values())
        updates = list({c.key: c for c in changes if c.action == "update"}.values())
        keyed = self._key.way == "keyed"
        for batch in _batches(creates, MOST_ROWS if keyed else 1):
            done |= self._written(batch, self._upsert if keyed else self._insert)
        for batch in _batches(updates, MOST_ROWS):
            done |= self._written(batch, self._update)
        return [done[c.key] for c in changes]

    def _written(self, batch: Sequence[Change], send: Send) -> dict[str, Outcome]:
        """Each row by itself: a locked one is sent again alone, one whose target was merged goes to where that is today."""
        done: dict[str, Outcome] = {}
        todo = list(batch)
        for wait in (*LOCK_SECONDS, None):
            try:
                answers = send(todo)
            except UnknownOutcome as error:
                return done | {c.key: Outcome(key=c.key, status="unknown", message=str(error)) for c in todo}
            except (Retriable, Refused) as error:
                return done | _all_later(todo, error)
            done |= {a.key: a.outcome for a in answers}
            lost = [c for c, a in zip(todo, answers, strict=True) if c.action == "create" and a.has(_LOST_TARGET)]
            aimed = [self._aimed_anew(c) for c in lost]
            done |= {a.key: a for a in aimed if isinstance(a, Outcome)}
            locked = [c for c, a in zip(todo, answers, strict=True) if a.has(("UNABLE_TO_LOCK_ROW",))]
            todo = locked + [a for a in aimed if isinstance(a, Change)]
            if not todo or wait is None:
                break
            self._pause(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, guards nothing
        return done

    def _upsert(self, changes: Sequence[Change]) -> list[Written]:
        records = [{"attributes": {"type": "Task"}, **c.fields} for c in changes]
        return self._collection(f"composite/sobjects/Task/{self._key.name}", changes, records)

    def _update(self, changes: Sequence[Change]) -> list[Written]:
        """By id: a task that was deleted a moment ago must not be made anew."""
        records = [{"attributes": {"type": "Task"}, "id": c.remote_id, **c.fields} for c in changes]
        return self._collection("composite/sobjects", changes, records)

    def _collection(self, path: str, changes: Sequence[Change], records: Sequence[Mapping[str, Any]]) -> list[Written]:
        answers = self._client.write("PATCH", path, {"allOrNone": False, "records": records})
        if not isinstance(answers, list) or len(answers) != len(changes):
            message = "Salesforce's answer does not name every task that was sent; they are read back before anything is written again."
            raise UnknownOutcome(message)
        return [_row(c, a) for c, a in zip(changes, answers, strict=True)]

    def _insert(self, changes: Sequence[Change]) -> list[Written]:
        return [self._inserted(c) for c in changes]

    def _inserted(self, change: Change) -> Written:
        found = self._search(change)
        if found is not None:
            return Written(key=change.key, remote_id=found.remote_id, created=False, errors=())
        try:
            return _row(change, {"created": True, **(self._client.write("POST", "sobjects/Task", change.fields) or {})})
        except Refused as refused:
            return Written(key=change.key, remote_id=None, created=False, errors=(_entry(refused.fault),))

    def _aimed_anew(self, change: Change) -> Change | Outcome:
        """At the account and contact that were merged into; without the contact if there is none any more."""
        fields = dict(change.fields)
        try:
            account = self._today("Account", fields.get("WhatId"))
            contact = self._today("Contact", fields.pop("WhoId", None))
        except (Retriable, Refused) as error:
            return _all_later([change], error)[change.key]
        fields |= {"WhatId": account, **({"WhoId": contact} if contact else {})}
        if account is None or fields == change.fields:
            return outcome_of(change.key, [_entry(Fault(code="INVALID_CROSS_REFERENCE_KEY"))])
        return replace(change, fields=fields)

    def _today(self, table: str, key: object) -> str | None:
        """The record that this one is now. None if it is gone."""
        for _ in range(_MOST_MERGES):
            query = soql.select(["Id", "IsDeleted", "MasterRecordId"], table, f"Id = {soql.literal(str(key))}")
            row = next(self._client.rows(query, deleted=True), None) if key else None
            if row is None:
                return None
            if not row["IsDeleted"]:
                return str(row["Id"])
            key = row["MasterRecordId"]
        return None


def _batches(changes: Sequence[Change], size: int) -> Iterator[list[Change]]:
    rest = iter(changes)
    while batch := list(islice(rest, size)):
        yield batch


def _row(change: Change, answer: Any) -> Written:
    given: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    errors = tuple(given.get("errors") or ()) or (() if given.get("success") is True else (answer,))
    return Written(key=change.key, remote_id=given.get("id") or change.remote_id, created=given.get("created") is True, errors=errors)


def _entry(fault: Fault) -> dict[str, Any]:
    return {"statusCode": fault.code, "fields": list(fault.fields)}


def _all_later(changes: Iterable[Change], error: Retriable | Refused) -> dict[str, Outcome]:
    """Of a call that was refused as a whole. Raises Misconfigured if a person must act, because the next call would fare no better."""
    lasting = error_of(error.fault, "Tasks cannot be written") if isinstance(error, Refused) else error
    if not isinstance(lasting, Retriable):
        raise Misconfigured(str(lasting)) from None
    return {c.key: Outcome(key=c.key, status="retry", message=str(lasting), wait=lasting.wait) for c in changes}
