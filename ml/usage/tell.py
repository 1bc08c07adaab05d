"""An alert explained: since when, from what to what and how sure, which metrics, what the peers did, what else it may be, and one sentence.

Nothing here rests on a day that the alert itself could not know. A cause is never said: innocent explanations are listed with their numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from ml.usage import DEFAULT_BUDGET, Alert, Panel, detect
from ml.usage.clean import UnitChange, same_units
from ml.usage.innocent import Case, Innocent, innocent
from ml.usage.levels import BEFORE, LATELY, SETTLING, SMALL, WEEK, Floats, Interval, change, interval, onset_days, slope, stretch
from ml.usage.panel import is_about_people
from ml.usage.windows import Window, Windows
from ml.usage.words import GONE, change_sentence, peers_clause, people, recovery_sentence, shown, subject, unit_sentence

Way = Literal["fell", "rose", "level", "unknown"]
MOST_OTHERS = 400
"""Accounts that are looked at for an outage or a merger."""
MOVED = 0.18
"""A metric fell or rose when it changed by so much and its interval leaves no doubt about the direction."""
GRADUAL_DAYS = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Another metric of the account over the same weeks. `change` is relative, with its 90 % interval; NaN never: unknown reads 0, 0, 0."""

    metric: str
    way: Way
    change: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`before` and `after` are the alert's own levels, with 90 % intervals; `onset` lies within `onset_between`.

    `per_week` is the slope of a gradual change. `people`: how many people a day, where the metric counts people. `peers`: relative
    change of the others and how many accounts that were. `others`: the account's other metrics.
    """

    account: str
    metric: str
    onset: date
    onset_between: tuple[date, date]
    gradual: bool
    before: Interval
    after: Interval
    per_week: Interval | None
    people: str | None
    others: tuple[Metric, ...]
    peers: float
    peer_accounts: int
    peers_of_region: bool
    innocent: tuple[Innocent, ...]
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing said on one day: an alert with its explanation, the recovery from it, or a note. `now`: the level at the recovery."""

    said_on: date
    kind: str
    account: str
    metric: str
    sentence: str
    alert: Alert | None = None
    explanation: Explanation | None = None
    now: float | None = None
    unit: UnitChange | None = None


def tell(panel: Panel, alert: Alert, account_alerts: Sequence[Alert] = ()) -> Explanation:
    """Of one alert. For many alerts of one panel make a Teller once."""
    return Teller(panel).tell(alert, account_alerts)


def alerts_of(panel: Panel, budget: float = DEFAULT_BUDGET, start: date | None = None) -> list[Told]:
    """Everything the detector says of a panel, in the order in which it would have been said; of what was first said before `start` nothing."""
    panel, changes = same_units(panel)
    said = [*_said(panel, detect(panel, budget)), *_notes(panel, changes)]
    return sorted((told for told in said if start is None or _first_said(told) >= start), key=lambda told: told.said_on)


def _first_said(told: Told) -> date:
    return told.alert.alerted_on if told.alert else told.said_on


def _said(panel: Panel, alerts: Sequence[Alert]) -> Iterator[Told]:
    teller = Teller(panel)
    of_account: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        known = of_account[teller.account(alert)]
        known.append(alert)
        found = teller.tell(alert, known)
        yield Told(
            said_on=alert.alerted_on, kind=alert.kind, account=found.account, metric=found.metric, sentence=found.sentence, alert=alert, explanation=found
        )
    for alert in alerts:
        if alert.recovered_on is not None:
            yield teller.recovery(alert, alert.recovered_on)


def _notes(panel: Panel, changes: Sequence[UnitChange]) -> Iterator[Told]:
    for unit in changes:
        account, metric = panel.accounts[unit.series], panel.metrics[unit.series]
        sentence = unit_sentence(metric, account, unit.factor, unit.since)
        yield Told(said_on=unit.noticed_on, kind="note", account=account, metric=metric, sentence=sentence, unit=unit)


