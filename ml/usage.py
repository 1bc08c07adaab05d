"""Usage drops: a constant-size state per series, advanced a day at a time, over all series at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from ml.moments import Moment

DropKind = Literal["seat_loss", "feature_abandon", "slow_fade", "shift", "stopped"]
FeedState = Literal["ok", "learning", "stale", "no_data"]
DEFAULT_BUDGET = 0.15


@dataclass(frozen=True, slots=True)
class Panel:
    """One row of `values` per (account, metric), one column per day from `first_day`; NaN where nothing was reported.

    `region` is given per series too. All accounts of a workspace belong into one panel: they are each other's peers.
    """

    accounts: tuple[str, ...]
    metrics: tuple[str, ...]
    region: tuple[str, ...]
    first_day: date
    values: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One series fell. `before` and `after` are means per usual day of the week, `size` the relative fall, `peers` the
    relative change of the region's other accounts over the same days. `recovered_on` is set once the level came back."""

    series: int
    alerted_on: date
    onset: date
    before: float
    after: float
    size: float
    kind: DropKind
    score: float
    peers: float
    recovered_on: date | None = None


def detect(panel: Panel, budget: float = DEFAULT_BUDGET) -> list[Alert]:
    """Alerts in the order in which they would have been raised. `budget` is false alarms per account-year.

    Each alert is dated the day after the last day it used; later columns never change an alert, but may set recovered_on.
    """
    raise NotImplementedError


def feeds(panel: Panel) -> list[FeedState]:
    """One per series, as of the panel's last day. Only `ok` may be read as "no drop"."""
    raise NotImplementedError


def account_moments(panel: Panel, alerts: Sequence[Alert]) -> dict[str, list[Moment]]:
    """One usage_drop per account and episode: dated by the earliest alert, listing every metric that fell."""
    raise NotImplementedError


def changes(panel: Panel, days: int = 28) -> dict[str, float | None]:
    """Relative change per account of the last `days` against the same number before, peers removed; None when unknown."""
    raise NotImplementedError
