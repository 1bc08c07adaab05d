"""What the usage detector reads and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

DropKind = Literal["seat_loss", "feature_abandon", "slow_fade", "shift", "stopped"]
ChangeKind = DropKind | Literal["growth"]
FeedState = Literal["ok", "learning", "stale", "no_data"]
MOST = 1e15
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
    """One series fell, or grew. `before` and `after` are means per usual day of the week, `size` the relative change, `peers`
    the relative change of the region's other accounts over the same days. `score` is -log10 of how many alerts like this one
    a series without a drop would raise in a year; of growth, how many times likelier it is than no change, as a power of ten.
    `recovered_on` is set once a level that had fallen came back."""

    series: int
    alerted_on: date
    onset: date
    before: float
    after: float
    size: float
    kind: ChangeKind
    score: float
    peers: float
    recovered_on: date | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """A panel read day by day: what was said, in the order in which it would have been; falls that are forming on the last
    day; and the (series, days) factors by which the days went for each series' peers, 0 on days without weight."""

    panel: Panel
    alerts: tuple[Alert, ...]
    forming: tuple[Alert, ...]
    factors: npt.NDArray[np.float32]
    feeds: tuple[FeedState, ...]


def cleaned(panel: Panel) -> Panel:
    """Counts below zero (corrections) read as zero; infinities and what is above MOST as not reported."""
    values = np.where(np.isfinite(panel.values) & (panel.values <= MOST), np.maximum(panel.values, 0), np.nan).astype(np.float32)
    return replace(panel, values=values)


def is_about_people(metric: str) -> bool:
    name = metric.lower()
    return any(word in name for word in ("seat", "user", "login", "dau", "wau", "mau", "member", "licen", "people"))
