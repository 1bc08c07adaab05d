"""Pull: page by page from a source into Postgres. Records and cursor land in one transaction, so a kill anywhere leaves no gap."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from connectors.addresses import SHARED_DOMAINS
from connectors.base import Cursor, Source, Stream
from connectors.context import Budget
from connectors.errors import ConnectorError, Misconfigured
from connectors.jitter import jitter
from service.connect import budget_of, open_source, ready, stop
from service.errors import Unavailable
from service.quarantine import carry_out
from service.store import connections, linking, quarantine, streams
from service.store.connections import Connection
from service.store.pool import Db, transaction
from service.store.streams import Lease, Standing
from service.sweeps import sweep
from service.turn import (
    AFTER_FAILURE,
    EVERY,
    LONGEST_PAUSE,
    Held,
    Limits,
    Outcome,
    Pace,
    Progress,
    Run,
    StreamReport,
    attempt,
    fail,
    take_turn,
    wait_of,
)

log = logging.getLogger("undertone.pull")

WORKER = Limits(turn=timedelta(minutes=2), run=timedelta(minutes=4))
"""In a worker: a backfill starves neither the other streams nor other connections. Less than a job's own time limit."""

Opener = Callable[[UUID, Connection, Budget], Source]


@dataclass(slots=True)
class PullReport:
    """`parked`: why the connection waits now. `unfinished`: there is more to read at once."""

    connection: str
    streams: list[StreamReport] = field(default_factory=list)
    parked: str | None = None
    unfinished: bool = False

    @property
    def landed(self) -> int:
        return sum(s.landed for s in self.streams)

    @property
    def errors(self) -> list[str]:
        return [f"{s.name}: {s.error}" for s in self.streams if s.error]


def pull(
    workspace_id: UUID,
    connection_id: UUID,
    now: datetime,
    progress: Progress = lambda stream, landed: None,
    *,
    limits: Limits | None = None,
    opener: Opener = open_source,
) -> PullReport:
    """Reads one connection up to `now`. Failures are recorded on the stream or the connection and reported, not raised.

    Without limits every stream is read to its end; with them those that are due, each for a turn.
    """
    with transaction(workspace_id) as db:
        connection, parked = ready(db, connection_id), connections.parked(db, connection_id)
    report = PullReport(connection.name, parked=parked)
    if parked is not None and limits is not None:  # a person may try all the same
        return report
    names: list[str] = []
    try:
        budget = budget_of(workspace_id, connection, now, "pull")
        pace = Pace(limits)
        run = Run(workspace_id=workspace_id, connection_id=connection_id, connection=connection.name, now=now, budget=budget, pace=pace, progress=progress)
        source = opener(workspace_id, connection, budget)
        every = list(source.streams())
        names += [s.name for s in every]
        report.streams.extend(_read_all(run, source, every))
        _note_parking(run, report)
    except Misconfigured as error:
        stop(workspace_id, connection, error)
        report.streams.append(StreamReport("connection", error=str(error)))
    except (ConnectorError, Unavailable) as error:
        report.streams.append(StreamReport("connection", error=str(error)))
    report.unfinished = any(s.unfinished for s in report.streams)
    _finish(workspace_id, connection_id, names)
    log.info("pulled", extra={"connection": connection.name, "rows": report.landed, "rejected": sum(s.rejected for s in report.streams)})
    return report


def _read_all(run: Run, source: Source, every: Sequence[Stream]) -> Iterator[StreamReport]:
    with transaction(run.workspace_id) as db:
        streams.prepare(db, run.connection_id, every)
        streams.retire(db, run.connection_id, [s.name for s in every])
    outcome = attempt(lambda: _discover(run, source))
    if not outcome.done:
        yield _unasked(run, [s.name for s in every], outcome)
        return
    yield from carry_out(run, source, every)
    with transaction(run.workspace_id) as db:
        standings = streams.standings(db, run.connection_id)
    for stream in _in_turn(every, standings, only_due=run.pace.limits is not None):
        if run.pace.run_is_over():
            yield StreamReport(stream.name, unfinished=True)
        else:
            yield _read(run, source, stream)
    yield from sweep(run, source, every)


def _discover(run: Run, source: Source) -> bool:
    found = source.discover()
    with transaction(run.workspace_id) as db:
        streams.note_missing(db, run.connection_id, {schema.stream: schema.missing for schema in found})
    return True


def _unasked(run: Run, names: Sequence[str], outcome: Outcome) -> StreamReport:
    """The other side could not be asked at all, or may not be for now."""
    if outcome.parked is not None:
        run.note_parked(outcome.parked)
        return StreamReport("connection", unfinished=True)
    with transaction(run.workspace_id) as db:
        streams.fail_all(db, run.connection_id, names, outcome.error or "", outcome.wait, AFTER_FAILURE * jitter(), LONGEST_PAUSE)
    return StreamReport("connection", error=outcome.error)


def _in_turn(every: Sequence[Stream], standings: dict[str, Standing], *, only_due: bool) -> list[Stream]:
    """As the source names them, accounts before their mail; then those with much left to read, the longest waiting first."""

    def place(stream: Stream) -> tuple[bool, float]:
        standing = standings[stream.name]
        return standing.unfinished, standing.next_at.timestamp() if standing.unfinished and standing.next_at else 0.0

    return sorted((s for s in every if standings[s.name].due or not only_due), key=place)


def _read(run: Run, source: Source, stream: Stream) -> StreamReport:
    until = run.now - stream.lag

    def work(held: Held) -> bool:
        for page in source.read(stream.name, beginning(held.lease, stream.overlap), until):
            held.land(page, cursor=page.cursor, until=until)
            if held.is_over(page):
                return False
        return True

    def end(db: Db, held: Held, outcome: Outcome) -> None:
        if outcome.error is not None:
            fail(run, held, db, outcome)
        elif not outcome.done:
            streams.pause(db, run.connection_id, stream.name, held.lease.fence, unfinished=outcome.parked is None)
        elif streams.finish(db, run.connection_id, stream.name, held.lease.fence, until, EVERY):
            quarantine.end_rereading(db, run.connection_id, stream.name)

    return take_turn(run, stream, work, end)


def beginning(lease: Lease, overlap: timedelta) -> Cursor:
    """Where to read on.

    A window that was left open goes on at its last page. A new one reaches back by the overlap, since rows may have become visible late with an
    older stamp: back from the last row, and from the moment up to which the whole last window was surely read.
    """
    cursor = lease.cursor
    if cursor.at is None or cursor.resume or lease.window_until is not None or not overlap:
        return cursor
    return Cursor(at=min(cursor.at, lease.reread_from or cursor.at) - overlap)


def _note_parking(run: Run, report: PullReport) -> None:
    """A run that went through ends the waiting, and what it used up of its share counts for it alone."""
    report.parked = str(run.parked) if run.parked else None
    with transaction(run.workspace_id) as db:
        if run.parked is not None:
            connections.park(db, run.connection_id, wait_of(run.parked) or LONGEST_PAUSE, str(run.parked))
            return
        connections.unpark(db, run.connection_id)
    if not any(s.unfinished for s in report.streams):
        run.budget.end_run()


def _finish(workspace_id: UUID, connection_id: UUID, names: Sequence[str]) -> None:
    try:
        with transaction(workspace_id) as db:
            linking.link(db, connection_id, SHARED_DOMAINS)
    finally:
        with transaction(workspace_id) as db:
            if names:
                streams.schedule(db, connection_id, names, EVERY)
            else:
                connections.schedule_pull(db, connection_id, AFTER_FAILURE)
