"""One stream in one runner's hands for a bounded time: pages land under its fence, and however the turn ends, that is written down."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from connectors.base import Cursor, Page, Stream
from connectors.errors import ConnectorError, Misconfigured, Parked
from connectors.jitter import jitter
from service import intake
from service.budget import SharedBudget
from service.errors import Unavailable
from service.store import quarantine, streams
from service.store.pool import Db, transaction
from service.store.streams import Lease

log = logging.getLogger("undertone.pull")

LEASE = timedelta(minutes=5)
EVERY = timedelta(minutes=15)
AFTER_FAILURE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=1)

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long one stream's turn and a whole run may take before others get theirs; both end at a page. `clock` gives seconds."""

    turn: timedelta
    run: timedelta
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class Pace:
    """Of one run, begun when this is made. Without limits it goes on to the end."""

    limits: Limits | None
    began: float = 0.0

    def __post_init__(self) -> None:
        self.began = self.seconds()

    def seconds(self) -> float:
        return self.limits.clock() if self.limits else time.monotonic()

    def run_is_over(self) -> bool:
        return self.limits is not None and self.seconds() - self.began > self.limits.run.total_seconds()

    def turn_is_over(self, since: float) -> bool:
        return self.limits is not None and self.seconds() - since > self.limits.turn.total_seconds()


@dataclass(slots=True)
class StreamReport:
    """`error`: what went wrong. `unfinished`: it stopped at a page, for others or because the connection is parked, and goes on there."""

    name: str
    landed: int = 0
    rejected: int = 0
    error: str | None = None
    unfinished: bool = False
    calls: int = 0


@dataclass(slots=True, kw_only=True)
class Run:
    """What the turns of one run share. `parked`: the reason and the longest wait that any of them was given."""

    workspace_id: UUID
    connection_id: UUID
    connection: str
    now: datetime
    budget: SharedBudget
    pace: Pace
    progress: Progress
    parked: Parked | None = None

    def note_parked(self, parked: Parked) -> None:
        if self.parked is None or wait_of(parked) > wait_of(self.parked):
            self.parked = parked


class LeaseLost(Exception):
    """Another runner took the stream over; what this one read must not land."""


@dataclass(slots=True, kw_only=True)
class Held:
    """A leased stream."""

    run: Run
    name: str
    lease: Lease
    report: StreamReport
    began: float
    mending: bool
    counted: int
    """Calls of the run that have been put down so far, to this stream or before it."""
    kinds: set[str] = field(default_factory=set)

    def land(self, page: Page, *, cursor: Cursor | None = None, until: datetime | None = None, also: Callable[[Db], None] = lambda db: None) -> None:
        """All of the page, the stream's cursor and what goes with it (`also`), or nothing. Raises LeaseLost."""
        run = self.run
        calls = run.budget.calls - self.counted
        with transaction(run.workspace_id) as db:
            if not streams.is_held(db, run.connection_id, self.name, self.lease.fence):
                raise LeaseLost
            taken = intake.take(db, run.connection_id, self.name, page, run.now, mending=self.mending)
            if not taken.kinds <= self.kinds:
                streams.note_kinds(db, run.connection_id, self.name, taken.kinds)
            also(db)
            streams.advance(db, run.connection_id, self.name, self.lease.fence, cursor, taken.changed, LEASE, until=until, calls=calls)
        self.kinds |= taken.kinds
        self.mending = self.mending or taken.rejected > 0
        self.counted += calls
        self.report.landed += taken.changed
        self.report.rejected += taken.rejected
        run.progress(self.name, self.report.landed)

    def is_over(self, page: Page) -> bool:
        """A turn ends where the stream can go on: at a page with a cursor. A run that is over ends at any page."""
        return self.time_is_up if page.cursor is not None else self.run.pace.run_is_over()

    @property
    def time_is_up(self) -> bool:
        return self.run.pace.run_is_over() or self.run.pace.turn_is_over(self.began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How work came out: done, or stopped for the time being, or failed. `wait`: what the other side asked for."""

    done: bool = False
    error: str | None = None
    wait: timedelta = timedelta(0)
    parked: Parked | None = None


def attempt(work: Callable[[], bool]) -> Outcome:
    """`work` says whether it came to its end. Raises Misconfigured, which concerns the whole connection, and LeaseLost."""
    try:
        return Outcome(done=work())
    except (Misconfigured, LeaseLost):
        raise
    except Parked as parked:
        return Outcome(parked=parked)
    except (ConnectorError, Unavailable) as error:
        return Outcome(error=str(error), wait=wait_of(error))
    except Exception as error:
        log.exception("a stream failed unexpectedly")
        message = f"Something unexpected went wrong ({type(error).__name__}); the log says where. Show it to whoever looks after Undertone or this connector."
        return Outcome(error=message)


def take_turn(run: Run, stream: Stream, work: Callable[[Held], bool], end: Callable[[Db, Held, Outcome], None]) -> StreamReport:
    """Leases the stream, lets `work` land its pages, and writes down how that came out (`end`). Raises Misconfigured."""
    report = StreamReport(stream.name)
    with transaction(run.workspace_id) as db:
        lease = streams.lease(db, run.connection_id, stream, LEASE)
        mending = lease is not None and not quarantine.is_empty(db, run.connection_id, stream.name)
    if lease is None:
        report.error = "another run is reading this stream"
        return report
    held = Held(run=run, name=stream.name, lease=lease, report=report, began=run.pace.seconds(), mending=mending, counted=run.budget.calls)
    before = run.budget.calls
    try:
        outcome = attempt(lambda: work(held))
    except LeaseLost:
        report.error = "another run took this stream over"
        return report
    except Misconfigured as error:
        _end(run, held, Outcome(error=str(error)), end)
        raise
    except BaseException:
        with transaction(run.workspace_id) as db:
            streams.give_back(db, run.connection_id, stream.name, lease.fence)
        raise
    finally:
        report.calls = run.budget.calls - before
    _end(run, held, outcome, end)
    return report


def fail(run: Run, held: Held, db: Db, outcome: Outcome) -> None:
    """The stream itself could not be read."""
    pause = AFTER_FAILURE * jitter()
    streams.fail(db, run.connection_id, held.name, held.lease.fence, outcome.error or "", outcome.wait, pause, LONGEST_PAUSE)


def wait_of(error: Exception) -> timedelta:
    wait = getattr(error, "wait", None)
    return wait if isinstance(wait, timedelta) else timedelta(0)


def _end(run: Run, held: Held, outcome: Outcome, end: Callable[[Db, Held, Outcome], None]) -> None:
    report = held.report
    report.error = outcome.error
    report.unfinished = not outcome.done and outcome.error is None
    if outcome.parked is not None:
        run.note_parked(outcome.parked)
    with transaction(run.workspace_id) as db:
        end(db, held, outcome)
    log.info(
        "read",
        extra={
            "connection": run.connection,
            "stream": held.name,
            "rows": report.landed,
            "rejected": report.rejected,
            "calls": report.calls,
            "seconds": round(run.pace.seconds() - held.began, 3),
            "status": "failed" if report.error else "unfinished" if report.unfinished else "done",
        },
    )
