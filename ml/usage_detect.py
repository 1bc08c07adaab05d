"""The detector at work: day by day over all series, alerts when a score is rare enough and the fall can be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from ml.calendar import calendar_for
from ml.usage_explain import FADE_DAYS, LOOK_BACK, SHAPE_FLOOR, Falls, explain, log_fall
from ml.usage_panel import GONE, Alert, DropKind, Panel, is_about_people
from ml.usage_score import BLOCK, SMALLEST_LEVEL, Calibration, Weights, evidence, load, siblings
from ml.usage_state import LEARNING_DAYS, QUIET_FACTOR, SLOW, Bools, Floats, Ints, Peers, State, advance, features

COOLDOWN = 28
RETRY = 3
"""Days until a score that is high without a fall to show is looked at again."""
MIN_SIZE = 0.18
MIN_LASTING = 0.1
METRICS_TOGETHER = 0.6
"""False alarms of an account grow with this power of the number of its metrics, which share its odd days."""
RECOVERED = 0.7
"""Share of the loss that must be back, on average of two weeks."""
RECOVERY_DAYS = 14
FURTHER = 0.8
MOST_SIBLINGS = 6
YEAR_END = ((12, 23), (1, 2))


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the scan. `state` is live: it changes when the scan moves on. `factors` holds all days up to `index`."""

    index: int
    state: State
    scored: Bools
    week: Floats
    """(7, series)"""
    factors: npt.NDArray[np.float32]
    """(series, days): the peers' factor, 0 on days without weight."""


def scan(panel: Panel) -> Iterator[Day]:
    """Every day in turn; nothing in a Day rests on a later one."""
    peers, closed = peers_of(panel), closed_days(panel)
    n, days = panel.values.shape
    state, factors = State.blank(n), np.zeros((n, days), np.float32)
    for index in range(days):
        y = panel.values[:, index].astype(np.float64)
        factor, week = advance(state, y, (panel.first_day.weekday() + index) % 7, peers, closed[:, index])
        factors[:, index] = np.where(closed[:, index] | (factor < QUIET_FACTOR), 0.0, factor)
        scored = np.isfinite(y) & (state.seen >= LEARNING_DAYS) & (factors[:, index] > 0)
        yield Day(index, state, scored, week, factors)


def peers_of(panel: Panel) -> Peers:
    def numbered(keys: list[tuple[str, ...]]) -> Ints:
        numbers: dict[tuple[str, ...], int] = {}
        return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)

    rows = list(zip(panel.accounts, panel.region, panel.metrics, strict=True))
    return Peers(numbered([(a,) for a, _, _ in rows]), numbered([(r,) for _, r, _ in rows]), numbered([(r, m) for _, r, m in rows]))


def closed_days(panel: Panel) -> Bools:
    """Public holidays of each series' region, and the days between the years, on which nobody is judged."""
    days = [panel.first_day + timedelta(i) for i in range(panel.values.shape[1])]
    late, early = YEAR_END
    year_end = np.array([(d.month, d.day) >= late or (d.month, d.day) <= early for d in days], bool)
    found: dict[str, Bools] = {}
    for region in set(panel.region):
        calendar = calendar_for(region)
        found[region] = year_end | np.array([d.weekday() < 5 and not calendar.is_open(d) for d in days], bool)
    return np.stack([found[region] for region in panel.region])


def detect(panel: Panel, budget: float, weights: Weights | None = None) -> list[Alert]:
    """`weights`: the shipped ones unless others are being trained."""
    if not panel.values.size:
        return []
    watch = Watch(panel, budget, weights or load())
    for day in scan(panel):
        watch.look(day)
    return watch.alerts


