"""How each connection stands: what happened, to what, since when, and what to do next. Pure: stored rows and `now` in, sentences out."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from service.signals import SignalKind
from service.store.conditions import Conditions, Stuck, SweepRow
from service.store.connections import Connection
from service.store.streams import StreamState

Kind = Literal[
    "auth_failed", "misconfigured", "paused", "failing", "stale", "lost_sight", "blocked", "parked", "behind", "lacking", "uncompared", "quarantined"
]
Level = Literal["act", "wait", "note"]
"""`act`: a person is needed. `wait`: it goes on by itself. `note`: worth a look; what can be used is used."""

Feed = Literal["mail", "usage", "renewals"]

LEVELS: dict[Kind, Level] = {
    "auth_failed": "act",
    "misconfigured": "act",
    "paused": "act",
    "failing": "act",
    "stale": "act",
    "lost_sight": "act",
    "blocked": "act",
    "parked": "wait",
    "behind": "wait",
    "lacking": "note",
    "uncompared": "note",
    "quarantined": "note",
}
_HEADLINES: dict[Kind, str] = {
    "auth_failed": "login refused",
    "misconfigured": "stopped",
    "paused": "paused",
    "failing": "cannot be read",
    "stale": "out of date",
    "lost_sight": "rows have gone out of sight",
    "blocked": "tasks could not be written",
    "parked": "waits",
    "behind": "still being read",
    "lacking": "fields are missing",
    "uncompared": "could not be compared",
    "quarantined": "rows in quarantine",
}
PASSING = timedelta(hours=1)
"""An error that is younger has not shown yet that it will stay."""
PATIENCE = timedelta(days=1)
"""What may still mend itself is told to the owner only after this."""
FEEDS: dict[Feed, frozenset[str]] = {
    "mail": frozenset({"emails", "tasks", "events"}),
    "usage": frozenset({"usage"}),
    "renewals": frozenset({"accounts", "opportunities"}),
}
"""The streams that each of them comes by."""
_ABSENCES: dict[Feed, tuple[SignalKind, ...]] = {"mail": ("silence", "unanswered_question"), "usage": ("usage_drop",)}
_AT_ONCE = frozenset({"auth_failed", "misconfigured", "paused"})
_IN_TIME = frozenset({"failing", "stale"})
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    connection_id: UUID
    connection: str
    kind: Kind
    sentence: str
    """Holds nothing private. Commands stand between backticks."""
    streams: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def level(self) -> Level:
        return LEVELS[self.kind]

    @property
    def place(self) -> str:
        """On the page of connections."""
        return f"c-{self.connection_id}"

    @property
    def blinds(self) -> bool:
        """Whether something is not read because of it, so that what rests on it is unknown."""
        return self.kind in _AT_ONCE | _IN_TIME

    @property
    def headline(self) -> str:
        """A few words for a strip or a list."""
        when = f" until {moment(self.until)}" if self.until else f" since {day(self.since)}" if self.since else ""
        return f"{self.connection}: {_HEADLINES[self.kind]}{when}"


def troubles(conditions: Conditions, now: datetime) -> list[Trouble]:
    """By connection, the gravest first. Nothing for what is well."""
    streams = defaultdict[UUID, list[StreamState]](list)
    for stream in conditions.streams:
        streams[stream.connection_id].append(stream)
    found = list[Trouble]()
    for c in conditions.connections:
        found += _stopped(c)
        if c.status == "active":
            found += [*_failing(c, streams[c.connection_id], now), *_stale(c, streams[c.connection_id], now), *_waiting(c, streams[c.connection_id], now)]
        found += _blocked(c, [s for s in conditions.stuck if s.connection_id == c.connection_id])
        found += _lacking(c, streams[c.connection_id])
        found += _swept(c, [s for s in conditions.sweeps if s.connection_id == c.connection_id])
        found += _quarantined(c, conditions.quarantined.get(c.connection_id, 0))
    order = list(LEVELS)
    return sorted(found, key=lambda t: order.index(t.kind))


def standing(found: Iterable[Trouble]) -> Kind | Literal["ok"]:
    """The gravest of one connection's troubles in a word."""
    kinds = {t.kind for t in found}
    return next((kind for kind in LEVELS if kind in kinds), "ok")


