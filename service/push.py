"""Push: suggestions to tasks, each exactly once. Write `sending`, call the CRM outside any transaction, record what came of it.

A cut answer is `unknown` and resolved by reading the key. The key is unique inside the CRM as well, so that even a worker
whose lease has run out can only write the same task again. What nobody has tried to write yet is looked up ahead, many rows in one call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable
from uuid import UUID

from connectors.base import Change, Sink
from connectors.batches import batches
from connectors.errors import ConnectorError, Misconfigured, Parked, Retriable
from connectors.records import TaskState
from service import push_plan
from service.config import real_time, settings
from service.connect import known, open_sink, ready, stop
from service.errors import Conflict, Refused
from service.push_plan import Step
from service.push_results import LONGEST_WAIT, PushReport, Results
from service.store import audit_log, connections, outbox, streams
from service.store.connections import Connection
from service.store.outbox import Item, Result, Sending
from service.store.pool import transaction
from service.store.streams import GUARD
from service.task import Prepared, key_of, tasks_of

log = logging.getLogger("undertone.push")

BATCH = 200
AHEAD = 1_800
"""Keys that are looked up together: as many as a Salesforce call takes."""
GUARD_HOLD = timedelta(minutes=2)
"""Longer than a guarded sink may take from being told to make a task to the end of the longest write."""

Progress = Callable[[int], None]


@runtime_checkable
class Named(Protocol):
    """A sink that knows which of the CRM's users it writes as."""

    @property
    def user_key(self) -> str | None: ...


def push(workspace_id: UUID, connection_id: UUID, progress: Progress = lambda done: None) -> PushReport:
    """Pushes what is due on one connection. Nothing is pushed before a person has approved the connection."""
    with transaction(workspace_id) as db:
        connection = ready(db, connection_id)
        parked, due = connections.parked(db, connection_id), outbox.anything_due(db, connection_id)
    _mind_approval(connection)
    report = PushReport()
    if parked:
        report.messages.append(f"{connection.name} waits, and goes on by itself: {parked}")
    if parked or not due:
        return report
    try:
        sink = _sink(workspace_id, connection)
        run = _Run(workspace_id=workspace_id, connection_id=connection_id, sink=sink, results=Results(workspace_id, report))
        if sink.guarded:
            _push_guarded(run, progress)
        else:
            _push_all(run, progress)
    except ConnectorError as error:
        report.messages.append(str(error))
        _react(workspace_id, connection, error)
    log.info("pushed", extra={"connection": connection.name, "new": report.created, "updated": report.updated, "skipped": report.skipped})
    return report


def preview(workspace_id: UUID, connection_id: UUID) -> list[Change]:
    """Exactly what a push would write now. Reads only."""
    with transaction(workspace_id) as db:
        connection, items = known(db, connection_id), outbox.waiting_items(db, connection_id)
    if not items:
        return []
    run = _Run(workspace_id=workspace_id, connection_id=connection_id, sink=_sink(workspace_id, connection), results=Results(workspace_id), looks_ahead=False)
    return [step.change for batch in batches(items, AHEAD) for step in run.steps(batch)]


def approve(workspace_id: UUID, connection_id: UUID, now: datetime, by: str = audit_log.COMMAND_LINE) -> None:
    with transaction(workspace_id) as db:
        if connections.approve_push(db, connection_id, now):
            audit_log.write(db, real_time(), by, "approve tasks", known(db, connection_id).name)


def withdraw(workspace_id: UUID, connection_id: UUID, by: str = audit_log.COMMAND_LINE) -> None:
    """No task is written or changed any more until somebody approves anew; those that are there stay as they are."""
    with transaction(workspace_id) as db:
        if connections.withdraw_push(db, connection_id):
            audit_log.write(db, real_time(), by, "withdraw tasks", known(db, connection_id).name)


