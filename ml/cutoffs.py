"""Classes of sentiment and the terms of their calibrated confidence, the same in training, reading and evaluation."""

from __future__ import annotations

import numpy as np

from ml.features import Floats, Ints
from ml.labels import NEGATIVE, POSITIVE


def terms(sentiment: Floats) -> Floats:
    return np.column_stack([np.ones(len(sentiment)), sentiment, np.abs(sentiment), sentiment**2])


def classes(sentiment: Floats) -> Ints:
    """0 negative, 1 neutral, 2 positive."""
    return np.where(sentiment <= NEGATIVE, 0, np.where(sentiment >= POSITIVE, 2, 1))
