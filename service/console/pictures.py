"""An account's usage as its page tells it: which metrics are drawn, what was told of each, and what is wrong with its feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from ml.usage.feed import FEED_STATES, feeds
from ml.usage.panel import Alert, FeedState
from ml.usage.state import Ints, State
from ml.usage.words import capitalised, metric_name
from service.console import told
from service.console.told import Family, ToldView
from service.signals import Signal
from service.store import usage_pictures, usage_tracking
from service.store.pool import Db
from service.store.usage_pictures import Drawn
from service.usage_tracker import LAYOUT, REPORTED_DAYS, alert_of

SHOWN = 365
MOST_DRAWN = 12
LEAST_OPEN, MOST_OPEN = 2, 4
MOST_FAMILY = 60
"""Metrics of the account that a change is held against."""
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


def read(db: Db, account_id: UUID, name: str, today: date, drops: Sequence[Signal] = ()) -> Pictures:
    """The year before `today`, whose own count is unfinished. `drops`: the account's signals of that kind."""
    found = family(db, account_id, name, today)
    if found is None:
        return Pictures(drawn=(), more=(), beyond=0)
    series = found.series
    said = told.read(db, found, alerts(db, found, today), drops, today)
    troubles = _troubles(db, series[:MOST_DRAWN])
    return Pictures(
        drawn=[MetricView(title=capitalised(metric_name(s.metric)), trouble=troubles[k], told=said.get(k, ())) for k, s in enumerate(series[:MOST_DRAWN])],
        more=[metric_name(s.metric) for s in series[MOST_DRAWN:]],
        beyond=max(0, series[0].total - len(series)),
    )


def family(db: Db, account_id: UUID, name: str, today: date) -> Family | None:
    """The account's series, from a year before the first day shown; None where there was nothing before today."""
    since = today - timedelta(days=SHOWN)
    series = usage_pictures.drawn(db, account_id, since, MOST_FAMILY)
    begun = min((s.first_day for s in series if s.first_day is not None), default=today)
    if begun >= today:
        return None
    first = max(begun, since - timedelta(days=SHOWN))
    counts = usage_tracking.values_of(db, _numbers(series), first, today - timedelta(days=1))
    return Family(account_id=account_id, name=name, series=series, first_day=first, counts=counts)


def alerts(db: Db, family: Family, today: date) -> list[Alert]:
    """Of what is drawn, told in the year before `today`; under places in the family, in the order in which they were raised."""
    place = {s.series_no: k for k, s in enumerate(family.series[:MOST_DRAWN])}
    known = (alert_of(row) for row in usage_tracking.alerts(db, [family.account_id]) if row.series_no in place)
    return [replace(alert, series=place[alert.series]) for alert in known if today - timedelta(days=SHOWN) < alert.alerted_on <= today]


def _troubles(db: Db, series: Sequence[Drawn]) -> list[str]:
    """What the detector knew of each feed when it closed the last day."""
    through = usage_tracking.judged_through(db, LAYOUT)
    if through is None:
        return [_NOT_JUDGED] * len(series)
    state = State.blank(len(series))
    usage_tracking.read_columns(db, through, _numbers(series), state.rows)
    records = usage_pictures.records(db, series, 0, through - timedelta(days=REPORTED_DAYS - 1), through)
    return [_FEEDS[FEED_STATES[k]] for k in feeds(state, records.reported[records.known].T, through.toordinal())]


def _numbers(series: Sequence[Drawn]) -> Ints:
    return np.array([s.series_no for s in series], np.int64)
