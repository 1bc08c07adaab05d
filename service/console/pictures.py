"""An account's usage as its page draws it: each metric over the last year, with what was expected of it, what was told, and what the peers did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np

from ml.usage.band import Band, Means, band, means
from ml.usage.cohort import FOLDS
from ml.usage.feed import FEED_STATES, feeds
from ml.usage.levels import WEEK
from ml.usage.panel import Alert, FeedState
from ml.usage.state import Bools, Floats, Ints, Singles, State
from ml.usage.words import capitalised, metric_name
from service.console import told
from service.console.told import Family, ToldView
from service.store import usage_pictures, usage_tracking
from service.store.pool import Db
from service.usage_tracker import REPORTED_DAYS, alert_of

SHOWN = 365
LEARNED_BEFORE = 17 * WEEK
"""Days that level and week are learned from before the first one shown: older ones weigh little in what the detector carries."""
MOST_DRAWN = 12
LEAST_OPEN, MOST_OPEN = 2, 4
MOST_FAMILY = 60
"""Metrics of the account that a change is held against."""
PEERS_BEFORE = 8 * WEEK
_FEEDS: dict[FeedState, str] = {
    "ok": "",
    "learning": "fewer than 56 days so far: too few to judge",
    "stale": "the feed has stopped: nothing can be said of the last days",
    "no_data": "no figures at all",
}
_NOT_JUDGED = "no day has been judged yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricView:
    title: str
    trouble: str
    """What is wrong with the feed; "" where nothing is."""
    told: Sequence[ToldView]
    """The newest first."""
    figure: dict[str, Any]
    """For charts.js: numbers by day, None where there is nothing to draw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    drawn: Sequence[MetricView]
    more: Sequence[str]
    """Names of some that are not drawn."""
    beyond: int
    """How many others there are."""

    @property
    def open(self) -> int:
        """So many are seen at once, the others unfolded: those of which something was told, and never none."""
        return min(max(sum(bool(m.told) for m in self.drawn), LEAST_OPEN), MOST_OPEN, len(self.drawn))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Led:
    """Series over the days from `first` on, as the detector saw them."""

    first: date
    counts: Singles
    found: Band
    means: Means
    troubles: Sequence[str]


def read(db: Db, account_id: UUID, name: str, today: date) -> Pictures:
    """The year before `today`, whose own count is unfinished."""
    since = today - timedelta(days=SHOWN)
    series = usage_pictures.drawn(db, account_id, since, MOST_FAMILY)
    begun = min((s.first_day for s in series if s.first_day is not None), default=today)
    if begun >= today:
        return Pictures(drawn=(), more=(), beyond=0)
    first = max(begun, since - timedelta(days=SHOWN))
    counts = usage_tracking.values_of(db, np.array([s.series_no for s in series], np.int64), first, today - timedelta(days=1))
    family = Family(account_id=account_id, name=name, series=series, first_day=first, counts=counts)
    alerts = [a for a in _alerts(db, family, today) if since < a.alerted_on and a.series < MOST_DRAWN]
    said = told.read(db, family, alerts, today)
    led = _led(db, family, max(first, since - timedelta(days=LEARNED_BEFORE)))
    return Pictures(
        drawn=[_metric(led, k, s.metric, said.get(k, ()), [a for a in alerts if a.series == k], since) for k, s in enumerate(series[:MOST_DRAWN])],
        more=[metric_name(s.metric) for s in series[MOST_DRAWN:]],
        beyond=max(0, series[0].total - len(series)),
    )


def _alerts(db: Db, family: Family, today: date) -> list[Alert]:
    place = {s.series_no: k for k, s in enumerate(family.series)}
    known = (alert_of(row) for row in usage_tracking.alerts(db, [family.account_id]) if row.series_no in place)
    return [replace(alert, series=place[alert.series]) for alert in known if alert.alerted_on <= today]


def _led(db: Db, family: Family, start: date) -> _Led:
    series = family.series[:MOST_DRAWN]
    counts = family.counts[: len(series), (start - family.first_day).days :]
    last = start + timedelta(days=counts.shape[1] - 1)
    records = usage_pictures.records(db, series, crc32(series[0].account_name.encode()) % FOLDS, start, last)
    state = State.blank(len(series))
    found = band(state, counts, start.toordinal(), records)
    closed = np.flatnonzero(records.known)
    if not len(closed):
        return _Led(first=start, counts=counts, found=found, means=means(found, counts), troubles=[_NOT_JUDGED] * len(series))
    reported = records.reported[: closed[-1] + 1][-REPORTED_DAYS:].T
    troubles = [_FEEDS[FEED_STATES[state]] for state in feeds(state, reported, start.toordinal() + int(closed[-1]))]
    return _Led(first=start, counts=counts, found=found, means=means(found, counts), troubles=troubles)


def _metric(led: _Led, k: int, metric: str, said: Sequence[ToldView], alerts: Sequence[Alert], since: date) -> MetricView:
    title = capitalised(metric_name(metric))
    return MetricView(title=title, trouble=led.troubles[k], told=said, figure=_figure(led, k, title, alerts, max(0, (since - led.first).days)))


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
