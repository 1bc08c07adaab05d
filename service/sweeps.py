"""Sweeps: what no cursor can see. Rows that were missed or have vanished are found by their ids, computed values are read anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from connectors.base import Cursor, Fetching, Page, Source, Stream, Sweep, Sweeping
from service.config import real_time
from service.connect import known
from service.intake import source_key
from service.store import audit_log, connections, streams, sweeps
from service.store.pool import Db, transaction
from service.store.sweeps import Drifted, Due
from service.turn import Held, Outcome, Run, StreamReport, take_turn

CHUNK = 1_000
"""Keys that are fetched at a time."""
RECHECK = timedelta(days=60)
"""After this a row of which nothing was kept is looked at again, though its stamp is the same."""
MOST_VANISHED = 0.5
FEW = 100
"""More than so many rows and this share of a stream do not vanish in one go: rather, the connected user has lost access."""
NOTHING = Page(records=())


def ask(workspace_id: UUID, connection_id: UUID, now: datetime, stream: str | None = None, kind: Sweep | None = None, by: str = audit_log.COMMAND_LINE) -> int:
    """The next pull sweeps at once: one stream, one kind, or all there is. Returns how many sweeps."""
    with transaction(workspace_id) as db:
        found = sweeps.ask(db, connection_id, stream, kind, now)
        if found:
            connections.schedule_pull(db, connection_id, timedelta(0))
            audit_log.write(db, real_time(), by, "compare rows", known(db, connection_id).name, after={"stream": stream, "kind": kind})
    return found


def sweep(run: Run, source: Source, every: Sequence[Stream]) -> Iterator[StreamReport]:
    """Whatever is due, the longest waiting first, until the run is over. Raises Misconfigured."""
    if not isinstance(source, Sweeping):
        return
    by_name = {s.name: s for s in every if s.sweeps}
    with transaction(run.workspace_id) as db:
        sweeps.prepare(db, run.connection_id, {(s.name, kind): pause for s in by_name.values() for kind, pause in s.sweeps.items()}, run.now)
        waiting = sweeps.due(db, run.connection_id, run.now)
    for due in waiting:
        if run.pace.run_is_over():
            return
        stream = by_name.get(due.stream)
        if stream is not None and due.kind in stream.sweeps:
            started_at = due.started_at or run.now - stream.lag - stream.overlap
            yield _Sweep(run=run, source=source, stream=stream, due=due, started_at=started_at).take()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sweep:
    """One sweep's turn. A row that became visible late may be missing for a sweep that begins just after its stamp: `started_at` is earlier."""

    run: Run
    source: Sweeping
    stream: Stream
    due: Due
    started_at: datetime

    def take(self) -> StreamReport:
        report = take_turn(self.run, self.stream, self._work, self._end)
        report.name = f"{self.stream.name} ({self.due.kind})"
        return report

    def _work(self, held: Held) -> bool:
        run, name, kind = self.run, self.stream.name, self.due.kind
        if self.due.started_at is None:
            held.land(NOTHING, also=lambda db: sweeps.begin(db, run.connection_id, name, kind, self.started_at))
        if not self.due.listed and not self._read(held):
            return False
        if kind == "formulas":
            return True
        if not self.due.listed:
            held.land(NOTHING, also=self._compare)
        return self._heal(held)

    def _read(self, held: Held) -> bool:
        for page in self.source.sweep(self.stream.name, self.due.kind, self.due.cursor, self.run.now - self.stream.lag):
            held.land(page, also=partial(self._note, page))
            if held.is_over(page):
                return False
        return True

    def _note(self, page: Page, db: Db) -> None:
        if page.present:
            sweeps.add_present(db, self.run.connection_id, self.stream.name, page.present)
        if page.cursor is not None:
            sweeps.advance(db, self.run.connection_id, self.stream.name, self.due.kind, page.cursor)

    def _compare(self, db: Db) -> None:
        run, name = self.run, self.stream.name
        vanished, held = sweeps.compare(db, run.connection_id, name, self.stream.covers, self.started_at, run.now, RECHECK)
        doubtful = vanished > FEW and vanished > held * MOST_VANISHED and sweeps.withheld(db, run.connection_id, name) is None
        if not doubtful:
            sweeps.list_gone(db, run.connection_id, name)
        sweeps.mark_listed(db, run.connection_id, name, vanished if doubtful else None)

    def _heal(self, held: Held) -> bool:
        while drifted := self._differing():
            known = self._fetched(held, drifted)
            keys = [d.key for d in drifted]
            gone = [d.key for d in drifted if d.drift == "vanished" and d.key not in known]
            held.land(NOTHING, also=partial(self._settle, keys, gone))
            if held.time_is_up:
                return False
        return True

    def _differing(self) -> list[Drifted]:
        with transaction(self.run.workspace_id) as db:
            return sweeps.differing(db, self.run.connection_id, self.stream.name, CHUNK)

    def _fetched(self, held: Held, drifted: Sequence[Drifted]) -> set[str]:
        """Lands these rows as they are now, and returns those that there are. Without single rows to be had, the stream starts anew."""
        known: set[str] = set()
        if isinstance(self.source, Fetching):
            for page in self.source.fetch(self.stream.name, [d.key for d in drifted]):
                held.land(replace(page, cursor=None))
                known |= {key for r in page.records if (key := source_key(r)) is not None} | {r.source_key for r in page.rejected}
        elif any(d.drift != "vanished" for d in drifted):
            held.land(NOTHING, cursor=Cursor())
        return known

    def _settle(self, keys: Sequence[str], gone: Sequence[str], db: Db) -> None:
        sweeps.settle(db, self.run.connection_id, self.stream.name, self.stream.covers, keys, gone, self.run.now)

    def _end(self, db: Db, held: Held, outcome: Outcome) -> None:
        run, name, kind = self.run, self.stream.name, self.due.kind
        streams.give_back(db, run.connection_id, name, held.lease.fence)
        if outcome.error is not None:
            sweeps.fail(db, run.connection_id, name, kind, outcome.error)
        elif outcome.done:
            withheld = sweeps.withheld(db, run.connection_id, name) if kind == "ids" else None
            held.report.error = _lost_sight(name, withheld) if withheld else None
            sweeps.finish(db, run.connection_id, name, kind, run.now, self.stream.sweeps[kind], error=held.report.error)


def _lost_sight(stream: str, rows: int) -> str:
    return (
        f"{rows:,} rows of {stream} are to be seen no more, most of what there was. Nothing was marked as deleted: has the connected user lost access? "
        "Give it access again. If the rows are really gone, the next sweep marks them."
    )
