"""The memory of a workspace, moved on day by day: what is expected, what came, and how suspicious each series looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from ml.calendar import calendar_for
from ml.usage.cohort import Closed, Coded, Cohort, Peers, close, peers_of, strayed
from ml.usage.examine import Factors, weekday_of
from ml.usage.features import score
from ml.usage.panel import Panel
from ml.usage.score import Weights, suspects
from ml.usage.state import CHUNK, LEARNING_DAYS, Bools, Ints, Singles, State, advance, renew_week_mean, report

YEAR_END = ((12, 23), (1, 2))


@dataclass(frozen=True, slots=True)
class Scored:
    """One closed day, before anybody looks closer. Days are ordinals."""

    today: int
    closed: Closed
    score: Singles
    scored: Bools
    """Which series had a count on a day that carries weight, and enough of them before."""


class Tracker:
    """The memory of a workspace: everything that is carried from one day to the next."""

    def __init__(self, peers: Peers, weights: Weights, first: int, state: State | None = None, cohort: Cohort | None = None) -> None:
        self.peers, self.weights = peers, weights
        self.state = state or State.blank(len(peers.account))
        self.cohort = cohort or Cohort.blank(len(peers.cells))
        self.factors = Factors(peers, first)

    def advance(self, today: int, counts: Singles, shut: Bools) -> Scored:
        """Closes a day: `counts` per series, `shut` per cell where its region has a holiday."""
        return self._judge(today, counts, close(self.cohort, self.state, counts, weekday_of(today), self.peers), shut)

    def repeat(self, today: int, counts: Singles, closed: Closed, shut: Bools) -> Scored:
        """Goes once more through a day whose record is known."""
        self.cohort.week, self.cohort.season = closed.week, strayed(self.cohort.season, closed.factor)
        return self._judge(today, counts, closed, shut)

    def _judge(self, today: int, counts: Singles, closed: Closed, shut: Bools) -> Scored:
        self.factors.append(closed.factor, shut)
        points, weighty = np.empty(len(counts), np.float32), self.factors.of(np.arange(len(counts)), today, today)[:, 0] > 0
        for start in range(0, len(counts), CHUNK):
            rows = slice(start, start + CHUNK)
            part = self.state.part(start, start + CHUNK)
            follow(part, counts[rows], today, closed, self.peers, rows, shut)
            points[rows] = score(part, self.season(rows), self.weights.weights)
        scored = np.isfinite(counts) & (self.state.seen >= LEARNING_DAYS) & weighty
        return Scored(today, closed, points, scored)

    def suspects(self, score: Singles, rows: Ints) -> Ints:
        return suspects(self.weights, self.state, self.season(slice(None)), score, rows)

    def season(self, rows: slice | Ints) -> Singles:
        """Per series, how far its peers' days have strayed from ordinary ones lately."""
        found: Singles = self.cohort.season[self.peers.cell[rows], self.peers.fold[rows]]
        return found


def follow(state: State, counts: Singles, today: int, closed: Closed, peers: Peers, rows: slice | Ints, shut: Bools) -> None:
    """Moves the `state` of some rows through a day whose record is known."""
    cell, fold, weekday = peers.cell[rows], peers.fold[rows], weekday_of(today)
    if weekday == 0:
        renew_week_mean(state, closed.week[cell].T)
    advance(state, counts, weekday, closed.week[cell, weekday], closed.factor[cell, fold], shut[cell])
    report(state, np.isfinite(counts), today, closed.reported[cell])


def shut_days(peers: Peers, first: int, last: int) -> Bools:
    """(cells, days): public holidays of each cell's region, and the days between the years, on which nobody is judged."""
    days = [date.fromordinal(day) for day in range(first, last + 1)]
    late, early = YEAR_END
    year_end = np.array([(d.month, d.day) >= late or (d.month, d.day) <= early for d in days], bool)
    shut: dict[str, Bools] = {}
    for region in {region for region, _ in peers.cells}:
        calendar = calendar_for(region)
        shut[region] = year_end | np.array([d.weekday() < 5 and not calendar.is_open(d) for d in days], bool)
    return np.stack([shut[region] for region, _ in peers.cells])


def scan(panel: Panel, weights: Weights) -> Iterator[tuple[Tracker, Scored]]:
    """Every day in turn; nothing rests on a later one. The tracker is live: it moves on with the scan."""
    peers = peers_of(Coded.of(panel.accounts), Coded.of(panel.metrics), Coded.of(panel.region))
    first = panel.first_day.toordinal()
    tracker, days = Tracker(peers, weights, first), panel.values.shape[1]
    shut = shut_days(peers, first, first + days - 1)
    for index in range(days):
        yield tracker, tracker.advance(first + index, np.ascontiguousarray(panel.values[:, index]), shut[:, index])
