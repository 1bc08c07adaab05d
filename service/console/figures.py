"""An account's usage as its page draws it: each metric over the last year, with what was expected of it, what was told, and what the peers did.

Asked for apart from the page: what was expected of each day is followed day by day, which takes longer than all the rest of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np

from ml.usage.band import Band, Means, band, means
from ml.usage.cohort import FOLDS
from ml.usage.levels import WEEK
from ml.usage.panel import Alert
from ml.usage.state import Bools, Floats, Ints, Singles, State
from ml.usage.words import capitalised, metric_name
from service.console import pictures
from service.console.pictures import MOST_DRAWN, SHOWN
from service.console.told import Family
from service.store import usage_pictures
from service.store.pool import Db

LEARNED_BEFORE = 17 * WEEK
"""Days that level and week are learned from before the first one shown: older ones weigh little in what the detector carries."""
PEERS_BEFORE = 8 * WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Led:
    """Series over the days from `first` on, as the detector saw them."""

    first: date
    counts: Singles
    found: Band
    means: Means


def read(db: Db, account_id: UUID, name: str, today: date) -> list[dict[str, Any]]:
    """For charts.js: of each metric that is drawn, in the order of the page, numbers by day; None where there is nothing to draw."""
    found = pictures.family(db, account_id, name, today)
    if found is None:
        return []
    since = today - timedelta(days=SHOWN)
    alerts = pictures.alerts(db, found, today)
    led = _led(db, found, max(found.first_day, since - timedelta(days=LEARNED_BEFORE)))
    start = max(0, (since - led.first).days)
    return [_figure(led, k, capitalised(metric_name(s.metric)), [a for a in alerts if a.series == k], start) for k, s in enumerate(found.series[:MOST_DRAWN])]


def _led(db: Db, family: Family, start: date) -> _Led:
    series = family.series[:MOST_DRAWN]
    counts = family.counts[: len(series), (start - family.first_day).days :]
    last = start + timedelta(days=counts.shape[1] - 1)
    records = usage_pictures.records(db, series, crc32(series[0].account_name.encode()) % FOLDS, start, last)
    found = band(State.blank(len(series)), counts, start.toordinal(), records)
    return _Led(first=start, counts=counts, found=found, means=means(found, counts))


def _figure(led: _Led, k: int, title: str, alerts: Sequence[Alert], start: int) -> dict[str, Any]:
    """`day` counts from `first`, and `quiet` are places in it; means over a week and, under `each`, the days themselves."""
    days = start + _days_of(np.isfinite(led.counts[k, start:]), (led.first + timedelta(days=start)).weekday())
    peers = _peers_level(led, alerts)
    by_week, by_day = led.means, led.found
    return {
        "title": title,
        "first": led.first.isoformat(),
        "day": days.tolist(),
        "mean": {
            "quiet": np.flatnonzero(by_week.apart[k, days]).tolist(),
            "used": _numbers(by_week.used[k, days]),
            "low": _numbers(by_week.low[k, days]),
            "high": _numbers(by_week.high[k, days]),
            "peers": _numbers((peers * by_week.moved[k])[days]),
        },
        "each": {
            "quiet": np.flatnonzero(by_day.weightless[k, days]).tolist(),
            "used": _numbers(led.counts[k, days]),
            "low": _numbers(by_day.low[k, days]),
            "high": _numbers(by_day.high[k, days]),
            "peers": _numbers((peers * by_day.moved[k] * by_day.share[k])[days]),
        },
        "marks": [
            {
                "began": a.onset.isoformat(),
                "told": a.alerted_on.isoformat(),
                "over": a.recovered_on.isoformat() if a.recovered_on else None,
                "rise": a.kind == "growth",
            }
            for a in alerts
        ],
    }


def _days_of(reported: Bools, weekday: int) -> Ints:
    """All days but those of weekdays that never have a count, as weekends of an office: a hole is where a count could have been. `weekday`: of the first."""
    weekdays = (np.arange(len(reported)) + weekday) % WEEK
    ever = np.bincount(weekdays[reported], minlength=WEEK) > 0
    return np.flatnonzero(ever[weekdays])


def _peers_level(led: _Led, alerts: Sequence[Alert]) -> Floats:
    """(days,) the level from which the last change began, since some weeks before it; NaN where there was none."""
    level = np.full(led.counts.shape[1], np.nan)
    standing = [a for a in alerts if a.recovered_on is None] or alerts[-1:]
    if standing:
        level[max(0, (standing[0].onset - led.first).days - PEERS_BEFORE) :] = standing[0].before
    return level


def _numbers(values: Floats | Singles) -> list[float | None]:
    """Four digits are more than a picture shows; JSON knows no NaN."""
    return [float(f"{v:.4g}") if np.isfinite(v) else None for v in values.tolist()]
