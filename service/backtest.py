"""What another alert budget would have told: the detector goes once more through the days it has closed, and nothing is written.

It starts from the oldest of its snapshots, with what was standing then, and takes each day as it was closed: the record says how the day went for everybody.
So the budget that has been in force all the while tells again what was told, as far as no value has come late or been corrected since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

import numpy as np

from ml.usage.cohort import Cohort, strayed
from ml.usage.examine import Factors
from ml.usage.levels import MIN_PEERS
from ml.usage.panel import Alert
from ml.usage.score import Calibration, load
from ml.usage.state import State
from ml.usage.tracker import Tracker
from ml.usage.watch import COOLDOWN, Watch
from ml.usage.words import change_sentence, peers_clause, subject
from service.policy import Policy
from service.store import usage_catalogue, usage_pictures, usage_tracking
from service.store.pool import Db, transaction
from service.store.usage_catalogue import AllSeries
from service.store.usage_tracking import Singles, TrackerRow
from service.usage_tracker import LAYOUT, alert_of, calibration_of, peers_in, record_of, snapshots

DAYS = 90
SEASON_DAYS = 400
"""What happened longer ago has left less in a season than a single float holds."""
BATCH_VALUES = 3_000_000
MOST_DAYS = 28
How = Literal["same", "new", "gone"]
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One fall. `day`: on which it would have been told at the other budget, `other`: on which it was told. Of what is gone the other way round: it may have
    been told before these days at the other budget."""

    how: How
    account_id: UUID
    account: str
    metric: str
    day: date
    sentence: str
    other: date | None

    @property
    def mark(self) -> str:
        """ "new", "gone", "as now", or how much earlier or later than it was told."""
        if self.other is None:
            return self.how
        days = (self.other - self.day).days if self.how == "same" else (self.day - self.other).days
        return f"{abs(days)} day{'s' * (abs(days) != 1)} {'earlier' if days > 0 else 'later'}" if days else "as now"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """The days from `since` to `through`, the last that is closed; None where no day is. Each list by day."""

    budget: float
    since: date
    through: date | None
    told: Sequence[Told]
    gone: Sequence[Told]

    @property
    def summary(self) -> str:
        alerts = f"{len(self.told):,} alert{'s' * (len(self.told) != 1)}"
        gone = f"; {len(self.gone):,} that you had would not have been told" if self.gone else ""
        accounts = len({t.account_id for t in self.told})
        where = f" at {accounts:,} account{'s' * (accounts != 1)}" if accounts else ""
        return f"At a budget of {self.budget:g} you would have had {alerts}{where} in the last {DAYS} days, {self.same:,} of them as now{gone}."

    @property
    def same(self) -> int:
        return sum(t.how == "same" for t in self.told)

    @property
    def new(self) -> int:
        return sum(t.how == "new" for t in self.told)


def run(workspace_id: UUID, budget: float, now: datetime, tell: Tell = lambda done, total: None) -> BackTest:
    """The falls of the last 90 days. `tell(done, total)`: days. Raises BadInput for no budget."""
    budget = Policy().with_fields({"usage_budget": budget}).usage_budget
    since = now.date() - timedelta(days=DAYS)
    with transaction(workspace_id, steady=True) as db:
        past = Past.of(db, since)
        if past is None:
            return BackTest(budget=budget, since=since, through=None, told=(), gone=())
        would = list(past.alerts(db, budget, tell))
        really = [alert_of(a) for a in usage_tracking.alerts(db) if a.alerted_on > past.first and a.kind != "growth"]
        pairs = _pairs(would, really)
        now_told = {id(told): w for w, told in pairs if told is not None}
        shown = [(a, told) for a, told in pairs if a.alerted_on >= since]
        gone = [a for a in really if a.alerted_on >= since and (id(a) not in now_told or now_told[id(a)].alerted_on < since)]
        say = _teller(db, past.series, [*(a for a, _ in shown), *gone])
        return BackTest(
            budget=budget,
            since=since,
            through=past.through,
            told=[say("same" if told else "new", alert, told) for alert, told in shown],
            gone=[say("gone", alert, now_told.get(id(alert))) for alert in gone],
        )


@dataclass(slots=True)
class Past:
    """The detector as it stood at the end of the day before `first`."""

    series: AllSeries
    tracker: Tracker
    calibration: Calibration
    standing: Sequence[Alert]
    first: date
    through: date

    @classmethod
    def of(cls, db: Db, since: date) -> Past | None:
        """As long before `since` as there is a snapshot; from the first day on where there is none. None where no day has been closed."""
        series, row, through, began = (
            usage_catalogue.all_series(db),
            usage_tracking.tracker(db),
            usage_tracking.closed_through(db),
            usage_tracking.first_day(db),
        )
        if not len(series) or row is None or through is None or began is None:
            return None
        kept = [day for day in snapshots(db) if day < since] if row.layout == LAYOUT else []
        weights, peers = load(), peers_in(series, row)
        if not kept:
            tracker = Tracker(peers, weights, began.toordinal())
            return cls(series, tracker, Calibration(weights), (), began, through)
        start = kept[0]
        state = _state(db, start, len(series))
        first = max(began, start - timedelta(days=Factors.DAYS - 1))
        tracker = Tracker(peers, weights, first.toordinal(), state, Cohort.blank(len(peers.cells)))
        _remember(db, tracker, first, start)
        return cls(series, tracker, _calibration(db, row, start, len(series)), _standing(db, start), start + timedelta(days=1), through)

    def alerts(self, db: Db, budget: float, tell: Tell) -> Iterator[Alert]:
        """Falls, in the order in which they would have been told. Goes through the days once: what is remembered moves on."""
        metrics = [self.series.metrics[k] for k in self.series.metric.tolist()]
        watch = Watch(self.tracker, metrics, budget, _history(db), self.calibration, self.standing)
        total = (self.through - self.first).days + 1
        for days in _batches(self.first, self.through, len(self.series)):
            counts = usage_tracking.values_between(db, *days, len(self.series))
            for k, row in enumerate(usage_tracking.closed_days(db, *days)):
                record = record_of(row, self.tracker.peers.cells)
                scored = self.tracker.repeat(row.day.toordinal(), np.ascontiguousarray(counts[:, k]), record.closed, record.shut)
                yield from (a for a in watch.look(scored).raised if a.kind != "growth")
            tell((days[1] - self.first).days + 1, total)


