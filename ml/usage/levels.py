"""What a series stood at before and since a day, with the week and the peers taken out, and how sure that is.

Levels are means per average day of the week on a day that is ordinary for the peers. Intervals are 90 % intervals of a quasi-Poisson
model over days: the variance of a day's count is its expectation times a dispersion, estimated from the days themselves and
widened by how long deviations last (Newey and West 1987, Bartlett weights over two weeks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WEEK = 7
BEFORE = 120
"""Days before an onset that its level rests on."""
LATELY = 14
SETTLING = 3
"""Days after an onset that may still belong to the old level."""
MIN_PEERS = 5
PEER_PRIOR = 3.0
"""How many ordinary peers the day factor starts from."""
WEEK_PRIOR = 2.0
"""Weeks that the peers' week weighs against the series' own."""
QUIET_FACTOR = 0.55
"""A day on which the peers stand below this carries no weight: a holiday."""
SHAPE_FLOOR = 0.15
SMALL = 0.3
"""Counts a day below which a relative change means nothing."""
Z = 1.645
"""Two-sided 90 % of a normal distribution."""
LAGS = 14
MOST_LASTING = 12.0
ONSET_RATIO = 5.94
"""Twice the log likelihood ratio that holds a change point in 90 % of cases: (1 - exp(-c / 2))**2 = 0.9 (Siegmund 1988)."""
FADE_LENGTHS = (21, 45, 80)
STEP_LENGTHS = (1, 10)
"""Days that a change may take: what is no fade comes within days, not always in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with its 90 % interval; low <= value <= high."""

    value: float
    low: float
    high: float

    def holding(self, value: float) -> Interval:
        """The same interval around another estimate, widened where it would lie outside."""
        return Interval(value=value, low=min(self.low, value), high=max(self.high, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """(series, days). `shape`: what share of an average day is usual that day; 0 on days that carry no weight."""

    counts: Floats
    shape: Floats

    @property
    def usable(self) -> Bools:
        return np.isfinite(self.counts) & (self.shape > SHAPE_FLOOR)


def week_of(values: Floats, until: int, common: Floats | None = None) -> Floats:
    """(series, 7): each series' own week over the days before `until`, shrunk to the common one, mean 1; column 0 is the first day's weekday."""
    known = np.isfinite(values[:, :until])
    counted = np.where(known, values[:, :until], 0.0)
    by_day = [slice(d, None, WEEK) for d in range(WEEK)]
    total = np.stack([counted[:, s].sum(axis=1) for s in by_day], axis=1)
    days = np.stack([known[:, s].sum(axis=1) for s in by_day], axis=1)
    level = total.sum(axis=1, keepdims=True) / np.maximum(days.sum(axis=1, keepdims=True), 1)
    prior = np.full(WEEK, 1.0) if common is None else common
    weight = WEEK_PRIOR if common is not None else 0.5
    week = (total + weight * level * prior + 1e-9) / (days + weight)
    result: Floats = week / np.maximum(week.mean(axis=1, keepdims=True), 1e-12)
    return result


def peers_of_days(values: Floats, until: int) -> tuple[Floats, Floats]:
    """(days,) how each day went for these peers against their week before `until`, 1 where too few say so; and their common week (7,)."""
    week = week_of(values, until)
    old = values[:, :until]
    level = np.where(np.isfinite(old), old, 0.0).sum(axis=1) / np.maximum(np.isfinite(old).sum(axis=1), 1)
    weight = np.sqrt(np.maximum(level, 0.0))[:, None] * (level > SMALL)[:, None]
    usual = level[:, None] * week[:, np.arange(values.shape[1]) % WEEK]
    counts = np.isfinite(values) & (usual > 0)
    ratio = np.minimum(np.where(counts, values, 0.0) / np.where(counts, usual, 1.0), 2.0)
    weights = np.where(counts, weight, 0.0)
    prior = PEER_PRIOR * weights.sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
    factor = ((ratio * weights).sum(axis=0) + prior) / np.maximum(weights.sum(axis=0) + prior, 1e-12)
    enough = (weights > 0).sum(axis=0) >= MIN_PEERS
    common = (week * weight).sum(axis=0) / np.maximum(weight.sum(), 1e-12) if weight.any() else np.ones(WEEK)
    return np.where(enough, factor, 1.0), common


def daily(values: Floats, peers: Floats, until: int, closed: Bools) -> tuple[Daily, float]:
    """Series against their peers over the same days, and how the peers' days since `until` went against the four weeks before (relative).

    `closed` days (holidays) and days on which the peers stood still carry no weight.
    """
    factor, common = peers_of_days(peers, until) if len(peers) else (np.ones(values.shape[1]), None)
    week = week_of(values, until, common)
    factor = np.where((factor < QUIET_FACTOR) | closed, 0.0, factor)
    shape = week[:, np.arange(values.shape[1]) % WEEK] * factor
    return Daily(counts=_without_bursts(values, shape), shape=shape), _change_of(factor[max(0, until - 4 * WEEK) : until], factor[until:])


def _change_of(old: Floats, new: Floats) -> float:
    old, new = old[old > 0], new[new > 0]
    return float(new.mean() / old.mean() - 1) if len(old) and len(new) else 0.0


def _without_bursts(values: Floats, shape: Floats) -> Floats:
    usable = np.isfinite(values) & (shape > SHAPE_FLOOR)
    mean = np.where(usable, values, 0.0).sum(axis=1) / np.maximum(np.where(usable, shape, 0.0).sum(axis=1), 1e-9)
    result: Floats = np.minimum(values, (3 * mean[:, None] + 1) * np.maximum(shape, SHAPE_FLOOR))
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Sums over some days, per series: how much was counted, on how many usable days, against what share of average days."""

    counted: Floats
    shape: Floats
    days: Floats

    @property
    def level(self) -> Floats:
        result: Floats = self.counted / np.maximum(self.shape, 1e-9)
        return result


