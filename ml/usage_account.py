"""From series to accounts: one usage_drop per account and episode, the state of the feeds, the change of the last weeks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from ml.alternatives import BY_KIND
from ml.moments import Moment, Numbers
from ml.usage_panel import GONE, Alert, DropKind, FeedState, Panel, is_about_people
from ml.usage_score import load
from ml.usage_state import LEARNING_DAYS, Bools, Floats

Values = npt.NDArray[np.float32]
Shape = Literal["sudden", "fade", "abandoned", "stopped"]
SHAPES: dict[DropKind, Shape] = {"seat_loss": "sudden", "shift": "sudden", "slow_fade": "fade", "feature_abandon": "abandoned", "stopped": "stopped"}

WEEK = 7
TOGETHER_DAYS = 42
"""A metric that began to fall within so many days of the last alert belongs to the same episode."""
SETTLING_DAYS = 28
"""So long after an alert a metric may still turn out to be at zero."""
MEMORY = 60
PEERS_DIP = -0.08
SMALL_LEVEL = 0.5
"""Below so many counts a day a relative change means nothing."""
MIN_PEERS = 5
REPORTING = 0.5
"""A day counts as reported when this share of the series that ever reported did."""
STALE_DAYS = 4
"""Days on which the peers reported and this series, which usually does, did not."""
LONG_SILENT_DAYS = 10
"""After so many days nobody's silence is an excuse."""


def account_moments(panel: Panel, alerts: Sequence[Alert]) -> dict[str, list[Moment]]:
    rows: dict[str, list[int]] = defaultdict(list)
    for i, account in enumerate(panel.accounts):
        rows[account].append(i)
    return {account: [_moment(panel, episode, rows[account]) for episode in episodes(found)] for account, found in by_account(panel, alerts).items()}


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


def _moment(panel: Panel, episode: Sequence[Alert], rows: Sequence[int]) -> Moment:
    latest = {a.series: a for a in episode}
    lead = _lead(panel, episode)
    after, shape = _settled(panel, latest[lead.series], rows)
    ended = _over(episode, date.max)
    return Moment(
        kind="usage_drop",
        state="ended" if ended else "open",
        detected_at=episode[0].alerted_on,
        contact=None,
        anchor=episode[0].onset.toordinal(),
        numbers=_numbers(panel, latest, lead, after, shape),
        confidence=_confidence(episode),
        alternatives=_alternatives(panel, lead, shape),
        ended_at=ended,
    )


def _lead(panel: Panel, episode: Sequence[Alert]) -> Alert:
    """The metric to speak of: people where people left, else the one that was raised first; its first alert."""
    seats = [a for a in episode if is_about_people(panel.metrics[a.series])]
    return (seats or list(episode))[0]


def _settled(panel: Panel, alert: Alert, rows: Sequence[int]) -> tuple[float, Shape]:
    """Level and shape, read again in the weeks after the alert, since what was falling then may have reached zero."""
    values = panel.values[list(rows), : (alert.alerted_on - panel.first_day).days + SETTLING_DAYS]
    lately = [_lately(v) for v in values]
    own = lately[rows.index(alert.series)]
    if own is None or own > GONE * alert.before:
        return alert.after, SHAPES[alert.kind]
    onset = (alert.onset - panel.first_day).days
    before = [_mean_of(v[max(0, onset - MEMORY) : onset]) for v in values]
    stopped = all(now is None or now <= GONE * was for now, was in zip(lately, before, strict=True) if was > SMALL_LEVEL)
    return own, "stopped" if stopped else "abandoned"


def _lately(values: Values) -> float | None:
    """Mean of the last week of reported days; None when too few of the last two weeks were reported."""
    recent = values[-2 * WEEK :]
    reported = recent[np.isfinite(recent)][-WEEK:]
    return float(reported.mean()) if len(reported) >= WEEK - 2 else None


def _mean_of(values: Values) -> float:
    reported = values[np.isfinite(values)]
    return float(reported.mean()) if len(reported) else 0.0


