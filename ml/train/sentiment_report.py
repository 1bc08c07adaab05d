"""How well the sentiment model reads rows it was not trained on, beside VADER on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.sentiment import Sentiment
from ml.train.sentiment_data import Row

VADER_CLEAR = 0.05
"""VADER's own rule: a compound score within this is neutral."""
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def report(model: Sentiment, rows: Sequence[Row]) -> dict[str, Any]:
    """Per domain: rows, macro-F1, Pearson's r with the raters' mean where there is one, calibration error; and VADER's."""
    domains = sorted({r.domain for r in rows})
    return {domain: _numbers(model, [r for r in rows if r.domain == domain]) for domain in domains}


def _numbers(model: Sentiment, rows: Sequence[Row]) -> dict[str, float | int]:
    from ml.tokens import tokens

    labels = np.array([r.label for r in rows])
    chances = model.probabilities(tokens([r.text for r in rows]))
    tone = chances[:, 2] - chances[:, 0]
    compound = _vader([r.text for r in rows])
    has_neutral = bool((labels == 1).any())
    ours = chances.argmax(axis=1) if has_neutral else np.where(tone >= 0, 2, 0)
    theirs = np.where(compound > VADER_CLEAR, 2, np.where(compound < -VADER_CLEAR, 0, 1)) if has_neutral else np.where(compound > 0, 2, 0)
    numbers: dict[str, float | int] = {
        "rows": len(rows),
        "macro_f1": macro_f1(labels, ours),
        "vader_macro_f1": macro_f1(labels, theirs),
        "calibration_error": _calibration_error(labels, chances),
    }
    if all(r.rating is not None for r in rows):
        rating = np.array([r.rating for r in rows], dtype=float)
        numbers |= {"pearson": _pearson(tone, rating), "vader_pearson": _pearson(compound, rating)}
    return numbers


def macro_f1(labels: Ints, found: Ints) -> float:
    scores = []
    for value in np.unique(labels):
        right = int(((found == value) & (labels == value)).sum())
        scores.append(2 * right / max(int((found == value).sum() + (labels == value).sum()), 1))
    return round(float(np.mean(scores)), 3)


def _pearson(a: Floats, b: Floats) -> float:
    return round(float(np.corrcoef(a, b)[0, 1]), 3)


def _calibration_error(labels: Ints, chances: Floats, bins: int = 10) -> float:
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(confidence[at == b].mean() - right[at == b].mean()) * (at == b).mean() for b in range(bins) if (at == b).any()]
    return round(float(sum(gaps)), 3)


def _vader(texts: Sequence[str]) -> Floats:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return np.array([analyzer.polarity_scores(text)["compound"] for text in texts])
