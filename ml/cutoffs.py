"""Terms of the calibrated confidence, the same in training and in reading."""

from __future__ import annotations

import numpy as np

from ml.features import Floats


def terms(sentiment: Floats) -> Floats:
    return np.column_stack([np.ones(len(sentiment)), sentiment, np.abs(sentiment), sentiment**2])
