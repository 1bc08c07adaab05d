"""The days around a change: a series with its account's other metrics, adjusted for week and peers. Indexes a panel once for many of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from ml.calendar import calendar_for
from ml.usage.levels import BEFORE, LATELY, MIN_PEERS, WEEK, Bools, Daily, Floats, daily, noise
from ml.usage.panel import Panel

YEAR = 364
"""Days back to the same weekday of the same week a year before."""
MOST_METRICS = 60
MOST_PEERS = 60
SEASONS_PEERS = 8 * WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Row 0 is the series itself, the others are its account's other metrics. `start` and `end` index the panel's days, `onset` the window's.

    `dispersion` and `lasting` are per row, as levels.noise gives them; `peers`: relative change of the peers since the onset.
    """

    rows: tuple[int, ...]
    values: Floats
    found: Daily
    start: int
    end: int
    onset: int
    first_day: date
    dispersion: Floats
    lasting: Floats
    peers: float

    @property
    def spread(self) -> Floats:
        return self.dispersion * self.lasting

    @property
    def since(self) -> Bools:
        result: Bools = np.arange(self.values.shape[1]) >= self.onset
        return result

    def day(self, index: int) -> date:
        return self.first_day + timedelta(index)


class Windows:
    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._of_account: dict[str, list[int]] = defaultdict(list)
        self._of_metric: dict[str, list[int]] = defaultdict(list)
        self._of_region: dict[str, list[int]] = defaultdict(list)
        for i, (account, metric, region) in enumerate(zip(panel.accounts, panel.metrics, panel.region, strict=True)):
            self._of_account[account].append(i)
            self._of_metric[metric].append(i)
            self._of_region[region].append(i)
        numbers = {account: n for n, account in enumerate(self._of_account)}
        self._account = np.array([numbers[a] for a in panel.accounts], np.int64)
        self._closed: dict[str, Bools] = {}
        self._chosen: dict[tuple[str, str | None, int], list[int]] = {}

    def around(self, series: int, onset: date, end: date, before: int = BEFORE) -> Window:
        """From `before` days before the onset up to the day before `end`; the week and the peers are those of the days before the onset."""
        last = min(max((end - self._panel.first_day).days, 1), self._panel.values.shape[1])
        first = min(max((onset - self._panel.first_day).days, 0), last)
        start = max(0, min(first - before, last - 1))
        rows = (series, *[i for i in self._of_account[self._panel.accounts[series]] if i != series][:MOST_METRICS])
        values = self._values(list(rows), start, last)
        peers = self._values(self._near(series), start, last)
        closed = self._closed_days(self._panel.region[series])[start:last]
        found, peers_change = daily(values, peers, first - start, closed)
        since = np.arange(last - start) >= first - start
        dispersion, lasting = noise(found, [~since, since])
        return Window(
            rows=rows,
            values=values,
            found=found,
            start=start,
            end=last,
            onset=first - start,
            first_day=self._panel.first_day + timedelta(start),
            dispersion=dispersion,
            lasting=lasting,
            peers=peers_change,
        )

    def expected(self, series: int, onset: date, level: float | None, end: date, days: int) -> Floats:
        """(days,) up to the day before `end`: `level`, or that of the last months before the onset, times the week and the peers' days."""
        window = self.around(series, onset, end, before=max(days - (end - onset).days, BEFORE))
        shape = window.found.shape[0]
        usual = np.where(shape > 0, shape * (_level(window) if level is None else level), np.nan)
        return np.concatenate([np.full(max(days - len(usual), 0), np.nan), usual[max(len(usual) - days, 0) :]])

    def same_metric(self, series: int, most: int) -> list[int]:
        """Series of the same metric of other accounts, evenly chosen where they are many."""
        return self._others(self._some_of(self._panel.metrics[series], None, most + 1), series, most)

    def peer_accounts(self, series: int, window: Window) -> tuple[int, bool]:
        """How many other accounts reported in the last weeks since the onset, and whether they are those of the region: its own where they are
        enough, else all."""
        region = self._panel.region[series]
        near = self._reporting(self._of_region[region], series, window) if region else 0
        if near >= MIN_PEERS:
            return near, True
        return self._reporting(list(range(len(self._panel.accounts))), series, window), False

    def a_year_before(self, series: int, window: Window) -> Floats | None:
        """The series' own values a year before the window; None where the panel does not reach back to the weeks before the onset."""
        start, onset = window.start - YEAR, window.start + window.onset - YEAR
        if onset < SEASONS_PEERS:
            return None
        values = self._values([series], max(start, 0), window.end - YEAR)[0]
        return np.concatenate([np.full(max(-start, 0), np.nan), values])

    def _near(self, series: int) -> list[int]:
        metric, region = self._panel.metrics[series], self._panel.region[series]
        near = self._others(self._some_of(metric, region, MOST_PEERS + 1), series, MOST_PEERS)
        return near if len(near) >= MIN_PEERS else self.same_metric(series, MOST_PEERS)

    def _some_of(self, metric: str, region: str | None, most: int) -> list[int]:
        """Series of a metric, in one region or in all, evenly chosen where they are more."""
        key = (metric, region, most)
        if key not in self._chosen:
            rows = [i for i in self._of_metric[metric] if region is None or self._panel.region[i] == region]
            self._chosen[key] = rows if len(rows) <= most else [rows[k * len(rows) // most] for k in range(most)]
        return self._chosen[key]

    def _others(self, rows: Sequence[int], series: int, most: int) -> list[int]:
        return [i for i in rows if self._account[i] != self._account[series]][:most]

    def _reporting(self, rows: list[int], series: int, window: Window) -> int:
        start = max(window.start + window.onset, window.end - LATELY)
        reported = np.isfinite(self._panel.values[rows, start : window.end]).any(axis=1)
        accounts = np.unique(self._account[rows][reported])
        return int(np.count_nonzero(accounts != self._account[series]))

    def _values(self, rows: list[int], start: int, end: int) -> Floats:
        values = self._panel.values[rows, start:end].astype(np.float64)
        return np.where(np.isfinite(values), np.maximum(values, 0.0), np.nan)

    def _closed_days(self, region: str) -> Bools:
        if region not in self._closed:
            calendar = calendar_for(region)
            days = [self._panel.first_day + timedelta(i) for i in range(self._panel.values.shape[1])]
            self._closed[region] = np.array([d.weekday() < 5 and not calendar.is_open(d) for d in days], bool)
        return self._closed[region]


def _level(window: Window) -> float:
    lately = np.arange(window.values.shape[1]) >= window.onset - BEFORE
    used = window.found.usable[0] & lately & (np.arange(window.values.shape[1]) < window.onset)
    return float(window.found.counts[0, used].sum() / max(window.found.shape[0, used].sum(), 1e-9)) if used.any() else float("nan")
