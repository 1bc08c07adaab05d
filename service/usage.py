"""Usage of a workspace through the detector: one day after the other, all accounts together, as they are each other's peers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np

from ml.calendar import calendar_for
from ml.moments import Moment
from ml.usage import FeedState, Panel, Replay, account_moments, changes
from ml.usage.feed import FEED_STATES, feeds
from service import policy
from service.store import usage_series, usage_tracking
from service.store.pool import Db, transaction
from service.store.usage_tracking import AlertRow
from service.store.usage_values import Ints
from service.usage_tracker import Live, alert_of

BATCH_VALUES = 3_000_000
"""Counts read at a time where many days are behind."""
MOST_DAYS = 28
PATIENCE = 3
"""Days that a day without data is waited for; then it is closed as one without data."""
CHANGE_DAYS = 28


@dataclass(frozen=True, slots=True)
class Usage:
    """What the detector knows at the end of the last closed day."""

    live: Live | None = None
    feeds: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Of every account with usage, the place of its feed's state among FEED_STATES."""

    def feeds_of(self, account_ids: Sequence[UUID]) -> list[FeedState]:
        if self.live is None or not len(self.feeds):
            return ["no_data"] * len(account_ids)
        places = self.live.series.places_of(account_ids)
        return [FEED_STATES[self.feeds[k]] if k >= 0 else "no_data" for k in places.tolist()]

    def of(self, db: Db, account_ids: Sequence[UUID]) -> tuple[dict[UUID, Sequence[Moment]], dict[UUID, float | None]]:
        """Per account: drops so far, and the change of the last weeks."""
        if self.live is None or self.live.through is None:
            return {}, {}
        lately = _replay(db, self.live, account_ids, self.live.through - timedelta(days=2 * CHANGE_DAYS - 1))
        said = usage_tracking.alerts(db, account_ids), usage_tracking.forming(db, account_ids)
        fallen = {self.live.series.account_id(a.series_no) for alerts in said for a in alerts}
        moments = account_moments(_replay(db, self.live, fallen, usage_tracking.first_day(db) or self.live.through, *said)) if fallen else {}
        return {UUID(a): m for a, m in moments.items()}, {UUID(a): c for a, c in changes(lately, CHANGE_DAYS).items()}


def advance(workspace_id: UUID, now: datetime, *, fresh: bool) -> Usage:
    """Closes every day that is over and told of, each once. A crash loses the days of one transaction, which the next run takes again.

    `fresh` False: the pull of the feed itself is behind, so nobody's recent usage is known.
    """
    live: Live | None = None
    while True:
        with transaction(workspace_id) as db:
            usage_series.lock(db)
            if live is None or not live.is_current(db):
                live = Live.restore(db, policy.current(db).usage_budget)
            if live is None:
                return Usage()
            live.catch_up(db)
            days = _closable(db, live, now)
            if not days:
                return Usage(live, _feeds(live, fresh=fresh))
            live.close(db, days)


def _closable(db: Db, live: Live, now: datetime) -> list[date]:
    """Days that are over in every account's time zone, up to the last one that was told of; older ones are not waited for."""
    over = min((calendar_for(None, zone).day_of(now) for zone in usage_tracking.time_zones(db)), default=now.date()) - timedelta(days=1)
    start = live.through + timedelta(days=1) if live.through else usage_tracking.first_day(db)
    if start is None or start > over:
        return []
    most = int(np.clip(BATCH_VALUES // max(1, len(live.series)), 1, MOST_DAYS))
    last = min(over, start + timedelta(days=most - 1))
    waited = min(last, over - timedelta(days=PATIENCE))
    told = live.told(db, start, last) if last > waited else None
    return [start + timedelta(days=n) for n in range((max(told or waited, waited) - start).days + 1)]


def _feeds(live: Live, *, fresh: bool) -> Ints:
    """An account's feed is as good as its best series: a metric that a customer never used is no outage."""
    if live.through is None:
        return np.zeros(0, np.int64)
    best = np.full(len(live.series.accounts), FEED_STATES.index("no_data" if fresh else "stale"))
    if fresh:
        np.minimum.at(best, live.series.account, feeds(live.tracker.state, live.reported(), live.through.toordinal()))
    return best


def _replay(db: Db, live: Live, account_ids: Collection[UUID], first: date, alerts: Iterable[AlertRow] = (), forming: Iterable[AlertRow] = ()) -> Replay:
    """Some accounts' days from `first` on, with what was said of them."""
    assert live.through is not None
    series, numbers = live.series, live.series.numbers_of(list(account_ids))
    place = {n: k for k, n in enumerate(numbers.tolist())}
    panel = Panel(
        accounts=tuple(str(series.account_id(n)) for n in place),
        metrics=tuple(series.metric_name(n) for n in place),
        region=tuple(series.regions[k] for k in series.region[numbers].tolist()),
        first_day=first,
        values=usage_tracking.values_of(db, numbers, first, live.through),
    )
    raised, early = (tuple(replace(alert_of(a), series=place[a.series_no]) for a in rows) for rows in (alerts, forming))
    return Replay(panel, raised, early, live.factors_of(db, numbers, first), ())
