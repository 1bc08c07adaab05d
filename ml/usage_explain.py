"""For one alert: since when, from what to what, a step or a fade. A weighted least-squares search over onsets and lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.usage_state import Floats, Ints

LOOK_BACK = 200
RAMPS = (1, 7, 14, 28, 42, 60, 90)
FADE_DAYS = 28
MIN_AFTER = 5
MIN_BEFORE = 28
SHAPE_FLOOR = 0.15


@dataclass(frozen=True, slots=True)
class Fall:
    """`onset` is an index into the days given; levels are per average day of the week, peers' factor taken out."""

    onset: int
    before: float
    after: float
    fade: bool

    @property
    def size(self) -> float:
        return float(np.clip(1 - self.after / self.before, 0.0, 1.0)) if self.before > 0 else 0.0


def explain(counts: Floats, shape: Floats) -> Fall | None:
    """`shape` is weekday x region factor, 0 on days without weight. None when there are too few usable days."""
    first = max(0, len(counts) - LOOK_BACK)
    usable = np.isfinite(counts[first:]) & (shape[first:] > SHAPE_FLOOR)
    days = np.nonzero(usable)[0] + first
    if len(days) < MIN_BEFORE + MIN_AFTER:
        return None
    rate = counts[days] / shape[days]
    rate = np.minimum(rate, 3 * np.median(rate) + 1)
    return _best(days, rate, shape[days])


def _best(days: Ints, rate: Floats, weight: Floats) -> Fall | None:
    onsets = days[MIN_BEFORE * 5 // 7 : len(days) - MIN_AFTER + 1]
    if len(onsets) == 0:
        return None
    best: tuple[float, Fall] | None = None
    for length in RAMPS:
        ramp = np.clip((days[None, :] - onsets[:, None] + 1) / length, 0.0, 1.0)
        cost, top, step = _fit(ramp, rate, weight)
        allowed = (step < 0) & (days[-1] - onsets + 1 >= min(length, FADE_DAYS) * 0.6)
        if not allowed.any():
            continue
        cost = np.where(allowed, cost, np.inf)
        at = int(np.argmin(cost))
        price = float(np.log(cost[at] + 1e-9) * len(days)) + (4.0 if length >= FADE_DAYS else 0.0)
        if best is None or price < best[0]:
            low = max(0.0, float(top[at] + step[at] * ramp[at, -1]))
            best = price, Fall(int(onsets[at]), float(top[at]), low, length >= FADE_DAYS)
    return None if best is None else best[1]


def _fit(ramp: Floats, rate: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """rate = top + step x ramp for every candidate row: residual cost, top and step."""
    total = weight.sum()
    mean_ramp = ramp @ weight / total
    mean_rate = float(weight @ rate / total)
    covariance = (ramp * rate) @ weight / total - mean_ramp * mean_rate
    variance = ramp**2 @ weight / total - mean_ramp**2
    step = covariance / np.maximum(variance, 1e-9)
    cost = float(weight @ (rate - mean_rate) ** 2) / total - step * covariance
    return np.maximum(cost, 0.0), mean_rate - step * mean_ramp, step
