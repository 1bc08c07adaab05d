"""Trains the reader of messages and writes ml/models/reading.{json,npz}: `python -m ml.train.reading`. Needs no data but our own.

The trees learn from votes of linear heads that had not seen the author they vote on; so do the thresholds. Nothing of the test split is read.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ml import artifact
from ml.artifact import WORDS
from ml.columns import CHURN, CHURN_LEVELS, CLASSES, DECISIONS, SENTIMENT, VOTES
from ml.cues import Cues
from ml.cutoffs import classes
from ml.forest import Forest
from ml.heads import Heads
from ml.labels import PRIORITIES
from ml.masking import Masker
from ml.reading import NAME, Model, aside, evidence
from ml.sentence_tokens import Said
from ml.sentiment import Sentiment
from ml.tokens import Flags, Floats, Ints, Tokens
from ml.train import corpus
from ml.train.boosting import started
from ml.train.cutoffs import cutoffs
from ml.train.heads import heads
from ml.train.orders import Orders, composed, finder
from ml.train.spans import spotter, worth_reflecting
from ml.train.vocabulary import masker
from ml.trees import Trees

ROUNDS, LEAVES, DEPTH, RATE, FEWEST_ROWS, SHRINKAGE = 100, 8, 4, 0.08, 40, 8.0
LONGER, TIMES = {SENTIMENT, *range(CHURN.start, CHURN.stop)}, 2
"""Of the boosted trees: few and shallow, for they run on every message. Sentiment and churn risk are given so many times the rounds."""
FOLDS = 5


def cue_entries() -> Iterator[tuple[str, float, list[str]]]:
    for path in sorted(WORDS.glob("cues.*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            forms, valence, tags = line.split("\t")
            for form in forms.split("|"):
                yield form, float(valence), [tag for tag in tags.split(",") if tag]


def targets(rows: Sequence[corpus.Row]) -> Floats:
    """Columns ON_TEXTS of the heads, see ml.columns."""
    y = corpus.labels(rows)
    churn = y.churn_risk[:, None] >= np.array(CHURN_LEVELS)
    priority = y.priority[:, None] == np.arange(1, len(PRIORITIES))
    return np.column_stack([y.situations, y.emotions, y.sentiment, churn, priority]).astype(float)


@dataclass(frozen=True, slots=True)
class Material:
    """The training rows as numbers. A fold holds all rows of its authors."""

    rows: Sequence[corpus.Row]
    said: Said
    aside: Floats
    wanted: Floats
    worth: Floats
    """Of reflection, of each sentence; NaN where its message has no marked span."""
    honest: Flags
    """Sentences of messages that give no orders to a machine."""
    orders: Orders
    fold: Ints
    cues: Cues
    tone: Sentiment
    masker: Masker

    @classmethod
    def of(cls, rows: Sequence[corpus.Row]) -> Material:
        texts, names = [r.own for r in rows], masker(rows)
        cues, tone, said = Cues.of(cue_entries()), Sentiment.load(), Said.of(texts, names)
        honest = ~np.array([r.gives_orders for r in rows])[said.owner]
        orders = Orders.read(names, FOLDS)
        return cls(rows, said, aside(said, cues, tone), targets(rows), worth_reflecting(rows, said), honest, orders, folds(rows), cues, tone, names)

    def heads(self, keep: Flags, orders: Flags) -> Heads:
        """Learned from some of the messages and some of the orders."""
        said, inside = self.said, keep[self.said.owner]
        learned = Orders(self.orders.sentences.of_units(orders), self.orders.is_order[orders], self.orders.fold[orders])
        return heads(
            said.whole.of_units(keep), self.wanted[keep], said.sentences.of_units(inside), said.owner[inside], self.worth[inside], self.honest[inside], learned
        )


def folds(rows: Sequence[corpus.Row]) -> Ints:
    authors = sorted({r.author for r in rows})
    return np.array([authors.index(r.author) % FOLDS for r in rows])


def unseeing(m: Material) -> list[Heads]:
    """For each fold, heads that have not seen its authors."""
    return [m.heads(m.fold != fold, m.orders.fold != fold) for fold in range(FOLDS)]


def votes(t: Tokens, fold: Ints, apart: Sequence[Heads]) -> Floats:
    """Of each unit, by the heads that have not seen its author."""
    found = np.zeros((t.units, len(VOTES)))
    for number, unbiased in enumerate(apart):
        found[fold == number] = unbiased(t.of_units(fold == number))
    return found


def boosted(seen: Floats, wanted: Floats, rounds: int = ROUNDS) -> tuple[Floats, list[Trees]]:
    """(starts, trees) of DECISIONS: a regression for sentiment, log odds for the rest."""
    settings: dict[str, Any] = {
        "max_iter": rounds, "max_leaf_nodes": LEAVES, "max_depth": DEPTH, "learning_rate": RATE,
        "min_samples_leaf": FEWEST_ROWS, "l2_regularization": SHRINKAGE, "random_state": 0,
    }  # fmt: skip
    grown = []
    for n, column in enumerate(wanted.T):
        learner = HistGradientBoostingRegressor if n == SENTIMENT else HistGradientBoostingClassifier
        grown.append(started(learner(**{**settings, "max_iter": TIMES * rounds if n in LONGER else rounds}).fit(seen, column)))
    of_classes = HistGradientBoostingClassifier(**settings, class_weight="balanced").fit(seen, classes(wanted[:, SENTIMENT]))
    grown += [started(of_classes, number) for number in range(len(CLASSES))]
    return np.array([start for start, _ in grown]), [trees for _, trees in grown]


def decided_apart(m: Material, seen: Floats) -> Floats:
    """What trees decide that have not seen the author either: for cut-offs, and for judging a change before the test split is touched."""
    found = np.zeros((len(seen), len(DECISIONS)))
    for fold in range(FOLDS):
        apart = m.fold == fold
        base, grown = boosted(seen[~apart], m.wanted[~apart])
        found[apart] = base + Forest.of(grown)(np.ascontiguousarray(seen[apart].T))
    return found


def train(m: Material) -> Model:
    apart, on_sentences = unseeing(m), m.fold[m.said.owner]
    said_apart = votes(m.said.sentences, on_sentences, apart)
    seen = evidence(m.said, votes(m.said.whole, m.fold, apart), said_apart, m.aside)
    decided = decided_apart(m, seen)
    base, grown = boosted(seen, m.wanted)
    mixed = composed(m.rows, m.fold, FOLDS)
    texts = Said.of(mixed.texts, m.masker)
    found, limits = finder(mixed, texts, votes(texts.sentences, mixed.fold[texts.owner], apart), m.cues.features(texts.sentences), FOLDS)
    return Model(
        version="untrained",
        heads=m.heads(np.ones(len(m.rows), dtype=bool), np.ones(len(m.orders.fold), dtype=bool)),
        cues=m.cues,
        masker=m.masker,
        tone=m.tone,
        trees=grown,
        base=base,
        cutoffs={**cutoffs(m.rows, decided), "order": limits},
        finder=found,
        spotter=spotter(m.rows, m.said, m.fold, decided, said_apart, m.worth, lambda t, of: votes(t, m.fold[of], apart), m.cues),
    )


def save(model: Model, rows: Sequence[corpus.Row]) -> artifact.Artifact:
    learned_from = {
        "rows": len(rows),
        "rows_sha256": hashlib.sha256("\n".join(f"{r.id}\t{r.own}" for r in rows).encode("utf-8", "surrogatepass")).hexdigest(),
    }
    meta, arrays = packed(model)
    return artifact.save(NAME, meta | learned_from, arrays)


def packed(model: Model) -> tuple[dict[str, Any], dict[str, artifact.Array]]:
    """(metadata, arrays), from which Model.of makes it again."""
    arrays: dict[str, artifact.Array] = {
        "idf": model.heads.idf.astype(np.float16),
        "words": model.heads.words,
        "scale": model.heads.scale,
        "bias": model.heads.bias,
        "cue_keys": model.cues.keys,
        "cue_valence": model.cues.valence.astype(np.float16),
        "cue_tags": model.cues.tags,
        **{field.name: getattr(model.masker, field.name).astype(np.uint32) for field in fields(Masker)},
        "base": np.array([*model.base, model.finder.base]),
        "around": model.spotter.around.weights,
        "within": model.spotter.within.weights,
    }
    grown = [*model.trees, model.spotter.sentence, model.spotter.clause, model.finder.trees]
    for n, trees in enumerate(grown):
        arrays |= {
            f"feature_{n}": trees.feature.astype(np.int16), f"threshold_{n}": trees.threshold.astype(np.float32), f"value_{n}": trees.value.astype(np.float32),
        }  # fmt: skip
    meta = {
        "votes": list(VOTES),
        "decisions": list(DECISIONS),
        "trees": len(grown),
        "cutoffs": dict(model.cutoffs),
        "tone": model.tone.version,
    }
    return meta, arrays


def main() -> None:
    rows = corpus.read("train")
    saved = save(train(Material.of(rows)), rows)
    sys.stdout.write(f"{saved.version}: {len(rows)} messages\n")


if __name__ == "__main__":
    main()
