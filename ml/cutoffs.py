"""Where decisions become verdicts on sentiment: the same in training, reading and evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.labels import NEGATIVE, POSITIVE
from ml.tokens import Floats, Ints

_HAIR = 0.001
_LOWEST, _HIGHEST = np.array([-1.0, NEGATIVE + _HAIR, POSITIVE]), np.array([NEGATIVE, POSITIVE - _HAIR, 1.0])


def classes(sentiment: Floats) -> Ints:
    """0 negative, 1 neutral, 2 positive."""
    return np.where(sentiment <= NEGATIVE, 0, np.where(sentiment >= POSITIVE, 2, 1))


def softmax(log_odds: Floats) -> Floats:
    raised = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
    chances: Floats = raised / raised.sum(axis=1, keepdims=True)
    return chances


def blended(regressed: Floats, chances: Floats, means: Sequence[float], stretch: Sequence[float]) -> Floats:
    """One number from a regression and the chances of the three classes, whose mean sentiments are `means`."""
    slope, start = stretch
    result: Floats = slope * (regressed + chances @ np.array(means)) / 2 + start
    return result


def within_class(sentiment: Floats, chances: Floats) -> Floats:
    """Moved to the nearest value that belongs to the likeliest class."""
    likeliest = chances.argmax(axis=1)
    return np.clip(sentiment, _LOWEST[likeliest], _HIGHEST[likeliest])


def terms(chances: Floats, sentiment: Floats) -> Floats:
    """What the calibrated chances of the classes rest on."""
    return np.column_stack([np.ones(len(sentiment)), np.log(np.maximum(chances, 1e-6)), sentiment, np.abs(sentiment)])