class Examiner:
    """Looks closely at a few series on a day: the likeliest fall of each, and the evidence for it."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self.account = peers_of(panel).account
        self._siblings = _siblings(self.account)

    def __call__(self, day: Day, rows: Ints, since: Ints, score: Floats) -> tuple[Falls, Floats]:
        """`since`: per series of the panel the first day to look at. `score`: of every series, today."""
        counts, shape, factor = self._window(day, rows, since[rows])
        falls = explain(counts, shape, factor)
        together = self._together(day, rows, falls)
        found = evidence(falls, score, *siblings(score, day.scored, self.account), together, day.state, rows)
        return replace(falls, onset=falls.onset + day.index + 1 - counts.shape[1]), found

    def _window(self, day: Day, rows: Ints, since: Ints) -> tuple[Floats, Floats, Floats]:
        start, end = max(0, day.index + 1 - LOOK_BACK), day.index + 1
        days = np.arange(start, end)
        counts = self._panel.values[rows, start:end].astype(np.float64)
        factor = np.where(days >= since[:, None], day.factors[rows, start:end], 0.0).astype(np.float64)
        week = day.week.T[rows]
        return counts, week[:, (self._panel.first_day.weekday() + days) % 7] * factor, factor

    def _together(self, day: Day, rows: Ints, falls: Falls) -> Floats:
        """(2, rows): mean and least log fall of the account's other series since the same onset; 0 without others."""
        falls_of_others = np.zeros((self._siblings.shape[1], len(rows)))
        weight = np.zeros_like(falls_of_others)
        for k, others in enumerate(self._siblings[rows].T):
            known = others >= 0
            counts, shape, _ = self._window(day, np.where(known, others, 0), np.zeros(len(rows), np.int64))
            before, fallen = log_fall(counts, shape, falls.onset)
            falls_of_others[k] = fallen
            weight[k] = np.where(known, np.sqrt(before + 0.01), 0.0)
        total = weight.sum(axis=0)
        mean = (falls_of_others * weight).sum(axis=0) / np.maximum(total, 1e-9)
        least = np.where(weight > 0, falls_of_others, np.inf).min(axis=0, initial=np.inf)
        return np.stack([mean, np.where(np.isfinite(least), least, 0.0)])


def _siblings(account: Ints) -> Ints:
    """(series, MOST_SIBLINGS at most): the other series of the same account, -1 where there are no more."""
    order = np.argsort(account, kind="stable")
    groups = np.split(order, np.nonzero(np.diff(account[order]))[0] + 1)
    table = np.full((len(account), min(MOST_SIBLINGS, max((len(g) for g in groups), default=1) - 1)), -1, np.int64)
    for group in groups:
        for i in group:
            others = group[group != i][:MOST_SIBLINGS]
            table[i, : len(others)] = others
    return table


def is_fall(falls: Falls) -> Bools:
    """Large enough and lasting enough to be spoken of, whatever the evidence."""
    result: Bools = (falls.size >= MIN_SIZE) & (falls.charitable >= MIN_SIZE) & (falls.lasting >= MIN_LASTING) & (falls.strength > 0)
    return result


