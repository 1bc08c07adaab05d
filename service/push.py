"""Push: suggestions to tasks, each exactly once. Write `sending`, call the CRM outside any transaction, record what came of it.

A cut answer is `unknown` and resolved by reading the key. The key is unique inside the CRM as well, so that even a worker
whose lease has run out can only write the same task again.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from connectors.base import Change, Outcome, Sink, Stream
from connectors.errors import ConnectorError, Misconfigured
from connectors.records import TaskState
from service.config import settings
from service.connect import open_sink
from service.errors import Conflict, NotFound, Refused
from service.store import connections, outbox
from service.store.connections import Connection
from service.store.outbox import Item, Result
from service.store.pool import transaction
from service.task import key_of, tasks_of

log = logging.getLogger("undertone.push")

BATCH = 200
MOST_ATTEMPTS = 10
LONGEST_WAIT = timedelta(minutes=10)
GUARD = Stream(name="push")

Progress = Callable[[int], None]


@dataclass(slots=True)
class PushReport:
    created: int = 0
    updated: int = 0
    skipped: int = 0
    waiting: int = 0
    failed: int = 0
    messages: list[str] = field(default_factory=list)


def push(workspace_id: UUID, connection_id: UUID, progress: Progress = lambda done: None) -> PushReport:
    """Pushes what is due on one connection. Nothing is pushed before a person has approved the connection."""
    connection = _ready(workspace_id, connection_id)
    sink = _sink(workspace_id, connection)
    report = PushReport()
    try:
        if sink.guarded:
            _push_guarded(workspace_id, connection_id, sink, report, progress)
        else:
            _push_all(workspace_id, connection_id, sink, report, progress)
    except Misconfigured as error:
        with transaction(workspace_id) as db:
            connections.set_status(db, connection_id, "misconfigured", str(error))
        report.messages.append(str(error))
    except ConnectorError as error:  # the CRM cannot be asked right now; the rows wait
        report.messages.append(str(error))
    log.info("pushed", extra={"connection": connection.name, "new": report.created, "updated": report.updated, "skipped": report.skipped})
    return report


def preview(workspace_id: UUID, connection_id: UUID) -> list[Change]:
    """Exactly what a push would write now. Reads only."""
    with transaction(workspace_id) as db:
        connection = connections.get(db, connection_id)
        waiting = outbox.waiting(db, connection_id)
    if connection is None:
        raise _no_such_connection()
    tasks = tasks_of(workspace_id, waiting)
    sink = _sink(workspace_id, connection)
    found = sink.lookup([key_of(workspace_id, s) for s in tasks])
    return list(sink.plan(list(tasks.values()), found))


def approve(workspace_id: UUID, connection_id: UUID, now: datetime) -> None:
    with transaction(workspace_id) as db:
        connections.approve_push(db, connection_id, now)


def _ready(workspace_id: UUID, connection_id: UUID) -> Connection:
    with transaction(workspace_id) as db:
        connection = connections.get(db, connection_id)
    if connection is None:
        raise _no_such_connection()
    if connection.status != "active":
        message = f"Connection {connection.name} is {connection.status}: {connection.status_reason}. Mend that and connect again."
        raise Conflict(message)
    if connection.push_approved_at is None:
        message = (
            f"Nothing has been pushed to {connection.name}: a person must look first. "
            f"`undertone push --preview` shows what would be written, `undertone push --approve` says yes."
        )
        raise Refused(message)
    return connection


def _sink(workspace_id: UUID, connection: Connection) -> Sink:
    sink = open_sink(workspace_id, connection)
    if sink is None:
        message = f"Connection {connection.name} ({connection.connector}) only delivers; tasks cannot be written to it."
        raise Conflict(message)
    return sink


def _push_guarded(workspace_id: UUID, connection_id: UUID, sink: Sink, report: PushReport, progress: Progress) -> None:
    """Without a unique field in the CRM only one writer may work at a time."""
    with transaction(workspace_id) as db:
        leased = connections.lease_stream(db, connection_id, GUARD, settings().push_lease * 2)
    if leased is None:
        report.messages.append("Another run is writing to this CRM; this one waits for the next turn.")
        return
    fence = leased[0]

    def still_mine() -> bool:
        with transaction(workspace_id) as db:
            return connections.advance_stream(db, connection_id, GUARD.name, fence, None, 0, settings().push_lease * 2)

    try:
        _push_all(workspace_id, connection_id, sink, report, progress, still_mine)
    finally:
        with transaction(workspace_id) as db:
            connections.release_stream(db, connection_id, GUARD.name, fence, until=None, error=None)


def _push_all(
    workspace_id: UUID,
    connection_id: UUID,
    sink: Sink,
    report: PushReport,
    progress: Progress,
    still_mine: Callable[[], bool] = lambda: True,
) -> None:
    done = 0
    while still_mine():
        with transaction(workspace_id) as db:
            items = outbox.lease(db, connection_id, BATCH, settings().push_lease)
        if not items:
            return
        results = _push_batch(workspace_id, connection_id, sink, items, report, still_mine)
        with transaction(workspace_id) as db:
            outbox.record(db, connection_id, results)
        done += len(items)
        progress(done)


def _push_batch(workspace_id: UUID, connection_id: UUID, sink: Sink, items: Sequence[Item], report: PushReport, still_mine: Callable[[], bool]) -> list[Result]:
    tasks = tasks_of(workspace_id, [i.suggestion_id for i in items])
    keys = {i.suggestion_id: key_of(workspace_id, i.suggestion_id) for i in items}
    by_key = {keys[i.suggestion_id]: i for i in items}
    results = [_withdrawn(i) for i in items if i.suggestion_id not in tasks]
    try:
        found = sink.lookup([task.key for task in tasks.values()])
        changes = [_unless_edited(c, by_key[c.key], found.get(c.key)) for c in sink.plan(list(tasks.values()), found)]
    except Misconfigured:
        raise
    except ConnectorError as error:
        return results + [_later(by_key[t.key], str(error), report) for t in tasks.values()]
    unchanged = [c for c in changes if c.action == "skip" or _same_as_sent(by_key[c.key], c)]
    results += [_skipped(by_key[c.key], c, report) for c in unchanged]
    to_send = [c for c in changes if c not in unchanged]
    with transaction(workspace_id) as db:
        held = outbox.mark_sending(db, connection_id, [(by_key[c.key].suggestion_id, by_key[c.key].fence, c.key) for c in changes])
    to_send = [c for c in to_send if by_key[c.key].suggestion_id in held]
    if not to_send or not still_mine():
        return results
    outcomes = sink.apply(to_send)
    return results + [_result(by_key[c.key], c, o, report) for c, o in zip(to_send, outcomes, strict=True)]


def _result(item: Item, change: Change, outcome: Outcome, report: PushReport) -> Result:
    if outcome.status == "ok":
        report.created += outcome.created
        report.updated += not outcome.created
        return _sent(item, change, outcome.remote_id)
    if outcome.status == "permanent":
        report.failed += 1
        report.messages.append(outcome.message)
        return Result(suggestion_id=item.suggestion_id, fence=item.fence, status="blocked", version=item.version, error=outcome.message, dead=True)
    return _later(item, outcome.message, report, status="unknown" if outcome.status == "unknown" else "pending", wait=outcome.wait)


def _sent(item: Item, change: Change, remote_id: str | None) -> Result:
    return Result(
        suggestion_id=item.suggestion_id,
        fence=item.fence,
        status="sent",
        version=item.version + 1,
        payload_sha256=_payload(change),
        remote_id=remote_id,
    )


def _skipped(item: Item, change: Change, report: PushReport) -> Result:
    report.skipped += 1
    return Result(suggestion_id=item.suggestion_id, fence=item.fence, status="sent", version=item.version, remote_id=change.remote_id)


def _withdrawn(item: Item) -> Result:
    """The suggestion ended, or its account is gone, before a task was made."""
    return Result(suggestion_id=item.suggestion_id, fence=item.fence, status="withdrawn", version=item.version)


def _later(item: Item, message: str, report: PushReport, *, status: str = "pending", wait: timedelta | None = None) -> Result:
    if item.attempts >= MOST_ATTEMPTS:
        report.failed += 1
        report.messages.append(message)
        error = f"given up after {item.attempts} attempts: {message}"
        return Result(suggestion_id=item.suggestion_id, fence=item.fence, status="blocked", version=item.version, error=error, dead=True)
    report.waiting += 1
    pause = wait or min(timedelta(seconds=2.0**item.attempts), LONGEST_WAIT)
    jitter = pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
    return Result(
        suggestion_id=item.suggestion_id,
        fence=item.fence,
        status=status if status == "unknown" or item.status != "unknown" else "unknown",
        version=item.version,
        error=message,
        retry_in=jitter,
    )


def _same_as_sent(item: Item, change: Change) -> bool:
    return change.action == "update" and item.payload_sha256 is not None and bytes(item.payload_sha256) == _payload(change)


def _unless_edited(change: Change, item: Item, shown: TaskState | None) -> Change:
    """What a person wrote into a task of ours is theirs from then on."""
    if change.action != "update" or item.payload_sha256 is None or shown is None:
        return change
    if _digest(shown.subject, shown.description) == bytes(item.payload_sha256):
        return change
    return Change(key=change.key, action="skip", reason="a person has edited this task", remote_id=change.remote_id)


def _payload(change: Change) -> bytes:
    """Of the texts alone: they are all that an update writes."""
    return _digest(change.fields.get("Subject"), change.fields.get("Description"))


def _digest(*texts: object) -> bytes:
    """CRMs trim texts and change their line ends."""
    plain = "\x1f".join("\n".join(str(text or "").split()) for text in texts)
    return hashlib.sha256(plain.encode()).digest()


def _no_such_connection() -> NotFound:
    message = "There is no such connection in this workspace. `undertone status` lists them."
    return NotFound(message)
