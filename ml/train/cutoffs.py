"""Where a decision becomes a verdict: limits and calibration, learned on decisions about authors the trees had not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, f1_score

from ml.cutoffs import classes, terms
from ml.labels import EMOTIONS, SITUATIONS
from ml.train import corpus

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
FEWEST_WORDS = 12
"""Messages shorter than this say little about where limits lie: most are single sentences written to teach."""
STEPS = 60


def cutoffs(rows: Sequence[corpus.Row], decided: Floats) -> dict[str, Any]:
    """`english` and `other` hold limits (log odds) of situations and emotions; `stretch` (a, b): sentiment = a x decided + b;
    `classes`: logistic weights of (1, s, |s|, s^2) for negative, neutral, positive; `churn` and `priority`: limits (log odds)."""
    y, english = corpus.labels(rows), np.array([r.language == "en" for r in rows])
    whole = np.array([len(r.own.split()) >= FEWEST_WORDS for r in rows])
    situations, rest = decided[:, : len(SITUATIONS)], decided[:, len(SITUATIONS) :]
    emotions, sentiment = rest[:, : len(EMOTIONS)], rest[:, len(EMOTIONS)]
    churn = rest[:, len(EMOTIONS) + 1 :][:, :3]
    stretch = _stretch(sentiment[whole], y.sentiment[whole])
    s = np.clip(stretch[0] * sentiment + stretch[1], -1, 1)
    return {
        **{
            name: {"situations": _limits(situations[group], y.situations[group]), "emotions": _limits(emotions[group], y.emotions[group])}
            for name, group in (("english", english & whole), ("other", ~english & whole))
        },
        "stretch": stretch,
        "classes": _classes(s[whole], y.sentiment[whole]),
        "churn": _churn(churn[whole], y.churn_risk[whole]),
        "priority": _priority(rest[whole, len(EMOTIONS) + 4 : len(EMOTIONS) + 8], y.priority[whole]),
        "order": _best(decided[:, -1], lambda c: float(f1_score(np.array([r.gives_orders for r in rows]), decided[:, -1] > c))),
    }


def _best(values: Floats, judge: Callable[[float], float]) -> float:
    candidates = np.unique(np.quantile(values, np.linspace(0.4, 0.998, STEPS)))
    return float(candidates[int(np.argmax([judge(c) for c in candidates]))])


def _limits(decided: Floats, wanted: Flags) -> list[float]:
    """The limit of each column with the highest F1."""
    return [_best(column, lambda c, column=column, truth=truth: float(f1_score(truth, column > c))) for column, truth in zip(decided.T, wanted.T, strict=True)]  # type: ignore[misc]


def _stretch(decided: Floats, wanted: Floats) -> list[float]:
    """A regression shrinks towards the middle; this spreads it again, where three classes are told apart best."""
    tried = [(a, b) for a in np.arange(1.0, 1.8, 0.05) for b in np.arange(-0.1, 0.11, 0.02)]
    scores = [f1_score(classes(wanted), classes(a * decided + b), average="macro") for a, b in tried]
    return [round(float(v), 3) for v in tried[int(np.argmax(scores))]]


def _classes(sentiment: Floats, wanted: Floats) -> list[list[float]]:
    model = LogisticRegression(C=10.0, fit_intercept=False, max_iter=500).fit(terms(sentiment), classes(wanted))
    return [[round(float(w), 4) for w in row] for row in model.coef_]


def _churn(decided: Floats, wanted: npt.NDArray[np.int64]) -> list[float]:
    """Limits of the three levels in turn, each the best by weighted kappa with the others held; twice round."""
    limits = [-0.5, -0.5, -0.5]
    for _ in range(2):
        for level in range(3):

            def kappa(limit: float, level: int = level) -> float:
                tried = [*limits[:level], limit, *limits[level + 1 :]]
                return float(cohen_kappa_score(wanted, (decided > np.array(tried)).sum(axis=1), weights="quadratic"))

            limits[level] = _best(decided[:, level], kappa)
    return limits


def _priority(decided: Floats, wanted: npt.NDArray[np.int64]) -> float:
    """How sure one of the needs must be, or it is unknown."""
    named, best = decided[:, 1:].max(axis=1), decided[:, 1:].argmax(axis=1) + 1
    return _best(named, lambda c: float(f1_score(wanted, np.where(named > c, best, 0), average="macro")))
