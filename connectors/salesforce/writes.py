"""The calls that write tasks, and what came of each row."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.base import Change, Outcome
from connectors.batches import batches
from connectors.errors import ConnectorError, Misconfigured, Retriable, UnknownOutcome
from connectors.jitter import jitter
from connectors.records import TaskState
from connectors.salesforce.aims import Aims
from connectors.salesforce.client import Client
from connectors.salesforce.faults import Fault, Refused, error_of, fault_of, outcome_of
from connectors.salesforce.keys import KeyField
from connectors.salesforce.plan import NO_OWNER, TaskChange

MOST_ROWS = 200
"""Of one call, Salesforce's own limit."""
LOCK_SECONDS = (1.0, 3.0)
"""Before the second and third try of rows that somebody else holds."""
INSERT_WITHIN = 45.0
"""Seconds. A single writer's claim holds a little more than this and the longest write together: whoever was held up lets go."""

_LOCKED = frozenset({"UNABLE_TO_LOCK_ROW"})
_LOST = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_GONE = _LOST | {"NOT_FOUND"}
_IDLE_OWNER = frozenset({"INACTIVE_OWNER_OR_USER", "OPERATION_WITH_INACTIVE_USER_EXCEPTION"})
_TAKEN = frozenset({"DUPLICATE_VALUE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Salesforce's answer to one row; `errors` as it gave them."""

    key: str
    remote_id: str | None
    created: bool
    errors: tuple[Any, ...] = ()

    def has(self, codes: Collection[str], field: str | None = None) -> bool:
        faults = [fault_of(e) for e in self.errors]
        return any(f.code in codes and (field is None or field in f.fields) for f in faults)

    @property
    def outcome(self) -> Outcome:
        if self.errors:
            return outcome_of(self.key, self.errors)
        return Outcome(key=self.key, status="ok", remote_id=self.remote_id, created=self.created)


Send = Callable[[Sequence[TaskChange]], list[Written]]
Mended = TaskChange | Outcome | None
"""Of a refused row: what to send instead, at once; what it came to; or nothing but the refusal."""


class Writer:
    """Writes once: made for one `apply`.

    `search` finds a task by key just before it is made where the org itself would take a second one; `lookup` finds several.
    """

    def __init__(
        self,
        client: Client,
        key: KeyField,
        *,
        search: Callable[[Change], TaskState | None],
        lookup: Callable[[Sequence[str]], Mapping[str, TaskState | None]],
        pause: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._key = key
        self._search = search
        self._lookup = lookup
        self._pause = pause
        self._clock = clock
        self._began = clock()
        self._aims = Aims(client)
        self._answered = False
        self._refused: Retriable | None = None

    def apply(self, changes: Sequence[Change]) -> list[Outcome]:
        """Raises ConnectorError only while nothing has been written: what has been is told."""
        done = {c.key: Outcome(key=c.key, status="ok", remote_id=c.remote_id) for c in changes if c.action == "skip"}
        done |= {c.key: _permanent(c.key, NO_OWNER) for c in changes if c.reason == NO_OWNER}
        # A key twice in one call would be refused both times.
        creates = {c.key: _as_task_change(c) for c in changes if c.action == "create" and c.key not in done}
        updates = {c.key: _as_task_change(c) for c in changes if c.action == "update"}
        keyed = self._key.way == "keyed"
        for batch in batches(creates.values(), MOST_ROWS if keyed else 1):
            done |= self._written(batch, self._upsert if keyed else self._insert)
        for batch in batches(updates.values(), MOST_ROWS):
            done |= self._written(batch, self._update)
        return [done[c.key] for c in changes]

    def _written(self, batch: Sequence[TaskChange], send: Send) -> dict[str, Outcome]:
        """Each row by itself: a locked one is sent again after a pause, one that can be mended at once, and no other with it."""
        done: dict[str, Outcome] = {}
        todo, waits = list(batch), iter(LOCK_SECONDS)
        while todo:
            try:
                self._stop_if_refused()
                answers = send(todo)
                self._answered = True
                refused = [(c, a) for c, a in zip(todo, answers, strict=True) if a.errors]
                mended = self._mended(refused)
            except UnknownOutcome as error:
                self._answered = True
                return done | {c.key: Outcome(key=c.key, status="unknown", message=str(error)) for c in todo}
            except ConnectorError as error:
                return done | self._all_later(todo, error)
            done |= {a.key: a.outcome for a in answers} | {m.key: m for m in mended.values() if isinstance(m, Outcome)}
            todo = [m for m in mended.values() if isinstance(m, TaskChange)]
            locked = [c for c, a in refused if a.has(_LOCKED)]
            wait = next(waits, None) if locked else None
            if wait is not None:
                self._pause(wait * jitter())
                todo += locked
        return done

    def _mended(self, refused: Sequence[tuple[TaskChange, Written]]) -> dict[str, Mended]:
        """Every change that comes out of here has an owner or an aim less to lose than before, so this ends."""
        lost = [c for c, a in refused if c.action == "create" and not c.aimed and a.has(_LOST) and not a.has(_LOST, "OwnerId")]
        taken = [c for c, a in refused if c.action == "create" and a.has(_TAKEN)]
        mended: dict[str, Mended] = dict(self._aims.anew(lost))
        mended |= {c.key: _of_taken(c, found) for c, found in self._standing(taken)}
        mended |= {c.key: _inherited(c) for c, a in refused if c.action == "create" and (a.has(_IDLE_OWNER) or a.has(_LOST, "OwnerId"))}
        mended |= {c.key: _changed_meanwhile(c) for c, a in refused if c.action == "update" and a.has(_GONE)}
        return mended

    def _standing(self, taken: Sequence[TaskChange]) -> Iterator[tuple[TaskChange, TaskState | None]]:
        found = self._lookup([c.key for c in taken]) if taken else {}
        return ((c, found.get(c.key)) for c in taken)

    def _stop_if_refused(self) -> None:
        """The org has refused a whole call of this run: it would refuse the next one too."""
        if self._refused:
            raise self._refused

    def _all_later(self, changes: Iterable[TaskChange], error: ConnectorError) -> dict[str, Outcome]:
        """Of a call that came to nothing as a whole."""
        lasting = error_of(error.fault, "Tasks cannot be written") if isinstance(error, Refused) else error
        if not self._answered:
            raise lasting if isinstance(lasting, Retriable | Misconfigured) else Misconfigured(str(lasting)) from None
        self._refused = lasting if isinstance(lasting, Retriable) else Retriable(str(lasting))
        return {c.key: Outcome(key=c.key, status="retry", message=str(lasting), wait=self._refused.wait) for c in changes}

    def _upsert(self, changes: Sequence[TaskChange]) -> list[Written]:
        records = [{"attributes": {"type": "Task"}, **c.fields} for c in changes]
        return self._collection(f"composite/sobjects/Task/{self._key.name}", changes, records)

    def _update(self, changes: Sequence[TaskChange]) -> list[Written]:
        """By id: a task that was deleted a moment ago must not be made anew."""
        records = [{"attributes": {"type": "Task"}, "id": c.remote_id, **c.fields} for c in changes]
        return self._collection("composite/sobjects", changes, records)

    def _collection(self, path: str, changes: Sequence[TaskChange], records: Sequence[Mapping[str, Any]]) -> list[Written]:
        answers = self._client.write("PATCH", path, {"allOrNone": False, "records": records})
        if not isinstance(answers, list) or len(answers) != len(changes):
            message = "Salesforce's answer does not name every task that was sent; they are read back before anything is written again."
            raise UnknownOutcome(message)
        return [_row(c, a) for c, a in zip(changes, answers, strict=True)]

    def _insert(self, changes: Sequence[TaskChange]) -> list[Written]:
        return [self._inserted(c) for c in changes]

    def _inserted(self, change: TaskChange) -> Written:
        found = self._search(change)
        if found is not None:
            return Written(key=change.key, remote_id=found.remote_id, created=False)
        if self._clock() - self._began > INSERT_WITHIN:
            message = "Salesforce was slow to say whether the task is there already; it is looked for again before it is made."
            raise Retriable(message)
        try:
            return _row(change, {"created": True, **(self._client.write("POST", "sobjects/Task", change.fields) or {})})
        except Refused as refused:
            if _concerns_all(refused.fault):
                raise
            return Written(key=change.key, remote_id=None, created=False, errors=(_entry(refused.fault),))


def _concerns_all(fault: Fault) -> bool:
    """Not this task, but the object, the API or the org as it is just now."""
    return fault.rule.then == "missing" or fault.code.startswith("API_") or fault.code in ("UNSUPPORTED_API_VERSION", "UNKNOWN_EXCEPTION")


def _inherited(change: TaskChange) -> Mended:
    """For the next one who could own it."""
    if not change.heirs:
        return _permanent(change.key, NO_OWNER)
    return replace(change, fields={**change.fields, "OwnerId": change.heirs[0]}, heirs=change.heirs[1:])


def _of_taken(change: TaskChange, found: TaskState | None) -> Mended:
    """Another writer was faster. A task that holds the key and is not shown to us needs a person."""
    if found is not None and not found.deleted:
        return Outcome(key=change.key, status="ok", remote_id=found.remote_id)
    return _permanent(change.key, "a task that the connected user cannot see has its key already (DUPLICATE_VALUE). Widen the user's access to tasks.")


def _changed_meanwhile(change: TaskChange) -> Mended:
    return Outcome(key=change.key, status="retry", message=f"Task {change.key} was deleted just now; it is looked up again.")


def _permanent(key: str, why: str) -> Outcome:
    return Outcome(key=key, status="permanent", message=f"Task {key} was not written: {why}")


def _as_task_change(change: Change) -> TaskChange:
    if isinstance(change, TaskChange):
        return change
    return TaskChange(key=change.key, action=change.action, reason=change.reason, remote_id=change.remote_id, fields=change.fields)


def _row(change: TaskChange, answer: Any) -> Written:
    given: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    errors = tuple(given.get("errors") or ()) or (() if given.get("success") is True else (answer,))
    return Written(key=change.key, remote_id=given.get("id") or change.remote_id, created=given.get("created") is True, errors=errors)


def _entry(fault: Fault) -> dict[str, Any]:
    return {"statusCode": fault.code, "fields": list(fault.fields)}
