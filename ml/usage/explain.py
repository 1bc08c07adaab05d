"""Since when, from what to what, a step or a fade: a weighted least-squares search over onsets and lengths.

All series that look suspicious on a day are searched at once; sums over every possible onset come from running sums.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from ml.usage.state import Bools, Floats, Ints

LOOK_BACK = 224
RAMPS = {1: 1, 7: 2, 21: 4, 45: 6, 80: 6}
"""Days from onset to the new level -> days between the onsets that are tried."""
FADE_DAYS = 21
FADE_PRICE = 1.0
"""How much better than a step a fade must fit, in units of twice the log likelihood."""
MIN_AFTER = 4
MIN_BEFORE = 20
"""Usable days on either side of an onset."""
SHAPE_FLOOR = 0.15
"""Days on which less than this share of an average day is usual say little and are left out."""
RECENT = 14
SETTLING = 3
"""Days after an onset that may still belong to the old level."""
STRETCH = 21
USUAL_WANDER, PRIOR_STRETCHES = 0.07, 4.0
"""What a series is believed to wander before its own past has spoken, and how many stretches of it that belief weighs."""
MEMORY = 60
MIN_SIZE = 0.18
MIN_LASTING = 0.1
CHARITY = 1.35
"""How much deeper than its peers an account may dip in a season without being judged for it."""


@dataclass(frozen=True, slots=True)
class Falls:
    """One entry per series asked about. `onset` indexes the days given; levels are per average day of the week.

    `strength` is twice the log likelihood won over "nothing changed", 0 where no fall can be told. `lasting` is the relative
    fall of the better half of the days since the onset, RECENT at most, `charitable` the fall if the account dips CHARITY
    times as deep as its peers. `spread` is the residual variance in units of the level.
    """

    onset: Ints
    length: Ints
    before: Floats
    after: Floats
    strength: Floats
    lasting: Floats
    charitable: Floats
    spread: Floats
    days_after: Floats
    unusual: Floats
    """How far the mean since the onset lies below earlier stretches of the same length, in their own spread."""
    new_low: Floats
    """Log of the lowest earlier stretch over the present level; negative when it was as low before."""
    low_since: Floats
    low_before: Floats
    """Share of the days below the middle of the two levels, since the onset and before it: a few odd days make no fall."""

    def __getitem__(self, at: Ints) -> Falls:
        return Falls(*(getattr(self, f.name)[at] for f in fields(Falls)))

    @property
    def size(self) -> Floats:
        result: Floats = np.clip(1 - self.after / np.maximum(self.before, 1e-9), 0.0, 1.0)
        return result

    @property
    def is_clear(self) -> Bools:
        """Large enough and lasting enough to be spoken of, whatever the evidence."""
        result: Bools = (self.size >= MIN_SIZE) & (self.charitable >= MIN_SIZE) & (self.lasting >= MIN_LASTING) & (self.strength > 0)
        return result


@dataclass(slots=True)
class _Window:
    """rate = counts / shape, weighted by shape; weight 0 where a day is unusable.

    `sums` (5, series, days + 1) are running sums of weight x (1, t, t**2) and weight x rate x (1, t), 0 first.
    """

    rate: Floats
    weight: Floats
    usable: Ints
    sums: Floats


def explain(counts: Floats, shape: Floats, factor: Floats) -> Falls:
    """(series, days) each. `shape` is weekday x peers' factor, 0 on days without weight."""
    w = _window(counts, shape)
    n = w.usable[:, -1:]
    seen = np.concatenate([np.zeros_like(n), w.usable[:, :-1]], axis=1)
    possible = (w.weight > 0) & (seen >= MIN_BEFORE) & (n - seen >= MIN_AFTER)
    total, mean = w.sums[0, :, -1:], w.sums[3, :, -1:] / np.maximum(w.sums[0, :, -1:], 1e-9)
    flat = (w.weight * (w.rate - mean) ** 2).sum(axis=1, keepdims=True) / np.maximum(total, 1e-9)
    tried = _candidates(counts.shape[1])
    share = _explained(w, tried, flat, possible[:, tried.onset])
    rows, best, at = np.arange(len(counts)), np.full(len(counts), -np.inf), np.zeros(len(counts), np.int64)
    for part, price in ((slice(None, tried.fades), 0.0), (slice(tried.fades, None), FADE_PRICE)):
        likeliest = np.argmax(share[:, part], axis=1) + (part.start or 0)
        value = _won(share[rows, likeliest], n[:, 0]) - price
        best, at = np.where(value > best, value, best), np.where(value > best, likeliest, at)
    told = np.isfinite(best)
    onset, length = np.where(told, tried.onset[at], 0), np.where(told, tried.ramp[at], 1)
    return _described(w, factor, onset, length, np.maximum(best, 0.0))


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Onsets and lengths that are tried; from `fades` on those that count as fades."""

    onset: Ints
    ramp: Ints
    fades: int


@cache
def _candidates(days: int) -> _Candidates:
    tried = [(np.arange(0, days, step), ramp) for ramp, step in RAMPS.items()]
    ramps = np.concatenate([np.full(len(onset), ramp) for onset, ramp in tried])
    return _Candidates(np.concatenate([onset for onset, _ in tried]), ramps, int(np.count_nonzero(ramps < FADE_DAYS)))


def _window(counts: Floats, shape: Floats) -> _Window:
    usable = np.isfinite(counts) & (shape > SHAPE_FLOOR)
    weight = np.where(usable, shape, 0.0)
    rate = np.where(usable, counts, 0.0) / np.where(usable, shape, 1.0)
    top = 3 * (rate * weight).sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9) + 1
    rate = np.minimum(rate, top)
    t = np.arange(counts.shape[1], dtype=float)
    counted = weight * rate
    sums = np.zeros((5, len(counts), len(t) + 1))
    np.cumsum(np.stack([weight, weight * t, weight * t**2, counted, counted * t]), axis=2, out=sums[:, :, 1:])
    return _Window(rate, weight, np.cumsum(usable, axis=1), sums)


def _explained(w: _Window, tried: _Candidates, flat: Floats, possible: Bools) -> Floats:
    """(series, candidates): share of the variance around a flat line that rate = top + step x climb explains; -1 where not
    possible. The climb goes from 1/ramp on the first day to 1, and stays there."""
    days, onset, ramp = w.rate.shape[1], tried.onset, tried.ramp
    start = 1.0 - onset
    end = w.sums[:, :, -1:]
    at_full = w.sums.take(np.minimum(onset + ramp, days), axis=2)
    weight, weight_t, weight_tt, counted, counted_t = at_full - w.sums.take(onset, axis=2)
    later, later_counted = end[0] - at_full[0], end[3] - at_full[3]
    first = (weight_t + start * weight) / ramp + later
    second = (weight_tt + 2 * start * weight_t + start**2 * weight) / ramp**2 + later
    cross = (counted_t + start * counted) / ramp + later_counted
    total = np.maximum(end[0], 1e-9)
    covariance = (cross - first * end[3] / total) / total
    variance = np.maximum(second / total - (first / total) ** 2, 1e-9)
    allowed = possible & (covariance < 0) & (days - onset >= 0.6 * np.minimum(ramp, 28))
    share: Floats = np.where(allowed, np.minimum(covariance**2 / variance / np.maximum(flat, 1e-9), 1 - 1e-6), -1.0)
    return share


def _won(share: Floats, days: Ints) -> Floats:
    """Twice the log likelihood won over a flat line; -inf where nothing was possible."""
    won: Floats = np.where(share >= 0, -days * np.log1p(-np.maximum(share, 0.0)), -np.inf)
    return won


def _described(w: _Window, factor: Floats, onset: Ints, length: Ints, strength: Floats) -> Falls:
    days = np.arange(w.rate.shape[1])
    old = (days < onset[:, None]) & (days >= onset[:, None] - MEMORY * 2)
    since = days >= onset[:, None]
    end = len(days)
    settled = days >= np.minimum(onset + np.maximum(length, SETTLING), np.maximum(end - RECENT, 0.6 * onset + 0.4 * end))[:, None]
    recent = since & (days >= end - RECENT * 3 // 2)
    middle = np.maximum(onset, end - RECENT * 3 // 2)[:, None] * 0.5 + end * 0.5
    before, after = _mean(w.rate, w.weight, old), _mean(w.rate, w.weight, settled)
    halves = np.maximum(_mean(w.rate, w.weight, recent & (days < middle)), _mean(w.rate, w.weight, recent & (days >= middle)))
    with np.errstate(divide="ignore"):
        deep = np.where(factor > 0, np.minimum(factor, 1.0) ** (1 - CHARITY), 1.0)
    charitable = 1 - _mean(w.rate * deep, w.weight / deep, settled) / np.maximum(_mean(w.rate * deep, w.weight / deep, old), 1e-9)
    level = np.where(since, after[:, None], before[:, None])
    residual = _mean((w.rate - level) ** 2 * w.weight, (w.weight > 0).astype(float), days >= 0)
    spread = residual / np.maximum(_mean(level, w.weight, days >= 0), 0.05)
    low = (w.rate < ((before + after) / 2)[:, None]).astype(float)
    unusual, new_low = _against_own_past(w, onset, spread)
    return Falls(
        onset=onset,
        length=length,
        before=before,
        after=after,
        strength=strength,
        lasting=1 - halves / np.maximum(before, 1e-9),
        charitable=charitable,
        spread=spread,
        days_after=(since & (w.weight > 0)).sum(axis=1).astype(float),
        unusual=unusual,
        new_low=new_low,
        low_since=_mean(low, w.weight, since),
        low_before=_mean(low, w.weight, old),
    )


def _against_own_past(w: _Window, onset: Ints, spread: Floats) -> tuple[Floats, Floats]:
    """The stretch since the onset (STRETCH days at most) against all earlier ones that are as long, on the log scale."""
    rows, days = np.arange(len(onset)), w.rate.shape[1]
    length = np.clip(days - onset, 1, STRETCH)[:, None]
    weight, rate = w.sums[0], w.sums[3]
    end = np.arange(1, days + 1)[None, :]
    start = np.maximum(end - length, 0)
    total = weight[:, 1:] - np.take_along_axis(weight, start, axis=1)
    level = (rate[:, 1:] - np.take_along_axis(rate, start, axis=1)) / np.maximum(total, 1e-9)
    now = total[rows, -1]
    counts = (end <= onset[:, None]) & (total >= 0.6 * now[:, None])
    old = weight[rows, onset]
    before = rate[rows, onset] / np.maximum(old, 1e-9)
    floor = (0.3 / np.maximum(now, 0.3))[:, None]
    log = np.log((level + floor) / (before[:, None] + floor))
    stretches = np.minimum(old / np.maximum(now, 1e-9), 12.0)
    scatter = (counts * log**2).sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
    expected = USUAL_WANDER**2 + spread / np.maximum(before * now, 0.5)
    variance = (stretches * scatter + PRIOR_STRETCHES * expected) / (stretches + PRIOR_STRETCHES)
    present = log[:, -1]
    lowest = np.where(counts, log, np.inf).min(axis=1)
    return -present / np.sqrt(variance), np.where(np.isfinite(lowest), lowest - present, 0.0)


def log_fall(counts: Floats, shape: Floats, onset: Ints) -> tuple[Floats, Floats]:
    """Level before a given onset (per series), and the log of it over the level since."""
    usable = np.isfinite(counts) & (shape > SHAPE_FLOOR)
    rate = np.where(usable, counts, 0.0) / np.where(usable, shape, 1.0)
    weight = np.where(usable, shape, 0.0)
    since = np.arange(counts.shape[1]) >= onset[:, None]
    before, after = _mean(rate, weight, ~since), _mean(rate, weight, since)
    return before, np.log((before + 0.3) / (after + 0.3))


def _mean(values: Floats, weight: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    kept = weight * where
    result: Floats = (values * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1e-9)
    return result
