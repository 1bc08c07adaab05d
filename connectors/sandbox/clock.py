"""The org's time, and how it is written on the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Now = Callable[[], datetime]


def wire(at: datetime) -> str:
    """`2024-09-24T03:26:07.000+0000`: what REST answers, and (as text) sorts by time."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def from_wire(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def parse(text: str) -> datetime:
    """An ISO time with an offset, as aware UTC. ValueError without an offset: nobody can tell what a naive time means."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        message = f"{text!r} has no time zone; write for example 2026-03-02T09:00:00Z"
        raise ValueError(message)
    return at.astimezone(UTC)


class Clock:
    """A real clock stamps rows in whole seconds, as Salesforce does. A fixed one stands still, and each stamp is a millisecond later than the last.

    `skew` tells by how many seconds the org's clock is ahead of the time it was given."""

    def __init__(self, now: datetime | Now, skew: Callable[[], float] = lambda: 0.0) -> None:
        self._lock = threading.Lock()
        self._stamps = 0
        self._now = now
        self._skew = skew

    def now(self) -> datetime:
        given = self._now if isinstance(self._now, datetime) else self._now()
        return given + timedelta(seconds=self._skew())

    def stamp(self) -> str:
        """The time of a write, on the wire."""
        if not isinstance(self._now, datetime):
            return wire(self.now().replace(microsecond=0))
        with self._lock:
            self._stamps += 1
            return wire(self.now() + timedelta(milliseconds=self._stamps))

    def go_on_after(self, stamp: str | None) -> None:
        """A clock that stands still does not repeat the stamps of an earlier run."""
        if stamp is not None and isinstance(self._now, datetime):
            self._stamps = max(self._stamps, (from_wire(stamp) - self._now) // timedelta(milliseconds=1))

    def advance(self, by: timedelta) -> None:
        """Raises ValueError for a clock that keeps the real time."""
        if not isinstance(self._now, datetime):
            message = "this org keeps the real time, which nobody can move; start it with a time of its own"
            raise ValueError(message)  # noqa: TRY004 - the caller's choice of a clock is a value
        self.move(self._now + by)

    def move(self, now: datetime | Now) -> None:
        with self._lock:
            self._now, self._stamps = now, 0
