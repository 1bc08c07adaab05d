"""What the detector told of an account's usage, in sentences: since when, from what to what and how sure, what the peers did, what else it may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import numpy as np

from ml.alternatives import SENTENCES
from ml.usage.levels import BEFORE, MIN_PEERS, Interval
from ml.usage.panel import Alert, Panel
from ml.usage.state import Singles
from ml.usage.tell import MOST_OTHERS, Explanation, Metric, Teller
from ml.usage.words import Spoken, capitalised, change_sentence, metric_name, peers_clause, percent, subject
from service.playbook.usage_words import Drop, read_drop
from service.playbook.wording import day_month_year, listed
from service.signals import Signal
from service.store import usage_pictures, usage_tracking
from service.store.pool import Db
from service.store.usage_pictures import Drawn, Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The series of one account; `counts` (series, days) from `first_day` on, NaN where nothing was reported."""

    account_id: UUID
    name: str
    series: Sequence[Drawn]
    first_day: date
    counts: Singles


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldView:
    sentence: str
    told_on: date
    over: str | None
    """That it came back, and when, as a sentence."""
    details: Sequence[str]
    innocent: Sequence[str]
    """Readings that the figures support, each with its number."""


def read(db: Db, family: Family, alerts: Sequence[Alert], drops: Sequence[Signal], today: date) -> dict[int, list[ToldView]]:
    """By place in the family, the newest first. `alerts` in the order in which they were raised, under places in the family.

    `drops`: the account's signals. What a signal says of an alert today is said here too, lest one fall have two figures.
    """
    found: dict[int, list[ToldView]] = defaultdict(list)
    if not alerts:
        return found
    peers = usage_pictures.peers(db, family.account_id, family.series[0].region, sorted({family.series[a.series].metric for a in alerts}), MOST_OTHERS)
    teller = Teller(_panel(db, family, peers, alerts), {str(family.account_id): family.name, **{str(p.account_id): p.name for p in peers}})
    settled = _settled(family, alerts, drops, today)
    for alert in reversed(alerts):
        explained = teller.tell(alert, alerts, today)
        over = teller.recovery(alert, alert.recovered_on).sentence if alert.recovered_on else None
        drop = settled.get(id(alert))
        sentence = _sentence(family, alert, explained, peers, today)
        found[alert.series].append(_view(alert, explained, _now(family, explained, drop, peers) if drop else sentence, over, as_told=drop is not None))
    return found


def _panel(db: Db, family: Family, peers: Sequence[Peer], alerts: Sequence[Alert]) -> Panel:
    """The account with its peers, these only on the days that the alerts are held against."""
    days = family.counts.shape[1]
    start = max(0, (min(a.onset for a in alerts) - family.first_day).days - BEFORE)
    end = min(days, max((a.recovered_on or a.alerted_on) for a in alerts).toordinal() - family.first_day.toordinal())
    values = np.full((len(peers), days), np.nan, np.float32)
    if peers and end > start:
        numbers = np.array([p.series_no for p in peers], np.int64)
        first, last = family.first_day + timedelta(days=start), family.first_day + timedelta(days=end - 1)
        values[:, start:end] = usage_tracking.values_of(db, numbers, first, last)
    return Panel(
        accounts=(str(family.account_id),) * len(family.series) + tuple(str(p.account_id) for p in peers),
        metrics=tuple(s.metric for s in family.series) + tuple(p.metric for p in peers),
        region=tuple(s.region for s in family.series) + tuple(p.region for p in peers),
        first_day=family.first_day,
        values=np.concatenate([family.counts, values]),
    )


def _settled(family: Family, alerts: Sequence[Alert], drops: Sequence[Signal], today: date) -> dict[int, Drop]:
    """By the alert that a signal rests on: the first of its metric since it was noticed."""
    found = {}
    for signal in drops:
        led = (a for a in alerts if family.series[a.series].metric == signal.numbers.get("metric") and a.alerted_on >= signal.detected_at)
        alert, drop = next(led, None), read_drop(signal, today)
        if alert is not None and drop is not None:
            found[id(alert)] = drop
    return found


def _now(family: Family, found: Explanation, drop: Drop, peers: Sequence[Peer]) -> str:
    """As it is today. Where hardly anything is left the level is counted plainly: that the peers' change is taken out would not be true of it."""
    others = _peers(family, found, peers).removesuffix(", which is taken out of these figures")
    return f"{subject(found.metric, family.name)} went {drop.change} {drop.window}{others}."


def _peers(family: Family, found: Explanation, peers: Sequence[Peer]) -> str:
    """Where not all peers were read the sentence counts them all the same."""
    if not peers or peers[0].total <= MOST_OTHERS:
        return peers_clause(found.peers, found.peer_accounts, region=found.peers_of_region)
    near = bool(family.series[0].region) and peers[0].near >= MIN_PEERS
    return peers_clause(found.peers, peers[0].near if near else peers[0].total, region=near)


def _sentence(family: Family, alert: Alert, found: Explanation, peers: Sequence[Peer], today: date) -> str:
    """As it was when it was told."""
    if not peers or peers[0].total <= MOST_OTHERS:
        return found.sentence
    return change_sentence(
        subject(found.metric, family.name),
        alert.before,
        alert.after,
        alert.onset,
        today,
        gradual=found.gradual,
        per_week=found.per_week.value if found.per_week else None,
        peers=_peers(family, found, peers),
    )


def _view(alert: Alert, found: Explanation, sentence: str, over: str | None, *, as_told: bool) -> ToldView:
    return ToldView(
        sentence=sentence,
        told_on=alert.alerted_on,
        over=over,
        details=_details(alert, found, as_told=as_told),
        innocent=[f"{SENTENCES[i.key]} {i.text}" for i in found.innocent],
    )


def _details(alert: Alert, found: Explanation, *, as_told: bool) -> list[str]:
    """`as_told`: the figures are those of that day, and not those of the sentence above them."""
    spoken, (earliest, latest) = Spoken.of(alert.before, alert.after), found.onset_between
    began = f"Began on {day_month_year(earliest)}" if earliest == latest else f"Began between {day_month_year(earliest)} and {day_month_year(latest)}"
    levels = f"{_between(spoken, found.before)} a {spoken.unit} before, {_between(spoken, found.after)} since then, each with 90% certainty"
    lines = [f"As it stood when it was told: {began[0].lower()}{began[1:]}; {levels}" if as_told else f"{began}; {levels}"]
    if found.people and not as_told:
        lines.append(f"That is {found.people}")
    others = [part for way, verb in _WAYS.items() if (part := _others(verb, [o for o in found.others if o.way == way]))]
    if others:
        lines.append(capitalised("; ".join(others)))
    return lines


_WAYS = {"fell": "fell too", "rose": "rose", "level": "stayed level"}
MOST_NAMED = 4


def _others(verb: str, metrics: Sequence[Metric]) -> str:
    """report exports (+31%) rose; "" of none"""
    named = [metric_name(m.metric) + ("" if m.way == "level" else f" ({'+' if m.change.value > 0 else '−'}{percent(m.change.value)})") for m in metrics]
    shown = named if len(named) <= MOST_NAMED else [*named[: MOST_NAMED - 1], f"{len(named) - MOST_NAMED + 1} more"]
    return f"{listed(shown)} {verb}" if shown else ""


def _between(spoken: Spoken, level: Interval) -> str:
    low, high = spoken.say(level.low), spoken.say(level.high)
    return low if low == high else f"{low} to {high}"
