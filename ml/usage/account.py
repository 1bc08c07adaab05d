"""From series to accounts: one usage_drop per account and episode, in the numbers and with the innocent readings the data support."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from ml.alternatives import BY_KIND
from ml.moments import Moment, Numbers
from ml.usage.explain import FADE_DAYS, LOOK_BACK, explain
from ml.usage.feed import SMALL_LEVEL, WEEK
from ml.usage.panel import GONE, Alert, ChangeKind, Panel, Replay, is_about_people
from ml.usage.score import load
from ml.usage.state import Floats

Values = npt.NDArray[np.float32]
Shape = Literal["sudden", "fade", "abandoned", "stopped"]
SHAPES: dict[ChangeKind, Shape] = {"seat_loss": "sudden", "shift": "sudden", "slow_fade": "fade", "feature_abandon": "abandoned", "stopped": "stopped"}


@dataclass(frozen=True, slots=True)
class Settled:
    """What can be said of a fall some weeks after its alert."""

    after: float
    shape: Shape
    onset: date


TOGETHER_DAYS = 42
"""A metric that began to fall within so many days of the last alert belongs to the same episode."""
SETTLING_DAYS = 28
"""So long after an alert a metric may still turn out to be at zero."""
MEMORY = 60
PEERS_DIP = -0.08
METRICS_TOGETHER = 0.6
"""False alarms of an account grow with this power of the number of its metrics, which share its odd days."""


def account_moments(replay: Replay) -> dict[str, list[Moment]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for i, account in enumerate(replay.panel.accounts):
        rows[account].append(i)
    raised = by_account(replay.panel, [a for a in replay.alerts if a.kind != "growth"])
    found = {account: [_moment(replay, episode, rows[account]) for episode in episodes(alerts)] for account, alerts in raised.items()}
    for account, alerts in by_account(replay.panel, replay.forming).items():
        if not any(moment.state == "open" for moment in found.get(account, ())):
            found.setdefault(account, []).append(_forming(replay, alerts, rows[account]))
    return found


def by_account(panel: Panel, alerts: Sequence[Alert]) -> dict[str, list[Alert]]:
    """In the order in which they were raised."""
    found: dict[str, list[Alert]] = defaultdict(list)
    for alert in sorted(alerts, key=lambda a: (a.alerted_on, a.series)):
        found[panel.accounts[alert.series]].append(alert)
    return found


def episodes(alerts: Sequence[Alert]) -> list[list[Alert]]:
    """Of one account, its alerts in order of their day; one joins the episode before it unless it began after that one was over, or much later."""
    found: list[list[Alert]] = []
    for alert in alerts:
        if found and _belongs(alert, found[-1]):
            found[-1].append(alert)
        else:
            found.append([alert])
    return found


def _belongs(alert: Alert, episode: Sequence[Alert]) -> bool:
    over = _over(episode, alert.alerted_on)
    if over is not None and alert.onset >= over:
        return False
    return alert.onset <= max(a.alerted_on for a in episode) + timedelta(days=TOGETHER_DAYS)


def _over(episode: Sequence[Alert], by: date) -> date | None:
    """The day the last of its metrics came back, as far as known on the day `by`."""
    latest = {a.series: a for a in episode}
    ends = [a.recovered_on for a in latest.values() if a.recovered_on and a.recovered_on <= by]
    return max(ends) if len(ends) == len(latest) else None


def _moment(replay: Replay, episode: Sequence[Alert], family: Sequence[int]) -> Moment:
    panel = replay.panel
    latest = {a.series: a for a in episode}
    lead = _lead(panel, episode)
    settled = _settled(replay, latest[lead.series], family)
    ended = _over(episode, date.max)
    return Moment(
        kind="usage_drop",
        state="ended" if ended else "open",
        detected_at=episode[0].alerted_on,
        contact=None,
        anchor=episode[0].onset.toordinal(),
        numbers=_numbers(panel, latest, lead, settled, len(family)),
        confidence=_confidence(episode),
        alternatives=_alternatives(panel, lead, settled.shape),
        ended_at=ended,
    )


def _forming(replay: Replay, alerts: Sequence[Alert], family: Sequence[int]) -> Moment:
    """Known by the day on which it was first seen: its onset may still move from day to day."""
    moment = _moment(replay, alerts, family)
    return dataclasses.replace(moment, state="forming", anchor=-alerts[0].alerted_on.toordinal())


def _lead(panel: Panel, episode: Sequence[Alert]) -> Alert:
    """The metric to speak of: people where people left, else the one that was raised first; its first alert."""
    seats = [a for a in episode if is_about_people(panel.metrics[a.series])]
    return (seats or list(episode))[0]


def _settled(replay: Replay, alert: Alert, family: Sequence[int]) -> Settled:
    """Level, shape and onset read again in the weeks after the alert: a fade shows as one only then, and what was still
    falling may have reached zero."""
    panel = replay.panel
    end = (alert.alerted_on - panel.first_day).days + SETTLING_DAYS
    back = alert.recovered_on is not None and (alert.recovered_on - panel.first_day).days <= end
    lately = None if back else _lately(panel.values[alert.series, :end])
    if lately is not None and lately <= GONE * alert.before:
        return Settled(lately, "stopped" if _all_gone(panel, alert, family, end) else "abandoned", alert.onset)
    again = None if back or alert.kind in ("stopped", "feature_abandon") else _again(replay, alert, end)
    return again or Settled(alert.after, SHAPES[alert.kind], alert.onset)


def _all_gone(panel: Panel, alert: Alert, rows: Sequence[int], end: int) -> bool:
    onset = (alert.onset - panel.first_day).days
    before = [_mean_of(panel.values[i, max(0, onset - MEMORY) : onset]) for i in rows]
    lately = [_lately(panel.values[i, :end]) for i in rows]
    return all(now is None or now <= GONE * was for now, was in zip(lately, before, strict=True) if was > SMALL_LEVEL)


def _again(replay: Replay, alert: Alert, end: int) -> Settled | None:
    """The same search over more days, the week being a plain average; None where nothing clear comes out."""
    panel = replay.panel
    onset = (alert.onset - panel.first_day).days
    start = max(0, onset - LOOK_BACK // 2)
    values = panel.values[[alert.series], start:end].astype(np.float64)
    factor = replay.factors[[alert.series], start:end].astype(np.float64)
    usual = _usual_days(values, onset - start)
    falls = explain(values, usual / max(float(usual[0, :WEEK].mean()), 1e-9) * factor, factor)
    if falls.strength[0] <= 0 or falls.size[0] < alert.size / 2:
        return None
    fade = bool(falls.length[0] >= FADE_DAYS)
    return Settled(float(falls.after[0]), "fade" if fade else "sudden", panel.first_day + timedelta(start + int(falls.onset[0])) if fade else alert.onset)


def _usual_days(values: Floats, onset: int) -> Floats:
    """(series, days): each series' mean of the weekday before the onset."""
    weekday = np.arange(values.shape[1]) % WEEK
    old = np.where((np.arange(values.shape[1]) < onset) & np.isfinite(values), 1.0, 0.0)
    counted = np.where(old > 0, values, 0.0)
    means = np.stack([counted[:, weekday == d].sum(axis=1) / np.maximum(old[:, weekday == d].sum(axis=1), 1) for d in range(WEEK)])
    return means[weekday].T