class Watch:
    """Turns scores into alerts: a rare score is examined, a fall that can be shown and is rare enough is raised."""

    def __init__(self, panel: Panel, budget: float, weights: Weights) -> None:
        n = len(panel.accounts)
        self.alerts: list[Alert] = []
        self._panel = panel
        self._examine = Examiner(panel)
        self._account = self._examine.account
        metrics = np.bincount(self._account)[self._account]
        self._threshold = -np.log10(budget / metrics**METRICS_TOGETHER)
        self._weights = weights
        self._calibration = Calibration(self._weights, n)
        self._next_look = np.zeros(n, np.int64)
        self._since = np.zeros(n, np.int64)
        self._last: dict[int, int] = {}
        """Series -> its latest alert, as an index into `alerts`."""

    def look(self, day: Day) -> None:
        if (day.index + 1) % BLOCK == 0:
            self._calibration.close_block(day.state)
        self._note_recoveries(day)
        score = self._weights.weights @ features(day.state)
        self._calibration.watch(day.scored)
        rows = np.nonzero(day.scored & (score >= self._weights.suspicion) & (day.index >= self._next_look))[0]
        self._next_look[rows] = day.index + RETRY
        rows = np.array([i for i in rows if self._is_new(int(i), day)], np.int64)
        if not len(rows):
            return
        falls, found = self._examine(day, rows, self._since, score)
        proof = np.where(is_fall(falls), self._weights.proof(found), -np.inf)
        self._calibration.examined(rows, proof)
        surprise = self._calibration.surprise(proof)
        for k in np.nonzero(surprise >= self._threshold[rows])[0]:
            self._raise(int(rows[k]), day, falls, int(k), float(surprise[k]))

    def _raise(self, i: int, day: Day, falls: Falls, k: int, surprise: float) -> None:
        self._last[i] = len(self.alerts)
        self.alerts.append(self._alert(i, day, falls, k, surprise))
        self._since[i] = day.index + 1
        self._next_look[i] = day.index + COOLDOWN

    def _window(self, i: int, start: int, day: Day) -> tuple[Floats, Floats]:
        weekdays = (self._panel.first_day.weekday() + np.arange(start, day.index + 1)) % 7
        return self._panel.values[i, start : day.index + 1].astype(np.float64), day.week[weekdays, i] * day.factors[i, start : day.index + 1]

    def _is_new(self, i: int, day: Day) -> bool:
        """While a fall stands, only a further one is news."""
        last = self._standing(i)
        if last is None:
            return True
        level = _level(*self._window(i, max(int(self._since[i]), day.index + 1 - RECOVERY_DAYS), day))
        return level is not None and level < FURTHER * last.after

    def _standing(self, i: int) -> Alert | None:
        last = self.alerts[self._last[i]] if i in self._last else None
        return None if last is None or last.recovered_on else last

    def _note_recoveries(self, day: Day) -> None:
        lately, start = day.state.levels()[1], day.index + 1 - RECOVERY_DAYS
        for i, at in self._last.items():
            alert = self.alerts[at]
            if alert.recovered_on or start < self._since[i] or lately[i] < (alert.before + alert.after) / 2:
                continue
            level = _level(*self._window(i, start, day))
            if level is not None and level >= alert.after + RECOVERED * (alert.before - alert.after):
                self.alerts[at] = replace(alert, recovered_on=self._date(day.index + 1))
                self._since[i] = start

    def _alert(self, i: int, day: Day, falls: Falls, k: int, surprise: float) -> Alert:
        onset, before = int(falls.onset[k]), float(falls.before[k])
        return Alert(
            series=i,
            alerted_on=self._date(day.index + 1),
            onset=self._date(onset),
            before=before,
            after=float(falls.after[k]),
            size=float(falls.size[k]),
            kind=self._kind(i, day, before, fade=bool(falls.length[k] >= FADE_DAYS)),
            score=surprise,
            peers=_peers_change(day.factors[i, : day.index + 1], onset),
        )

    def _kind(self, i: int, day: Day, before: float, *, fade: bool) -> DropKind:
        if self._gone(i, day, before):
            level = day.state.levels()[SLOW]
            siblings = np.nonzero((self._account == self._account[i]) & (level > SMALLEST_LEVEL))[0]
            return "stopped" if all(self._gone(int(k), day, float(level[k])) for k in siblings if k != i) else "feature_abandon"
        if fade:
            return "slow_fade"
        return "seat_loss" if is_about_people(self._panel.metrics[i]) else "shift"

    def _gone(self, i: int, day: Day, before: float) -> bool:
        level = _level(*self._window(i, max(0, day.index - 6), day), at_least=3)
        return level is not None and level <= GONE * before

    def _date(self, index: int) -> date:
        return self._panel.first_day + timedelta(index)


def _level(counts: Floats, shape: Floats, at_least: int = 7) -> float | None:
    """Mean per average day; None with fewer usable days."""
    usable = np.isfinite(counts) & (shape > SHAPE_FLOOR)
    return float(counts[usable].sum() / shape[usable].sum()) if np.count_nonzero(usable) >= at_least else None


def _peers_change(factors: npt.NDArray[np.float32], onset: int) -> float:
    before, after = factors[max(0, onset - COOLDOWN) : onset], factors[onset:]
    before, after = before[before > 0], after[after > 0]
    return float(after.mean() / before.mean() - 1) if len(before) and len(after) else 0.0
