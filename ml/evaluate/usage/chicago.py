"""Real daily counts: entries of Chicago 'L' stations, thinned to what a small customer uses, with drops injected late in each window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.evaluate.usage.detection import Found, falls, found, of_series
from ml.evaluate.usage.drops import YEAR, all_drops
from ml.evaluate.usage.figures import Row
from ml.evaluate.usage.generator import Event
from ml.usage import Panel

Ints = npt.NDArray[np.int64]

SET = "chicago_l_daily"
DAYS, FIRST = 640, 430
COPIES = 3
"""Customers made of each station."""
LEVELS = (1.5, 60.0)
"""Counts a day, drawn evenly on logarithms."""
DROP_RATE = 1.2
"""Drops a year after day FIRST; three of five kinds touch the counts of people."""
BUDGET = 0.2
SEEDS = (1, 2)
RECALL, FALSE_ALARMS = "real counts (Chicago), budget 0.2 as it is: material sudden drop, recall", "real counts (Chicago): false alarms a year"


@dataclass(frozen=True, slots=True)
class Injected:
    panel: Panel
    events: list[Event]
    expected: npt.NDArray[np.float32]


def chicago_rows(stored: Mapping[str, Any] | None) -> Iterator[Row]:
    """`stored`: the set as it is stored, or None where it is not at hand."""
    if stored is None:
        yield from (Row(what=what, note=f"not run: needs usage/data/{SET}.json") for what in (RECALL, FALSE_ALARMS))
        return
    stations, start = np.array(list(stored["stations"].values()), np.int64), date.fromisoformat(stored["start"])
    runs = [[_watched(one) for one in workspaces(stations, start, seed)] for seed in SEEDS]
    delays = [np.concatenate([f.matched.delays[f.material()] for f in run]) for run in runs]
    years = sum(f.days for f in runs[0]) / YEAR
    note = f"{', '.join(str(len(d)) for d in delays)} such drops, one seed each, in {years:.0f} series-years"
    yield Row(what=RECALL, values=tuple(float(np.isfinite(d).mean()) for d in delays), floor=0.70, aim=0.82, note=note)
    rates = tuple(sum(f.rate * f.days for f in run) / sum(f.days for f in run) for run in runs)
    yield Row(what=FALSE_ALARMS, values=rates, note="outside the days of injected drops")


def _watched(one: Injected) -> Found:
    return found(of_series(one.panel, falls(one.panel, BUDGET)), one.events, one.expected, FIRST, float(len(one.panel.accounts) * (DAYS - FIRST)))


def workspaces(stations: Ints, start: date, seed: int) -> Iterator[Injected]:
    """One per window of DAYS days."""
    for number in range(stations.shape[1] // DAYS):
        counts = np.repeat(stations[:, number * DAYS : (number + 1) * DAYS], COPIES, axis=0)
        yield injected(counts, start + timedelta(number * DAYS), np.random.default_rng([seed, number]))


def injected(counts: Ints, first_day: date, random: np.random.Generator) -> Injected:
    n, days = counts.shape
    level = np.exp(random.uniform(np.log(LEVELS[0]), np.log(LEVELS[1]), n))
    kept = np.minimum(level / np.maximum(counts.mean(axis=1), 1e-9), 1.0)[:, None]
    drops, left, _, _ = all_drops(random, np.zeros(n, np.int64), days, DROP_RATE, FIRST)
    values = random.binomial(counts, kept * left).astype(np.float32)
    panel = Panel(tuple(f"customer {i}" for i in range(n)), ("riders",) * n, ("US",) * n, first_day, values)
    events = [(d.account, d.onset, d.detect_by, d.sizes["seats"], d.kind) for d in drops if "seats" in d.sizes]
    return Injected(panel, events, (counts * kept).astype(np.float32))
