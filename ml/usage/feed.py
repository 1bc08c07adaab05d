"""What is known of the feeds themselves: which can be trusted today, and how use changed over the last weeks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ml.usage.panel import FeedState, Panel
from ml.usage.state import LEARNING_DAYS, Bools, Ints, Singles, State

WEEK = 7
SMALL_LEVEL = 0.5
"""Below so many counts a day a relative change means nothing."""
STALE_DAYS = 4
"""Days on which the peers reported and this series, which usually does, did not."""
LONG_SILENT_DAYS = 10
"""After so many days nobody's silence is an excuse."""


FEED_STATES: tuple[FeedState, ...] = ("ok", "learning", "stale", "no_data")
"""The best first."""


def feeds(state: State, reported: Bools, today: int) -> Ints:
    """The place of each series' state among FEED_STATES at the end of the day `today`, an ordinal.

    `reported` (series, days up to today): whether others like it reported.
    """
    silent = np.where(state.last_seen > 0, today - state.last_seen, np.inf)
    days_ago = np.arange(reported.shape[1])[::-1]
    waited = np.zeros(len(silent), np.int64)
    missing = np.nonzero(silent > 0)[0]
    waited[missing] = (reported[missing] & (days_ago < silent[missing, None])).sum(axis=1)
    usual = np.maximum(state.reporting, 0.1)
    stale = (waited * usual >= STALE_DAYS) | (silent >= LONG_SILENT_DAYS / usual)
    return np.where(state.last_seen == 0, 3, np.where(stale, 2, np.where(state.seen < LEARNING_DAYS, 1, 0)))


def changes(panel: Panel, factors: Singles, days: int = 28) -> dict[str, float | None]:
    """`factors` (series, days): how the days went for the peers, 0 on days without weight; what they did is taken out."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(factors > 0, panel.values / factors, np.nan)
    log = _log_changes(replace(panel, values=values), days)
    return {account: float(np.expm1(log[account])) if account in log else None for account in dict.fromkeys(panel.accounts)}


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
    group = np.array([numbers[a] for a in panel.accounts], np.int64)
    total, part = np.bincount(group, weight), np.bincount(group, weight * log)
    return {account: float(part[k] / total[k]) for account, k in numbers.items() if total[k] > 0}
