"""What is freely at hand, measured on the same rows: three lexicons, and a plain TF-IDF model that learns from the rows ours learns from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ml.evaluate.figure import Floats, Ints
from ml.train.sentiment_report import VADER_CLEAR

VADER_FEATURES = ("compound", "pos", "neu", "neg")
LEXICONS = ("vader", "textblob", "afinn")


def installed(lexicon: str) -> bool:
    return lexicon == "vader" or find_spec(lexicon) is not None


def vader(texts: Sequence[str]) -> Floats:
    """(text, VADER_FEATURES)."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    scores = [analyser.polarity_scores(text) for text in texts]
    return np.array([[score[name] for name in VADER_FEATURES] for score in scores]).reshape(len(texts), len(VADER_FEATURES))


def valence(lexicon: str, texts: Sequence[str]) -> tuple[Floats, float]:
    """What the lexicon makes of each text, and the valence beyond which its authors or users call a text clear."""
    if lexicon == "vader":
        return vader(texts)[:, 0], VADER_CLEAR
    module = import_module(lexicon)
    score: Callable[[str], float] = (lambda text: module.TextBlob(text).sentiment.polarity) if lexicon == "textblob" else module.Afinn().score
    return np.array([score(text) for text in texts], dtype=float), 0.0


def classes(values: Floats, clear: float) -> Ints:
    """0 negative, 1 neutral, 2 positive."""
    return np.where(values > clear, 2, np.where(values < -clear, 0, 1))


class TfIdf:
    """Words and pairs of words, with VADER's scores beside them."""

    def __init__(self, texts: Sequence[str], scores: Floats, labels: Sequence[int], weights: Sequence[float]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        self._words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit(texts)
        self._model = LogisticRegression(max_iter=300, tol=1e-3).fit(self._rows(texts, scores), labels, sample_weight=weights)

    def __call__(self, texts: Sequence[str], scores: Floats) -> Floats:
        """(text, class)."""
        chances: Floats = self._model.predict_proba(self._rows(texts, scores))
        return chances

    def _rows(self, texts: Sequence[str], scores: Floats) -> Any:
        from scipy.sparse import csr_matrix, hstack

        return hstack([self._words.transform(texts), csr_matrix(scores)], format="csr")
