"""One measured number beside those of others on the same rows, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES, SEED = 500, 7

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`low` and `high` bound `ours` at 95%, by bootstrap over rows; None is a number that was not measured, `note` says why."""

    benchmark: str
    metric: str
    ours: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    vader: float | None = None
    textblob: float | None = None
    afinn: float | None = None
    tfidf: float | None = None
    """TF-IDF of words, with VADER's scores where the classes are of sentiment, into a logistic regression on the rows ours learned from."""
    note: str = ""


def one_hot(found: Ints, classes: int) -> Flags:
    flags: Flags = found[:, None] == np.arange(classes)
    return flags


def macro_f1(truth: Flags, found: Flags) -> float:
    """Mean F1 of the classes (columns) that occur in `truth`."""
    return float(_macro_f1s(np.ones((1, len(truth)), dtype=np.float32), truth, found)[0])


def resampled_macro_f1(truth: Flags, found: Flags) -> Floats:
    """Of RESAMPLES resamples of the rows."""
    return _macro_f1s(_resamples(len(truth)), truth, found)


def calibration_error(right: Flags, confidence: Floats, bins: int = 10) -> float:
    """Mean gap between confidence and hits, over equal bins of confidence, weighed by their rows."""
    return float(_calibration_errors(np.ones((1, len(right)), dtype=np.float32), right, confidence, bins)[0])


def resampled_calibration_error(right: Flags, confidence: Floats, bins: int = 10) -> Floats:
    return _calibration_errors(_resamples(len(right)), right, confidence, bins)


def bounds(resampled: Floats) -> tuple[float, float]:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return float(low), float(high)


def _resamples(rows: int) -> npt.NDArray[np.float32]:
    """(resample, row): how often each row is drawn."""
    chance = np.random.default_rng([SEED, rows])
    return chance.multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES).astype(np.float32)


def _macro_f1s(drawn: npt.NDArray[np.float32], truth: Flags, found: Flags) -> Floats:
    hits, given, said = (drawn @ flags.astype(np.float32) for flags in (truth & found, truth, found))
    occurs = given > 0
    scores = np.where(occurs, 2 * hits / np.maximum(given + said, 1), 0.0)
    return (scores.sum(axis=1) / np.maximum(occurs.sum(axis=1), 1)).astype(np.float64)  # type: ignore[no-any-return]


def _calibration_errors(drawn: npt.NDArray[np.float32], right: Flags, confidence: Floats, bins: int) -> Floats:
    inside = one_hot(np.minimum((confidence * bins).astype(int), bins - 1), bins)
    gaps = drawn @ (inside * (confidence - right)[:, None]).astype(np.float32)
    return (np.abs(gaps).sum(axis=1) / len(right)).astype(np.float64)  # type: ignore[no-any-return]
