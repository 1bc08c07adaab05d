"""Small workspaces with planted drops: some sixty accounts in four countries, three daily metrics each, one year.

Unlike the generator (thousands of accounts, every nuisance there is) this is what one vendor's customers look like: real
public holidays, a summer and a year-end per country that accounts follow to a different depth, weekday habits, overdispersed
counts, odd days, growth, small level changes, gaps, and feeds that stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import holidays
import numpy as np
import numpy.typing as npt

from ml.usage import Panel

Floats = npt.NDArray[np.float64]

METRICS = ("active_seats", "actions", "report_exports")
SUMMER = {"US": (212, 20.0, 0.1), "GB": (222, 18.0, 0.2), "DE": (217, 20.0, 0.3), "FR": (226, 14.0, 0.55)}
"""Day of the year, width in days and depth of the summer dip."""
KINDS = ("step", "fade", "abandoned", "stopped")


@dataclass(frozen=True, slots=True)
class Planted:
    """A drop of one account. `size` is the relative fall once complete, `length` the days it takes."""

    account: str
    kind: str
    onset: date
    size: float
    length: int


@dataclass(frozen=True, slots=True)
class Workspace:
    panel: Panel
    planted: tuple[Planted, ...]
    silent: tuple[str, ...]
    """Accounts whose feed stops some days before the end."""


def make_workspace(
    seed: int, *, accounts: int = 60, days: int = 365, first_day: date = date(2025, 3, 3), drops: int = 14, depth: tuple[float, float] = (0.7, 1.3)
) -> Workspace:
    """The first `drops` accounts fall, kinds in turn; none of the others does."""
    random = np.random.default_rng(seed)
    countries = [tuple(SUMMER)[i % len(SUMMER)] for i in range(accounts)]
    seasons = {c: _season(c, first_day, days) for c in SUMMER}
    everyone = np.ones(days)
    everyone[random.integers(0, days)] = 0.4
    values = np.full((accounts, len(METRICS), days), np.nan, np.float32)
    planted: list[Planted] = []
    for i in range(accounts):
        fall = _plan(i, drops, days, first_day, random)
        season = seasons[countries[i]] ** random.uniform(*depth) * everyone
        values[i] = _account(random, season, first_day.weekday(), fall, first_day)
        planted += [fall] if fall else []
    silent = tuple(f"account {i:02d}" for i in range(accounts - 2, accounts))
    for i, tail in ((accounts - 2, 9), (accounts - 1, 30)):
        values[i, :, days - tail :] = np.nan
    names = tuple(f"account {i:02d}" for i in range(accounts) for _ in METRICS)
    regions = tuple(c for c in countries for _ in METRICS)
    return Workspace(Panel(names, METRICS * accounts, regions, first_day, values.reshape(-1, days)), tuple(planted), silent)


def _season(country: str, first_day: date, days: int) -> Floats:
    closed = holidays.country_holidays(country, years=range(first_day.year, first_day.year + 3))
    centre, width, depth = SUMMER[country]
    season = np.ones(days)
    for t in range(days):
        day = first_day + timedelta(t)
        season[t] *= 1 - depth * np.exp(-(((day.timetuple().tm_yday - centre) / width) ** 2))
        season[t] *= 0.15 if day in closed else 1.0
        season[t] *= 0.3 if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 2) else 1.0
        season[t] *= 0.75 if (12, 18) <= (day.month, day.day) <= (12, 22) or (1, 3) <= (day.month, day.day) <= (1, 6) else 1.0
    return season


def _plan(i: int, drops: int, days: int, first_day: date, random: np.random.Generator) -> Planted | None:
    if i >= drops:
        return None
    kind = ("step", "fade", "step", "abandoned", "step", "stopped", "fade")[i % 7]
    size = {"step": random.uniform(0.35, 0.6), "fade": random.uniform(0.4, 0.65), "abandoned": random.uniform(0.97, 1.0), "stopped": 1.0}[kind]
    length = {"step": random.integers(1, 4), "fade": random.integers(56, 85), "abandoned": random.integers(1, 8), "stopped": random.integers(1, 5)}[kind]
    onset = int(random.integers(120, days - (95 if kind == "fade" else 32)))
    return Planted(f"account {i:02d}", kind, first_day + timedelta(onset), float(size), int(length))


def _account(random: np.random.Generator, season: Floats, weekday: int, fall: Planted | None, first_day: date) -> npt.NDArray[np.float32]:
    """(metric, day) counts of one account."""
    days = len(season)
    t = np.arange(days)
    week = np.r_[np.exp(random.normal(0, 0.07, 5)), random.uniform(0.02, 0.4, 2)]
    if random.random() < 0.2:
        week[5:] = random.uniform(0.6, 1.0, 2)
    seats = max(15.0, random.lognormal(np.log(26), 0.5))
    wander = np.exp(_autoregression(random, days, random.uniform(0.02, 0.07)))
    level = seats * np.exp(random.uniform(-0.08, 0.3) * t / 365) * wander * season * week[(t + weekday) % 7]
    if random.random() < 0.5:
        level[random.integers(60, days) :] *= random.uniform(0.85, 1.15)
    _odd_days(random, level)
    ramp = np.zeros(days) if fall is None else np.clip((t - (fall.onset - first_day).days + 1) / fall.length, 0, 1) * fall.size
    kept = 1 - ramp
    on_all = kept if fall is None or fall.kind != "abandoned" else np.ones(days)
    rates = (level * on_all, level * on_all * random.uniform(4, 15), level * kept * random.uniform(0.3, 1.5))
    counts = np.stack(
        [_overdispersed(random, rate, k) for rate, k in zip(rates, (random.uniform(25, 80), random.uniform(5, 15), random.uniform(4, 12)), strict=True)]
    )
    for _ in range(random.poisson(0.8)):
        start = random.integers(0, days - 15)
        counts[:, start : start + random.integers(1, 4)] = np.nan
    return counts.astype(np.float32)


def _odd_days(random: np.random.Generator, level: Floats) -> None:
    for _ in range(random.poisson(1.5)):
        level[random.integers(0, len(level))] *= random.uniform(0, 0.3)
    for _ in range(random.poisson(1.5)):
        level[random.integers(0, len(level))] *= random.uniform(1.8, 4)
    for _ in range(random.poisson(0.4)):
        start = random.integers(0, len(level) - 5)
        level[start : start + random.integers(2, 5)] *= random.uniform(0, 0.4)


def _autoregression(random: np.random.Generator, days: int, spread: float) -> Floats:
    keep = np.exp(-1 / random.uniform(7, 30))
    walk = random.normal(0, spread, days)
    for t in range(1, days):
        walk[t] = keep * walk[t - 1] + np.sqrt(1 - keep**2) * walk[t]
    return walk


def _overdispersed(random: np.random.Generator, rate: Floats, size: float) -> Floats:
    """Negative binomial counts: variance rate + rate**2 / size."""
    result: Floats = random.poisson(random.gamma(size, np.maximum(rate, 1e-9) / size)).astype(float)
    return result
