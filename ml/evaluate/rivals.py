"""What a team would reach for first: lexicons, and TF-IDF with logistic regression trained on our own training split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.cutoffs import classes
from ml.evaluate import anchors
from ml.evaluate.figure import macro_f1, one_hot
from ml.train import corpus

Floats = npt.NDArray[np.float64]
NAMES = {"vader": "VADER", "textblob": "TextBlob", "afinn": "AFINN"}


@dataclass(frozen=True, slots=True)
class Rival:
    """`score` -1..1 and `found` classes 0..2 of each text; None where it was not run, `note` says why."""

    name: str
    score: Floats | None
    found: npt.NDArray[np.int64] | None
    note: str = ""


def sentiments(texts: Sequence[str]) -> list[Rival]:
    return [*(_lexicon(name, texts) for name in anchors.LEXICONS), _tfidf(texts)]


def judged(rival: Rival, truth: Floats) -> tuple[str, str]:
    """(Pearson, macro-F1), "" where not run."""
    if rival.score is None or rival.found is None:
        return "", ""
    wanted = classes(truth)
    f1 = macro_f1(one_hot(wanted, 3), one_hot(rival.found, 3))
    return f"{np.corrcoef(rival.score, truth)[0, 1]:.3f}", f"{f1:.3f}"


def _lexicon(name: str, texts: Sequence[str]) -> Rival:
    if not anchors.installed(name):
        return Rival(NAMES[name], None, None, f"not run: needs {name}")
    score, clear = anchors.valence(name, texts)
    return Rival(NAMES[name], score, anchors.classes(score, clear))


def _tfidf(texts: Sequence[str]) -> Rival:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = corpus.read("train")
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LogisticRegression(C=3.0, class_weight="balanced", max_iter=500)
    model.fit(words.fit_transform([r.own for r in rows]), classes(np.array([r.sentiment for r in rows])))
    chances = model.predict_proba(words.transform(texts))
    return Rival("TF-IDF + logistic regression", chances[:, 2] - chances[:, 0], chances.argmax(axis=1), "trained on our training split")
