"""What the usage detector reads and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

DropKind = Literal["seat_loss", "feature_abandon", "slow_fade", "shift", "stopped"]
FeedState = Literal["ok", "learning", "stale", "no_data"]
GONE = 0.06
"""Below this share of the former level a series stands at about zero."""


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
    relative change of the region's other accounts over the same days. `score` is -log10 of how many alerts like this one
    a series without a drop would raise in a year. `recovered_on` is set once the level came back."""

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


def cleaned(panel: Panel) -> Panel:
    """Counts below zero (corrections) read as zero, infinities as not reported."""
    values = np.where(np.isfinite(panel.values), np.maximum(panel.values, 0), np.nan).astype(np.float32)
    return replace(panel, values=values)


def is_about_people(metric: str) -> bool:
    name = metric.lower()
    return any(word in name for word in ("seat", "user", "login", "dau", "wau", "mau", "member", "licen", "people"))
