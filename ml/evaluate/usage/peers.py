"""What a team would reach for first, on the same counts: segmentation of the last half year, week by week, and simple comparisons.

Every method gives each series a score per check: the strictest threshold at which it would call the last level a fall. Thresholds
are then set on the very accounts that are measured, which favours the methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from ml.evaluate.usage.adjustment import Floats, Ints, Window, region_days, window
from ml.evaluate.usage.generator import Event
from ml.evaluate.usage.metrics import Match, Raised, match, since
from ml.usage.panel import Panel

TRAILING, EVERY, SPARSELY = 180, 7, 14
FEWEST = 56
"""Usable days without which a window is left alone."""
SMALLEST_FALL = 0.15
"""The smallest drop that is planted."""
MIN_SEGMENT, MOST_BREAKS = 7, 3
COOLDOWN, REARM = 28, 0.5
"""After an alert a series rests so long, and until its score was below this share of the threshold."""
DELTAS = tuple(10.0 ** (-k / 2) for k in range(1, 19))
Segmentation = tuple[float, list[int]]
"""The largest penalty at which a search finds it, and where its segments end."""
Search = Callable[[Floats], list[Segmentation]]
Scores = Callable[[Panel, Floats | None, range], Floats]
"""(account, check) of a panel, its region's days or None for counts as they are, and the days of the checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    name: str
    needs: str
    scores: Scores
    every: int = EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """`rate`: false alarms per series-year at the threshold, which is more than was asked for when even the strictest gives more."""

    recall: float
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    name: str
    raw: Judged | None = None
    adjusted: Judged | None = None
    note: str = ""


def compared(panel: Panel, events: Sequence[Event], *, first: int, rate: float, days: float, peers: Sequence[Peer] | None = None) -> Iterator[Compared]:
    """`days`: series-days from day `first` on."""
    factor = region_days(panel)
    for peer in PEERS if peers is None else peers:
        if peer.needs and find_spec(peer.needs) is None:
            yield Compared(name=peer.name, note=f"not run: needs {peer.needs} (pip install undertone-crm[evaluate])")
            continue
        checks = range(first - COOLDOWN, panel.values.shape[1], peer.every)
        raw, adjusted = (_swept(peer.scores(panel, f, checks), checks, events, first, rate, days) for f in (None, factor))
        yield Compared(name=peer.name, raw=raw, adjusted=adjusted, note=f"every {peer.every} days" if peer.every != EVERY else "")


def _swept(scores: Floats, checks: range, events: Sequence[Event], first: int, rate: float, days: float) -> Judged:
    """At the least threshold that keeps to the rate."""
    thresholds = np.unique(scores[np.isfinite(scores) & (scores > 0)])
    low, high = 0, len(thresholds) - 1
    while low < high:
        middle = (low + high) // 2
        if _judged(scores, float(thresholds[middle]), checks, events, first).false_alarms(days) <= rate:
            high = middle
        else:
            low = middle + 1
    best = _judged(scores, float(thresholds[high]), checks, events, first)
    return Judged(recall=best.recall, rate=best.false_alarms(days))


def _judged(scores: Floats, threshold: float, checks: range, events: Sequence[Event], first: int) -> Match:
    alerts = crossings(scores, threshold, checks)
    return since(first, match(alerts, events), alerts, events)


def crossings(scores: Floats, threshold: float, checks: range) -> list[Raised]:
    """Where a score reaches the threshold while its series does not rest."""
    last, armed = np.full(len(scores), -COOLDOWN), np.ones(len(scores), bool)
    found = []
    for check, day in enumerate(checks):
        rows = armed & (scores[:, check] >= threshold)
        found += [Raised(int(i), day, day, 0.0) for i in np.flatnonzero(rows)]
        last[rows] = day
        armed &= ~rows
        armed |= (scores[:, check] < REARM * threshold) & (day - last >= COOLDOWN)
    return found


def _windows(panel: Panel, factor: Floats | None, checks: range, days: int) -> Iterator[Window]:
    return (window(panel, factor, max(0, check + 1 - days), check + 1) for check in checks)


def _segmenting(search: Search, panel: Panel, factor: Floats | None, checks: range) -> Floats:
    columns = [[_last_fall(search, w, i) for i in range(len(w.counts))] for w in _windows(panel, factor, checks, TRAILING)]
    return np.array(columns).T


def _last_fall(search: Search, w: Window, i: int) -> float:
    """The largest penalty at which the last segment is a fall."""
    usable = w.usable[i]
    signal = w.signal[i, usable]
    if len(signal) < FEWEST or signal.std() == 0:
        return -np.inf
    found = search((signal / signal.std())[:, None])
    return max((penalty for penalty, ends in found if _falls(w.counts[i, usable], w.shape[i, usable], ends)), default=-np.inf)


