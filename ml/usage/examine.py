"""A closer look at a few series: the likeliest fall of each in the last half year, and the evidence for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from ml.usage.cohort import FOLDS, Cohort, Peers
from ml.usage.explain import LOOK_BACK, SHAPE_FLOOR, Falls, explain, log_fall
from ml.usage.score import Siblings, evidence
from ml.usage.state import QUIET_FACTOR, Bools, Floats, Ints, Singles, State, whole_week

AT_ONCE = 512
"""Series that are examined together: what their windows take stays small, however many look suspicious on a day."""
MOST_SIBLINGS = 6
BEFORE = 28
OWN_STRENGTH, OWN_SIZE = 12.0, 0.5
"""How strong, and how large beside the whole, a fall within a fall must be to be the one that is told."""
History = Callable[[Ints, int, int], Singles]
"""(series, first day, last day) -> (series, days) counts, NaN where nothing was reported; days are ordinals, both included."""


def weekday_of(ordinal: int) -> int:
    """0 for Monday."""
    return (ordinal - 1) % 7


class Factors:
    """The peers' factors of the last days per cell and fold; 0 on days without weight. Days are ordinals."""

    DAYS = LOOK_BACK + 32

    def __init__(self, peers: Peers, first: int, days: int = DAYS) -> None:
        """Keeps at least the last `days`."""
        self._peers, self._days = peers, days
        self.first = self.next = first
        self._factors = np.zeros((2 * days, len(peers.cells), FOLDS), np.float32)

    def append(self, factor: Singles, closed: Bools) -> None:
        """(cells, FOLDS) of the next day, and which cells' regions are closed on it."""
        if self.next - self.first == len(self._factors):
            self._factors[: self._days] = self._factors[self._days :]
            self.first += self._days
        self._factors[self.next - self.first] = np.where(closed[:, None] | (factor < QUIET_FACTOR), 0.0, factor)
        self.next += 1

    def of(self, rows: Ints, first: int, last: int) -> Singles:
        """(rows, days)"""
        days = self._factors[first - self.first : last + 1 - self.first]
        found: Singles = days[:, self._peers.cell[rows], self._peers.fold[rows]].T
        return found

    def changes(self, rows: Ints, onset: Ints, today: int) -> Floats:
        """Relative change of each series' peers since its onset, against the four weeks before it."""
        first = max(self.first, int(onset.min(initial=today)) - BEFORE)
        days, at = self.of(rows, first, today).astype(np.float64), np.arange(first, today + 1)
        since, counts = at >= onset[:, None], days > 0
        before, after = (_mean_where(days, counts & part) for part in (~since & (at >= onset[:, None] - BEFORE), since))
        return np.where((before > 0) & (after > 0), after / np.where(before > 0, before, 1.0) - 1, 0.0)


def _mean_where(values: Floats, where: Bools) -> Floats:
    """(rows,); 0 where there are none."""
    mean: Floats = np.where(where, values, 0.0).sum(axis=1) / np.maximum(where.sum(axis=1), 1)
    return mean


@dataclass(frozen=True, slots=True)
class Window:
    """(rows, days) up to today. `shape` is weekday x peers' factor; both it and `factor` are 0 on days without weight."""

    counts: Floats
    shape: Floats
    factor: Floats

    def __getitem__(self, at: Ints | slice) -> Window:
        return Window(self.counts[at], self.shape[at], self.factor[at])

    def levels(self, days: int, at_least: int) -> Floats:
        """Mean per average day of the last `days`; NaN with fewer usable days."""
        counts, shape = self.counts[:, -days:], self.shape[:, -days:]
        usable = np.isfinite(counts) & (shape > SHAPE_FLOOR)
        level = np.where(usable, counts, 0.0).sum(axis=1) / np.maximum(np.where(usable, shape, 0.0).sum(axis=1), 1e-9)
        return np.where(usable.sum(axis=1) >= at_least, level, np.nan)


