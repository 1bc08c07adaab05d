"""How often one key may call: a token bucket that all API processes share in Redis; while Redis is away, one in each process."""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from service import jobs
from service.config import settings
from service.errors import SettingError, TooMany

if TYPE_CHECKING:
    from redis import Redis
    from redis.commands.core import Script

log = logging.getLogger("undertone.limits")

LOOK_AGAIN = timedelta(seconds=5)
"""For so long Redis is not asked after it did not answer: no call should wait for it."""
MOST_KEPT = 10_000
"""Buckets that one process keeps while Redis is away; those asked for longest ago go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A bucket holds `burst` calls and fills at `per_minute`."""

    per_minute: int
    burst: int

    @property
    def per_second(self) -> float:
        return self.per_minute / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What is in it, in calls, after this call has been granted or not."""

    rate: Rate
    level: float
    granted: bool

    @property
    def wait(self) -> int:
        """Whole seconds until it holds a call again."""
        return math.ceil(max(0.0, 1 - self.level) / self.rate.per_second)

    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers: what a bucket holds, in how many seconds it fills, what is left of it."""
        fills = math.ceil(self.rate.burst / self.rate.per_second)
        return {"RateLimit-Policy": f'"key";q={self.rate.burst};w={fills}', "RateLimit": f'"key";r={math.floor(self.level)};t={self.wait}'}


CRITIC = Rate(per_minute=60, burst=20)
"""Of the critic beside a text, for each session: more than somebody types, and too little to keep the others' pages waiting."""


def configured() -> Rate:
    return Rate(per_minute=settings().requests_per_minute, burst=settings().requests_burst)


def take(name: str, rate: Rate, now: datetime) -> Bucket:
    """One call out of the bucket of that name. `now`: a clock that goes back fills no bucket."""
    return _shared().take(name, rate, now)


def refusal(bucket: Bucket) -> TooMany:
    rate = bucket.rate
    message = f"Too many calls with this key: {rate.per_minute:,} a minute, {rate.burst:,} at once. Try again in {bucket.wait} s."
    return TooMany(message, retry_after=bucket.wait)


class Shared:
    """In Redis while it answers, else in this process: there is no time without a limit."""

    def __init__(self) -> None:
        self._own = Own()
        self._away_since: datetime | None = None

    def take(self, name: str, rate: Rate, now: datetime) -> Bucket:
        if self._away_since and timedelta() <= now - self._away_since < LOOK_AGAIN:
            return self._own.take(name, rate, now)
        try:
            found = _in_redis(name, rate, now)
        except (RedisError, SettingError):
            if self._away_since is None:
                log.warning("redis out of reach, each process limits its calls by itself")
            self._away_since = now
            return self._own.take(name, rate, now)
        if self._away_since:
            log.warning("redis is back, calls are limited together again")
            self._away_since = None
        return found


class Own:
    """Buckets of this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, rate: Rate, now: datetime) -> Bucket:
        at = now.timestamp()
        with self._lock:
            level, since = self._kept.pop(name, (float(rate.burst), at))
            level = min(rate.burst, level + max(0.0, at - since) * rate.per_second)
            granted = level >= 1
            left = level - 1 if granted else level
            self._kept[name] = left, max(at, since)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return Bucket(rate=rate, level=left, granted=granted)


# The same reckoning as Own.take. What is full again need not be kept.
_TAKE = """
local burst, per_second, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
level = math.min(burst, level + math.max(0, now - at) * per_second)
local granted = level >= 1
if granted then level = level - 1 end
redis.call('HSET', KEYS[1], 'level', string.format('%.17g', level), 'at', string.format('%.17g', math.max(now, at)))
redis.call('EXPIRE', KEYS[1], math.ceil((burst - level) / per_second) + 1)
return {granted and 1 or 0, string.format('%.17g', level)}
"""


def _in_redis(name: str, rate: Rate, now: datetime) -> Bucket:
    granted, level = _script(jobs.redis())(keys=[f"undertone:calls:{name}"], args=[rate.burst, repr(rate.per_second), repr(now.timestamp())])
    return Bucket(rate=rate, level=float(level), granted=bool(granted))


@cache
def _script(client: Redis) -> Script:
    return client.register_script(_TAKE)


@cache
def _shared() -> Shared:
    return Shared()
