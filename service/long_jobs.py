"""Jobs that a person asks for and waits for. Made as a row; a worker does it, tells how far it is, and another takes it up if that one dies."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from service import jobs
from service.config import real_time
from service.errors import Unavailable, UndertoneError
from service.store import audit_log, long_jobs
from service.store.long_jobs import Job, Taken
from service.store.pool import transaction

log = logging.getLogger("undertone.long_jobs")

LEASE = timedelta(seconds=30)
PROLONGED_EVERY = 8.0
"""Seconds: a lease outlives three of them, and a worker's death is noticed within the lease and a sweep."""
TOLD_EVERY = 0.4
"""Seconds between two writes of a job that says the same; each sentence is written at once."""
MOST_TRIES = 5


class Tell(Protocol):
    """How a job says how far it is: in a sentence that holds nothing private, and in units of its own. Raises TakenOver."""

    def __call__(self, said: str, done: int = 0, total: int | None = None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`said`: how it came out, in a sentence. `link`: where to look now, with what stands on it. `lines`: more to say, the worst first."""

    said: str
    link: str | None = None
    label: str = "Go on"
    lines: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    """Whatever the page of this kind wants to show."""


class GoesOn(Exception):
    """Raised by a job whose time is up at a place from which it goes on: it is taken up again at once."""


class TakenOver(Exception):
    """Another worker has this job; whoever gets this stops."""


Work = Callable[[UUID, Mapping[str, Any], datetime, Tell], Ended]
"""(workspace, about, now, tell). May be begun anew at any time, so that doing it twice must change nothing. An UndertoneError ends it with its sentence."""


def ask(workspace_id: UUID, kind: str, about: Mapping[str, Any], by: str, subject: str = "") -> UUID:
    """Of two that ask for the same while it is under way, both get the same job. `subject`: for the audit log, the name of what it is about."""
    with transaction(workspace_id) as db:
        job_id, is_new = long_jobs.add(db, kind, about, by)
        if is_new:
            audit_log.write(db, real_time(), by, f"begin {kind.replace('_', ' ')}", subject, after={"job": str(job_id)})
    jobs.ring(jobs.JOB, workspace_id=workspace_id, job_id=job_id)
    return job_id


def find(workspace_id: UUID, job_id: UUID) -> Job | None:
    with transaction(workspace_id) as db:
        return long_jobs.get(db, job_id)


def run(workspace_id: UUID, job_id: UUID, now: datetime, kinds: Mapping[str, Work]) -> None:
    """Does it, unless it has ended or another worker has it."""
    with transaction(workspace_id) as db:
        taken = long_jobs.take(db, job_id, LEASE)
    if taken is None:
        return
    hands = _Hands(workspace_id, job_id, taken)
    if taken.tries > MOST_TRIES:
        hands.fail(f"This was begun {MOST_TRIES} times and never came to its end. The worker's log says why; once that is mended, start it again.")
        return
    with hands.held():
        _work(hands, now, kinds)


def _work(hands: _Hands, now: datetime, kinds: Mapping[str, Work]) -> None:
    work = kinds.get(hands.taken.kind)
    if work is None:
        hands.fail("This version of Undertone does not know this kind of job. Update the worker, and start it again.")
        return
    try:
        ended = work(hands.workspace_id, hands.taken.about, now, hands.tell)
    except GoesOn:
        hands.give_back(moved=True)
        jobs.ring(jobs.JOB, workspace_id=hands.workspace_id, job_id=hands.job_id)
    except TakenOver:
        log.info("taken over by another worker")
    except (Unavailable, jobs.out_of_time()):
        hands.give_back(moved=False)
        raise
    except UndertoneError as error:
        hands.fail(str(error))
    except Exception:
        hands.fail("This is a fault of ours; it has been logged. Start it again, and tell us if it stays.")
        raise
    else:
        hands.end(ended)


@dataclass(slots=True)
class _Hands:
    """A job that this worker has."""

    workspace_id: UUID
    job_id: UUID
    taken: Taken
    _said: str = ""
    _told_at: float = 0.0

    def tell(self, said: str, done: int = 0, total: int | None = None) -> None:
        if said == self._said and time.monotonic() - self._told_at < TOLD_EVERY and done != total:
            return
        with transaction(self.workspace_id) as db:
            if not long_jobs.tell(db, self.job_id, self.taken.fence, said, done, total):
                raise TakenOver
        self._said, self._told_at = said, time.monotonic()

    def give_back(self, *, moved: bool) -> None:
        with transaction(self.workspace_id) as db:
            long_jobs.give_back(db, self.job_id, self.taken.fence, moved=moved)

    def fail(self, said: str) -> None:
        with transaction(self.workspace_id) as db:
            long_jobs.end(db, self.job_id, self.taken.fence, "failed", said, None)

    def end(self, ended: Ended) -> None:
        result = {"link": ended.link, "label": ended.label, "lines": list(ended.lines), **ended.more}
        with transaction(self.workspace_id) as db:
            long_jobs.end(db, self.job_id, self.taken.fence, "done", ended.said, result)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A thread prolongs the lease, so that work may be silent for long; it ends with this process, and then the lease runs out."""
        over = threading.Event()
        thread = threading.Thread(target=self._prolong, args=(over,), daemon=True, name="lease")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _prolong(self, over: threading.Event) -> None:
        while not over.wait(PROLONGED_EVERY):
            try:
                with transaction(self.workspace_id) as db:
                    long_jobs.prolong(db, self.job_id, self.taken.fence, LEASE)
            except Unavailable:
                log.warning("lease not prolonged, the database is away")
