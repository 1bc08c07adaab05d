"""The interface between the steps in service/ and the outside: a Source pages records in, a Sink upserts tasks out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol, Self, runtime_checkable

from connectors.context import Context
from connectors.records import Record, Rejected, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a stream has been read: everything up to (`at`, `key`). An empty cursor means from the beginning.

    `resume` is the source's own note of where it stands within something longer (an export job and its page), at most 1,000 characters;
    a read that begins with it goes on there, or begins again at (`at`, `key`) if the other side has forgotten it.
    """

    at: datetime | None = None
    key: str = ""
    resume: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Records to land in one transaction together with `cursor`.

    A source whose rows are unordered moves only `cursor.resume` until its last page, or gives `cursor=None`. A page without
    records says that the other side is still at work; a run may end at any page.
    """

    records: Sequence[Record]
    rejected: Sequence[Rejected] = ()
    cursor: Cursor | None = None
    unread: frozenset[str] = frozenset()
    """Fields of these records that the source could not read (hidden or gone): what is stored of them stays as it is."""
    present: Sequence[Present] = ()
    """Of a sweep over ids: what is there, without its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A row that the other side holds, and its stamp."""

    key: str
    modified_at: datetime


Sweep = Literal["ids", "formulas"]
"""What a cursor cannot see. `ids`: rows that have vanished or were missed. `formulas`: computed values, which move no stamp."""


Kind = Literal["user", "account", "contact", "opportunity", "email", "call", "meeting", "chat", "note"]
"""Of records that are stored under their source's own key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """`lag`: do not read newer than now - lag (late-visible rows). `overlap`: re-read that much before the cursor.
    `fresh_within`: older than this since the last success, what rests on the stream is unknown. `sweeps`: how often each.
    `covers`: kinds of records that other streams deliver as well, of which this one's sweep over ids shows every row all the same."""

    name: str
    lag: timedelta = timedelta(0)
    overlap: timedelta = timedelta(0)
    fresh_within: timedelta = timedelta(days=2)
    sweeps: Mapping[Sweep, timedelta] = field(default_factory=dict)
    covers: frozenset[Kind] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSchema:
    """What of a stream can be read today. `missing`: fields that are named in the settings or belong to the stream, and cannot be seen.
    `problem`: why it cannot be read at all."""

    stream: str
    fields: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a check: `error` stops the connection, `warning` is shown, `ok` is said."""

    level: Literal["ok", "warning", "error"]
    about: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A suggestion as it shall stand in the CRM. `key` is unique for ever (at most 40 of [a-z0-9-])."""

    key: str
    subject: str
    description: str
    due: date
    priority: Literal["high", "normal"]
    owner_keys: tuple[str, ...]
    """Best first: the first active one gets the task (account owner, its manager, ...)."""
    account_key: str | None
    """None for one that is about no account."""
    contact_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the sink would do with one task. `fields` are exactly the CRM fields that would be written."""

    key: str
    action: Literal["create", "update", "skip"]
    reason: str = ""
    remote_id: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`ok`: in the CRM as planned. `retry`: not written, try later. `permanent`: a person must act. `unknown`: the answer is missing, read by key."""

    key: str
    status: Literal["ok", "retry", "permanent", "unknown"]
    remote_id: str | None = None
    created: bool = False
    message: str = ""
    wait: timedelta | None = None


class Source(Protocol):
    def check(self, now: datetime) -> Sequence[Finding]: ...

    def discover(self) -> Sequence[StreamSchema]:
        """Cheap; asked at each run, because fields come and go."""
        ...

    def streams(self) -> Sequence[Stream]: ...

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:
        """Pages in cursor order from `after` (inclusive) to `until`. Never reads the clock. Raises ConnectorError."""
        ...


@runtime_checkable
class Sweeping(Protocol):
    """A source some of whose streams have sweeps."""

    def sweep(self, stream: str, sweep: Sweep, after: Cursor, until: datetime) -> Iterator[Page]:
        """Pages over the whole stream from `after` on; each cursor resumes the sweep. `ids` gives pages of `present` (rows in the recycle
        bin are not), `formulas` gives records with nothing but what changes without a stamp differing from what is stored."""
        ...


@runtime_checkable
class Fetching(Protocol):
    """A source that can be asked for single rows."""

    def fetch(self, stream: str, keys: Sequence[str]) -> Iterator[Page]:
        """These rows as they are now, deleted ones as deleted; pages without cursors. A key that is not there gives nothing."""
        ...


class Sink(Protocol):
    @property
    def guarded(self) -> bool:
        """True if the CRM holds no unique key: then only one writer may apply at a time, and each create reads by key first."""
        ...

    def plan(self, tasks: Sequence[Task], found: Mapping[str, TaskState | None]) -> Sequence[Change]:
        """Pure: what `apply` would do, given what `lookup` found. A closed or deleted task is skipped, never made again;
        on update only our text fields are written."""
        ...

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        """One outcome per change, in order. Never raises for a single row, and for the whole call only while nothing has been written."""
        ...

    def lookup(self, keys: Sequence[str]) -> Mapping[str, TaskState | None]: ...


class ConfigModel(Protocol):
    """What a pydantic model offers; the domain itself does not depend on pydantic."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self: ...

    def model_dump(self, *, mode: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """What a connector package exports as CONNECTOR and names as an entry point in the group "undertone.connectors".

    `source` and `sink` take a context with settings that `config_model` has checked. `sink` is None for a connector that only delivers.
    """

    config_model: type[ConfigModel]
    source: Callable[[Context], Source]
    sink: Callable[[Context], Sink] | None = None
