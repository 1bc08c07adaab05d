"""What the detector expected of each day, and how far from it an ordinary day lies: a few series led once more through days whose record is known."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ml.usage.cohort import Closed, Peers
from ml.usage.examine import weekday_of
from ml.usage.levels import WEEK, Z
from ml.usage.state import FULL_FACTOR, LEARNING_DAYS, MID, QUIET_FACTOR, WARM_DAYS, Bools, Floats, Singles, State, expected_week, renew_week_mean
from ml.usage.tracker import follow

QUICK = 1
"""Of a state's levels the one of about two weeks: from day to day a count strays around this one, whatever fell or rose before."""
LEVEL_DAYS = 20.0
"""Days' worth of counts in that level."""
PACE = 1 / 60
FARTHEST = 2.5
"""Standard deviations that a single day counts for at most."""
CLIPPED = 1.02
"""What that takes from the variance of normal deviations."""
PRIOR_DISPERSION, PRIOR_DAYS = 1.5, 4.0
HOLLOW = 0.25
"""How unsure the factor of a day is, per log unit by which the peers were down: as the daily step has it."""
SPARSE = 3.0
"""Counts a day below which the root no longer makes them vary alike: their sums vary by chance at least."""
LEAST_LINE, LEAST_BAND = 0.25, 0.5
"""Of what a week of the series usually holds: over less there is no mean, and nothing is expected of it."""
LONG = 3
"""Days without weight in a row from which they have a line of their own; a single holiday is left out of the week around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is recorded of days that follow each other, (days, series); `week` is (days, series, 7), `known` (days,): whether the day is closed."""

    known: Bools
    factor: Singles
    week: Singles
    reported: Bools
    shut: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """(series, days). `expected`, `low`, `high` are NaN on days of which nothing was expected: those without a count or a record, without weight,
    and the first LEARNING_DAYS of a series."""

    expected: Floats
    low: Floats
    high: Floats
    dispersion: Floats
    """Variance of a day over its expectation."""
    wander: Floats
    """By how much more than chance the level of some weeks strays from that of months: variance of its log."""
    share: Floats
    """Of an average day; NaN before the first record."""
    moved: Floats
    """How the day went for the peers, whoever reported; NaN on days without weight or record."""
    weightless: Bools
    """Closed days that are no evidence: holidays, and days on which the peers stood still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """(series, days): the same as means of an average day over the last week, so that weekends make no teeth."""

    used: Floats
    expected: Floats
    low: Floats
    high: Floats
    moved: Floats
    apart: Bools
    """Days whose mean is one of days without weight."""


def band(state: State, counts: Singles, first: int, records: Records) -> Band:
    """`state` as of the evening before the day `first` (an ordinal), moved on in place; `counts` (series, days), NaN where nothing was reported.

    What is expected of a day rests on the days before it and on the record of how it went for the peers, never on its own count.
    """
    series, days = counts.shape
    rows = {f.name: np.full((series, days), np.nan) for f in fields(Band)}
    rows["weightless"] = np.zeros((series, days), bool)
    spread, peers, common = _Spread(series), _alone(series), None
    for d in range(days):
        weekday = weekday_of(first + d)
        if records.known[d]:
            common = records.week[d].T
            if weekday == 0:
                renew_week_mean(state, common)
        if common is not None:
            rows["share"][:, d] = expected_week(state, weekday, common[weekday])
        if records.known[d]:
            _expect(rows, d, state, counts[:, d], records, spread)
            closed = Closed(records.factor[d, :, None], records.week[d], records.reported[d])
            follow(state, np.ascontiguousarray(counts[:, d]), first + d, closed, peers, slice(None), records.shut[d])
    return Band(**rows)


def _alone(series: int) -> Peers:
    """Each series a cell of its own, under which its records are given."""
    own, zeros = np.arange(series), np.zeros(series, np.int64)
    return Peers(cells=(("", ""),) * series, account=own, cell=own, fold=zeros, region_of=zeros)


def _expect(rows: dict[str, Floats], d: int, state: State, counts: Singles, records: Records, spread: _Spread) -> None:
    factor = records.factor[d].astype(np.float64)
    shape = rows["share"][:, d] * factor
    weighty = ~records.shut[d] & (factor > QUIET_FACTOR)
    judged = weighty & np.isfinite(counts) & (state.seen >= LEARNING_DAYS)
    expected = state.level(MID) * shape
    dispersion = spread.value + expected * (HOLLOW * np.log(np.minimum(factor, 1.0))) ** 2
    chance = spread.value / (LEVEL_DAYS * np.maximum(state.level(QUICK), 0.05))
    low, high = between(expected, dispersion)
    found = {"expected": expected, "low": low, "high": high, "dispersion": dispersion, "wander": np.maximum(state.wobble[0] - chance, 0.0)}
    for name, values in found.items():
        rows[name][:, d] = np.where(judged, values, np.nan)
    rows["moved"][:, d] = np.where(weighty, factor, np.nan)
    rows["weightless"][:, d] = ~weighty
    spread.learn(state.level(QUICK) * shape, counts, weighty & (factor > FULL_FACTOR) & (state.seen >= WARM_DAYS))


class _Spread:
    """The running dispersion of each series, from its distance to its own quick level: a fall that goes on for weeks does not widen it, and
    what varies a lot is known to in weeks. The state's own starts at that of calm counts and takes months."""

    def __init__(self, series: int) -> None:
        self.value: Floats = np.full(series, PRIOR_DISPERSION)
        self._days: Floats = np.full(series, PRIOR_DAYS)

    def learn(self, quick: Floats, counts: Singles, usable: Bools) -> None:
        where = usable & np.isfinite(counts)
        square = 4 * (_root(quick) - _root(np.where(where, counts, 0.0))) ** 2
        pace = np.maximum(PACE, 1 / (self._days + 1))
        self.value = np.where(where, self.value + pace * (np.minimum(square, FARTHEST**2 * self.value) - self.value), self.value)
        self._days += where