def stretch(found: Daily, days: Bools) -> Stretch:
    used = found.usable & days
    return Stretch(
        counted=np.where(used, found.counts, 0.0).sum(axis=1),
        shape=np.where(used, found.shape, 0.0).sum(axis=1),
        days=used.sum(axis=1).astype(float),
    )


def noise(found: Daily, parts: Sequence[Bools]) -> tuple[Floats, Floats]:
    """(series,) each: the variance of a day over that of a Poisson count, and how much more the sum of many days varies than
    days that know nothing of each other. Each part of the days has a level of its own."""
    residual = np.zeros(found.counts.shape)
    known = np.zeros(found.counts.shape, bool)
    for part in parts:
        used = found.usable & part
        expected = np.maximum(stretch(found, part).level, 1e-6)[:, None] * np.where(used, found.shape, 1.0)
        residual = np.where(used, (found.counts - expected) / np.sqrt(np.maximum(expected, 0.1)), residual)
        known |= used
    residual = np.where(known, residual, 0.0)
    dispersion = (residual**2).sum(axis=1) / np.maximum(known.sum(axis=1) - len(parts), 1)
    return np.maximum(dispersion, 0.5), _lasting(residual, known)


def _lasting(residual: Floats, known: Bools) -> Floats:
    """1 where deviations of one day say nothing of the next, more the longer they last."""
    lags = min(LAGS, residual.shape[1] - 1)
    products, pairs = _lagged(residual, lags), np.maximum(_lagged(known.astype(float), lags), 1.0)
    covariance = products / pairs
    weights = 2 * (1 - np.arange(1, lags + 1) / (LAGS + 1))
    total = 1 + covariance[:, 1:] @ weights / np.maximum(covariance[:, 0], 1e-9)
    result: Floats = np.clip(total, 1.0, MOST_LASTING)
    return result


def _lagged(values: Floats, lags: int) -> Floats:
    """(series, lags + 1): sums of each day times the day that many days later."""
    transformed = np.fft.rfft(values, 2 * values.shape[1])
    result: Floats = np.fft.irfft(np.abs(transformed) ** 2, 2 * values.shape[1])[:, : lags + 1]
    return result


