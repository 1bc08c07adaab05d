"""What is known of the feeds themselves: which can be trusted today, and how use changed over the last weeks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ml.usage_panel import FeedState, Panel
from ml.usage_state import LEARNING_DAYS, Bools, Floats

WEEK = 7
MEMORY = 60
MIN_PEERS = 5
SMALL_LEVEL = 0.5
"""Below so many counts a day a relative change means nothing."""
REPORTING = 0.5
"""A day counts as reported when this share of the series that ever reported did."""
STALE_DAYS = 4
"""Days on which the peers reported and this series, which usually does, did not."""
LONG_SILENT_DAYS = 10
"""After so many days nobody's silence is an excuse."""


def feeds(panel: Panel) -> list[FeedState]:
    reported = np.isfinite(panel.values)
    if not reported.size:
        return ["no_data"] * len(panel.accounts)
    waiting, usual = _days_waited(reported, _expected_days(panel, reported))
    states: list[FeedState] = []
    for i, seen in enumerate(reported.sum(axis=1)):
        silent = int(np.argmax(reported[i, ::-1]))
        if seen == 0:
            states.append("no_data")
        elif waiting[i] * max(usual[i], 0.1) >= STALE_DAYS or silent >= LONG_SILENT_DAYS / max(usual[i], 0.1):
            states.append("stale")
        else:
            states.append("learning" if seen < LEARNING_DAYS else "ok")
    return states


def _expected_days(panel: Panel, reported: Bools) -> Bools:
    """(series, days): whether the region's other accounts reported, or everybody's where the region is small."""
    started = np.cumsum(reported, axis=1) > 0
    everyone = reported.sum(axis=0) >= REPORTING * np.maximum(started.sum(axis=0), 1)
    accounts, regions = np.array(panel.accounts), np.array(panel.region)
    expected = np.tile(everyone, (len(accounts), 1))
    for region in set(panel.region):
        inside = regions == region
        if len(set(accounts[inside])) > MIN_PEERS:
            expected[inside] = reported[inside].sum(axis=0) >= REPORTING * np.maximum(started[inside].sum(axis=0), 1)
    return expected


def _days_waited(reported: Bools, expected: Bools) -> tuple[Floats, Floats]:
    """Expected days since each series was last heard of, and which share of them it usually reports."""
    days = np.arange(reported.shape[1])
    last = np.where(reported, days, -1).max(axis=1)[:, None]
    before = expected & (days <= last) & (days > last - 2 * MEMORY) & (np.cumsum(reported, axis=1) > 0)
    usual = (before & reported).sum(axis=1) / np.maximum(before.sum(axis=1), 1)
    return (expected & (days > last)).sum(axis=1).astype(float), np.minimum(usual, 1.0)


def changes(panel: Panel, days: int = 28) -> dict[str, float | None]:
    log = _log_changes(panel, days)
    regions = dict(zip(panel.accounts, panel.region, strict=True))
    by_region: dict[str, list[float]] = defaultdict(list)
    for account, own in log.items():
        by_region[regions[account]].append(own)
    everyone = _median(list(log.values()), 0.0)
    peers = {region: _median(values, everyone) for region, values in by_region.items()}
    return {account: float(np.expm1(log[account] - peers[regions[account]])) if account in log else None for account in dict.fromkeys(panel.accounts)}


def _median(values: Sequence[float], otherwise: float) -> float:
    return float(np.median(values)) if len(values) > MIN_PEERS else otherwise


def _log_changes(panel: Panel, days: int) -> dict[str, float]:
    """Per account the log ratio of the two windows, weekday by weekday, its metrics weighted by the root of their size."""
    if panel.values.shape[1] < 2 * days:
        return {}
    now, then = panel.values[:, -days:], panel.values[:, -2 * days : -days]
    enough = (np.isfinite(now).sum(axis=1) >= days / 2) & (np.isfinite(then).sum(axis=1) >= days / 2)
    weekday = np.arange(days) % WEEK
    levels = []
    for window in (now, then):
        finite = np.isfinite(window)
        totals = np.stack([np.where(finite, window, 0.0)[:, weekday == d].sum(axis=1) for d in range(WEEK)])
        counts = np.stack([finite[:, weekday == d].sum(axis=1) for d in range(WEEK)])
        levels.append(np.where(counts > 0, totals / np.maximum(counts, 1), np.nan))
    both = np.isfinite(levels[0]) & np.isfinite(levels[1])
    after, before = (np.where(both, level, 0.0).sum(axis=0) / np.maximum(both.sum(axis=0), 1) for level in levels)
    usable = enough & (np.maximum(before, after) > SMALL_LEVEL)
    log = np.log((after + 0.1) / (before + 0.1))
    weight = np.where(usable, np.sqrt(np.maximum(before, 0.1)), 0.0)
    numbers = {account: k for k, account in enumerate(dict.fromkeys(panel.accounts))}
    group = np.array([numbers[a] for a in panel.accounts])
    total, part = np.bincount(group, weight), np.bincount(group, weight * log)
    return {account: float(part[k] / total[k]) for account, k in numbers.items() if total[k] > 0}
