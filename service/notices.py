"""One CRM task for each trouble that needs the owner of a connection. A person closes it; Undertone writes it once and leaves it alone.

As in a push, and exactly once for the same reasons: the row says `sending` before the call, a cut answer is `unknown` and resolved by
reading the key, and the key is unique inside the CRM as well.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from connectors import registry
from connectors.base import Task
from connectors.errors import ConnectorError, Misconfigured
from service import task, trouble
from service.config import settings
from service.connect import open_sink, stop
from service.store import conditions, notices
from service.store.conditions import Conditions
from service.store.connections import Connection
from service.store.notices import New, Notice, NoticeStatus
from service.store.pool import transaction
from service.trouble import Trouble, moment

log = logging.getLogger("undertone.notices")

AGAIN = timedelta(minutes=15)
"""After a try that came to nothing."""

_SUBJECTS = {
    "auth_failed": "the login to {name} is refused",
    "misconfigured": "{name} has stopped and needs a hand",
    "paused": "{name} is paused",
    "failing": "{name} cannot be read",
    "stale": "{name} has not been read lately",
}
_FOOTER = (
    "Until this is mended, what rests on it counts as unknown: no silence and no drop in usage is concluded from it.\n\n"
    "How everything stands: {link}\n\nClose this task when you like; Undertone writes it once and does not touch it again."
)


def post(workspace_id: UUID, now: datetime) -> int:
    """Begins a notice where one is needed, ends those that are over, and writes what is due. Returns how many tasks were made."""
    with transaction(workspace_id) as db:
        seen = conditions.read(db)
        found = trouble.troubles(seen, now)
        needed = {t.connection_id: t for t in reversed(found) if trouble.needs_owner(t, now)}
        in_need = {t.connection_id for t in found if t.level == "act"}
        new = [_new(workspace_id, t, now) for t in needed.values()]
        notices.end(db, [c.connection_id for c in seen.connections if c.connection_id not in in_need], now)
        notices.renew(db, new)
        notices.begin(db, new, now)
        due = notices.due(db)
    jobs = [_Job(workspace_id, n, seen, n.connection_id in needed, now) for n in due]
    # What may have been written is looked up even when nobody is needed any more.
    return sum(_deliver(job) for job in jobs if job.wanted or job.notice.status != "pending")


@dataclass(frozen=True, slots=True)
class _Job:
    """`wanted`: somebody is still needed."""

    workspace_id: UUID
    notice: Notice
    seen: Conditions
    wanted: bool
    now: datetime

    @property
    def concerned(self) -> Connection:
        return next(c for c in self.seen.connections if c.connection_id == self.notice.connection_id)


def key_of(workspace_id: UUID, connection_id: UUID, since: datetime) -> str:
    return task.key_of(workspace_id, connection_id, f"{since.timestamp():.6f}")


def _new(workspace_id: UUID, t: Trouble, now: datetime) -> New:
    since = t.since or now
    return New(connection_id=t.connection_id, kind=t.kind, since=since, sentence=t.sentence, key=key_of(workspace_id, t.connection_id, since))


def _deliver(job: _Job) -> bool:
    """By the first connection that takes it. One that cannot even be asked leaves the notice to the next."""
    for target in _writable(job):
        with transaction(job.workspace_id) as db:
            fence = notices.lease(db, job.notice.notice_id, target.connection_id, settings().push_lease * 2)
        if fence is None:
            continue
        try:
            return _write(job, target, fence)
        except ConnectorError as error:
            _record(job, fence, None, error=str(error))
            if isinstance(error, Misconfigured):
                stop(job.workspace_id, target, error)
            log.warning("notice not written", extra={"connection": target.name})
    return False


def _writable(job: _Job) -> Iterator[Connection]:
    """The connection's own CRM first, while it still takes tasks; once a task may have been made, only the CRM it would be in."""
    concerned, notice = job.concerned, job.notice
    for c in sorted(job.seen.connections, key=lambda c: (c.connection_id != concerned.connection_id, c.created_at)):
        parked = c.parked_until is not None and c.parked_until > job.now
        fixed = notice.status != "pending" and notice.target_id != c.connection_id
        if c.status == "active" and c.push_approved_at and not parked and not fixed and takes_tasks(c.connector):
            yield c


def takes_tasks(connector: str) -> bool:
    """Whether tasks can be written by a connection of this kind."""
    try:
        return registry.connector(connector).sink is not None
    except Misconfigured:  # its package has gone; the connection's own trouble says so
        return False


def _write(job: _Job, target: Connection, fence: int) -> bool:
    """True if a task was made. Raises ConnectorError."""
    sink = open_sink(job.workspace_id, target)
    if sink is None:
        return False
    with transaction(job.workspace_id) as db:
        owners = notices.owners(db, target.connection_id, job.concerned.owner_key)
    [change] = sink.plan([_task(job, owners)], sink.lookup([job.notice.key]))
    if change.action != "create":  # it stands there already: its answer had been lost
        _record(job, fence, "sent", remote_id=change.remote_id)
        return False
    if not job.wanted:
        _record(job, fence, "withdrawn")
        return False
    with transaction(job.workspace_id) as db:
        if not notices.mark_sending(db, job.notice.notice_id, fence):
            return False
    [outcome] = sink.apply([change])
    _record(job, fence, _STATUS[outcome.status], remote_id=outcome.remote_id, error=outcome.message or None, wait=outcome.wait)
    log.info("notice", extra={"connection": job.concerned.name, "new": int(outcome.created)})
    return outcome.created


_STATUS: dict[str, NoticeStatus] = {"ok": "sent", "retry": "pending", "permanent": "blocked", "unknown": "unknown"}


def _record(
    job: _Job, fence: int, status: NoticeStatus | None, *, remote_id: str | None = None, error: str | None = None, wait: timedelta | None = None
) -> None:
    with transaction(job.workspace_id) as db:
        notices.record(db, job.notice.notice_id, fence, status, remote_id=remote_id, error=error, retry_in=wait or AGAIN)


def _task(job: _Job, owners: Sequence[str]) -> Task:
    notice = job.notice
    footer = _FOOTER.format(link=f"{settings().public_url}/console/connections")
    return Task(
        key=notice.key,
        subject=f"Undertone: {_SUBJECTS[notice.kind].format(name=job.concerned.name)}",
        description=f"{notice.sentence.replace('`', '')}\n\nSince {moment(notice.since)}. {footer}",
        due=job.now.date(),
        priority="high",
        owner_keys=tuple(owners),
        account_key=None,
    )
