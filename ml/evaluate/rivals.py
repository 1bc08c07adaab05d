"""What a team would reach for first: lexicons, and TF-IDF with logistic regression trained on our own training split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.evaluate.metrics import classes
from ml.train import corpus

Floats = npt.NDArray[np.float64]
VADER_CLEAR = 0.05
"""VADER's own rule: a compound score within this is neutral."""


@dataclass(frozen=True, slots=True)
class Rival:
    """`score` -1..1 and `found` classes 0..2 of each text; None where it was not run, `note` says why."""

    name: str
    score: Floats | None
    found: npt.NDArray[np.int64] | None
    note: str = ""


def sentiments(texts: Sequence[str]) -> list[Rival]:
    return [_vader(texts), _textblob(texts), _afinn(texts), _tfidf(texts)]


def judged(rival: Rival, truth: Floats) -> tuple[str, str]:
    """(Pearson, macro-F1), "" where not run."""
    if rival.score is None or rival.found is None:
        return "", ""
    wanted = classes(truth)
    f1 = [2 * ((rival.found == c) & (wanted == c)).sum() / max((rival.found == c).sum() + (wanted == c).sum(), 1) for c in range(3)]
    return f"{np.corrcoef(rival.score, truth)[0, 1]:.3f}", f"{np.mean(f1):.3f}"


def vader(texts: Sequence[str]) -> Floats:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return np.array([analyzer.polarity_scores(text)["compound"] for text in texts])


def _vader(texts: Sequence[str]) -> Rival:
    score = vader(texts)
    return Rival("VADER", score, _cut(score, VADER_CLEAR))


def _textblob(texts: Sequence[str]) -> Rival:
    try:
        from textblob import TextBlob
    except ImportError:
        return Rival("TextBlob", None, None, "not run: needs textblob")
    score = np.array([TextBlob(text).sentiment.polarity for text in texts])
    return Rival("TextBlob", score, _cut(score, VADER_CLEAR))


def _afinn(texts: Sequence[str]) -> Rival:
    try:
        from afinn import Afinn
    except ImportError:
        return Rival("AFINN", None, None, "not run: needs afinn")
    scorer = Afinn()
    score = np.array([scorer.score(text) for text in texts])
    return Rival("AFINN", score, _cut(score, 0.5))


def _tfidf(texts: Sequence[str]) -> Rival:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = corpus.read("train")
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LogisticRegression(C=3.0, class_weight="balanced", max_iter=500)
    model.fit(words.fit_transform([r.own for r in rows]), classes(np.array([r.sentiment for r in rows])))
    chances = model.predict_proba(words.transform(texts))
    return Rival("TF-IDF + logistic regression", chances[:, 2] - chances[:, 0], chances.argmax(axis=1), "trained on our training split")


def _cut(score: Floats, clear: float) -> npt.NDArray[np.int64]:
    return np.where(score >= clear, 2, np.where(score <= -clear, 0, 1))
