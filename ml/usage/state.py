"""The daily step of the usage detector: constant-size state per series, vectorised over all series.

A series is (account, metric). Per day: what was to be expected (level x weekday x the peers' factor of the day), how far the
count fell short of it in Poisson-like units, clipped so that no single day can shout, and sums of that at several speeds.
Everything here works column by column: a series comes out the same whether it is advanced alone or among thousands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CHUNK = 4096
"""Series advanced together: what they need stays in the processor's cache."""
MID, SLOW, LONG = 3, 4, 5
WEEK_PRIOR_WEEKS = np.float32(2.0)
QUIET_FACTOR = 0.55
"""A region's day below this is a holiday: it carries no weight."""
FULL_FACTOR = 0.85
LEARNING_DAYS = 56
WARM_DAYS = 14
UNIT_CHANGED = (650.0, 1500.0)
"""A count that lies so many times above or below its expectation is in another unit (x1000) rather than a change of use."""
UNIT_DAYS = 5


def _single(*values: float) -> Singles:
    return np.array(values, np.float32)


def _decays(*half_lives: float) -> Singles:
    return np.array([[0.5 ** (1 / h)] for h in half_lives], np.float32)


DECAY = _decays(3, 7, 16, 40, 120, 240)
DRIFT_DECAY = _decays(5, 14, 40)
SLACK = _single(0.15, 0.35, 0.7)[:, None]
SLOW_SLACK = np.float32(0.35)
CLIP = np.float32(1.3)
CUSUM_CAP = np.float32(40.0)
WEEK_DECAY = np.float32(0.5 ** (1 / 10))
DISPERSION_PACE = np.float32(1 - 0.5 ** (1 / 60))
WOBBLE_PACE = np.float32(1 - 0.5 ** (1 / 90))
REPORTING_PACE = np.float32(1 - 0.5 ** (1 / 60))
TINY = np.float32(1e-9)


class _Rows:
    """Some rows of the state's matrix under a name; a single one comes as a vector."""

    def __init__(self, start: int, count: int | None = None) -> None:
        self._where: int | slice = start if count is None else slice(start, start + count)

    def __get__(self, state: State, owner: Any = None) -> Singles:
        return np.asarray(state.rows[self._where])

    def __set__(self, state: State, value: Singles) -> None:
        state.rows[self._where] = value


class State:
    """One column per series. Levels are `num / den`: counts over expected shape, at six speeds."""

    __slots__ = ("rows",)
    HEIGHT = 50
    WATCH = 43
    """The first of the rows that belong to the watch."""

    num = _Rows(0, 6)
    den = _Rows(6, 6)
    week_num = _Rows(12, 7)
    week_den = _Rows(19, 7)
    week_mean = _Rows(26)
    cusum = _Rows(27, 3)
    slow_cusum = _Rows(30)
    rise = _Rows(31)
    """The same sum for counts above what was expected."""
    drift = _Rows(32, 3)
    wobble = _Rows(35, 2)
    """How far the quick levels usually stray from the slow one: an account that wanders is not alarming when it does."""
    dispersion = _Rows(37)
    zeros = _Rows(38)
    seen = _Rows(39)
    other_unit = _Rows(40)
    """Days in a row on which the count looked like another unit."""
    last_seen = _Rows(41)
    reporting = _Rows(42)
    """Share of the days on which others reported that this series reports too, lately."""
    # What the watch remembers; days are ordinals of the calendar.
    highest = _Rows(43)
    stood = _Rows(44)
    waiting_highest = _Rows(45)
    waiting_stood = _Rows(46)
    next_look = _Rows(47)
    since = _Rows(48)
    next_rise = _Rows(49)

    def __init__(self, rows: Singles) -> None:
        self.rows = rows

    @classmethod
    def blank(cls, n: int) -> State:
        state = cls(np.zeros((cls.HEIGHT, n), np.float32))
        state.dispersion[:] = 1.5
        state.wobble[:] = 0.02
        state.week_mean[:] = 1.0
        state.reporting[:] = 1.0
        state.highest[:] = state.waiting_highest[:] = -np.inf
        state.stood[:] = state.waiting_stood[:] = np.nan
        return state

    def part(self, start: int, end: int) -> State:
        """A view: what is written to it is written here."""
        return State(self.rows[:, start:end])

    def columns(self, at: Ints) -> State:
        """A copy of some series."""
        return State(self.rows[:, at])

    def levels(self) -> Singles:
        levels: Singles = np.divide(self.num, np.maximum(self.den, TINY), dtype=np.float32)
        return levels

    def level(self, speed: int) -> Singles:
        level: Singles = np.divide(self.num[speed], np.maximum(self.den[speed], TINY), dtype=np.float32)
        return level


BYTES = State.HEIGHT * 4
"""Of state per series."""


def expected_week(state: State, weekday: int, common: Singles) -> Singles:
    """Each series' share of an average day on that weekday, shrunk to its cell's, `common`."""
    share: Singles = np.maximum(_own_week(state, weekday, common) / state.week_mean, np.float32(0.01))
    return share


def whole_week(state: State, common: Singles) -> Singles:
    """(7, series) of expected_week; `common` is (7, series)."""
    return np.stack([expected_week(state, day, common[day]) for day in range(7)])


def renew_week_mean(state: State, common: Singles) -> None:
    """Once a week: keeps the mean of each series' week at 1. `common` is (7, series)."""
    state.week_mean = np.maximum(np.stack([_own_week(state, day, common[day]) for day in range(7)]).mean(axis=0), TINY)


