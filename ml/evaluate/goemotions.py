"""GoEmotions with our own hashed features: a linear model of its own, learned from the train split; thresholds from dev, figures from test.

Nothing of it is shipped and nothing shipped has seen these rows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml import features
from ml.evaluate import figure as f
from ml.evaluate.anchors import vectorizer
from ml.evaluate.figure import Figure, Flags, Floats, Ints
from ml.tokens import tokens
from ml.train import logistic
from ml.train import sentiment_data as data

COLUMNS = {"labels": "GoEmotions, 28 labels", "ekman": "GoEmotions, 7 of Ekman", "group": "GoEmotions, 4 groups"}
"""The column of the file that holds each set of classes. Several classes may stand together in a row."""
METRIC = "macro-F1"
FIGURES = tuple((name, METRIC) for name in COLUMNS.values())
CHARACTERS = (3, 4)
"""Length of the runs of letters and signs."""
SMOOTHING = 5
"""Neighbouring cut-offs over which a class's F1 on dev is averaged: rare classes have a few dozen rows there."""
STRENGTH, WORD_ROUNDS, CHARACTER_ROUNDS = 3.0, 25, 18
FEWEST_ROWS_OF_A_WORD, FEWEST_ROWS_OF_A_RUN = 2, 6


@dataclass(frozen=True, slots=True)
class Posts:
    texts: Sequence[str]
    split: Flags
    """(post, train | dev | test)."""
    classes: dict[str, Flags]
    """(post, class) for each of COLUMNS."""

    @property
    def train(self) -> Flags:
        return self.split[:, 0]


def goemotions(folder: Path) -> list[Figure]:
    """FIGURES, in order."""
    posts = _read(folder)
    ours = [
        _chances(posts, _words(posts), WORD_ROUNDS, "words, pairs and stems"),
        _chances(posts, _runs(posts), CHARACTER_ROUNDS, "runs of characters"),
    ]
    tfidf = _chances(posts, _tfidf(posts), WORD_ROUNDS, "TF-IDF of words")
    return [_figure(posts, column, _voted(posts, column, ours), tfidf[column]) for column in COLUMNS]


def _read(folder: Path) -> Posts:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(folder / "text" / "goemotions.parquet")
    split = np.array(table["split"].to_pylist())
    classes = {}
    for column in COLUMNS:
        held = table[column].to_pylist()
        names = sorted({name for row in held for name in row})
        classes[column] = np.array([[name in row for name in names] for row in held])
    return Posts(table["text"].to_pylist(), split[:, None] == np.array(["train", "dev", "test"]), classes)


def _words(posts: Posts) -> Any:
    from scipy.sparse import csr_matrix, hstack

    t = tokens(posts.texts)
    weighed = _weighed(posts, *features.hashed(t, stems=True), FEWEST_ROWS_OF_A_WORD)
    return hstack([weighed, csr_matrix(features.lexical(t, data.lexicon()))], format="csr")


def _runs(posts: Posts) -> Any:
    from scipy.sparse import csr_matrix, hstack

    weighed = _weighed(posts, *hashed_runs(posts.texts), FEWEST_ROWS_OF_A_RUN)
    return hstack([weighed, csr_matrix(features.lexical(tokens(posts.texts), data.lexicon()))], format="csr")


def _tfidf(posts: Posts) -> Any:
    fitted = vectorizer().fit([text for text, learned in zip(posts.texts, posts.train, strict=True) if learned])
    return fitted.transform(posts.texts)


def hashed_runs(texts: Sequence[str]) -> tuple[Ints, Ints, Floats]:
    """(text, bucket, 1 + ln n) of runs of CHARACTERS bytes, lower case, with a space before and behind each text; sorted by text and bucket."""
    encoded = [f" {text.lower()} ".encode("utf-8", "surrogatepass") for text in texts]
    letters = np.frombuffer(b"".join(encoded), dtype=np.uint8).astype(np.uint64)
    text = np.repeat(np.arange(len(texts)), [len(e) for e in encoded])
    cells = []
    for length in CHARACTERS:
        starts = np.flatnonzero(text[: len(text) - length + 1] == text[length - 1 :])
        key = np.full(len(starts), length, dtype=np.uint64)
        for at in range(length):
            key = key << np.uint64(8) | letters[starts + at]
        cells.append(text[starts] * features.BUCKETS + (features.mixed(key) % np.uint64(features.BUCKETS)).astype(np.int64))
    found, counts = np.unique(np.concatenate(cells), return_counts=True)
    return found // features.BUCKETS, found % features.BUCKETS, 1.0 + np.log(counts)


