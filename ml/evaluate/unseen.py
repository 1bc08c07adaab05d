"""Sentiment of sentences from a domain of which the model has seen no row: each domain is left out in turn, and UCI is never learned from."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.evaluate import anchors
from ml.evaluate import figure as f
from ml.evaluate.figure import Figure, Flags, Floats, Ints
from ml.tokens import tokens
from ml.train import sentiment
from ml.train import sentiment_data as data
from ml.train.sentiment_data import Row

LEFT_OUT = {
    "amazonReviewSnippets": "Amazon snippets, domain left out",
    "nytEditorialSnippets": "New York Times snippets, domain left out",
    "senti4sd": "Senti4SD, domain left out",
}
NEVER_SEEN = {"uci amazon_cells": "UCI Amazon, never learned from", "uci imdb": "UCI IMDb, never learned from", "uci yelp": "UCI Yelp, never learned from"}
LEFT_OUT_MEAN, NEVER_SEEN_MEAN = "mean of three left out domains", "mean of UCI"
MACRO_F1, ECE = "macro-F1 of three classes", "calibration error"
MACRO_F1_OF_TWO = "macro-F1 of two classes"
LEFT_OUT_FIGURES = tuple((name, metric) for metric in (MACRO_F1, ECE) for name in (*LEFT_OUT.values(), LEFT_OUT_MEAN))
NEVER_SEEN_FIGURES = tuple((name, MACRO_F1_OF_TWO) for name in (*NEVER_SEEN.values(), NEVER_SEEN_MEAN))
"""(benchmark, metric) of what `left_out` and `never_seen` give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One domain, what ours and the TF-IDF model say of each of its rows, and the classes that the lexicons find."""

    name: str
    labels: Ints
    ours: Floats
    tfidf: Floats
    lexicons: Mapping[str, Ints]

    @property
    def two(self) -> bool:
        return not (self.labels == 1).any()

    @property
    def truth(self) -> Flags:
        return f.one_hot(self.labels, len(data.CLASSES))

    def found(self, chances: Floats) -> Flags:
        picked = np.where(chances[:, 2] >= chances[:, 0], 2, 0) if self.two else chances.argmax(axis=1)
        return f.one_hot(picked, len(data.CLASSES))


def left_out(folder: Path) -> list[Figure]:
    """LEFT_OUT_FIGURES, in order."""
    rows = data.read(folder)
    vader, held = _vader(rows), [r for r in rows if r.test]
    seen = {domain: learned_without([r for r in rows if r.domain == domain], rows) for domain in LEFT_OUT}
    trials = [t for domain, name in LEFT_OUT.items() for t in _trials(seen[domain], held, vader, {domain: name})]
    return [*_macro_f1s(trials, MACRO_F1, LEFT_OUT_MEAN), *_calibration_errors(trials)]


def never_seen(folder: Path) -> list[Figure]:
    """NEVER_SEEN_FIGURES, in order."""
    held = data.uci(folder)
    learned = learned_without(held, data.read(folder))
    return _macro_f1s(list(_trials(learned, held, _vader([*learned, *held]), NEVER_SEEN)), MACRO_F1_OF_TWO, NEVER_SEEN_MEAN)


def learned_without(apart: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Training rows whose sentence is none of those apart, in whichever set it stands."""
    told = {r.text.strip().lower() for r in apart}
    return [r for r in rows if not r.test and r.text.strip().lower() not in told]


def _vader(rows: Sequence[Row]) -> dict[str, Floats]:
    texts = [r.text for r in rows]
    return dict(zip(texts, anchors.vader(texts), strict=True))


def _trials(learned: Sequence[Row], held: Sequence[Row], vader: Mapping[str, Floats], names: Mapping[str, str]) -> Iterator[Trial]:
    """Ours and the TF-IDF model learn once, and are tried on each domain that is named."""
    sys.stderr.write(f"learning from {len(learned)} rows for {', '.join(names.values())}\n")
    ours = sentiment.train(learned)
    scores = np.array([vader[r.text] for r in learned])
    tfidf = anchors.TfIdf([r.text for r in learned], scores, [r.label for r in learned], [r.weight for r in learned])
    for domain, name in names.items():
        rows = [r for r in held if r.domain == domain]
        texts = [r.text for r in rows]
        tried = np.array([vader[text] for text in texts])
        yield Trial(
            name=name,
            labels=np.array([r.label for r in rows]),
            ours=ours.probabilities(tokens(texts)),
            tfidf=tfidf(texts, tried),
            lexicons={lexicon: _lexical(lexicon, texts, two=domain in NEVER_SEEN) for lexicon in anchors.LEXICONS if anchors.installed(lexicon)},
        )


def _lexical(lexicon: str, texts: Sequence[str], *, two: bool) -> Ints:
    values, clear = anchors.valence(lexicon, texts)
    return np.where(values > 0, 2, 0) if two else anchors.classes(values, clear)


def _macro_f1s(trials: Sequence[Trial], metric: str, mean: str) -> list[Figure]:
    """One for each trial, and their mean; its bounds come from resamples of all at once."""
    resampled = [f.resampled_macro_f1(t.truth, t.found(t.ours)) for t in trials]
    figures = [
        _figure(
            t.name,
            metric,
            f.macro_f1(t.truth, t.found(t.ours)),
            drawn,
            len(t.labels),
            tfidf=f.macro_f1(t.truth, t.found(t.tfidf)),
            **{lexicon: f.macro_f1(t.truth, f.one_hot(found, len(data.CLASSES))) for lexicon, found in t.lexicons.items()},
        )
        for t, drawn in zip(trials, resampled, strict=True)
    ]
    return [*figures, _mean(mean, figures, resampled)]


def _calibration_errors(trials: Sequence[Trial]) -> list[Figure]:
    hits = [(t.ours.argmax(axis=1) == t.labels, t.ours.max(axis=1)) for t in trials]
    resampled = [f.resampled_calibration_error(*hit) for hit in hits]
    others = [f.calibration_error(t.tfidf.argmax(axis=1) == t.labels, t.tfidf.max(axis=1)) for t in trials]
    figures = [
        _figure(t.name, ECE, f.calibration_error(*hit), drawn, len(t.labels), tfidf=other)
        for t, hit, drawn, other in zip(trials, hits, resampled, others, strict=True)
    ]
    return [*figures, _mean(LEFT_OUT_MEAN, figures, resampled)]


def _mean(name: str, figures: Sequence[Figure], resampled: Sequence[Floats]) -> Figure:
    def over(column: str) -> float | None:
        values = [getattr(figure, column) for figure in figures]
        return None if None in values else float(np.mean(values))

    others = {column: over(column) for column in ("tfidf", *anchors.LEXICONS)}
    ours = float(np.mean([figure.ours for figure in figures]))
    return _figure(name, figures[0].metric, ours, np.mean(resampled, axis=0), sum(figure.n for figure in figures), **others)


def _figure(name: str, metric: str, ours: float, resampled: Floats, n: int, **others: float | None) -> Figure:
    low, high = f.bounds(resampled)
    absent = [lexicon for lexicon in anchors.LEXICONS if not anchors.installed(lexicon)] if metric != ECE else []
    return Figure(benchmark=name, metric=metric, ours=ours, low=low, high=high, n=n, note="; ".join(f"{a} not run: needs {a}" for a in absent), **others)
