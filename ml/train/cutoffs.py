"""Where a decision becomes a verdict: limits and calibration, learned on decisions about authors the trees had not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, f1_score

from ml.columns import CHURN, CLASS, CLASSES, EMOTION, PRIORITY, SENTIMENT, SITUATION
from ml.cutoffs import blended, classes, softmax, terms, within_class
from ml.labels import EMOTIONS, NEGATIVE_EMOTIONS, SITUATIONS
from ml.tokens import Flags, Floats
from ml.train import corpus

INVENTED = 0.08
PRECISE = 0.72
FEWEST_WORDS = 12
"""Messages shorter than this say little about where limits lie: most are single sentences written to teach."""
EVEN = ("k1", "k2", "k3", "k4")
"""Authors who wrote as many notices as harmless messages: they teach the difference, and say nothing about how rare a notice is."""
STEPS = 60


def cutoffs(rows: Sequence[corpus.Row], decided: Floats) -> dict[str, Any]:
    """`english` and `other` hold limits (log odds) of situations and emotions, `calm` that of the emotion "neutral" above which no other is named;
    `means`, `stretch` and `classes`: see ml.cutoffs; `churn` and `priority`: limits (log odds)."""
    whole = np.array([len(r.own.split()) >= FEWEST_WORDS for r in rows])
    kept = [r for r, long in zip(rows, whole, strict=True) if long]
    y, english, usual, decided = (
        corpus.labels(kept),
        np.array([r.language == "en" for r in kept]),
        np.array([r.author not in EVEN for r in kept]),
        decided[whole],
    )
    groups = {
        name: {"situations": _limits(decided[group, SITUATION], y.situations[group]), "emotions": _limits(decided[group, EMOTION], y.emotions[group])}
        for name, group in (("english", english), ("other", ~english))
    }
    wanted, chances = classes(y.sentiment), softmax(decided[:, CLASS])
    means = [round(float(y.sentiment[wanted == n].mean()), 4) for n in range(len(CLASSES))]
    stretch = _stretch(decided[:, SENTIMENT], chances, means, y.sentiment)
    sentiment = within_class(blended(decided[:, SENTIMENT], chances, means, stretch), chances)
    return {
        **groups,
        "means": means,
        "stretch": stretch,
        "classes": _sureness(terms(chances, sentiment), wanted),
        "calm": _calm(decided[:, EMOTION], np.where(english[:, None], groups["english"]["emotions"], groups["other"]["emotions"]), y),
        "churn": _churn(decided[usual][:, CHURN], y.churn_risk[usual]),
        "priority": _priority(decided[:, PRIORITY], y.priority),
    }


def _best(values: Floats, judge: Callable[[float], float]) -> float:
    candidates = np.unique(np.quantile(values, np.linspace(0.4, 0.998, STEPS)))
    return float(candidates[int(np.argmax([judge(c) for c in candidates]))])


def _limits(decided: Floats, wanted: Flags) -> list[float]:
    """The limit of each column with the highest F1."""
    return [_best(column, lambda c, column=column, truth=truth: float(f1_score(truth, column > c))) for column, truth in zip(decided.T, wanted.T, strict=True)]  # type: ignore[misc]


def _stretch(regressed: Floats, chances: Floats, means: Sequence[float], wanted: Floats) -> list[float]:
    """A regression shrinks towards the middle; this spreads it again, as far as brings it nearest to the labels."""
    tried = [(float(slope), float(start)) for slope in np.arange(0.9, 1.85, 0.05) for start in np.arange(-0.08, 0.09, 0.02)]
    error = [np.square(within_class(blended(regressed, chances, means, stretch), chances) - wanted).mean() for stretch in tried]
    return [round(value, 3) for value in tried[int(np.argmin(error))]]


def _sureness(said: Floats, wanted: npt.NDArray[np.int64]) -> list[list[float]]:
    model = LogisticRegression(C=10.0, fit_intercept=False, max_iter=1000).fit(said, wanted)
    return [[round(float(w), 4) for w in row] for row in model.coef_]


def _calm(decided: Floats, limits: Floats, y: corpus.Labels) -> float:
    """The highest limit that leaves a negative emotion in at most INVENTED of the neutral routine messages."""
    neutral, routine = EMOTIONS.index("neutral"), SITUATIONS.index("routine_logistics")
    negative = [n for n, name in enumerate(EMOTIONS) if name in NEGATIVE_EMOTIONS]
    over = decided - limits
    stirred = (over[:, negative] > 0).any(axis=1) & (over.argmax(axis=1) != neutral)
    calm = y.emotions[:, neutral] & y.situations[:, routine] & (y.situations.sum(axis=1) == 1)
    wrong = np.sort(decided[calm & stirred, neutral])
    allowed = int(INVENTED * calm.sum())
    return round(float(wrong[allowed]), 4) if len(wrong) > allowed else float(decided[:, neutral].max())


def _churn(decided: Floats, wanted: npt.NDArray[np.int64]) -> list[float]:
    """That of level 2, from which on somebody is warned, so that PRECISE of the warnings are right; the others in turn by weighted kappa, twice round."""
    order = np.argsort(-decided[:, 1])
    right = np.cumsum(wanted[order] >= 2) / np.arange(1, len(order) + 1)
    warned = float(decided[order[np.flatnonzero(right >= PRECISE)[-1]], 1])
    limits = [-0.5, warned, -0.5]
    for _ in range(2):
        for level in (0, 2):

            def kappa(limit: float, level: int = level) -> float:
                tried = [*limits[:level], limit, *limits[level + 1 :]]
                return float(cohen_kappa_score(wanted, (decided > np.array(tried)).sum(axis=1), weights="quadratic"))

            limits[level] = _best(decided[:, level], kappa)
    return limits


def _priority(decided: Floats, wanted: npt.NDArray[np.int64]) -> float:
    """How sure one of the needs must be, or it is unknown."""
    named, best = decided.max(axis=1), decided.argmax(axis=1) + 1
    return _best(named, lambda c: float(f1_score(wanted, np.where(named > c, best, 0), average="macro")))
