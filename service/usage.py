"""Usage of a whole workspace through the detector: accounts are each other's peers, so they are read together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from ml.moments import Moment
from ml.usage import FeedState, Panel, account_moments, changes, detect, feeds
from service.store.usage import UsagePanel


@dataclass(frozen=True, slots=True)
class UsageReading:
    """Per account: drops so far, the change of the last weeks, and whether the feed can be trusted."""

    moments: Mapping[UUID, Sequence[Moment]] = field(default_factory=dict)
    changes: Mapping[UUID, float | None] = field(default_factory=dict)
    feeds: Mapping[UUID, FeedState] = field(default_factory=dict)


def read_usage(panel: UsagePanel | None, *, fresh: bool) -> UsageReading:
    """`fresh` False: the pull of the feed itself is behind, so nobody's recent usage is known."""
    if panel is None:
        return UsageReading()
    series = Panel(
        accounts=tuple(str(a) for a in panel.account_ids),
        metrics=panel.metrics,
        region=tuple(r or "" for r in panel.regions),
        first_day=panel.first_day,
        values=panel.values.astype(np.float32),
    )
    states = _per_account(panel.account_ids, feeds(series))
    return UsageReading(
        moments={UUID(a): m for a, m in account_moments(series, detect(series)).items()},
        changes={UUID(a): c for a, c in changes(series).items()},
        feeds=states if fresh else dict.fromkeys(states, "stale"),
    )


_BEST_FIRST: tuple[FeedState, ...] = ("ok", "learning", "stale", "no_data")


def _per_account(account_ids: Sequence[UUID], states: Sequence[FeedState]) -> dict[UUID, FeedState]:
    """An account's feed is as good as its best series: a metric that a customer never used is no outage."""
    best: dict[UUID, FeedState] = {}
    for account_id, state in zip(account_ids, states, strict=True):
        known = best.get(account_id, "no_data")
        best[account_id] = min(known, state, key=_BEST_FIRST.index)
    return best
