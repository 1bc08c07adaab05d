"""From a suspicion to a surprise: the evidence of a fall, what it weighs, and how rare that is among series that have not fallen.

The shipped table was learned on generated workspaces. Every tenant's own quiet weeks correct it, the more the more there are:
a block of weeks counts as quiet when, four weeks later, the series stood where it had stood before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ml import artifact
from ml.trees import Trees
from ml.usage_explain import Falls
from ml.usage_state import FEATURES, SLOW, Bools, Floats, Ints, State, totals

DAYS_A_YEAR = 365.25
BLOCK = 28
"""Days that may raise at most one alert, the cooldown."""
PRIOR_YEARS = 300.0
"""Series-years the shipped table weighs against the tenant's own."""
RETURNED = 0.88
SMALLEST_LEVEL = 0.3
"""Counts a day below which a series says nothing about how rare a proof is."""
EVIDENCE = {
    "score": 1, "strength": 1, "size": 0, "lasting": 1, "charitable": 1, "days_after": 0, "level": 0, "length": 0, "seen": 0,
    "spread": 0, "wobble": -1, "siblings": 1, "alone": 0, "unusual": 1, "new_low": 1, "low_since": 1, "low_before": -1, "together": 1, "least_together": 1,
}  # fmt: skip
"""What the proof rests on; 1 and -1 where it may only grow or shrink with it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """score = weights x features; above `suspicion` a series is examined, which gives its proof. In `rates[k]` blocks per
    quiet series-year the proof exceeds `scores[k]`. `confidence` weighs usage_account.clarity."""

    version: str
    weights: Floats
    suspicion: float
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
        weights=np.array([meta["weights"][name] for name in FEATURES]),
        suspicion=meta["suspicion"],
        proof=Trees(arrays["feature"].astype(np.int64), arrays["threshold"], arrays["value"]),
        scores=np.array(meta["scores"]),
        rates=np.array(meta["rates"]),
        confidence=np.array(meta["confidence"]),
    )


def siblings(score: Floats, scored: Bools, account: Ints) -> tuple[Floats, Bools]:
    """Mean score of the other series of the same account that were scored today, and who has none."""
    known = scored.astype(float)
    count = totals(account, known) - known
    bounded = np.clip(score, -4.0, 6.0) * known
    return (totals(account, bounded) - bounded) / np.maximum(count, 1.0), count == 0


def evidence(falls: Falls, score: Floats, others: Floats, alone: Bools, together: Floats, state: State, rows: Ints) -> Floats:
    """(len(EVIDENCE), rows). `together` is (2, rows): mean and least log fall of the account's other series."""
    wobble = np.log(np.sqrt(state.wobble[1, rows] + 0.1 / (falls.before + 1) / 7))
    return np.stack([
        score[rows], falls.strength, falls.size, falls.lasting, falls.charitable, falls.days_after, np.log(falls.before + 0.3),
        falls.length, state.seen[rows], np.log(falls.spread + 0.3), wobble, others[rows], alone[rows], falls.unusual, falls.new_low,
        falls.low_since, falls.low_before, *together,
    ])  # fmt: skip


class Calibration:
    """How often a quiet series of this tenant exceeds each score of the table; learns as the days go by, never ahead."""

    def __init__(self, weights: Weights, series: int) -> None:
        self._weights = weights
        self._highest = np.full(series, -np.inf)
        self._level = np.full(series, np.nan)
        self._seen = np.zeros(series, bool)
        self._waiting = (self._highest, self._level, self._seen)
        self._counts = np.zeros(len(weights.scores))
        self._years = 0.0
        self._log_rates = -np.log10(weights.rates)

    def surprise(self, proof: Floats) -> Floats:
        """-log10 of the yearly rate at which quiet series prove as much; -inf below the table."""
        scores, log = self._weights.scores, self._log_rates
        slope = (log[-1] - log[-4]) / (scores[-1] - scores[-4])
        inside = np.interp(proof, scores, log) + np.maximum(proof - scores[-1], 0.0) * slope
        return np.where(proof < scores[0], -np.inf, inside)

    def watch(self, scored: Bools) -> None:
        self._seen |= scored

    def examined(self, rows: Ints, proof: Floats) -> None:
        self._highest[rows] = np.maximum(self._highest[rows], proof)

    def close_block(self, state: State) -> None:
        """Every BLOCK days: judge the block before the last by where its series stand now."""
        levels = state.levels()
        highest, stood, seen = self._waiting
        quiet = seen & (levels[2] >= RETURNED * stood) & (stood > SMALLEST_LEVEL)
        maxima = highest[quiet]
        self._counts += np.array([np.count_nonzero(maxima > s) for s in self._weights.scores])
        self._years += len(maxima) * BLOCK / DAYS_A_YEAR
        rates = (self._counts + PRIOR_YEARS * self._weights.rates) / (self._years + PRIOR_YEARS)
        self._log_rates = -np.log10(np.minimum.accumulate(rates))
        self._waiting = (self._highest, self._level, self._seen)
        self._highest, self._level, self._seen = np.full(len(stood), -np.inf), levels[SLOW], np.zeros(len(stood), bool)
