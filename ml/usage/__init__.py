"""Usage drops: a constant-size state per series, advanced a day at a time, over all series at once."""

from __future__ import annotations

from ml.moments import Moment
from ml.usage import account, feed, watch
from ml.usage.panel import Alert, DropKind, FeedState, Panel, Replay, cleaned

__all__ = ["DEFAULT_BUDGET", "Alert", "DropKind", "FeedState", "Panel", "Replay", "account_moments", "changes", "detect", "feeds", "replay"]

DEFAULT_BUDGET = 0.15


def detect(panel: Panel, budget: float = DEFAULT_BUDGET) -> list[Alert]:
    """Alerts in the order in which they would have been raised. `budget` is false alarms per account-year.

    Each alert is dated the day after the last day it used; later columns never change an alert, but may set recovered_on.
    """
    return list(replay(panel, budget).alerts)


def replay(panel: Panel, budget: float = DEFAULT_BUDGET) -> Replay:
    """The same, with what is forming, the peers' factors of every day and the state of every feed."""
    return watch.replay(cleaned(panel), budget)


def feeds(panel: Panel) -> list[FeedState]:
    """One per series, as of the panel's last day. Only `ok` may be read as "no drop"."""
    return list(replay(panel).feeds)


def account_moments(replay: Replay) -> dict[str, list[Moment]]:
    """One usage_drop per account and episode: dated by the earliest alert, listing every metric that fell."""
    return account.account_moments(replay)


def changes(replay: Replay, days: int = 28) -> dict[str, float | None]:
    """Relative change per account of the last `days` against the same number before, peers removed; None when unknown."""
    return feed.changes(replay.panel, replay.factors, days)
