"""From a suspicion to a surprise: the evidence of a fall, what it weighs, and how rare that is among series that have not fallen.

The shipped table was learned on generated workspaces. Every tenant's own quiet weeks correct it, the more the more there are:
a block of weeks counts as quiet when, four weeks later, the series stood where it had stood before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ml import artifact
from ml.trees import Trees
from ml.usage.explain import Falls
from ml.usage.features import FEATURES, features, usual_stray
from ml.usage.state import LEARNING_DAYS, SLOW, Bools, Floats, Ints, Singles, State

DAYS_A_YEAR = 365.25
BLOCK = 28
"""Days that may raise at most one alert, the cooldown."""
PRIOR_YEARS = 300.0
"""Series-years the shipped table weighs against the tenant's own."""
PER_QUIET_BLOCK, PER_FALLEN_BLOCK = 3.5, 0.28
"""False alarms as a detector at work raises them, per exceedance in blocks after which the level came back, and in blocks after which it did not:
these hold drops, in whose aftermath alarms go wrong, and wander that lasted. Fitted without labels of the tenant to workspaces with half to twice the
nuisances and 0.1 to 1 drop an account-year."""
RETURNED = 0.88
SMALLEST_LEVEL = 0.3
"""Counts a day below which a series says nothing about how rare a proof is."""
EVIDENCE = {
    "score": 1, "strength": 1, "size": 0, "lasting": 1, "charitable": 1, "days_after": 0, "level": 0, "length": 0, "seen": 0,
    "spread": 0, "wobble": -1, "siblings": 1, "alone": 0, "unusual": 1, "new_low": 1, "low_since": 1, "low_before": -1, "together": 1, "least_together": 1,
    **{f"state_{name}": 0 for name in FEATURES},
}  # fmt: skip
"""What the proof rests on; 1 and -1 where it may only grow or shrink with it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """score = weights x features; above `suspicion` small trees over the same features look again, and above `open` there the
    series is examined, which gives its proof. In `rates[k]` blocks per quiet series-year the proof exceeds `scores[k]`.
    `confidence` weighs usage.account.clarity."""

    version: str
    weights: Singles
    suspicion: float
    gate: Trees
    open: float
    proof: Trees
    scores: Floats
    rates: Floats
    confidence: Floats


@cache
def load() -> Weights:
    stored = artifact.load("usage")
    meta, arrays = stored.meta, stored.arrays
    return Weights(
        version=stored.version,
        weights=np.array([meta["weights"][name] for name in FEATURES], np.float32),
        suspicion=meta["suspicion"],
        gate=_trees(arrays, "gate"),
        open=meta["open"],
        proof=_trees(arrays, "proof"),
        scores=np.array(meta["scores"]),
        rates=np.array(meta["rates"]),
        confidence=np.array(meta["confidence"]),
    )


def _trees(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> Trees:
    return Trees(arrays[f"{name}_feature"].astype(np.int64), arrays[f"{name}_threshold"], arrays[f"{name}_value"])


@dataclass(frozen=True, slots=True)
class Siblings:
    """Of the series examined, what the other series of their accounts say: how many were scored today and their mean score, and
    (2, rows) mean and least log fall since the same onset."""

    score: Floats
    alone: Bools
    together: Floats


def evidence(falls: Falls, score: Singles, siblings: Siblings, state: State, season: Singles) -> Floats:
    """(len(EVIDENCE), rows), all for the rows examined."""
    wobble = np.log(usual_stray(state, falls.before.astype(np.float32))[1])
    return np.stack([
        score, falls.strength, falls.size, falls.lasting, falls.charitable, falls.days_after, np.log(falls.before + 0.3),
        falls.length, state.seen, np.log(falls.spread + 0.3), wobble, siblings.score, siblings.alone, falls.unusual, falls.new_low,
        falls.low_since, falls.low_before, *siblings.together, *features(state, season),
    ])  # fmt: skip


def suspects(weights: Weights, state: State, season: Singles, score: Singles, rows: Ints) -> Ints:
    """Of the rows that score high enough those that are worth a closer look. `season` is of all series."""
    rows = rows[score[rows] >= weights.suspicion]
    if not len(rows):
        return rows
    found = np.stack(features(state.columns(rows), season[rows])).astype(np.float64)
    return rows[weights.gate(found) >= weights.open]


@dataclass(slots=True)
class Calibration:
    """How often a quiet series of this tenant exceeds each score of the table; learns as the days go by, never ahead.

    `counts`: false alarms to be expected of each score, from the blocks of quiet weeks that exceeded it, in `years` series-years of them.
    """

    weights: Weights
    counts: Floats = field(init=False)
    years: float = 0.0

    def __post_init__(self) -> None:
        self.counts = np.zeros(len(self.weights.scores))

    def surprise(self, proof: Floats) -> Floats:
        """-log10 of the yearly rate at which quiet series prove as much; -inf below the table."""
        scores, log = self.weights.scores, self._log_rates()
        slope = (log[-1] - log[-4]) / (scores[-1] - scores[-4])
        inside = np.interp(proof, scores, log) + np.maximum(proof - scores[-1], 0.0) * slope
        return np.where(proof < scores[0], -np.inf, inside)

    def _log_rates(self) -> Floats:
        rates = (self.counts + PRIOR_YEARS * self.weights.rates) / (self.years + PRIOR_YEARS)
        return -np.log10(np.minimum.accumulate(rates))

    def _exceeding(self, maxima: Singles) -> Ints:
        """How many lie above each score of the table."""
        above: Ints = len(maxima) - np.searchsorted(np.sort(maxima), self.weights.scores, side="right")
        return above

    def examined(self, state: State, rows: Ints, proof: Floats) -> None:
        state.highest[rows] = np.maximum(state.highest[rows], proof)

    def close_block(self, state: State) -> None:
        """Every BLOCK days: judge the block before the last by where its series stand now."""
        counts, years = self._learned(state)
        self.counts += counts
        self.years += years
        state.waiting_highest, state.waiting_stood = state.highest, state.stood
        state.highest = np.full_like(state.highest, -np.inf)
        state.stood = np.where(state.seen >= LEARNING_DAYS, state.level(SLOW), np.nan)

    def take_back(self, state: State) -> None:
        """What close_block() learned on a day on which it found this state."""
        counts, years = self._learned(state)
        self.counts, self.years = np.maximum(self.counts - counts, 0.0), max(self.years - years, 0.0)

    def _learned(self, state: State) -> tuple[Floats, float]:
        known = state.waiting_stood > SMALLEST_LEVEL
        returned = state.level(2) >= np.float32(RETURNED) * state.waiting_stood
        years = np.count_nonzero(known) * BLOCK / DAYS_A_YEAR
        quiet, fallen = (self._exceeding(state.waiting_highest[known & which]) for which in (returned, ~returned))
        return PER_QUIET_BLOCK * quiet + PER_FALLEN_BLOCK * fallen, years