def retry(workspace_id: UUID, connection_id: UUID, by: str = audit_log.COMMAND_LINE) -> int:
    """What the CRM refused for good, or what was given up, is due once more: a person has mended something. Returns how many."""
    with transaction(workspace_id) as db:
        found = outbox.revive(db, connection_id)
        if found:
            audit_log.write(db, real_time(), by, "retry tasks", known(db, connection_id).name, after={"tasks": found})
        return found


@dataclass(slots=True, kw_only=True)
class _Run:
    workspace_id: UUID
    connection_id: UUID
    sink: Sink
    results: Results
    looks_ahead: bool = True
    still_mine: Callable[[], bool] | None = None
    """Given where only one writer may work at a time: whether this one still is it."""

    def batch(self, items: Sequence[Item]) -> None:
        """Raises ConnectorError where the CRM cannot be asked; then the rows wait, and what came of the others is recorded."""
        try:
            steps = self.steps(items)
        except ConnectorError as error:
            self._put_off(items, error)
            raise
        writes, rest = [s for s in steps if s.then == "write"], [s for s in steps if s.then != "write"]
        self._record([self.results.of_rest(s) for s in rest])
        self._send(writes)

    def steps(self, items: Sequence[Item]) -> list[Step]:
        """What to do with each, in their order. Asks the CRM as little as it can."""
        keys = {i.suggestion_id: key_of(self.workspace_id, i.suggestion_id) for i in items}
        prepared = tasks_of(self.workspace_id, list(keys))
        steps = {i.suggestion_id: s for i in items if (s := push_plan.settled(i, keys[i.suggestion_id], prepared[i.suggestion_id]))}
        written = [i for i in items if i.suggestion_id not in steps and i.status == "sent"]
        planned = self._planned(written, prepared, {})
        steps |= {i.suggestion_id: s for i in written if (s := push_plan.unchanged(i, planned[keys[i.suggestion_id]], prepared[i.suggestion_id]))}
        left = [i for i in items if i.suggestion_id not in steps]
        found = self._found([(i, keys[i.suggestion_id]) for i in left])
        planned = self._planned(left, prepared, found)
        for item in left:
            key = keys[item.suggestion_id]
            steps[item.suggestion_id] = push_plan.step(item, planned[key], prepared[item.suggestion_id], found.get(key), self._we(item, found.get(key)))
        return [steps[i.suggestion_id] for i in items]

    def _planned(self, items: Sequence[Item], prepared: Mapping[UUID, Prepared], found: Mapping[str, TaskState | None]) -> Mapping[str, Change]:
        tasks = [task for i in items if (task := prepared[i.suggestion_id].task)]
        return {c.key: c for c in self.sink.plan(tasks, found)} if tasks else {}

    def _found(self, wanted: Sequence[tuple[Item, str]]) -> Mapping[str, TaskState | None]:
        """What stands in the CRM. Of rows that nobody has taken before it may have been asked a while ago, and then there was nothing."""
        keys = [key for item, key in wanted if not item.absent]
        if not keys:
            return {}
        if not self.looks_ahead:
            return self.sink.lookup(keys)
        with transaction(self.workspace_id) as db:
            at, following = outbox.ahead(db, self.connection_id, AHEAD - len(keys))
        ahead = {key_of(self.workspace_id, s): s for s in following}
        found = self.sink.lookup([*keys, *ahead])
        absent = [s for key, s in ahead.items() if found.get(key) is None]
        if absent:
            with transaction(self.workspace_id) as db:
                outbox.note_absent(db, self.connection_id, absent, at)
        return found

    def _we(self, item: Item, shown: TaskState | None) -> str | None:
        """Asked for only where the ledger does not know what we wrote."""
        if shown is None or item.payload_sha256 or item.sending_sha256 or not isinstance(self.sink, Named):
            return None
        return self.sink.user_key

    def _send(self, writes: Sequence[Step]) -> None:
        if not writes:
            return
        marks = [Sending(suggestion_id=s.item.suggestion_id, fence=s.item.fence, key=s.change.key, sha256=s.sha256, standing=s.standing) for s in writes]
        with transaction(self.workspace_id) as db:
            held = outbox.mark_sending(db, self.connection_id, marks, settings().push_lease)
        to_send = [s for s in writes if s.item.suggestion_id in held]
        for part in [to_send] if self.still_mine is None else [[s] for s in to_send]:
            if not part or (self.still_mine and not self.still_mine()):
                return
            self._send_part(part, to_send[to_send.index(part[0]) :])

    def _send_part(self, part: Sequence[Step], unsent: Sequence[Step]) -> None:
        try:
            outcomes = self.sink.apply([s.change for s in part])
        except ConnectorError as error:
            self._put_off([s.item for s in unsent], error)
            raise
        self._record([self.results.of_outcome(s, o, guarded=self.still_mine is not None) for s, o in zip(part, outcomes, strict=True)])

    def _put_off(self, items: Sequence[Item], error: ConnectorError) -> None:
        """Nothing of these was written. Whether a task of theirs is in the CRM is as uncertain as before."""
        if isinstance(error, Retriable) and not isinstance(error, Parked):
            self._record([self.results.later(i, str(error), wait=error.wait) for i in items])
            return
        with transaction(self.workspace_id) as db:
            outbox.give_back(db, self.connection_id, items)

    def _record(self, results: Sequence[Result]) -> None:
        if results:
            with transaction(self.workspace_id) as db:
                outbox.record(db, self.connection_id, results)


