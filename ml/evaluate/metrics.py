"""Measures of agreement between two labellings of the same messages, one of which may be the reader's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ml.cutoffs import classes
from ml.labels import EMOTIONS, NEGATIVE_EMOTIONS, SITUATIONS
from ml.train.spans import token_f1

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelling: a row a message. `span` is what is worth reflecting first, "" where nothing is."""

    sentiment: Floats
    emotions: Flags
    situations: Flags
    churn_risk: Ints
    priority: npt.NDArray[np.str_]
    span: Sequence[str]

    @classmethod
    def named(
        cls,
        sentiment: Sequence[float],
        emotions: Sequence[Sequence[str]],
        situations: Sequence[Sequence[str]],
        churn: Sequence[int],
        priority: Sequence[str],
        span: Sequence[str],
    ) -> Self:
        return cls(np.array(sentiment, dtype=float), _flags(emotions, EMOTIONS), _flags(situations, SITUATIONS), np.array(churn), np.array(priority), span)

    def of(self, rows: Ints) -> Labelled:
        spans = [self.span[n] for n in rows]
        return Labelled(self.sentiment[rows], self.emotions[rows], self.situations[rows], self.churn_risk[rows], self.priority[rows], spans)


def _flags(named: Sequence[Sequence[str]], names: Sequence[str]) -> Flags:
    return np.array([[name in row for name in names] for row in named], dtype=bool).reshape(len(named), len(names))


def pearson(truth: Labelled, found: Labelled) -> float:
    if np.ptp(truth.sentiment) == 0 or np.ptp(found.sentiment) == 0:
        return 0.0
    return float(np.corrcoef(truth.sentiment, found.sentiment)[0, 1])


def three_classes(truth: Labelled, found: Labelled) -> float:
    """Macro-F1 of negative, neutral, positive."""
    a, b = classes(truth.sentiment), classes(found.sentiment)
    return float(np.mean([_f1(a == c, b == c) for c in range(3) if (a == c).any()]))


def situations(truth: Labelled, found: Labelled) -> float:
    """Macro-F1 over the situations that occur."""
    return float(np.mean([_f1(truth.situations[:, n], found.situations[:, n]) for n in range(len(SITUATIONS)) if truth.situations[:, n].any()]))


def emotions(truth: Labelled, found: Labelled) -> float:
    """Micro-F1."""
    return _f1(truth.emotions.ravel(), found.emotions.ravel())


def churn_kappa(truth: Labelled, found: Labelled) -> float:
    """Cohen's kappa of the four levels with quadratic weights."""
    seen = np.zeros((4, 4))
    np.add.at(seen, (truth.churn_risk, found.churn_risk), 1)
    weight = (np.arange(4)[:, None] - np.arange(4)) ** 2
    expected = seen.sum(axis=1)[:, None] * seen.sum(axis=0) / max(seen.sum(), 1)
    chance = (weight * expected).sum()
    return float(1 - (weight * seen).sum() / chance) if chance else 1.0


def churn_recall(truth: Labelled, found: Labelled) -> float:
    """Of level 2 and above."""
    risky = truth.churn_risk >= 2
    return float((found.churn_risk[risky] >= 2).mean()) if risky.any() else 1.0


def churn_precision(truth: Labelled, found: Labelled) -> float:
    """Of level 2 and above."""
    said = found.churn_risk >= 2
    return float((truth.churn_risk[said] >= 2).mean()) if said.any() else 1.0


def priority(truth: Labelled, found: Labelled) -> float:
    """Macro-F1 of the four, unknown among them."""
    return float(np.mean([_f1(truth.priority == name, found.priority == name) for name in np.unique(truth.priority)]))


def span_f1(truth: Labelled, found: Labelled) -> float:
    """Mean token-F1 of the first span, over messages where one is marked."""
    marked = [n for n, span in enumerate(truth.span) if span]
    return float(np.mean([token_f1(found.span[n], truth.span[n]) for n in marked])) if marked else 0.0


def invented(truth: Labelled, found: Labelled) -> float:
    """Share of neutral routine messages in which a negative emotion is found."""
    calm = truth.emotions[:, EMOTIONS.index("neutral")] & truth.situations[:, SITUATIONS.index("routine_logistics")] & (truth.situations.sum(axis=1) == 1)
    negative = [n for n, name in enumerate(EMOTIONS) if name in NEGATIVE_EMOTIONS]
    return float(found.emotions[calm][:, negative].any(axis=1).mean()) if calm.any() else 0.0


def interval(measure: Callable[[Labelled, Labelled], float], truth: Labelled, found: Labelled, resamples: int = RESAMPLES) -> tuple[float, float]:
    """95% by bootstrap over messages."""
    chance = np.random.default_rng(7)
    size = len(truth.sentiment)
    values = [measure(truth.of(rows), found.of(rows)) for rows in (chance.integers(0, size, size) for _ in range(resamples))]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _f1(truth: Flags, found: Flags) -> float:
    return float(2 * (truth & found).sum() / max((truth.sum() + found.sum()), 1))