def _weighed(posts: Posts, unit: Ints, bucket: Ints, frequency: Floats, fewest: int) -> Any:
    """TF-IDF of length 1; what stands in few training rows is left out."""
    from scipy.sparse import csr_matrix

    seen = np.bincount(bucket[posts.train[unit]], minlength=features.BUCKETS)
    idf = np.where(seen >= fewest, np.log((1 + posts.train.sum()) / (1 + seen)) + 1, 0.0)
    value = frequency * idf[bucket]
    norm = np.sqrt(np.bincount(unit, weights=value * value, minlength=len(posts.texts)))
    value /= np.where(norm > 0, norm, 1.0)[unit]
    return csr_matrix((value, (unit, bucket)), shape=(len(posts.texts), features.BUCKETS))[:, np.flatnonzero(idf)]


def _chances(posts: Posts, rows: Any, rounds: int, what: str) -> dict[str, Floats]:
    """(post, class) for each of COLUMNS, all classes learned at once."""
    sys.stderr.write(f"GoEmotions: learning from {what}, {rows.shape[1]} columns\n")
    wanted = np.hstack([flags[posts.train] for flags in posts.classes.values()]).astype(float)
    weights, bias = logistic.one_vs_rest(rows[posts.train], wanted, strength=STRENGTH, rounds=rounds)
    chances = 1 / (1 + np.exp(-(rows @ weights + bias)))
    ends = np.cumsum([flags.shape[1] for flags in posts.classes.values()])
    return dict(zip(COLUMNS, np.split(chances, ends[:-1], axis=1), strict=True))


def _voted(posts: Posts, column: str, models: Sequence[dict[str, Floats]]) -> Floats:
    """Models vote with their log odds; for coarse classes, what the 28 labels imply votes too."""
    own: Floats = np.sum([_log_odds(chances[column]) for chances in models], axis=0)
    if column == "labels":
        return own
    implied: Floats = np.sum([_log_odds(_implied(posts, column, chances["labels"])) for chances in models], axis=0)
    return own + implied


def _implied(posts: Posts, column: str, chances: Floats) -> Floats:
    """Chance that at least one of the labels of a coarse class holds. Which belong to it is read from training rows with one label."""
    single = posts.train & (posts.classes["labels"].sum(axis=1) == 1)
    together = posts.classes["labels"][single].T.astype(float) @ posts.classes[column][single]
    belongs = f.one_hot(together.argmax(axis=1), together.shape[1])
    none: Floats = np.exp(np.log1p(-np.minimum(chances, 1 - 1e-9)) @ belongs)
    return 1 - none


def _log_odds(chance: Floats) -> Floats:
    odds: Floats = np.log((chance + 1e-4) / (1 - chance + 1e-4))
    return odds


def thresholds(scores: Floats, truth: Flags) -> Floats:
    """Per class, the cut with the best F1 on these rows."""
    order = np.argsort(-scores, axis=0)
    falling = np.take_along_axis(scores, order, axis=0)
    hits = np.cumsum(np.take_along_axis(truth, order, axis=0), axis=0)
    f1 = 2 * hits / (np.arange(1, len(scores) + 1)[:, None] + truth.sum(axis=0))
    smooth = np.apply_along_axis(np.convolve, 0, f1, np.ones(SMOOTHING) / SMOOTHING, "same")
    best = smooth.argmax(axis=0)
    classes = np.arange(scores.shape[1])
    between: Floats = (falling[best, classes] + falling[np.minimum(best + 1, len(scores) - 1), classes]) / 2
    return between


def _figure(posts: Posts, column: str, ours: Floats, tfidf: Floats) -> Figure:
    dev, test = posts.split[:, 1], posts.split[:, 2]
    truth = posts.classes[column]
    found, plain = (scores[test] > thresholds(scores[dev], truth[dev]) for scores in (ours, tfidf))
    low, high = f.bounds(f.resampled_macro_f1(truth[test], found))
    note = "apart from everything shipped; lexicons know no emotions"
    score, other = f.macro_f1(truth[test], found), f.macro_f1(truth[test], plain)
    return Figure(benchmark=COLUMNS[column], metric=METRIC, ours=score, low=low, high=high, n=int(test.sum()), tfidf=other, note=note)