def needs_owner(trouble: Trouble, now: datetime) -> bool:
    """Whether it is time to tell the connection's owner."""
    if trouble.kind in _AT_ONCE:
        return True
    return trouble.kind in _IN_TIME and (trouble.since is None or now - trouble.since > PATIENCE)


def unread(connections: Iterable[Connection], streams: Iterable[StreamState], now: datetime) -> frozenset[Feed]:
    """Feeds that one may not go by: of those of their streams that exist, one cannot be read, or has not been lately."""
    known, every = {c.connection_id: c for c in connections}, list(streams)
    return frozenset(feed for feed, names in FEEDS.items() if not all(_is_fresh(known[s.connection_id], s, now) for s in every if s.name in names))


def doubtful(feeds: Collection[Feed]) -> frozenset[SignalKind]:
    """What is concluded from something that did not come, and rests on these feeds: none of it may begin."""
    return frozenset(kind for feed in feeds for kind in _ABSENCES.get(feed, ()))


def _is_fresh(c: Connection, s: StreamState, now: datetime) -> bool:
    return c.status == "active" and s.succeeded_at is not None and stale_since(c, s) >= now and not _is_failing(c, s, now)


def _stopped(c: Connection) -> Iterator[Trouble]:
    if c.status == "active":
        return
    name, reason, again = c.name, _sentence(c.status_reason), f"`undertone connect {c.connector} --name {shlex.quote(c.name)}`"
    since = moment(c.status_since)
    said = {
        "auth_failed": f"{name} has been refused at the login since {since}. {reason}No further attempt is made with these credentials. "
        f"Give it new ones: {again}.",
        "misconfigured": f"{name} has stopped since {since}. {reason}Mend that, then run {again}.",
        "paused": f"{name} has been paused since {since}. {reason and f'Reason given: {reason}'}Nothing is read from it or written to it. "
        f"It goes on with `undertone resume {shlex.quote(c.name)}`.",
    }
    yield Trouble(connection_id=c.connection_id, connection=name, kind=c.status, since=c.status_since, sentence=said[c.status])


def _failing(c: Connection, streams: Sequence[StreamState], now: datetime) -> Iterator[Trouble]:
    """Streams with the same error are one trouble. While the connection is parked nothing is tried."""
    same = defaultdict[str, list[StreamState]](list)
    for s in streams:
        if s.error and _is_failing(c, s, now):
            same[s.error].append(s)
    for error, failing in same.items():
        since = min((s.error_since for s in failing if s.error_since), default=None)
        sentence = (
            f"{_named(failing)} of {c.name} cannot be read{f' since {moment(since)}' if since else ''}. {_sentence(error)}It is tried again every few minutes; "
            f"if it stays, `undertone connect {c.connector} --name {shlex.quote(c.name)}` checks the connection."
        )
        yield _of(c, "failing", failing, since, sentence)


def _stale(c: Connection, streams: Sequence[StreamState], now: datetime) -> Iterator[Trouble]:
    """What fails is not called stale as well, nor what is on its first way through."""
    stale = [s for s in streams if stale_since(c, s) < now and not _is_failing(c, s, now) and not (s.unfinished and s.succeeded_at is None)]
    if not stale:
        return
    read = min((s.succeeded_at for s in stale if s.succeeded_at), default=None)
    not_read = f"not been read since {moment(read)}" if read else "never been read to the end"
    sentence = (
        f"{_named(stale)} of {c.name} {'has' if len(stale) == 1 else 'have'} {not_read}. What rests on that is unknown by now, neither good nor bad. "
        f"See that a worker runs (`undertone serve`), or read it now with `undertone pull --connection {shlex.quote(c.name)}`."
    )
    yield _of(c, "stale", stale, min(stale_since(c, s) for s in stale), sentence)


def _waiting(c: Connection, streams: Sequence[StreamState], now: datetime) -> Iterator[Trouble]:
    if c.parked_until is not None and _is_parked(c, now):
        sentence = f"{c.name} waits until {moment(c.parked_until)}. {_sentence(c.parked_reason)}It goes on by itself."
        yield Trouble(connection_id=c.connection_id, connection=c.name, kind="parked", until=c.parked_until, sentence=sentence)
    behind = [s for s in streams if s.unfinished]
    if behind:
        reached = "; ".join(f"{s.name}: {s.landed:,} rows so far{f', up to {day(s.cursor_at)}' if s.cursor_at else ''}" for s in behind)
        sentence = f"{c.name} is still being read ({reached}). It goes on by itself."
        yield _of(c, "behind", behind, None, sentence)