class Teller:
    """Explains the alerts of one panel, which it indexes once. `names`: what an account is called, where its key is not what people say."""

    def __init__(self, panel: Panel, names: Mapping[str, str] | None = None) -> None:
        self._series = Windows(panel)
        self._panel = panel
        self._names = names or {}

    def account(self, alert: Alert) -> str:
        return self._panel.accounts[alert.series]

    def tell(self, alert: Alert, account_alerts: Sequence[Alert] = (), said_on: date | None = None) -> Explanation:
        """`said_on`: the day on which it is read, for the wording of dates; the day of the alert if not given."""
        window = self._series.around(alert.series, alert.onset, alert.alerted_on, _days_of_old_level(alert, account_alerts))
        metric = self._panel.metrics[alert.series]
        levels = Levels.of(window, alert)
        accounts, regional = self._series.peer_accounts(alert.series, window)
        peers = alert.peers if np.isfinite(alert.peers) and alert.peers != 0 else window.peers
        sentence = change_sentence(
            self._subject(alert),
            alert.before,
            alert.after,
            alert.onset,
            said_on or alert.alerted_on,
            gradual=levels.gradual,
            per_week=levels.per_week.value if levels.per_week else None,
            peers=peers_clause(peers, accounts, region=regional),
        )
        return Explanation(
            account=self.account(alert),
            metric=metric,
            onset=alert.onset,
            onset_between=levels.onset_between,
            gradual=levels.gradual,
            before=levels.before,
            after=levels.after,
            per_week=levels.per_week,
            people=people(alert.before, alert.after) if counts_people(metric) else None,
            others=_others(window, self._panel, [a for a in account_alerts if _together(a, alert)]),
            peers=peers,
            peer_accounts=accounts,
            peers_of_region=regional,
            innocent=innocent(self._case(alert, window, peers)),
            sentence=sentence,
        )

    def recovery(self, alert: Alert, recovered_on: date) -> Told:
        """What is said on the day on which the level is back."""
        window = self._series.around(alert.series, alert.onset, recovered_on)
        days = np.arange(window.values.shape[1])
        now = float(stretch(window.found, days >= len(days) - LATELY).level[0]) or alert.before
        return Told(
            said_on=recovered_on,
            kind="recovery",
            account=self.account(alert),
            metric=self._panel.metrics[alert.series],
            sentence=recovery_sentence(self._subject(alert), alert.before, alert.after, now, alert.onset, recovered_on),
            alert=alert,
            now=now,
        )

    def expected(self, series: int, standing: Alert | None, days: int) -> Floats:
        """What was usual on each of the panel's last `days` days: at the level before the change that stands, else at that of the last months;
        NaN on days without weight, or where there is no telling."""
        end = self._panel.first_day + timedelta(self._panel.values.shape[1])
        return self._series.expected(series, standing.onset if standing else end, standing.before if standing else None, end, days)

    def _subject(self, alert: Alert) -> str:
        return subject(self._panel.metrics[alert.series], self._name(self.account(alert)))

    def _name(self, account: str) -> str:
        return self._names.get(account, account)

    def _case(self, alert: Alert, window: Window, peers: float) -> Case:
        others = self._series.same_metric(alert.series, MOST_OTHERS)
        return Case(
            metrics=tuple(self._panel.metrics[i] for i in window.rows),
            found=window.found,
            spread=window.spread,
            values=window.values,
            onset=window.onset,
            size=min(abs(alert.after / alert.before - 1), 1.0) if alert.before > 0 else 1.0,
            rising=alert.after > alert.before,
            stopped=alert.after <= GONE * alert.before,
            peers=peers,
            people=counts_people(self._panel.metrics[alert.series]),
            past=self._series.a_year_before(alert.series, window),
            others=self._panel.values[others, window.start : window.end].astype(np.float64),
            name_of_other=lambda k: shown(self._name(self._panel.accounts[others[k]])),
        )


def counts_people(metric: str) -> bool:
    return is_about_people(metric) and "login" not in metric.lower()


def _together(one: Alert, other: Alert) -> bool:
    """Known by then, and still standing."""
    return one.alerted_on <= other.alerted_on and (one.recovered_on is None or one.recovered_on > other.alerted_on)


def _days_of_old_level(alert: Alert, account_alerts: Sequence[Alert]) -> int:
    """What an earlier alert of the series told is no part of the level before this one."""
    told = [a.alerted_on for a in account_alerts if a.series == alert.series and a.alerted_on <= alert.onset]
    return min(BEFORE, max((alert.onset - max(told)).days, LATELY)) if told else BEFORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    before: Interval
    after: Interval
    onset_between: tuple[date, date]
    gradual: bool
    per_week: Interval | None

    @classmethod
    def of(cls, window: Window, alert: Alert) -> Levels:
        days = np.arange(window.values.shape[1])
        gradual = _is_gradual(window, alert)
        settled = days >= (max(window.onset, len(days) - LATELY) if gradual else min(window.onset + SETTLING, len(days) - SETTLING))
        spread = float(window.spread[0])
        was, now = stretch(window.found, ~window.since), stretch(window.found, settled)
        earliest, latest = onset_days(window.found, window.onset, float(window.lasting[0]), gradual=gradual)
        return cls(
            before=interval(float(was.counted[0]), float(was.shape[0]), spread).holding(alert.before),
            after=interval(float(now.counted[0]), float(now.shape[0]), spread).holding(alert.after),
            onset_between=(window.day(earliest), window.day(latest)),
            gradual=gradual,
            per_week=slope(window.found, window.onset, spread) if gradual else None,
        )


def _is_gradual(window: Window, alert: Alert) -> bool:
    """A fall is what the detector calls it. Of a rise, whether its first third had come less than half of the way."""
    if alert.after <= alert.before:
        return alert.kind == "slow_fade"
    length = window.values.shape[1] - window.onset
    days = np.arange(window.values.shape[1])
    first = stretch(window.found, (days >= window.onset) & (days < window.onset + length // 3))
    return length >= GRADUAL_DAYS and bool(first.days[0] >= SETTLING) and float(first.level[0]) < (alert.before + alert.after) / 2


def _others(window: Window, panel: Panel, alerts: Sequence[Alert]) -> tuple[Metric, ...]:
    """The account's other metrics in the same weeks."""
    before, after = stretch(window.found, ~window.since), stretch(window.found, window.since)
    known = (before.days >= 2 * WEEK) & (after.days >= SETTLING) & (np.maximum(before.level, after.level) >= SMALL)
    alerted = {a.series for a in alerts}
    found = []
    for k, (value, low, high) in enumerate(zip(*change(before, after, window.spread), strict=True)):
        if k == 0:
            continue
        way: Way = "unknown" if not known[k] else _way(float(value), float(low), float(high), alerted=window.rows[k] in alerted)
        size = Interval(value=float(value), low=float(low), high=float(high)) if known[k] else Interval(value=0.0, low=0.0, high=0.0)
        found.append(Metric(metric=panel.metrics[window.rows[k]], way=way, change=size))
    return tuple(found)


def _way(value: float, low: float, high: float, *, alerted: bool) -> Way:
    """A large change that may as well be chance is unknown, not level."""
    if value <= -MOVED and (high < 0 or alerted):
        return "fell"
    if value >= MOVED:
        return "rose" if low > 0 else "unknown"
    return "level" if value > -MOVED else "unknown"
