"""What a state says: the features of a series, every one growing with suspicion or setting the scene for the others."""

from __future__ import annotations

import numpy as np

from ml.usage.state import SLOW, Singles, State

FEATURES = (
    "cusum_fast",
    "cusum_mid",
    "cusum_sharp",
    "cusum_slow",
    "drift_5",
    "drift_14",
    "drift_40",
    "fall_3_40",
    "fall_7_40",
    "fall_7_120",
    "fall_16_120",
    "fall_40_120",
    "gap_7_120",
    "gap_16_120",
    "gap_7_40",
    "zeros",
    "agreement",
    "season",
    "spread",
    "size",
    "size_x_cusum",
    "size_x_gap",
    "youth",
    "season_x_gap",
    "stray_7",
    "stray_16",
    "stray_40_long",
    "fall_16_240",
    "fall_40_240",
    "gap_16_240",
    "wobble",
)
"""Two numbers name the half-lives, in days, of the levels that are compared."""

ENOUGH_DAYS = np.float32(12)


def features(state: State, season: Singles) -> list[Singles]:
    """One vector per name in FEATURES. `season`: how far the peers' days have strayed from ordinary ones lately."""
    level = state.levels()
    log = np.log(level + np.float32(0.3))
    root = np.sqrt(level)
    spread = np.sqrt(np.maximum(state.dispersion, np.float32(1)))
    days = np.sqrt(np.minimum(state.den[:3], ENOUGH_DAYS)) * (np.float32(2) / spread)

    def fall(fast: int, slow: int) -> Singles:
        result: Singles = np.clip(log[slow] - log[fast], np.float32(-1), np.float32(3))
        return result

    def gap(fast: int, slow: int) -> Singles:
        result: Singles = np.clip((root[slow] - root[fast]) * days[fast], np.float32(-10), np.float32(25))
        return result

    cusum = np.sqrt(state.cusum)
    size = log[SLOW]
    far, fall_7, fall_16, fall_40 = gap(1, 4), fall(1, 4), fall(2, 4), fall(3, 5)
    drift = state.drift
    wobble = usual_stray(state, level[SLOW])
    return [
        cusum[0], cusum[1], cusum[2], np.sqrt(state.slow_cusum), drift[0], drift[1], drift[2],
        fall(0, 3), fall(1, 3), fall_7, fall_16, fall(3, 4),
        far, gap(2, 4), gap(1, 3), np.minimum(state.zeros, np.float32(20)) / np.float32(5), np.minimum(drift[0], drift[1]), season,
        np.log(spread), size, size * cusum[1], np.clip(size, np.float32(0), np.float32(3)) * far / np.float32(5),
        np.exp(state.seen * np.float32(-1 / 90)), season * far, fall_7 / wobble[0], fall_16 / wobble[1], fall_40 / wobble[1],
        fall(2, 5), fall_40, gap(2, 5), np.log(wobble[1]),
    ]  # fmt: skip


def usual_stray(state: State, level: Singles) -> Singles:
    """(2, series): how far the levels of 7 and 16 days usually stray from the slow one, on the log scale; small counts stray by chance."""
    result: Singles = np.sqrt(state.wobble + np.float32(0.1 / 7) / (level + np.float32(1)))
    return result


def score(state: State, season: Singles, weights: Singles) -> Singles:
    """The weighted sum of the features, added up one by one: the order of a matrix product would depend on how many series there are."""
    total = np.zeros(state.rows.shape[1], np.float32)
    for weight, feature in zip(weights, features(state, season), strict=True):
        total += weight * feature
    return total
