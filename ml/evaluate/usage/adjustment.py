"""The season taken out for methods that know none: each window's own weekdays, and what the region's other accounts did that day.

Apart from the detector, so that the two share no mistake. Nothing rests on a later day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.usage.panel import Panel

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

WEEK = 7
WEEKS_BACK = 8
QUIET = 0.55
"""A day on which the region does less than this of its usual is a holiday and left out."""
NEAR = (0.35, 1.8)
"""Accounts whose day lies outside this share of the usual are out by themselves and say nothing about the region."""
DRIFT_PACE, ORDINARY = 1 - 0.5 ** (1 / 45), 0.4
"""What lasts for months is the accounts' level and not the region's day: the mean of log factors below ORDINARY is held at 0."""
OWN_WEEKS = 2.0
"""Weeks of its own that weigh as much as the region's profile."""


@dataclass(frozen=True, slots=True)
class Window:
    """(account, day). `signal`: twice the root of the count, the season taken out, so that Poisson counts of any size vary by about 1."""

    signal: Floats
    counts: Floats
    shape: Floats
    usable: Flags


def window(panel: Panel, factor: Floats | None, start: int, end: int) -> Window:
    """Days start..end-1. Without a factor the counts stay as they are."""
    counts = panel.values[:, start:end].astype(np.float64)
    usable = np.isfinite(counts)
    shape = np.ones_like(counts)
    if factor is not None:
        usable &= factor[:, start:end] >= QUIET
        weekday = (panel.first_day.weekday() + np.arange(start, end)) % WEEK
        shape = _weekdays(np.where(usable, counts, 0.0), factor[:, start:end] * usable, weekday, panel.region)[:, weekday] * factor[:, start:end]
    counts = np.where(usable, counts, 0.0)
    level = counts.sum(axis=1) / np.maximum((shape * usable).sum(axis=1), 1e-9)
    season = np.sqrt(level[:, None] * shape + 0.375) - np.sqrt(level[:, None] + 0.375)
    return Window(2 * (np.sqrt(counts + 0.375) - season), counts, shape, usable)


def _weekdays(counts: Floats, exposure: Floats, weekday: Ints, region: tuple[str, ...]) -> Floats:
    """(account, 7), mean 1: each account's own week, shrunk to its region's."""
    sums, days = (np.stack([rows[:, weekday == d].sum(axis=1) for d in range(WEEK)], axis=1) for rows in (counts, exposure))
    level = counts.sum(axis=1) / np.maximum(exposure.sum(axis=1), 1e-9)
    own = sums / np.maximum(days * level[:, None], 1e-9)
    weight = np.sqrt(level)[:, None] * (days > 0)
    regions = np.unique(region, return_inverse=True)[1]
    common = np.stack([(own * weight)[regions == r].sum(axis=0) / np.maximum(weight[regions == r].sum(axis=0), 1e-9) for r in range(regions.max() + 1)])
    shrunk = (sums + OWN_WEEKS * level[:, None] * common[regions]) / np.maximum(level[:, None] * (days + OWN_WEEKS), 1e-9)
    shrunk = np.maximum(shrunk, 0.02)
    week: Floats = shrunk / shrunk.mean(axis=1, keepdims=True)
    return week


def region_days(panel: Panel) -> Floats:
    """(account, day): what the region does on the day against the same weekday of the weeks before, 1 on ordinary days."""
    values = panel.values.astype(np.float64)
    regions = np.unique(panel.region, return_inverse=True)[1]
    factor, drift = np.ones(values.shape), np.zeros(regions.max() + 1)
    for day in range(WEEK, values.shape[1]):
        before = slice(day % WEEK if day < WEEK * WEEKS_BACK else day - WEEK * WEEKS_BACK, day, WEEK)
        usual = _mean(values[:, before] / factor[:, before], factor[:, before] >= QUIET)
        for region in range(regions.max() + 1):
            inside = regions == region
            log = np.log(_one_day(values[inside, day], usual[inside]))
            factor[inside, day] = np.exp(log - drift[region])
            drift[region] += DRIFT_PACE * (log - drift[region]) if abs(log) < ORDINARY else 0.0
    return factor


def _mean(values: Floats, counted: Flags) -> Floats:
    counted = counted & np.isfinite(values)
    mean: Floats = np.where(counted, values, 0.0).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return mean


def _one_day(values: Floats, usual: Floats) -> float:
    """The root weighs large accounts down, so that none of them is the region. On a holiday nobody is near; then all count."""
    known = np.isfinite(values) & (usual > 0)
    near = known & (values > NEAR[0] * usual) & (values < NEAR[1] * usual)
    counted = near if near.sum() > 0.3 * known.sum() else known
    if not counted.any():
        return 1.0
    weight = 1 / np.sqrt(np.maximum(usual[counted], 0.1))
    return max(float(weight @ values[counted] / (weight @ usual[counted])), 0.01)