def _own_week(state: State, weekday: int, common: Singles) -> Singles:
    prior = WEEK_PRIOR_WEEKS * np.maximum(state.level(MID), np.float32(0.2))
    own: Singles = (state.week_num[weekday] + prior * common) / (state.week_den[weekday] + prior)
    return own


def advance(state: State, counts: Singles, weekday: int, common: Singles, factor: Singles, closed: Bools) -> None:
    """Move every series one day on, in place. NaN leaves a series untouched; `closed` days (public holidays) carry no weight.

    `common` is the cell's share of the weekday, `factor` how the day went for the series' peers.
    """
    present = np.isfinite(counts)
    y = np.where(present, counts, np.float32(0))
    week = expected_week(state, weekday, common)
    expected = state.level(MID) * week * factor
    weight = present * ~closed * np.clip((factor - np.float32(QUIET_FACTOR)) / np.float32(FULL_FACTOR - QUIET_FACTOR), np.float32(0), np.float32(1))
    weight *= ~_in_another_unit(state, y, expected, present)
    ready = present & (state.seen >= WARM_DAYS) & (expected > np.float32(0.3))
    _watch(state, y, expected, state.level(SLOW) * week * factor, weight * ready, factor)
    _learn(state, y, expected, (week, factor), weight, weekday, present)


def _in_another_unit(state: State, y: Singles, expected: Singles, present: Bools) -> Bools:
    """Days that look like a change of unit are set aside; a series whose unit stays changed starts anew."""
    ratio = np.maximum(y, expected) / np.maximum(np.minimum(y, expected), TINY)
    odd: Bools = present & (ratio > np.float32(UNIT_CHANGED[0])) & (ratio < np.float32(UNIT_CHANGED[1])) & (state.seen >= WARM_DAYS)
    if not odd.any() and not state.other_unit.any():
        return odd
    state.other_unit = np.where(present, np.where(odd, state.other_unit + 1, 0), state.other_unit)
    again = np.nonzero(state.other_unit >= UNIT_DAYS)[0]
    if len(again):
        kept = state.rows[State.WATCH :, again]
        state.rows[:, again] = State.blank(len(again)).rows
        state.rows[State.WATCH :, again] = kept
        odd[again] = False
    return odd


def _watch(state: State, y: Singles, expected: Singles, slow: Singles, weight: Singles, factor: Singles) -> None:
    hollow = np.log(np.minimum(factor, np.float32(1)))
    variance = np.maximum(state.dispersion, np.float32(1)) + expected * (np.float32(0.25) * hollow) ** 2
    spread = np.sqrt(variance)
    root = np.sqrt(y + np.float32(0.375))
    raw = _shortfall(expected, root, spread)
    short = np.clip(raw, -CLIP, CLIP)
    state.cusum = np.clip(state.cusum + weight * (short - SLACK), np.float32(0), CUSUM_CAP)
    state.rise = np.clip(state.rise - weight * (short + SLOW_SLACK), np.float32(0), CUSUM_CAP)
    slow_short = np.clip(_shortfall(slow, root, spread), -CLIP, CLIP)
    state.slow_cusum = np.clip(state.slow_cusum + weight * (slow_short - SLOW_SLACK), np.float32(0), CUSUM_CAP)
    state.drift += (1 - DRIFT_DECAY) * weight * (short - state.drift)
    state.dispersion += DISPERSION_PACE * weight * (np.minimum(raw * raw, np.float32(4)) * variance - state.dispersion)
    waited = state.zeros + np.minimum(expected, np.float32(3))
    state.zeros = np.where(weight > 0, np.where(y > 0, np.float32(0), waited), state.zeros)


def _shortfall(expected: Singles, root: Singles, spread: Singles) -> Singles:
    """Distance below the expectation on the square-root scale, where counts of any size vary alike. The last term takes
    out the bias of the root: without it every quiet series would seem to lose a little each day."""
    bias = spread / (np.float32(4) * np.sqrt(expected + np.float32(0.5)))
    short: Singles = np.float32(2) * (np.sqrt(expected + np.float32(0.375)) - root) / spread - np.minimum(bias, np.float32(0.5))
    return short


def _learn(state: State, y: Singles, expected: Singles, shape: tuple[Singles, Singles], weight: Singles, weekday: int, present: Bools) -> None:
    week, factor = shape
    capped = np.where(state.seen < WARM_DAYS, y, np.minimum(y, np.float32(2.5) * expected + np.float32(3)))
    pace = np.where(present, DECAY, np.float32(1))
    counted = weight * capped
    state.num = state.num * pace + counted
    state.den = state.den * pace + weight * week * factor
    usual = np.log(state.level(SLOW) + np.float32(0.3))
    for row, speed in enumerate((1, 2)):
        stray = np.clip(np.log(state.level(speed) + np.float32(0.3)) - usual, np.float32(-0.5), np.float32(0.3))
        state.wobble[row] += WOBBLE_PACE * weight * (state.seen >= 30) * (stray * stray - state.wobble[row])
    keep = np.where(weight > 0, WEEK_DECAY, np.float32(1))
    state.week_num[weekday] = state.week_num[weekday] * keep + counted
    state.week_den[weekday] = state.week_den[weekday] * keep + weight * state.level(MID) * factor
    state.seen += present


def report(state: State, present: Bools, day: int, expected: Bools) -> None:
    """Who was heard of on a day (an ordinal) on which the cell's other series were `expected` to report."""
    state.last_seen = np.where(present, np.float32(day), state.last_seen)
    counted = expected & (state.last_seen > 0)
    state.reporting += np.where(counted, REPORTING_PACE * (present - state.reporting), np.float32(0))
