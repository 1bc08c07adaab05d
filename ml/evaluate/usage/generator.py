"""Synthetic product-usage panels of many accounts, with the days on which usage truly dropped.

| what is in the data                                               | a drop?                        |
|-------------------------------------------------------------------|--------------------------------|
| weekly profiles, public holidays, Christmas, August (own depth)   | no                             |
| growth, ramp-up of new accounts, slow wander                      | no                             |
| bursts, level-ups, outages of 1-5 days, small teams' holidays     | no                             |
| product outages of a day, tracking bugs (zeros), gaps, late data  | no                             |
| level_shift: events per user fall 15-80 %, lasting                | events, features               |
| seat_loss: active seats fall 15-70 %, lasting                     | all                            |
| slow_fade: seats and intensity fade 30-90 % over 30-120 days      | all                            |
| feature_abandon: one feature falls by 85-100 % within two weeks   | that feature                   |
| churn: everything falls by 95-100 % within ten days               | all                            |

Everything here was chosen by hand; no customer's data went into it. The order of the random draws is part of the seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.evaluate.usage.drops import FEATURE_NAMES, FEATURES, YEAR, Drop, all_drops
from ml.usage.panel import Panel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.float32]
Random = np.random.Generator

START = date(2024, 4, 1)
REGION_SHARES = (0.5, 0.35, 0.15)
HOLIDAYS = (
    ((1, 1), (1, 20), (2, 17), (5, 26), (6, 19), (7, 4), (9, 1), (10, 13), (11, 11), (11, 27), (11, 28), (12, 25)),
    ((1, 1), (1, 6), (4, 18), (4, 21), (5, 1), (5, 29), (6, 9), (8, 15), (10, 3), (11, 1), (12, 25), (12, 26)),
    ((1, 1), (4, 18), (4, 21), (5, 5), (5, 26), (8, 25), (12, 25), (12, 26)),
)
CHRISTMAS = {20: 0.85, 21: 0.8, 22: 0.7, 23: 0.55, 24: 0.3}
Event = tuple[int, int, int, float, str]
"""account, onset, last day on which it counts as found in time, relative size, kind"""


@dataclass(slots=True, kw_only=True)
class Generated:
    """Counts are (accounts, days), NaN where there are none; `as_of` is what was visible on the evening of the day itself."""

    start: date
    series: dict[str, Counts]
    as_of: dict[str, Counts]
    region: Ints
    drops: list[Drop]
    expected_seats: Counts
    """True mean of seats, had nothing dropped."""

    def panel(self, names: tuple[str, ...], *, as_of: bool = True) -> Panel:
        shown = {**self.series, **self.as_of} if as_of else self.series
        n, days = self.series["seats"].shape
        return Panel(
            accounts=tuple(f"account {i}" for i in range(n) for _ in names),
            metrics=names * n,
            region=tuple(f"region {r}" for r in self.region for _ in names),
            first_day=self.start,
            values=np.stack([shown[name] for name in names], axis=1).reshape(-1, days),
        )

    def events_for(self, series: str, from_day: int = 0) -> list[Event]:
        return [(d.account, d.onset, d.detect_by, d.sizes[series], d.kind) for d in self.drops if series in d.sizes and d.onset >= from_day]


@dataclass(slots=True)
class _Accounts:
    licensed: Ints
    adoption: Floats
    active: Floats
    intensity: Floats
    burstiness: Floats
    office: Ints
    week: Floats
    depth: Floats


def make_panel(
    n: int = 1000, days: int = 640, *, seed: int = 0, start: date = START, drop_rate: float = 0.6, first_drop_day: int = 200, hard: float = 1.0
) -> Generated:
    """`drop_rate`: true drops per account-year; `hard` scales the nuisances, 0 for none."""
    random = np.random.default_rng(seed)
    region = random.choice(3, n, p=REGION_SHARES)
    accounts = _accounts(random, n)
    t = np.arange(days)
    season = accounts.week[:, (t + start.weekday()) % 7]
    calendar = _calendars(start, days)
    softer = np.where(accounts.office == 1, 0.55, 1.0)
    shared = np.exp(np.log(calendar[region]) * (accounts.depth * softer)[:, None]) * _product_outages(random, days, hard)
    start_day, in_use = _seats_in_use(random, accounts, days, hard)
    nuisance, intensity = _nuisances(random, accounts, days, hard)
    in_use = in_use * nuisance
    drops, seats_left, intensity_left, feature_left = all_drops(random, start_day, days, drop_rate, first_drop_day)
    chance = np.clip(accounts.active[:, None] * season * shared, 0, 0.98)
    series = _counts(random, accounts, in_use, chance, seats_left, intensity * intensity_left, feature_left)
    for values in series.values():
        values[t[None] < start_day[:, None]] = np.nan
    _lose_some(random, series, hard)
    as_of = _late(random, series, hard)
    expected = (in_use * chance).astype(np.float32)
    return Generated(start=start, series=series, as_of=as_of, region=region, drops=drops, expected_seats=expected)


def _accounts(random: Random, n: int) -> _Accounts:
    licensed = np.clip(np.round(random.lognormal(np.log(14), 1.15, n)), 2, 3000).astype(int)
    adoption, active = random.beta(4, 2.5, n), random.beta(5, 3, n)
    intensity, burstiness = random.lognormal(np.log(12), 0.8, n), random.lognormal(np.log(6), 0.6, n)
    office = random.choice(3, n, p=[0.72, 0.13, 0.15])
    weekend = np.where(office == 0, random.beta(1.2, 12, n), np.where(office == 1, random.uniform(0.6, 1.05, n), random.uniform(0.15, 0.5, n)))
    week = np.ones((n, 7))
    week[:, 5] = weekend * random.uniform(0.8, 1.2, n)
    week[:, 6] = weekend * random.uniform(0.6, 1.1, n)
    week[:, :5] *= np.exp(random.normal(0, 0.08, (n, 5)))
    week[:, 4] *= random.uniform(0.75, 1.0, n)
    depth = np.clip(random.normal(1, 0.25, n), 0.3, 1.5)
    return _Accounts(licensed, adoption, active, intensity, burstiness, office, week, depth)


def _calendars(start: date, days: int) -> Floats:
    """(regions, days): what an average account of the region does on the day, 1 on ordinary days."""
    return np.array([[_calendar_factor(region, start + timedelta(i)) for i in range(days)] for region in range(len(HOLIDAYS))])


def _calendar_factor(region: int, day: date) -> float:
    factor = 0.18 if (day.month, day.day) in HOLIDAYS[region] else 1.0
    if (day.month == 12 and day.day >= 20) or (day.month == 1 and day.day <= 2):
        factor *= CHRISTMAS.get(day.day if day.month == 12 else 0, 0.35)
    elif day.month == 1 and day.day <= 6:
        factor *= 0.8
    if day.month in (7, 8):
        middle, width, depth = (10, 16, 0.42) if region == 1 else (5, 20, 0.12)
        factor *= 1 - depth * float(np.exp(-((abs((day - date(day.year, 8, middle)).days) / width) ** 2)))
    return factor


def _product_outages(random: Random, days: int, hard: float) -> Floats:
    factor = np.ones(days)
    count = random.poisson(2 * days / YEAR * hard)
    for day in random.choice(days, count, replace=False):
        factor[day] = random.uniform(0.2, 0.6)
    return factor


def _seats_in_use(random: Random, accounts: _Accounts, days: int, hard: float) -> tuple[Ints, Floats]:
    """First day per account, and seats in use: some accounts start late and ramp up, all grow or shrink and wander."""
    n = len(accounts.licensed)
    start_day = np.where(random.random(n) < 0.3, random.integers(0, max(1, days - 120), n), 0)
    ramp = random.integers(21, 90, n)[:, None]
    old = (start_day == 0) & (random.random(n) < 0.85)
    age = np.arange(days)[None] - start_day[:, None]
    ramped = np.where(old[:, None], 1.0, 1 / (1 + np.exp(-(age - 0.5 * ramp) / (ramp / 6))))
    growth = np.exp(np.clip(random.normal(0.08, 0.25, n), -0.35, 0.9)[:, None] * age / YEAR)
    wander = _wander(random, days, hard * random.uniform(0.03, 0.16, n), np.exp(-1 / random.uniform(7, 30, n)))
    return start_day, accounts.licensed[:, None] * accounts.adoption[:, None] * ramped * growth * wander


def _wander(random: Random, days: int, spread: Floats, keep: Floats) -> Floats:
    n = len(spread)
    walk = np.empty((n, days))
    walk[:, 0] = random.normal(0, spread)
    steps = random.normal(size=(n, days)) * (spread * np.sqrt(1 - keep**2))[:, None]
    for i in range(1, days):
        walk[:, i] = keep * walk[:, i - 1] + steps[:, i]
    return np.exp(walk)


def _spans(random: Random, n: int, days: int, rate: float, lengths: tuple[int, int], only: Ints | None = None) -> Iterator[tuple[int, slice]]:
    """Account and days of things that happen `rate` times per account-year and last so long."""
    counts = random.poisson(rate, n) * (1 if only is None else only)
    for account in np.nonzero(counts)[0]:
        for _ in range(counts[account]):
            first = int(random.integers(0, days))
            yield int(account), slice(first, min(days, first + int(random.integers(lengths[0], lengths[1] + 1))))


def _nuisances(random: Random, accounts: _Accounts, days: int, hard: float) -> tuple[Floats, Floats]:
    """What happens to seats and to events per user without being a drop."""
    n, times = len(accounts.licensed), days / YEAR * hard
    seats, intensity = np.ones((n, days)), np.ones((n, days))
    for account, span in _spans(random, n, days, 1.2 * times, (2, 10)):
        intensity[account, span] *= random.uniform(1.4, 4)
    for account, span in _spans(random, n, days, 0.7 * times, (1, 5)):
        seats[account, span] *= random.uniform(0, 0.35)
    for account, span in _spans(random, n, days, 0.8 * times, (5, 14), (accounts.licensed <= 6).astype(int)):
        seats[account, span] *= random.uniform(0, 0.5)
    for account, span in _spans(random, n, days, 0.25 * times, (days, days)):
        seats[account, span] *= random.uniform(1.15, 1.6)
    return seats, intensity


def _counts(random: Random, accounts: _Accounts, in_use: Floats, chance: Floats, left: Floats, intensity: Floats, features: Floats) -> dict[str, Counts]:
    n, days = in_use.shape
    expected = in_use * left
    whole = np.floor(expected).astype(np.int64)
    seats = random.binomial(whole + (random.random((n, days)) < (expected - whole)), chance)
    mean = seats * accounts.intensity[:, None] * intensity
    shape = accounts.burstiness[:, None] * np.sqrt(np.maximum(seats, 1))
    events = np.where(mean > 0, random.poisson(random.gamma(shape, np.maximum(mean, 1e-9) / shape)), 0)
    share = random.dirichlet(np.full(FEATURES, 1.2), n).T * random.uniform(0.5, 1, n)
    series: dict[str, Any] = {"seats": seats, "events": events}
    left_over, used = events.copy(), np.zeros((n, days))
    for k, name in enumerate(FEATURE_NAMES):
        of_rest = np.clip(share[k][:, None] / np.maximum(1e-9, 1 - used), 0, 1) * np.ones((n, days))
        drawn = random.binomial(left_over, of_rest)
        left_over = left_over - drawn
        used = used + share[k][:, None]
        series[name] = random.binomial(drawn, features[k])
    return {name: values.astype(np.float32) for name, values in series.items()}


def _lose_some(random: Random, series: dict[str, Counts], hard: float) -> None:
    """Tracking bugs report zeros for some days, gaps report nothing; in place."""
    n, days = series["seats"].shape
    for rate, lengths, value in ((0.25, (1, 3), 0.0), (0.7, (1, 6), np.nan)):
        for account, span in _spans(random, n, days, rate * days / YEAR * hard, lengths):
            for values in series.values():
                values[account, span] = np.where(np.isnan(values[account, span]), np.nan, value)


def _late(random: Random, series: dict[str, Counts], hard: float) -> dict[str, Counts]:
    """Some days are first seen at a part of their count."""
    n, days = series["seats"].shape
    everywhere = random.random(days) < 0.006 * hard
    late = (random.random((n, days)) < 0.01 * hard) | everywhere
    part = random.uniform(0.2, 0.7, (n, days))
    shown = {name: series[name].copy() for name in ("seats", "events")}
    for values in shown.values():
        hit = late & ~np.isnan(values)
        values[hit] = random.binomial(values[hit].astype(np.int64), part[hit])
    return shown