def interval(counted: float, shape: float, spread: float) -> Interval:
    """Of a level: `counted` over `shape` average days, `spread` the product of what `noise` gives. Wilson and Hilferty's form of the Poisson limits."""
    if shape <= 0:
        return Interval(value=0.0, low=0.0, high=0.0)
    low, high = counted / spread, counted / spread + 1
    below = low * max(1 - 1 / (9 * low) - Z / (3 * low**0.5), 0.0) ** 3 if low > 0 else 0.0
    above = high * (1 - 1 / (9 * high) + Z / (3 * high**0.5)) ** 3
    return Interval(value=counted / shape, low=below * spread / shape, high=above * spread / shape)


def change(before: Stretch, after: Stretch, spread: Floats) -> tuple[Floats, Floats, Floats]:
    """Relative change per series, with the ends of its interval."""
    log = np.log((after.counted + 0.5) / np.maximum(after.shape, 1e-9)) - np.log((before.counted + 0.5) / np.maximum(before.shape, 1e-9))
    half = Z * np.sqrt(spread * (1 / (after.counted + 0.5) + 1 / (before.counted + 0.5)))
    return np.expm1(log), np.expm1(log - half), np.expm1(np.minimum(log + half, 50.0))


def onset_days(found: Daily, onset: int, lasting: float, *, gradual: bool) -> tuple[int, int]:
    """First and last day on which the change may have begun, of the first series: a profile likelihood over possible days."""
    usable = found.usable[0]
    t = np.arange(len(usable))
    weight = np.where(usable, found.shape[0], 0.0)
    rate = np.where(usable, found.counts[0], 0.0) / np.where(usable, found.shape[0], 1.0)
    possible = t[(np.cumsum(usable) >= WEEK) & (np.cumsum(usable[::-1])[::-1] >= SETTLING)]
    if len(possible) == 0:
        return onset, onset
    left = np.min([_left_over(rate, weight, t, possible, length) for length in (FADE_LENGTHS if gradual else STEP_LENGTHS)], axis=0)
    least = max(float(left.min()), 1e-6 * float(weight @ rate**2), 1e-12)
    ratio = usable.sum() / lasting * np.log(np.maximum(left, least) / least)
    inside = possible[ratio <= ONSET_RATIO]
    return min(int(inside[0]), onset), max(int(inside[-1]), onset)


def _left_over(rate: Floats, weight: Floats, t: npt.NDArray[np.int64], possible: npt.NDArray[np.int64], length: int) -> Floats:
    """(possible,): the weighted squares that a climb of `length` days from each possible onset leaves unexplained."""
    climb = np.clip((t - possible[:, None] + 1) / length, 0.0, 1.0)
    total = weight.sum()
    mean = (weight * rate).sum() / total
    first = climb @ weight / total
    cross = climb @ (weight * rate) - first * mean * total
    second = np.maximum((climb**2) @ weight - first**2 * total, 1e-9)
    result: Floats = (weight * (rate - mean) ** 2).sum() - cross**2 / second
    return result


def slope(found: Daily, since: int, spread: float) -> Interval | None:
    """Change of the first series' level per week from the day `since` to the end; None with fewer than ten usable days."""
    usable = found.usable[0] & (np.arange(found.counts.shape[1]) >= since)
    if np.count_nonzero(usable) < 10:
        return None
    t, weight = np.flatnonzero(usable).astype(float), found.shape[0, usable]
    rate = found.counts[0, usable] / weight
    middle = np.average(t, weights=weight)
    squares = float((weight * (t - middle) ** 2).sum())
    value = float((weight * (t - middle) * rate).sum()) / squares
    half = Z * float(np.sqrt(spread * max(np.average(rate, weights=weight), 0.1) / squares))
    return Interval(value=WEEK * value, low=WEEK * (value - half), high=WEEK * (value + half))
