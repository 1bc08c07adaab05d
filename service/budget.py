"""How many calls to the other side are still ours: a share of what it allows all its clients in a day, and a share for one run of ours.

Counted in Redis, so that all workers count together; set right after each call by what the other side itself says. Losing Redis loses
nothing but that: each process then goes by what it has seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from redis.exceptions import RedisError

from connectors.errors import Misconfigured, Parked
from service import jobs

if TYPE_CHECKING:
    from redis.client import Pipeline

log = logging.getLogger("undertone.budget")

LOOK_AGAIN = timedelta(hours=1)
"""The day of a limit is often the last 24 hours and not a date: room comes back little by little, and only a call tells how much."""
STALE = timedelta(minutes=50)
"""Older than this, what the other side said of its day counts no more: after parking, the first call asks anew."""
KEPT = timedelta(days=2)
_AT_LEAST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Above 0, at most 1; None: no bound. `api`: of the total, whoever used it. `run`: of the total, for one run."""

    api: float | None = None
    run: float | None = None


def shares_of(config: Mapping[str, Any]) -> Shares:
    """From a connection's settings, whichever connector it is: `api_share` and `run_share`."""
    return Shares(api=_share(config, "api_share"), run=_share(config, "run_share"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Of the calls that the other side allows in a day: those used, whoever made them, as last said and counted since."""

    used: int
    allowed: int


def spent(workspace_id: UUID, connection_ids: Sequence[UUID]) -> dict[UUID, Spent]:
    """Of those that have been asked lately; of none while Redis is away."""
    pipe = jobs.redis().pipeline(transaction=False)
    for connection_id in connection_ids:
        pipe.hmget(_org_key(workspace_id, connection_id), "used", "allowed")
    try:
        found = pipe.execute()
    except RedisError:
        log.warning("counters out of reach, nothing is known of calls")
        return {}
    told = zip(connection_ids, found, strict=True)
    return {c: Spent(used=int(used), allowed=int(allowed)) for c, (used, allowed) in told if used is not None and allowed is not None}


class SharedBudget:
    """connectors.context.Budget for one connection. `run`: which of our runs it counts, pull or push; it ends with `end_run`."""

    def __init__(self, workspace_id: UUID, connection_id: UUID, shares: Shares, now: datetime, *, run: str) -> None:
        self._shares = shares
        self._now = now
        self._org_key = _org_key(workspace_id, connection_id)
        self._run_key = f"{self._org_key}:{run}:{now:%Y-%m-%d}"
        self._used: int | None = None
        self._allowed: int | None = None
        self._said: tuple[int, int] | None = None
        self._run = 0
        self._redis_is_away = False
        self.calls = 0
        """Made through this object."""

    def take(self, calls: int = 1) -> None:
        """Counted first and taken back if that was too much: so no two workers can take the same last call."""
        found = self._tell(
            lambda pipe: pipe.hincrby(self._org_key, "used", calls),
            lambda pipe: pipe.hget(self._org_key, "allowed"),
            lambda pipe: pipe.expire(self._org_key, STALE),
            lambda pipe: pipe.incrby(self._run_key, calls),
            lambda pipe: pipe.expire(self._run_key, KEPT),
        )
        used, allowed, _, run, _ = found or (None, None, None, 0, None)
        if used is not None and allowed is not None:
            self._used, self._allowed = int(used), int(allowed)
        elif self._used is not None and self._allowed is not None:
            self._used += calls
            self._said = self._used, self._allowed
        self._note_run(int(run or 0), calls)
        try:
            self._mind(calls)
        except Parked:
            self._take_back(calls)
            raise
        self.calls += calls

    def seen(self, used: int, allowed: int) -> None:
        """Told to the others with the next call, which is one trip less."""
        if allowed > 0:
            self._used, self._allowed = self._said = used, allowed

    def end_run(self) -> None:
        """The next run has a whole share again."""
        self._run = 0
        self._tell(lambda pipe: pipe.delete(self._run_key))

    def _note_run(self, counted: int, calls: int) -> None:
        """What all workers have counted; less than this one knows of means that Redis has been emptied, or is away."""
        known = self._run + calls
        self._run = max(counted, known)
        if counted < known:
            self._tell(lambda pipe: pipe.set(self._run_key, known, ex=KEPT))

    def _mind(self, calls: int) -> None:
        if self._allowed is None:
            return
        if self._shares.api is not None and (self._used or 0) > self._allowed * self._shares.api:
            raise Parked(_used_up((self._used or 0) - calls, self._allowed, self._shares.api), wait=LOOK_AGAIN)
        if self._shares.run is not None and self._run > self._allowed * self._shares.run:
            raise Parked(_run_over(self._run - calls, self._allowed, self._shares.run), wait=self._until_tomorrow())

    def _take_back(self, calls: int) -> None:
        self._used = None if self._used is None else self._used - calls
        self._run -= calls
        self._tell(lambda pipe: pipe.hincrby(self._org_key, "used", -calls), lambda pipe: pipe.incrby(self._run_key, -calls))

    def _tell(self, *commands: Callable[[Pipeline], object]) -> list[Any] | None:
        """One round trip. Once Redis has not answered it is not asked again by this object: a run must not wait for it at each call."""
        if self._redis_is_away:
            return None
        pipe = jobs.redis().pipeline(transaction=False)
        said, self._said = self._said, None
        if said is not None:
            pipe.hset(self._org_key, mapping={"used": said[0], "allowed": said[1]})
        for command in commands:
            command(pipe)
        try:
            return list(pipe.execute())[0 if said is None else 1 :]
        except RedisError:
            self._redis_is_away = True
            log.warning("counters out of reach, this process counts for itself")
            return None

    def _until_tomorrow(self) -> timedelta:
        midnight = (self._now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return max(midnight - self._now, _AT_LEAST)


def _org_key(workspace_id: UUID, connection_id: UUID) -> str:
    return f"undertone:budget:{workspace_id}:{connection_id}"


def _used_up(used: int, allowed: int, share: float) -> str:
    return (
        f"{used:,} of the {allowed:,} calls that the other side allows in a day are used, whoever made them. Undertone stops at {share:.0%} (api_share), "
        "so that other systems keep theirs. It looks again in an hour and goes on where it stood. Raise api_share on the connection, or the limit itself, "
        "if this happens often."
    )


def _run_over(run: int, allowed: int, share: float) -> str:
    return (
        f"This run has made {run:,} calls, its share ({share:.0%}, run_share) of the {allowed:,} that the other side allows in a day. "
        "It goes on where it stood after midnight UTC. Raise run_share on the connection if it shall be done sooner."
    )


def _share(config: Mapping[str, Any], name: str) -> float | None:
    value = config.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        message = f"Setting {name} of this connection must be above 0 and at most 1, like 0.8 for 80%. Connect again with such a value."
        raise Misconfigured(message)
    return float(value)