def _numbers(panel: Panel, latest: Mapping[int, Alert], lead: Alert, after: float, shape: Shape) -> Numbers:
    sizes = {f"size_{panel.metrics[i]}": round(a.size, 3) for i, a in latest.items() if i != lead.series}
    return {
        "metric": panel.metrics[lead.series],
        "before": round(lead.before, 2),
        "after": round(after, 2),
        "size": round(float(np.clip(1 - after / lead.before, 0.0, 1.0)), 3),
        "onset": lead.onset.isoformat(),
        "shape": shape,
        "metrics": ",".join(sorted(panel.metrics[i] for i in latest)),
        "peers": round(1 + lead.peers, 3),
        **sizes,
    }


def clarity(episode: Sequence[Alert]) -> Floats:
    """What the confidence in an episode is weighed by: 1, surprise, size and log level of its clearest alert, log of how many metrics fell."""
    clearest = max(episode, key=lambda a: a.score)
    return np.array([1.0, clearest.score, clearest.size, np.log(clearest.before + 0.3), np.log(len({a.series for a in episode}))])


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


def feeds(panel: Panel) -> list[FeedState]:
    reported = np.isfinite(panel.values)
    if not reported.size:
        return ["no_data"] * len(panel.accounts)
    waiting, usual = _days_waited(reported, _expected_days(panel, reported))
    states: list[FeedState] = []
    for i, seen in enumerate(reported.sum(axis=1)):
        silent = int(np.argmax(reported[i, ::-1]))
        if seen == 0:
            states.append("no_data")
        elif waiting[i] * max(usual[i], 0.1) >= STALE_DAYS or silent >= LONG_SILENT_DAYS / max(usual[i], 0.1):
            states.append("stale")
        else:
            states.append("learning" if seen < LEARNING_DAYS else "ok")
    return states


def _expected_days(panel: Panel, reported: Bools) -> Bools:
    """(series, days): whether the region's other accounts reported, or everybody's where the region is small."""
    started = np.cumsum(reported, axis=1) > 0
    everyone = reported.sum(axis=0) >= REPORTING * np.maximum(started.sum(axis=0), 1)
    accounts, regions = np.array(panel.accounts), np.array(panel.region)
    expected = np.tile(everyone, (len(accounts), 1))
    for region in set(panel.region):
        inside = regions == region
        if len(set(accounts[inside])) > MIN_PEERS:
            expected[inside] = reported[inside].sum(axis=0) >= REPORTING * np.maximum(started[inside].sum(axis=0), 1)
    return expected


def _days_waited(reported: Bools, expected: Bools) -> tuple[Floats, Floats]:
    """Expected days since each series was last heard of, and which share of them it usually reports."""
    days = np.arange(reported.shape[1])
    last = np.where(reported, days, -1).max(axis=1)[:, None]
    before = expected & (days <= last) & (days > last - 2 * MEMORY) & (np.cumsum(reported, axis=1) > 0)
    usual = (before & reported).sum(axis=1) / np.maximum(before.sum(axis=1), 1)
    return (expected & (days > last)).sum(axis=1).astype(float), np.minimum(usual, 1.0)


def changes(panel: Panel, days: int = 28) -> dict[str, float | None]:
    log = _log_changes(panel, days)
    regions = dict(zip(panel.accounts, panel.region, strict=True))
    by_region: dict[str, list[float]] = defaultdict(list)
    for account, own in log.items():
        by_region[regions[account]].append(own)
    everyone = _median(list(log.values()), 0.0)
    peers = {region: _median(values, everyone) for region, values in by_region.items()}
    return {account: float(np.expm1(log[account] - peers[regions[account]])) if account in log else None for account in dict.fromkeys(panel.accounts)}


def _median(values: Sequence[float], otherwise: float) -> float:
    return float(np.median(values)) if len(values) > MIN_PEERS else otherwise


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
    group = np.array([numbers[a] for a in panel.accounts])
    total, part = np.bincount(group, weight), np.bincount(group, weight * log)
    return {account: float(part[k] / total[k]) for account, k in numbers.items() if total[k] > 0}