def _falls(counts: Floats, shape: Floats, ends: Sequence[int]) -> bool:
    if len(ends) < 2:
        return False
    last, start = ends[-2], ends[-3] if len(ends) > 2 else 0
    before, after = counts[start:last].sum() / shape[start:last].sum(), counts[last:].sum() / shape[last:].sum()
    return bool(after <= (1 - SMALLEST_FALL) * before)


def kernel(name: str, signal: Floats) -> list[Segmentation]:
    """Every segmentation that ruptures' KernelCPD finds at some penalty, by one search for all numbers of breaks up to MOST_BREAKS."""
    import ruptures

    algorithm = ruptures.KernelCPD(kernel=name, min_size=MIN_SEGMENT).fit(signal)
    most = min(MOST_BREAKS, len(signal) // MIN_SEGMENT - 1)
    algorithm.predict(n_bkps=most)
    ends = [[len(signal)], *(algorithm.segmentations_dict[k] for k in range(1, most + 1))]
    return best_at_some_penalty(ends, [float(algorithm.cost.sum_of_costs(e)) for e in ends])


def best_at_some_penalty(ends: Sequence[list[int]], costs: Sequence[float]) -> list[Segmentation]:
    """The lower hull of cost over number of breaks."""
    found, k = [], 0
    while k < len(costs) - 1:
        gains = [(costs[k] - costs[j]) / (j - k) for j in range(k + 1, len(costs))]
        best = int(np.argmax(gains))
        k += best + 1
        found.append((gains[best], ends[k]))
    return found


def seeded(signal: Floats) -> list[Segmentation]:
    """skchange's seeded binary segmentation: a lower penalty keeps the breaks found so far and adds the next best."""
    from skchange.detectors import SeededBinarySegmentation

    detector = SeededBinarySegmentation(min_subinterval_length=MIN_SEGMENT, penalty=0.0).fit(signal)
    scores, at = detector.predict_scores(signal, return_index=True)
    found: list[Segmentation] = []
    breaks: list[int] = []
    while len(breaks) < MOST_BREAKS and (scores > 0).any():
        best = int(scores.argmax())
        breaks.append(int(at["argmax_splits"][best]))
        found.append((float(scores[best]), [*sorted(breaks), len(signal)]))
        scores = np.where((breaks[-1] >= at["starts"]) & (breaks[-1] < at["ends"]), 0.0, scores)
    return found


def _adwin(panel: Panel, factor: Floats | None, checks: range) -> Floats:
    """-log10 of the least delta at which ADWIN tells a fall in the days up to a check."""
    days = range(EVERY - 1, panel.values.shape[1], EVERY)
    weeks = [(w.signal[:, -EVERY:], w.usable[:, -EVERY:]) for w in _windows(panel, factor, days, TRAILING)]
    signal, usable = (np.concatenate(parts, axis=1) for parts in zip(*weeks, strict=True))
    found = np.full(signal.shape, -np.inf)
    for i, row in enumerate(signal):
        at = np.flatnonzero(usable[i])
        for delta in DELTAS:
            found[i, at[_told_falls(row[at], delta)]] = -np.log10(delta)
    return np.stack([found[:, max(0, c + 1 - checks.step) : c + 1].max(axis=1, initial=-np.inf) for c in checks], axis=1)


def _told_falls(signal: Floats, delta: float) -> Ints:
    detector, falls = import_module("river.drift").ADWIN(delta=delta, clock=EVERY), []
    for day, value in enumerate(signal.tolist()):
        before = detector.estimation
        detector.update(value)
        if detector.drift_detected and detector.estimation < before:
            falls.append(day)
    return np.array(falls, np.int64)


def _against_before(length: int, panel: Panel, factor: Floats | None, checks: range) -> Floats:
    """Relative fall of the last days against as many before."""
    columns = [_relative_fall(w, length) for w in _windows(panel, factor, checks, TRAILING)]
    return np.stack(columns, axis=1)


def _relative_fall(w: Window, length: int) -> Floats:
    exposure = w.shape * w.usable
    now, then = slice(-length, None), slice(-2 * length, -length)
    after, before = (w.counts[:, days].sum(axis=1) / np.maximum(exposure[:, days].sum(axis=1), 1e-9) for days in (now, then))
    known = (w.usable.sum(axis=1) >= FEWEST) & (before > 0) & w.usable[:, now].any(axis=1)
    return np.where(known, 1 - after / np.maximum(before, 1e-9), -np.inf)


PEERS = (
    Peer(name="ruptures KernelCPD, rbf", needs="ruptures", scores=partial(_segmenting, partial(kernel, "rbf"))),
    Peer(name="ruptures KernelCPD, linear (PELT l2)", needs="ruptures", scores=partial(_segmenting, partial(kernel, "linear"))),
    Peer(name="skchange seeded binary segmentation", needs="skchange", scores=partial(_segmenting, seeded), every=SPARSELY),
    Peer(name="river ADWIN", needs="river", scores=_adwin),
    Peer(name="28 days against the 28 before", needs="", scores=partial(_against_before, 28)),
    Peer(name="7 days against the 7 before", needs="", scores=partial(_against_before, 7)),
)
