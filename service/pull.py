"""Pull: page by page from a source into Postgres. Records and cursor land in one transaction, so a kill anywhere leaves no gap."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.addresses import SHARED_DOMAINS
from connectors.base import Cursor, Page, Source, Stream
from connectors.errors import ConnectorError, Misconfigured, Retriable, StreamUnavailable
from connectors.records import Account, Interaction, Opportunity, Rejected, TaskState, UsageHours, UsageRows
from service.connect import open_source
from service.errors import Conflict, NotFound
from service.store import connections, landing, linking, task_states, usage, usage_hours, usage_merges, workspaces
from service.store.pool import Db, transaction

log = logging.getLogger("undertone.pull")

LEASE = timedelta(minutes=5)
EVERY = timedelta(minutes=15)
AFTER_FAILURE = timedelta(minutes=2)


@dataclass(slots=True)
class StreamReport:
    name: str
    landed: int = 0
    rejected: int = 0
    error: str | None = None


@dataclass(slots=True)
class PullReport:
    connection: str
    streams: list[StreamReport] = field(default_factory=list)

    @property
    def landed(self) -> int:
        return sum(s.landed for s in self.streams)

    @property
    def errors(self) -> list[str]:
        return [f"{s.name}: {s.error}" for s in self.streams if s.error]


class LeaseLost(Exception):
    """Another runner took the stream over; what this one read must not land."""


Progress = Callable[[str, int], None]


def pull(workspace_id: UUID, connection_id: UUID, now: datetime, progress: Progress = lambda stream, landed: None) -> PullReport:
    """Reads every stream of one connection up to `now`. Failures are recorded on the stream or the connection and reported, not raised."""
    with transaction(workspace_id) as db:
        connection = connections.get(db, connection_id)
    if connection is None:
        message = "There is no such connection in this workspace. `undertone status` lists them."
        raise NotFound(message)
    if connection.status != "active":
        message = f"Connection {connection.name} is {connection.status}: {connection.status_reason}. Mend that and connect again."
        raise Conflict(message)
    report = PullReport(connection.name)
    try:
        source = open_source(workspace_id, connection)
        for stream in source.streams():
            report.streams.append(_pull_stream(workspace_id, connection_id, source, stream, now, progress))
    except Misconfigured as error:
        _pause(workspace_id, connection_id, str(error))
        report.streams.append(StreamReport("connection", error=str(error)))
    except Retriable as error:
        report.streams.append(StreamReport("connection", error=str(error)))
    _finish(workspace_id, connection_id, failed=bool(report.errors))
    log.info("pulled", extra={"connection": connection.name, "rows": report.landed, "rejected": sum(s.rejected for s in report.streams)})
    return report


def _pull_stream(workspace_id: UUID, connection_id: UUID, source: Source, stream: Stream, now: datetime, progress: Progress) -> StreamReport:
    report = StreamReport(stream.name)
    with transaction(workspace_id) as db:
        leased = connections.lease_stream(db, connection_id, stream, LEASE)
    if leased is None:
        report.error = "another run is reading this stream"
        return report
    fence, cursor = leased
    until = now - stream.lag
    try:
        for page in source.read(stream.name, _with_overlap(cursor, stream.overlap), until):
            with transaction(workspace_id) as db:
                report.landed += _land_page(db, connection_id, stream.name, fence, page, now)
                report.rejected += len(page.rejected)
            progress(stream.name, report.landed)
    except LeaseLost:
        report.error = "another run took this stream over"
        return report
    except Misconfigured as error:
        _release(workspace_id, connection_id, stream.name, fence, until=None, error=str(error))
        raise
    except (Retriable, StreamUnavailable, ConnectorError) as error:
        report.error = str(error)
    _release(workspace_id, connection_id, stream.name, fence, until=None if report.error else until, error=report.error)
    return report


def _land_page(db: Db, connection_id: UUID, stream: str, fence: int, page: Page, now: datetime) -> int:
    """All of the page or nothing of it."""
    grouped: dict[type, list[Any]] = defaultdict(list)
    for record in page.records:
        grouped[type(record)].append(record)
    changed, rejected = 0, list(page.rejected)
    for record_type, records in grouped.items():
        changed += _land(db, connection_id, record_type, records, rejected, now, page.unread)
    if rejected:
        connections.quarantine(db, connection_id, stream, rejected)
    if not connections.advance_stream(db, connection_id, stream, fence, page.cursor, changed, LEASE):
        raise LeaseLost
    return changed


def _land(db: Db, connection_id: UUID, record_type: type, records: Sequence[Any], rejected: list[Rejected], now: datetime, unread: Collection[str]) -> int:
    if record_type in (UsageRows, UsageHours):
        return sum(_land_usage(db, rows, rejected) for rows in records)
    if record_type is TaskState:
        changed = task_states.land(db, connection_id, records, now)
        if changed:
            workspaces.suggest_due(db, due=True)
        return changed
    if record_type is Interaction:
        records = landing.drop_seen_elsewhere(db, connection_id, records)
    changed = landing.land(db, connection_id, record_type, records, unread)
    if record_type is Interaction:
        landing.land_texts(db, connection_id, records)
    if record_type is Account and changed:
        connections.reread_usage(db)
        usage_merges.follow_merges(db)
    if changed and record_type in _MAKES_DUE:
        landing.mark_due(db, record_type, connection_id, [r.key for r in records])
    return changed


_MAKES_DUE = frozenset({Interaction, Opportunity})


def _land_usage(db: Db, rows: UsageRows | UsageHours, rejected: list[Rejected]) -> int:
    changed, unknown = usage_hours.land_hours(db, rows) if isinstance(rows, UsageHours) else usage.land_usage(db, rows)
    rejected += [Rejected(source_key=key, reason=connections.UNKNOWN_ACCOUNT) for key in unknown]
    return changed


def _with_overlap(cursor: Cursor, overlap: timedelta) -> Cursor:
    """Re-reads a little: rows may become visible late with an older stamp, and upserts make the repeat harmless."""
    if cursor.at is None or not overlap:
        return cursor
    return Cursor(at=cursor.at - overlap, key="")


def _release(workspace_id: UUID, connection_id: UUID, stream: str, fence: int, *, until: datetime | None, error: str | None) -> None:
    with transaction(workspace_id) as db:
        connections.release_stream(db, connection_id, stream, fence, until=until, error=error)


def _pause(workspace_id: UUID, connection_id: UUID, reason: str) -> None:
    with transaction(workspace_id) as db:
        connections.set_status(db, connection_id, "misconfigured", reason)


def _finish(workspace_id: UUID, connection_id: UUID, *, failed: bool) -> None:
    with transaction(workspace_id) as db:
        linking.link_late_keys(db, connection_id)
        linking.link_by_address(db)
        linking.link_by_domain(db, SHARED_DOMAINS)
        linking.add_unknown_writers(db)
        linking.link_by_address(db)
        linking.mark_unscored_due(db)
        connections.schedule_pull(db, connection_id, AFTER_FAILURE if failed else EVERY)