def _batches(first: date, last: date, series: int) -> Iterator[tuple[date, date]]:
    """First and last days: what stands in memory beside the states does not grow with the days."""
    step = timedelta(days=int(np.clip(BATCH_VALUES // max(1, series), 1, MOST_DAYS)))
    while first <= last:
        yield first, min(last, first + step - timedelta(days=1))
        first += step


def _state(db: Db, day: date, series: int) -> State:
    """Series that are younger have seen nothing by then."""
    state = State.blank(series)
    usage_tracking.read_state(db, day, state.rows)
    return state


def _remember(db: Db, tracker: Tracker, first: date, start: date) -> None:
    """How the days up to the snapshot went, and what that left in the cohort."""
    for row in usage_tracking.closed_days(db, start - timedelta(days=SEASON_DAYS - 1), start):
        record = record_of(row, tracker.peers.cells)
        tracker.cohort.week, tracker.cohort.season = record.closed.week, strayed(tracker.cohort.season, record.closed.factor)
        if row.day >= first:
            tracker.factors.append(record.closed.factor, record.shut)


def _calibration(db: Db, row: TrackerRow, start: date, series: int) -> Calibration:
    """As it was at the snapshot: what the blocks that were judged since have taught is taken back, as the next snapshots show it."""
    calibration = calibration_of(row, load())
    days = [day for day in snapshots(db) if day >= start]
    before = _state(db, start, series)
    for day in days[1:]:
        then = _state(db, day, series)
        before.rows[: State.WATCH] = then.rows[: State.WATCH]
        calibration.take_back(before)
        before = then
    return calibration


def _standing(db: Db, start: date) -> list[Alert]:
    """Of each series the latest fall that was told by the morning after the snapshot, unless it was over by then."""
    morning = start + timedelta(days=1)
    latest = {row.series_no: row for row in usage_tracking.alerts(db) if row.kind != "growth" and row.alerted_on <= morning}
    return [alert_of(row) for row in latest.values() if row.recovered_on is None or row.recovered_on > morning]


def _history(db: Db) -> Callable[[np.ndarray, int, int], Singles]:
    return lambda numbers, first, last: usage_tracking.values_of(db, numbers, date.fromordinal(first), date.fromordinal(last))


def _pairs(would: Sequence[Alert], really: Sequence[Alert]) -> list[tuple[Alert, Alert | None]]:
    """Each with the one that was told of the same fall, if there was one: told, or beginning, within the weeks in which a series is told of once."""
    of_series: dict[int, list[Alert]] = defaultdict(list)
    for alert in really:
        of_series[alert.series].append(alert)
    near = [(days, n, told) for n, alert in enumerate(would) for told in of_series[alert.series] if (days := _apart(alert, told)) is not None]
    found: dict[int, Alert] = {}
    taken: set[int] = set()
    for _, n, told in sorted(near, key=lambda pair: pair[:2]):
        if n not in found and id(told) not in taken:
            found[n] = told
            taken.add(id(told))
    return [(alert, found.get(n)) for n, alert in enumerate(would)]


def _apart(one: Alert, other: Alert) -> int | None:
    """Days between the days on which they were told; None where they are not of the same fall."""
    days = abs((one.alerted_on - other.alerted_on).days)
    return days if days <= COOLDOWN or abs((one.onset - other.onset).days) <= COOLDOWN else None


def _teller(db: Db, series: AllSeries, alerts: Sequence[Alert]) -> Callable[[How, Alert, Alert | None], Told]:
    named = usage_pictures.names(db, list({series.account_id(a.series) for a in alerts}))
    many = usage_pictures.accounts_with_usage(db)

    def say(how: How, alert: Alert, other: Alert | None) -> Told:
        account_id, metric = series.account_id(alert.series), series.metric_name(alert.series)
        name, region = named[account_id]
        near, every = many.get(region, 1) - 1, sum(many.values()) - 1
        is_near = bool(region) and near >= MIN_PEERS
        sentence = change_sentence(
            subject(metric, name),
            alert.before,
            alert.after,
            alert.onset,
            alert.alerted_on,
            gradual=alert.kind == "slow_fade",
            per_week=None,
            peers=peers_clause(alert.peers, near if is_near else every, region=is_near),
        )
        return Told(
            how=how, account_id=account_id, account=name, metric=metric, day=alert.alerted_on, sentence=sentence, other=other.alerted_on if other else None
        )

    return say