def _root(counts: Floats) -> Floats:
    """The scale on which counts of any size vary alike."""
    root: Floats = np.sqrt(counts + 0.375)
    return root


def between(expected: Floats, dispersion: Floats) -> tuple[Floats, Floats]:
    """Where nine of ten ordinary counts lie."""
    half = Z / 2 * np.sqrt(CLIPPED * dispersion)
    low = np.maximum(_root(expected) - half, 0.0) ** 2 - 0.375
    return np.maximum(low, 0.0), (_root(expected) + half) ** 2 - 0.375


def means(found: Band, counts: Singles) -> Means:
    """Of each day and the six before it, days without weight left out; where these last, of them alone. Days without a count stay without."""
    reported, share = np.isfinite(counts), np.nan_to_num(found.share, nan=1.0)
    judged, apart = np.isfinite(found.expected), found.weightless & _long_runs(found.weightless)
    usual, quiet = (_Week(share, days) for days in (reported & ~found.weightless, reported & apart))
    band_days = _Week(share, judged)
    total = _last_week(np.where(judged, found.expected, 0.0))
    by_chance = np.maximum(found.dispersion, np.where(found.expected < SPARSE, 1.0, 0.0))
    low, high = between(total, np.nan_to_num(by_chance) + total * np.nan_to_num(found.wander))
    return Means(
        used=np.where(reported, np.where(apart, quiet.mean(counts), usual.mean(counts, LEAST_LINE)), np.nan),
        expected=np.where(judged, band_days.of(total, LEAST_BAND), np.nan),
        low=np.where(judged, band_days.of(low, LEAST_BAND), np.nan),
        high=np.where(judged, band_days.of(high, LEAST_BAND), np.nan),
        moved=np.where(np.isfinite(found.moved), _Week(share, np.isfinite(found.moved)).mean(found.moved * share), np.nan),
        apart=apart,
    )


class _Week:
    """Sums over the last week of the `days` that count, and means of an average day from them."""

    def __init__(self, share: Floats, days: Bools) -> None:
        self._days, self._share = days, _last_week(np.where(days, share, 0.0))
        held = np.where(days, self._share, np.nan)
        self._usual = np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else 0.0 for row in held])

    def mean(self, values: Floats | Singles, least: float = 0.0) -> Floats:
        return self.of(_last_week(np.where(self._days, values, 0.0)), least)

    def of(self, total: Floats, least: float) -> Floats:
        """NaN where the week holds less than the share `least` of what it usually does."""
        enough = (self._share > 0) & (self._share >= least * self._usual[:, None])
        return np.where(enough, total / np.where(enough, self._share, 1.0), np.nan)


def _last_week(values: Floats) -> Floats:
    """(series, days): sums of each day and the six before it."""
    padded = np.concatenate([np.zeros((len(values), WEEK - 1)), values], axis=1)
    result: Floats = np.lib.stride_tricks.sliding_window_view(padded, WEEK, axis=1).sum(axis=2)
    return result


def _long_runs(days: Bools) -> Bools:
    """Of runs of days those that last LONG at least."""
    none = np.zeros((len(days), LONG - 1), np.int64)
    whole = np.lib.stride_tricks.sliding_window_view(np.concatenate([none, days, none], axis=1), LONG, axis=1).sum(axis=2) == LONG
    result: Bools = np.lib.stride_tricks.sliding_window_view(whole, LONG, axis=1).sum(axis=2) > 0
    return result
