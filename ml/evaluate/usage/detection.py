"""The detector at work on generated workspaces: what it raised, what had truly dropped, and how large a budget keeps to a rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.evaluate.usage.drops import FEATURE_NAMES, FIRST_DROP_AGE
from ml.evaluate.usage.generator import Event, Generated
from ml.evaluate.usage.metrics import Match, Raised, match, since
from ml.usage import Alert, Panel, detect
from ml.usage.account import by_account, episodes

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FIRST = 230
"""Day from which alerts and drops are counted."""
METRICS = ("seats", "events", *FEATURE_NAMES)
BEFORE = 28
FEWEST_USERS = 3.0
MATERIAL = 0.3
"""A material drop: FEWEST_USERS a day over BEFORE days before it, and so large a fall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """`before`: counts a day to be expected before each event. `days`: series-days (account-days) on which an alert could be raised."""

    matched: Match
    alerts: list[Raised]
    events: list[Event]
    before: Floats
    days: float

    @property
    def rate(self) -> float:
        """False alarms per series-year (account-year)."""
        return self.matched.false_alarms(self.days)

    def material(self, size: float = MATERIAL, *, fade: bool = False) -> Flags:
        return np.array([(kind == "slow_fade") == fade and fall >= size for _, _, _, fall, kind in self.events], bool) & (self.before >= FEWEST_USERS)

    def pairs(self, kind: str) -> list[tuple[Raised, Event]]:
        """Alerts with the event of this kind that they found."""
        hits = zip(self.alerts, self.matched.hits.tolist(), strict=True)
        return [(alert, self.events[hit]) for alert, hit in hits if hit >= 0 and self.events[hit][4] == kind]


def found(alerts: Sequence[Raised], events: Sequence[Event], expected: npt.NDArray[np.float32], first: int, days: float) -> Found:
    """`expected`: (account, day) counts without a drop."""
    judged = [event for event in events if event[1] >= first]
    return Found(
        matched=since(first, match(alerts, events), alerts, events),
        alerts=[alert for alert in alerts if alert.day >= first],
        events=judged,
        before=np.array([expected[account, max(0, onset - BEFORE) : onset].mean() for account, onset, *_ in judged]),
        days=days,
    )


def falls(panel: Panel, budget: float) -> list[Alert]:
    return [alert for alert in detect(panel, budget) if alert.kind != "growth"]


def of_series(panel: Panel, alerts: Sequence[Alert]) -> list[Raised]:
    """The day is the last one that the alert used."""
    return [Raised(a.series, (a.alerted_on - panel.first_day).days - 1, (a.onset - panel.first_day).days, a.size) for a in alerts]


def of_accounts(panel: Panel, alerts: Sequence[Alert]) -> list[Raised]:
    """One per episode, on the day of its first alert."""
    number = {account: n for n, account in enumerate(dict.fromkeys(panel.accounts))}
    firsts = [(number[account], episode[0]) for account, own in by_account(panel, alerts).items() for episode in episodes(own)]
    return [Raised(account, raised.day, raised.onset, raised.size) for account, alert in firsts for raised in of_series(panel, [alert])]


def seats(generated: Generated, budget: float, first: int = FIRST) -> Found:
    panel = generated.panel(("seats",))
    return found(of_series(panel, falls(panel, budget)), generated.events_for("seats"), generated.expected_seats, first, watched(panel.values, first))


def accounts(generated: Generated, budget: float) -> Found:
    """All five metrics, all kinds of drops."""
    panel = generated.panel(METRICS)
    events: list[Event] = [(d.account, d.onset, d.detect_by, max(d.sizes.values()), d.kind) for d in generated.drops]
    raised = of_accounts(panel, falls(panel, budget))
    return found(raised, events, generated.expected_seats, FIRST, watched(generated.series["seats"], FIRST))


def watched(values: npt.NDArray[np.float32], first: int) -> float:
    """Series-days from day `first` on, counted from the age at which drops begin."""
    reported = np.isfinite(values)
    start = np.where(reported.any(axis=1), reported.argmax(axis=1), values.shape[1])
    return float(np.maximum(values.shape[1] - np.maximum(first, start + FIRST_DROP_AGE), 0).sum())


def budget_for(rate: float, realised: Callable[[float], float], *, near: float = 0.04, tries: int = 2) -> float:
    """The budget at which the detector's realised rate is the asked one: tried so often, and interpolated on logarithms between and after."""
    tried: dict[float, float] = {}
    budget = rate
    for _ in range(tries):
        tried[budget] = max(realised(budget), rate / 100)
        if abs(tried[budget] / rate - 1) <= near:
            return budget
        budget = _interpolated(rate, tried)
    return budget


def _interpolated(rate: float, tried: dict[float, float]) -> float:
    """Along the line through the two tries nearest to the rate; through one alone, as if alarms were proportional to the budget."""
    logs = sorted((abs(np.log(got / rate)), np.log(budget), np.log(got)) for budget, got in tried.items())[:2]
    _, budget, got = logs[0]
    slope = (got - logs[1][2]) / (budget - logs[1][1]) if len(logs) > 1 else 1.0
    return float(np.exp(budget + (np.log(rate) - got) / np.clip(slope, 0.4, 2.5)))
