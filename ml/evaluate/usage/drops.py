"""The true drops of a generated panel: when, of which kind, how deep, and what they leave."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Random = np.random.Generator

YEAR = 365.25
FEATURES = 3
FEATURE_NAMES = tuple(f"feat{k}" for k in range(FEATURES))
KINDS = ("level_shift", "seat_loss", "slow_fade", "feature_abandon", "churn")
KIND_SHARES = (0.25, 0.27, 0.2, 0.18, 0.1)
FIRST_DROP_AGE = 45
APART = 120
"""Days between two drops of one account."""


@dataclass(slots=True)
class Drop:
    """`sizes`: relative fall per series, once complete."""

    account: int
    onset: int
    detect_by: int
    kind: str
    sizes: dict[str, float]


def all_drops(random: Random, start_day: Ints, days: int, rate: float, first: int) -> tuple[list[Drop], Floats, Floats, Floats]:
    """The drops, and what they leave of seats, of events per user and of each feature, per account and day."""
    n = len(start_day)
    seats, intensity, feature = np.ones((n, days)), np.ones((n, days)), np.ones((FEATURES, n, days))
    drops: list[Drop] = []
    for account in range(n):
        earliest = max(first, int(start_day[account]) + FIRST_DROP_AGE)
        if earliest >= days - 14:
            continue
        onsets = np.sort(random.integers(earliest, days - 14, random.poisson(rate * (days - earliest) / YEAR)))
        onsets = onsets[np.r_[True, np.diff(onsets) > APART]] if len(onsets) > 1 else onsets
        for onset in onsets:
            drop = _drop(random, account, int(onset), seats[account], intensity[account], feature[:, account])
            drops.append(drop)
            if drop.kind == "churn":
                break
    for one, following in pairwise(drops):
        if one.account == following.account:
            one.detect_by = min(one.detect_by, following.onset - 1)
    return drops, seats, intensity, feature


def _drop(random: Random, account: int, onset: int, seats: Floats, intensity: Floats, feature: Floats) -> Drop:
    """Draws a kind and lowers the account's rows in place."""
    kind, days = str(random.choice(KINDS, p=KIND_SHARES)), len(seats)
    names: tuple[str, ...] = ("seats", "events", *FEATURE_NAMES)
    horizon = 42
    if kind in ("level_shift", "seat_loss"):
        size = random.uniform(0.15, 0.8 if kind == "level_shift" else 0.7)
        rows = intensity if kind == "level_shift" else seats
        rows *= 1 - size * _ramp(days, onset, 1 if random.random() < 0.6 else int(random.integers(2, 8)))
        sizes = dict.fromkeys(names[1:] if kind == "level_shift" else names, size)
    elif kind == "slow_fade":
        size, length = random.uniform(0.3, 0.9), int(random.integers(30, 121))
        of_seats = random.uniform(0.5, 1)
        fade = np.log(1 - size) * _ramp(days, onset, length)
        seats *= np.exp(of_seats * fade)
        intensity *= np.exp((1 - of_seats) * fade)
        sizes = {**dict.fromkeys(names, size), "seats": 1 - (1 - size) ** of_seats}
        horizon = length + 28
    elif kind == "feature_abandon":
        which, size = int(random.integers(0, FEATURES)), random.uniform(0.85, 1)
        feature[which] *= 1 - size * _ramp(days, onset, int(random.integers(1, 15)))
        sizes = {FEATURE_NAMES[which]: size}
    else:
        size, length = random.uniform(0.95, 1), int(random.integers(1, 11))
        seats *= 1 - size * _ramp(days, onset, length)
        sizes = dict.fromkeys(names, size)
    return Drop(account, onset, min(days - 1, onset + horizon), kind, sizes)


def _ramp(days: int, onset: int, length: int) -> Floats:
    ramp: Floats = np.clip((np.arange(days) - onset + 1) / length, 0, 1)
    return ramp
