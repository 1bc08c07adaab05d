"""Figures whose unit changed, told apart from use that changed: a series that jumps by a factor of a thousand and goes on as before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from ml.usage.panel import Panel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FACTORS = np.array([3.0, -3.0, 6.0, -6.0])
"""Powers of ten: seconds and milliseconds, bytes and kilobytes and megabytes."""
BAND = 0.4
"""How far a day may lie from its weekday's usual times the factor, in powers of ten: counts vary."""
CONFIRMING = 3
"""Days in a row that must fit before a jump is a change of unit. They are left out, as nobody can know on those days what they are."""
DENIED_DAYS, SURELY_SOME = 28, 0.4
"""A day without anything, where the new unit would leave 10 ** SURELY_SOME or more, speaks against it for so long: what is left of a true fall is sparse."""
MOST = 1e15
"""Counts a day beyond which a figure is none, as the usage connector has it."""
KNOWN_DAYS = 14
PACE = 0.2
"""How quickly the usual level of a weekday is learned anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChange:
    """From `since` on the figures are about `factor` times what they were; that was certain on the day `noticed_on`."""

    series: int
    since: date
    noticed_on: date
    factor: float


@dataclass(slots=True)
class _Usual:
    """Running means of log10 of the days that have something, per weekday and over all, with how many days they rest on."""

    by_weekday: Floats
    days: Ints
    overall: Floats
    known: Ints

    @classmethod
    def blank(cls, n: int) -> _Usual:
        return cls(np.zeros((7, n)), np.zeros((7, n), np.int64), np.zeros(n), np.zeros(n, np.int64))

    def expected(self, weekday: int) -> Floats:
        return np.where(self.days[weekday] >= 2, self.by_weekday[weekday], self.overall)

    def learn(self, weekday: int, log: Floats, where: Bools) -> None:
        self.days[weekday] += where
        self.known += where
        self.by_weekday[weekday] += np.where(where, np.maximum(PACE, 1 / np.maximum(self.days[weekday], 1)) * (log - self.by_weekday[weekday]), 0.0)
        self.overall += np.where(where, np.maximum(PACE / 3, 1 / np.maximum(self.known, 1)) * (log - self.overall), 0.0)


@dataclass(slots=True)
class _Pending:
    """Jumps that are not certain yet: of which size, since which day, how many days in a row; and where zeros speak against them."""

    jump: Floats
    since: Ints
    days: Ints
    last_seen: Ints
    last_denied: Ints

    @classmethod
    def blank(cls, n: int) -> _Pending:
        return cls(np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, -DENIED_DAYS - 1), np.full(n, -DENIED_DAYS - 1))

    def judge(self, day: int, jumps: Floats, *, reported: Bools, zero: Bools, due: Floats, scale: Floats) -> tuple[Floats, Bools]:
        """The jump of each series on this day, 0 for none, and which of them are certain now. `due`: log10 of what its figures stood at; `scale`: the
        powers of ten that take them to the unit that the series had at first, back to which nothing speaks against a jump."""
        in_reach = (self.jump < 0) & (day - self.last_seen <= DENIED_DAYS) & (due + self.jump >= SURELY_SOME) & (scale != self.jump)
        self.last_denied = np.where(zero & in_reach, day, self.last_denied)
        self.last_seen = np.where(jumps != 0, day, self.last_seen)
        jumps = np.where((day - self.last_denied <= DENIED_DAYS) & (scale != jumps), 0.0, jumps)
        goes_on = (jumps != 0) & (jumps == self.jump) & (self.days > 0)
        self.since = np.where((jumps != 0) & ~goes_on, day, self.since)
        self.days = np.where(jumps != 0, np.where(goes_on, self.days + 1, 1), np.where(reported, 0, self.days))
        self.jump = np.where(jumps != 0, jumps, self.jump)
        certain = self.days >= CONFIRMING
        self.days = np.where(certain, 0, self.days)
        return jumps, certain


def same_units(panel: Panel) -> tuple[Panel, tuple[UnitChange, ...]]:
    """The panel with every series in its first unit, and where a unit changed.

    Causal: a value rests on the days up to it alone. Days that look like another unit are left out (NaN) until CONFIRMING of them
    came in a row; from then on values are converted. If they do not go on like that, the days that were left out stay so. Values
    beyond MOST are left out. Applied twice it converts nothing more.
    """
    panel = _within_reason(panel)
    rows = _candidates(panel.values)
    if not len(rows):
        return panel, ()
    values = panel.values.copy()
    values[rows], found = _converted(panel.values[rows].astype(np.float64), panel.first_day)
    return replace(panel, values=values), tuple(sorted((replace(c, series=int(rows[c.series])) for c in found), key=lambda c: (c.noticed_on, c.series)))


def _within_reason(panel: Panel) -> Panel:
    beyond = panel.values > MOST
    return replace(panel, values=np.where(beyond, np.float32(np.nan), panel.values)) if beyond.any() else panel


def _candidates(values: npt.NDArray[np.float32]) -> Ints:
    """Series that hold two days so far apart at all."""
    used = np.isfinite(values) & (values > 0)
    most, least = np.where(used, values, 0).max(axis=1, initial=0), np.where(used, values, np.inf).min(axis=1, initial=np.inf)
    return np.flatnonzero(most.astype(np.float64) >= least.astype(np.float64) * 10 ** (3 - BAND))


def _converted(values: Floats, first_day: date) -> tuple[Floats, list[UnitChange]]:
    n, days = values.shape
    usual, scale, pending = _Usual.blank(n), np.zeros(n), _Pending.blank(n)
    result, changes = values.copy(), []
    for d in range(days):
        weekday, used = d % 7, np.isfinite(values[:, d]) & (values[:, d] > 0)
        log = np.log10(np.where(used, values[:, d], 1.0)) + scale
        expected = usual.expected(weekday)
        jumps = np.where(used & (usual.known >= KNOWN_DAYS), _jump(log - expected), 0.0)
        found, certain = pending.judge(d, jumps, reported=np.isfinite(values[:, d]), zero=values[:, d] == 0, due=expected - scale, scale=scale)
        for i in np.flatnonzero(certain):
            since, factor = first_day + timedelta(int(pending.since[i])), float(10 ** found[i])
            changes.append(UnitChange(series=int(i), since=since, noticed_on=first_day + timedelta(d + 1), factor=factor))
        scale = np.where(certain, scale - found, scale)
        result[:, d] = np.where((found != 0) & ~certain, np.nan, values[:, d] * 10**scale)
        usual.learn(weekday, log - np.where(certain, found, 0.0), used & ((found == 0) | certain))
    return result, changes


def _jump(deviation: Floats) -> Floats:
    """The factor that each deviation fits, 0 where none does."""
    near = np.abs(deviation[:, None] - FACTORS)
    return np.where(near.min(axis=1) <= BAND, FACTORS[near.argmin(axis=1)], 0.0)
