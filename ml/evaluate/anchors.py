"""What is freely at hand, measured on the same rows: three lexicons, and a plain TF-IDF model that learns from the rows ours learns from."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ml.evaluate.figure import Floats, Ints, one_hot
from ml.tokens import NEGATION_REACH
from ml.train import logistic
from ml.train.sentiment_data import CLASSES
from ml.train.sentiment_report import VADER_CLEAR

VADER_FEATURES = ("compound", "pos", "neu", "neg")
_SIGNS = "!?.,;:"
_WORD = re.compile(r"\w+(?:'\w+)?|[!?.,;:]")
_NEGATION = re.compile(r"not|no|never|none|nobody|nothing|neither|nor|without|cannot|\w+n't")
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
    """Words and pairs of words, marked where they stand behind a negation, with VADER's scores beside them.

    Solved as ours is: scikit-learn's solver stops short of the optimum on these rows, which would flatter ours.
    """

    def __init__(self, texts: Sequence[str], scores: Floats, labels: Sequence[int], weights: Sequence[float]) -> None:
        self._words = vectorizer().fit(texts)
        wanted = one_hot(np.array(labels), len(CLASSES)).astype(float)
        self._weights, self._bias = logistic.softmax(self._rows(texts, scores), wanted, np.array(weights), strength=1.0, rounds=40)

    def __call__(self, texts: Sequence[str], scores: Floats) -> Floats:
        """Chances (text, class)."""
        from scipy.special import softmax

        chances: Floats = softmax(self._rows(texts, scores) @ self._weights + self._bias, axis=1)
        return chances

    def _rows(self, texts: Sequence[str], scores: Floats) -> Any:
        from scipy.sparse import csr_matrix, hstack

        clear = np.column_stack([scores[:, 0] > VADER_CLEAR, scores[:, 0] < -VADER_CLEAR])
        return hstack([self._words.transform(texts), csr_matrix(np.hstack([scores, clear]))], format="csr")


def vectorizer() -> Any:
    """TF-IDF of words and pairs."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, tokenizer=marked, lowercase=False, token_pattern=None)


def marked(text: str) -> list[str]:
    """Lower-cased words, exclamation and question marks; three words behind a negation are marked, up to the next sign."""
    found, reach = [], 0
    for word in _WORD.findall(text.lower().replace("’", "'")):
        if word in _SIGNS:
            reach = 0
            found.extend([word] if word in "!?" else [])
        elif _NEGATION.fullmatch(word):
            reach = NEGATION_REACH
            found.append(word)
        else:
            found.append(f"NOT_{word}" if reach else word)
            reach = max(reach - 1, 0)
    return found
