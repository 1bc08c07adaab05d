"""Usage drops: a constant-size state per series, advanced a day at a time, over all series at once."""

from __future__ import annotations

from collections.abc import Sequence

from ml import usage_account, usage_detect, usage_feed
from ml.moments import Moment
from ml.usage_panel import Alert, DropKind, FeedState, Panel, cleaned

__all__ = ["DEFAULT_BUDGET", "Alert", "DropKind", "FeedState", "Panel", "account_moments", "changes", "detect", "feeds"]

DEFAULT_BUDGET = 0.15


def detect(panel: Panel, budget: float = DEFAULT_BUDGET) -> list[Alert]:
    """Alerts in the order in which they would have been raised. `budget` is false alarms per account-year.

    Each alert is dated the day after the last day it used; later columns never change an alert, but may set recovered_on.
    """
    return usage_detect.detect(cleaned(panel), budget)


def feeds(panel: Panel) -> list[FeedState]:
    """One per series, as of the panel's last day. Only `ok` may be read as "no drop"."""
    return usage_feed.feeds(panel)


def account_moments(panel: Panel, alerts: Sequence[Alert]) -> dict[str, list[Moment]]:
    """One usage_drop per account and episode: dated by the earliest alert, listing every metric that fell."""
    return usage_account.account_moments(cleaned(panel), alerts)


def changes(panel: Panel, days: int = 28) -> dict[str, float | None]:
    """Relative change per account of the last `days` against the same number before, peers removed; None when unknown."""
    return usage_feed.changes(cleaned(panel), days)
