"""A source in memory, for what the runner does with any connector: rows that change, come late, vanish, and a reader that dies on a given page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.base import Cursor, Finding, Page, Present, Stream, StreamSchema, Sweep
from connectors.context import Budget
from connectors.records import Contact, Record, Rejected
from service.pull import PullReport, pull
from service.store import connections, quarantine, streams
from service.store.connections import Connection
from service.store.pool import transaction
from service.store.streams import StreamState

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """As a kill does, this passes by every handler."""


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that moves on by so much each time it is looked at."""
    at = [0.0]

    def clock() -> float:
        at[0] += seconds
        return at[0]

    return clock


@dataclass(slots=True)
class Row:
    """`visible_at`: committed late, with an older stamp. `hidden`: the user has lost sight of it. `broken`: no record can be made of it.
    `computed`: a value that changes without a stamp."""

    stamp: datetime
    value: str = ""
    visible_at: datetime | None = None
    deleted: bool = False
    hidden: bool = False
    broken: bool = False
    computed: str = ""


@dataclass(slots=True)
class Shelf:
    """The other side. Each stream maps keys to rows; `now` is its clock; `served` counts pages of rows."""

    streams: list[Stream]
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    now: datetime = NOW
    page: int = 10
    served: int = 0
    fetched: list[str] = field(default_factory=list)
    asked: list[tuple[str, Cursor]] = field(default_factory=list)
    trouble: Callable[[str, int], None] = lambda stream, page: None
    """Called before each page with the stream and the page's number, from 0; raises what shall go wrong."""
    missing: tuple[str, ...] = ()
    record: Callable[[str, str, Row], Record] = lambda stream, key, row: contact(key, row)

    def put(self, stream: str, key: str, at: datetime, **fields: Any) -> None:
        self.rows.setdefault(stream, {})[key] = Row(at, **fields)

    def visible(self, stream: str) -> dict[str, Row]:
        return {k: r for k, r in self.rows.get(stream, {}).items() if not r.hidden and (r.visible_at is None or r.visible_at <= self.now)}


def contact(key: str, row: Row) -> Contact:
    return Contact(key=key, account_key=None, name=row.value, email=None, title=row.computed or None, modified_at=row.stamp, deleted=row.deleted)


class Source:
    """Reads a shelf in the order of its stamps."""

    def __init__(self, shelf: Shelf, budget: Budget) -> None:
        self.shelf = shelf
        self.budget = budget

    def check(self, now: datetime) -> Sequence[Finding]:
        return []

    def discover(self) -> Sequence[StreamSchema]:
        return [StreamSchema(stream=s.name, missing=self.shelf.missing) for s in self.shelf.streams]

    def streams(self) -> Sequence[Stream]:
        return self.shelf.streams

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:
        self.shelf.asked.append((stream, after))
        found = sorted((r.stamp, k, r) for k, r in self.shelf.visible(stream).items() if r.stamp <= until)
        beyond = [(at, k, r) for at, k, r in found if after.at is None or (at, k) >= (after.at, after.key)]
        yield from self._paged(stream, beyond)

    def _paged(self, stream: str, found: list[tuple[datetime, str, Row]]) -> Iterator[Page]:
        for number, start in enumerate(range(0, len(found), self.shelf.page)):
            chunk = found[start : start + self.shelf.page]
            self.budget.take()
            self.shelf.trouble(stream, number)
            self.shelf.served += 1
            yield self._page(stream, [(k, r) for _, k, r in chunk], Cursor(at=chunk[-1][0], key=chunk[-1][1]))

    def _page(self, stream: str, rows: list[tuple[str, Row]], cursor: Cursor | None) -> Page:
        records = [self.shelf.record(stream, k, r) for k, r in rows if not r.broken]
        return Page(records=records, rejected=[Rejected(source_key=k, reason="it is broken") for k, r in rows if r.broken], cursor=cursor)


class Sweepable(Source):
    """With sweeps and single rows."""

    def sweep(self, stream: str, sweep: Sweep, after: Cursor, until: datetime) -> Iterator[Page]:
        found = sorted((k, r) for k, r in self.shelf.visible(stream).items() if not r.deleted and k > after.key)
        for number, start in enumerate(range(0, len(found), self.shelf.page)):
            chunk = found[start : start + self.shelf.page]
            self.budget.take()
            self.shelf.trouble(f"{stream} {sweep}", number)
            cursor = Cursor(key=chunk[-1][0])
            if sweep == "formulas":
                yield self._page(stream, chunk, cursor)
            else:
                yield Page(records=(), present=[Present(key=k, modified_at=r.stamp) for k, r in chunk], cursor=cursor)

    def fetch(self, stream: str, keys: Sequence[str]) -> Iterator[Page]:
        self.shelf.fetched += keys
        found = [(k, r) for k, r in self.shelf.visible(stream).items() if k in set(keys)]
        for start in range(0, len(found), self.shelf.page):
            self.budget.take()
            self.shelf.trouble(f"{stream} fetch", start)
            yield self._page(stream, found[start : start + self.shelf.page], None)


@dataclass(slots=True)
class Bench:
    """A workspace with one connection to a shelf."""

    workspace: UUID
    connection: UUID
    shelf: Shelf
    kind: type[Source] = Source

    def open(self, workspace_id: UUID, connection: Connection, budget: Budget) -> Source:
        return self.kind(self.shelf, budget)

    def pull(self, now: datetime | None = None, **options: Any) -> PullReport:
        """At the shelf's own time, or at another to which it then moves."""
        self.shelf.now = now or self.shelf.now
        return pull(self.workspace, self.connection, self.shelf.now, opener=self.open, **options)

    def stored(self, *, deleted: bool = False) -> dict[str, str]:
        """What we hold of contacts, key to name; without those that are deleted, unless they are asked for."""
        with transaction(self.workspace) as db:
            rows = db.execute(
                "SELECT key, name FROM contact WHERE connection_id = %s AND (%s OR NOT deleted) ORDER BY key",
                [self.connection, deleted],
            ).fetchall()
        return dict(rows)

    def stream(self, name: str = "contacts") -> StreamState:
        with transaction(self.workspace) as db:
            return next(s for s in streams.states(db) if s.name == name and s.connection_id == self.connection)

    def state(self) -> Connection:
        with transaction(self.workspace) as db:
            found = connections.get(db, self.connection)
        assert found is not None
        return found

    def quarantined(self) -> dict[str, str]:
        with transaction(self.workspace) as db:
            return {q.source_key: q.reason for q in quarantine.newest(db, 1000) if q.connection_id == self.connection}

    def kill_runner(self) -> None:
        """As if its lease had run out; a killed process gives nothing back."""
        with transaction(self.workspace) as db:
            db.execute("UPDATE stream SET lease_until = NULL WHERE connection_id = %s", [self.connection])


def bench(workspace: UUID, *streams: Stream, kind: type[Source] = Source, config: dict[str, Any] | None = None, **shelf: Any) -> Bench:
    with transaction(workspace) as db:
        connection_id = connections.create(db, "memory", f"memory {len(connections.all_connections(db))}", config or {})
    return Bench(workspace, connection_id, Shelf(list(streams) or [Stream(name="contacts", lag=5 * MINUTE, overlap=10 * MINUTE)], **shelf), kind)