def _blocked(c: Connection, stuck: Sequence[Stuck]) -> Iterator[Trouble]:
    if stuck:
        number = sum(s.tasks for s in stuck)
        tasks = "1 task" if number == 1 else f"{number:,} tasks"
        reason = _sentence(stuck[0].reason) if len(stuck) == 1 else f"Most of them: {_sentence(stuck[0].reason)}`undertone status` lists all reasons. "
        sentence = (
            f"{tasks} could not be written to {c.name}, and no further try is made. {reason}"
            f"Once that is mended, `undertone push --retry --connection {shlex.quote(c.name)}` tries again."
        )
        yield Trouble(connection_id=c.connection_id, connection=c.name, kind="blocked", sentence=sentence)


def _lacking(c: Connection, streams: Sequence[StreamState]) -> Iterator[Trouble]:
    lacking = [s for s in streams if s.missing]
    if lacking:
        fields = "; ".join(f"{s.name} without {', '.join(s.missing)}" for s in lacking)
        sentence = (
            f"{c.name} reads {fields}: the connected user cannot see these fields. What was stored of them stays as it is. "
            "Give that user read access to them, or name other fields in the settings."
        )
        yield _of(c, "lacking", lacking, None, sentence)


def _swept(c: Connection, sweeps: Sequence[SweepRow]) -> Iterator[Trouble]:
    """What the comparison with the source came to, where that is no good news."""
    for s in sweeps:
        if s.error is None:
            continue
        kind: Kind = "lost_sight" if s.withheld else "uncompared"
        said = (
            f"The stream {s.stream} of {c.name} was compared with its source. " if s.withheld else f"The stream {s.stream} of {c.name} could not be compared. "
        )
        yield Trouble(connection_id=c.connection_id, connection=c.name, kind=kind, streams=(s.stream,), sentence=(said + _sentence(s.error)).strip())


def _quarantined(c: Connection, rows: int) -> Iterator[Trouble]:
    if rows:
        said = "1 row" if rows == 1 else f"{rows:,} rows"
        sentence = (
            f"{said} of {c.name} could not be used and {'is' if rows == 1 else 'are'} kept in quarantine, each with its reason; the others landed. "
            f"Once that is mended, `undertone replay {shlex.quote(c.name)}` reads them again."
        )
        yield Trouble(connection_id=c.connection_id, connection=c.name, kind="quarantined", sentence=sentence)


def stale_since(c: Connection, s: StreamState) -> datetime:
    """When what rests on the stream becomes unknown."""
    return (s.succeeded_at or c.created_at) + timedelta(seconds=s.fresh_seconds)


def moment(at: datetime) -> str:
    return f"{day(at)}, {at.astimezone(UTC):%H:%M} UTC"


def day(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y}"


def _of(c: Connection, kind: Kind, streams: Sequence[StreamState], since: datetime | None, sentence: str) -> Trouble:
    names = tuple(s.name for s in streams)
    return Trouble(connection_id=c.connection_id, connection=c.name, kind=kind, streams=names, since=since, sentence=sentence)


def _is_failing(c: Connection, s: StreamState, now: datetime) -> bool:
    return bool(s.error) and not _is_parked(c, now) and (s.error_since is None or now - s.error_since > PASSING)


def _is_parked(c: Connection, now: datetime) -> bool:
    return c.parked_until is not None and c.parked_until > now


def _named(streams: Sequence[StreamState]) -> str:
    names = [s.name for s in streams]
    if len(names) == 1:
        return f"The stream {names[0]}"
    if len(names) <= _MOST_NAMED:
        return f"The streams {', '.join(names[:-1])} and {names[-1]}"
    return f"The streams {', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more"


def _sentence(reason: str | None) -> str:
    """Ends as a sentence does, with a space for the next; "" of none."""
    text = (reason or "").strip()
    return f"{text}{'' if text.endswith(('.', '!', '?')) else '.'} " if text else ""
