"""Sentiment of own text: hashed words and a lexicon into a linear model, sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Sentiment:
    """Load once, score in batches."""

    version: str
    """Name and short hash of the weights; stored beside every score."""

    @classmethod
    def load(cls) -> Self:
        raise NotImplementedError

    def score(self, texts: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """(sentiment -1..1, confidence 0..1) per text; (0, 0) for a text without words."""
        raise NotImplementedError