def _mind_approval(connection: Connection) -> None:
    if connection.push_approved_at is None:
        message = (
            f"Nothing has been pushed to {connection.name}: a person must look first. "
            f"`undertone push --preview` shows what would be written, `undertone push --approve` says yes."
        )
        raise Refused(message)


def _sink(workspace_id: UUID, connection: Connection) -> Sink:
    sink = open_sink(workspace_id, connection)
    if sink is None:
        message = f"Connection {connection.name} ({connection.connector}) only delivers; tasks cannot be written to it."
        raise Conflict(message)
    return sink


def _react(workspace_id: UUID, connection: Connection, error: ConnectorError) -> None:
    """What concerns the connection as a whole is written on it. Anything else passes, and the rows wait."""
    if isinstance(error, Misconfigured):
        stop(workspace_id, connection, error)
    elif isinstance(error, Parked):
        with transaction(workspace_id) as db:
            connections.park(db, connection.connection_id, error.wait or LONGEST_WAIT, str(error))


def _push_guarded(run: _Run, progress: Progress) -> None:
    """Without a unique field in the CRM only one writer may work at a time, and asks before each task whether it still is the one."""
    with transaction(run.workspace_id) as db:
        lease = streams.lease(db, run.connection_id, GUARD, GUARD_HOLD)
    if lease is None:
        run.results.report.messages.append("Another run is writing to this CRM; this one waits for the next turn.")
        return

    def still_mine() -> bool:
        with transaction(run.workspace_id) as db:
            return streams.advance(db, run.connection_id, GUARD.name, lease.fence, None, 0, GUARD_HOLD)

    run.still_mine = still_mine
    try:
        _push_all(run, progress)
    finally:
        with transaction(run.workspace_id) as db:
            streams.give_back(db, run.connection_id, GUARD.name, lease.fence)


def _push_all(run: _Run, progress: Progress) -> None:
    done = 0
    while run.still_mine is None or run.still_mine():
        with transaction(run.workspace_id) as db:
            items = outbox.lease(db, run.connection_id, BATCH, settings().push_lease)
        if not items:
            break
        run.batch(items)
        done += len(items)
        progress(done)
    if run.results.report.created + run.results.report.updated and isinstance(run.sink, Named) and (user := run.sink.user_key):
        with transaction(run.workspace_id) as db:
            outbox.acts_as(db, run.connection_id, user)