def _lately(values: Values) -> float | None:
    """Mean of the last week of reported days; None when too few of the last two weeks were reported."""
    recent = values[-2 * WEEK :]
    reported = recent[np.isfinite(recent)][-WEEK:]
    return float(reported.mean()) if len(reported) >= WEEK - 2 else None


def _mean_of(values: Values) -> float:
    reported = values[np.isfinite(values)]
    return float(reported.mean()) if len(reported) else 0.0


def _numbers(panel: Panel, latest: Mapping[int, Alert], lead: Alert, settled: Settled, metrics: int) -> Numbers:
    sizes = {f"size_{panel.metrics[i]}": round(a.size, 3) for i, a in latest.items() if i != lead.series}
    return {
        "metric": panel.metrics[lead.series],
        "before": round(lead.before, 2),
        "after": round(settled.after, 2),
        "size": round(float(np.clip(1 - settled.after / lead.before, 0.0, 1.0)), 3),
        "onset": min(lead.onset, settled.onset).isoformat(),
        "shape": settled.shape,
        "metrics": ",".join(sorted(panel.metrics[i] for i in latest)),
        "peers": round(1 + lead.peers, 3),
        "surprise": round(surprise(list(latest.values()), metrics), 3),
        **sizes,
    }


def clarity(episode: Sequence[Alert]) -> Floats:
    """What the confidence in an episode is weighed by: 1, surprise, size and log level of its clearest alert, log of how many metrics fell."""
    clearest = max(episode, key=lambda a: a.score)
    return np.array([1.0, clearest.score, clearest.size, np.log(clearest.before + 0.3), np.log(len({a.series for a in episode}))])


def surprise(alerts: Sequence[Alert], metrics: int) -> float:
    """Of an account with so many metrics: -log10 of how many episodes as rare as this one it would have in a year without a drop."""
    return max(a.score for a in alerts) - METRICS_TOGETHER * float(np.log10(max(metrics, 1)))


def _confidence(episode: Sequence[Alert]) -> float:
    return float(np.clip(1 / (1 + np.exp(-load().confidence @ clarity(episode))), 0.05, 0.97))


def _alternatives(panel: Panel, lead: Alert, shape: Shape) -> tuple[str, ...]:
    """Of the innocent readings of a usage drop those that the data support, the best supported first."""
    start = (lead.onset - panel.first_day).days
    counts = panel.values[lead.series, start : (lead.alerted_on - panel.first_day).days]
    counts = counts[np.isfinite(counts)]
    at_once = shape in ("abandoned", "stopped") and len(counts) >= 3 and bool((counts[1:] == 0).all())
    supported = {
        "seasonal_work": lead.peers <= PEERS_DIP,
        "tracking_changed": at_once,
        "migration": at_once,
        "team_smaller_but_content": shape == "sudden" and is_about_people(panel.metrics[lead.series]),
        "work_done_differently": shape in ("abandoned", "fade") or (shape == "sudden" and not is_about_people(panel.metrics[lead.series])),
        "project_ended": shape in ("stopped", "fade"),
    }
    return tuple(key for key in supported if supported[key] and key in BY_KIND["usage_drop"])