class Examiner:
    def __init__(self, peers: Peers, state: State, cohort: Cohort, factors: Factors, history: History) -> None:
        self.siblings = _siblings(peers.account)
        self._peers, self._state, self._cohort, self._factors, self._history = peers, state, cohort, factors, history

    def window(self, rows: Ints, today: int, days: int = LOOK_BACK) -> Window:
        first = max(self._factors.first, today + 1 - days)
        factor = self._factors.of(rows, first, today).astype(np.float64)
        week = whole_week(self._state.columns(rows), self._cohort.week[self._peers.cell[rows]].T)
        weekdays = [weekday_of(day) for day in range(first, today + 1)]
        return Window(self._history(rows, first, today).astype(np.float64), week[weekdays].T * factor, factor)

    def __call__(self, rows: Ints, today: int, score: Singles, scored: Bools) -> tuple[Falls, Floats]:
        """`score` and `scored`: of every series, today. Onsets are ordinals."""
        parts = [self._part(rows[start : start + AT_ONCE], today, score, scored) for start in range(0, len(rows), AT_ONCE)]
        falls = Falls(*(np.concatenate([getattr(found, f.name) for found, _ in parts]) for f in fields(Falls)))
        return falls, np.concatenate([evidence for _, evidence in parts], axis=1)

    def _part(self, rows: Ints, today: int, score: Singles, scored: Bools) -> tuple[Falls, Floats]:
        own = self.window(rows, today)
        days = today + 1 - own.counts.shape[1] + np.arange(own.counts.shape[1])
        allowed = days >= self._state.since[rows][:, None]
        falls = explain(own.counts, own.shape * allowed, own.factor * allowed)
        siblings = self._siblings_of(rows, np.nonzero(falls.is_clear)[0], falls.onset, today, score, scored)
        found = evidence(falls, score[rows], siblings, self._state.columns(rows), self._cohort.season[self._peers.cell[rows], self._peers.fold[rows]])
        return replace(falls, onset=falls.onset + days[0]), found

    def latest(self, rows: Ints, today: int, falls: Falls) -> Falls:
        """The same falls, told from their last step: where the days since the onset hold a clear fall of their own, an older
        and slower decline must not lend it its date."""
        window = self.window(rows, today)
        days = today + 1 - window.counts.shape[1] + np.arange(window.counts.shape[1])
        since = days >= falls.onset[:, None]
        again = explain(window.counts, window.shape * since, window.factor * since)
        again = replace(again, onset=again.onset + days[0])
        newer = (again.strength >= OWN_STRENGTH) & (again.size >= OWN_SIZE * falls.size)
        return Falls(**{f.name: np.where(newer, getattr(again, f.name), getattr(falls, f.name)) for f in fields(Falls)})

    def _siblings_of(self, rows: Ints, clear: Ints, onset: Ints, today: int, score: Singles, scored: Bools) -> Siblings:
        """Only of the `clear` ones among the rows are others read: for the rest nobody asks."""
        found = Siblings(np.zeros(len(rows)), np.ones(len(rows), bool), np.zeros((2, len(rows))))
        others = self.siblings[rows[clear]]
        needed = np.unique(others[others >= 0])
        if not len(needed):
            return found
        known, at = others >= 0, np.searchsorted(needed, np.maximum(others, needed[0]))
        found.together[:, clear] = _fallen_together(self.window(needed, today), at, known, onset[clear])
        counted = known & scored[np.maximum(others, 0)]
        count = counted.sum(axis=1)
        bounded = np.where(counted, np.clip(score[np.maximum(others, 0)], -4.0, 6.0), 0.0)
        found.score[clear], found.alone[clear] = bounded.sum(axis=1) / np.maximum(count, 1), count == 0
        return found


def _fallen_together(window: Window, at: Ints, known: Bools, onset: Ints) -> Floats:
    """(2, rows): mean and least log fall of the others since the onset. `at`, `known` (rows, others): where the window holds each, and whether there is one."""
    fallen, weight = np.zeros(at.T.shape), np.zeros(at.T.shape)
    for k in range(at.shape[1]):
        one = window[at[:, k]]
        before, fallen[k] = log_fall(one.counts, one.shape, onset)
        weight[k] = np.where(known[:, k], np.sqrt(before + 0.01), 0.0)
    mean = (fallen * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-9)
    least = np.where(weight > 0, fallen, np.inf).min(axis=0, initial=np.inf)
    return np.stack([mean, np.where(np.isfinite(least), least, 0.0)])


def _siblings(account: Ints) -> Ints:
    """(series, MOST_SIBLINGS at most): the other series of the same account, -1 where there are no more."""
    n = len(account)
    order = np.argsort(account, kind="stable")
    size = np.bincount(account)[account[order]] if n else np.zeros(0, np.int64)
    start = np.concatenate([[0], np.cumsum(np.bincount(account))])[account[order]] if n else size
    place = np.arange(n) - start
    table = np.full((n, int(min(MOST_SIBLINGS, size.max(initial=1) - 1))), -1, np.int64)
    for k in range(table.shape[1]):
        step = k + (k >= place)
        has = step < size
        table[order[has], k] = order[(start + step)[has]]
    return table
