"""Trains the reader of messages and writes ml/models/reading.{json,npz}: `python -m ml.train.reading`. Needs no data but our own.

The trees learn from votes of linear heads that had not seen the author they vote on; so do the thresholds. Nothing of the test split is read.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from ml import artifact, features
from ml.artifact import WORDS
from ml.cues import Cues
from ml.features import Floats, Tokens
from ml.heads import BUCKETS, Heads, weighed
from ml.labels import PRIORITIES
from ml.masking import Masker
from ml.reading import COLUMNS, NAME, SENTIMENT, Model, aside
from ml.sentence_tokens import Said
from ml.sentiment import Sentiment
from ml.train import corpus
from ml.train.boosting import started
from ml.train.cutoffs import cutoffs
from ml.train.spans import spotter
from ml.trees import Trees

PENALTY = 1.0
ROUNDS, LEAVES, DEPTH, RATE, FEWEST_ROWS, SHRINKAGE = 100, 8, 4, 0.08, 40, 8.0
SENTIMENT_ROUNDS = 200
"""Of the boosted trees: few and shallow, for they run on every message."""
FOLDS = 5
FEWEST_BRIEFS = 3
"""A word that fewer briefs use is not in the vocabulary that tells words from names."""


def cue_entries() -> Iterator[tuple[str, float, list[str]]]:
    for path in sorted(WORDS.glob("cues.*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            forms, valence, tags = line.split("\t")
            for form in forms.split("|"):
                yield form, float(valence), [tag for tag in tags.split(",") if tag]


def targets(rows: Sequence[corpus.Row]) -> Floats:
    """Columns of the heads, see ml.reading.HEADS."""
    y = corpus.labels(rows)
    churn = y.churn_risk[:, None] >= np.array([1, 2, 3])
    priority = y.priority[:, None] == np.arange(len(PRIORITIES))
    return np.column_stack([y.situations, y.emotions, y.sentiment, churn, priority, [r.gives_orders for r in rows]]).astype(float)


def vocabulary(rows: Sequence[corpus.Row]) -> features.Hashes:
    """Checksums of words that several briefs use in lower case; in German also of nouns."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for r in rows:
        for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", r.own.replace("’", "'")):
            if word.islower() or r.language == "de":
                users[word.lower()].add(r.brief)
    return np.array(sorted(features.checksum(w) for w, briefs in users.items() if len(briefs) >= FEWEST_BRIEFS), dtype=np.uint64)


def heads(t: Tokens, wanted: Floats, penalty: float = PENALTY) -> Heads:
    """Ridge regression of every target on hashed words."""
    _, bucket, _ = features.hashed(t, BUCKETS, stems=True)
    seen = np.bincount(bucket, minlength=BUCKETS)
    idf = np.where(seen > 0, np.log((1 + t.units) / (1 + seen)) + 1, 0.0)
    packed_idf = idf.astype(np.float16).astype(np.float32)
    unit, bucket, value = weighed(t, packed_idf)
    used = np.flatnonzero(idf)
    rows = csr_matrix((value, (unit, bucket)), shape=(t.units, BUCKETS))[:, used]
    model = Ridge(alpha=penalty, solver="sparse_cg", tol=1e-3).fit(rows, wanted)
    weights = np.zeros((BUCKETS, wanted.shape[1]))
    weights[used] = model.coef_.T
    return Heads.packed(idf, weights, model.intercept_)


def subset(t: Tokens, keep: features.Flags) -> Tokens:
    inside = keep[t.unit]
    place = np.cumsum(keep) - 1
    return Tokens(t.hashes[inside], t.stems[inside], place[t.unit[inside]], int(keep.sum()))


@dataclass(frozen=True, slots=True)
class Material:
    """The training rows as numbers. A fold holds all rows of its authors."""

    rows: Sequence[corpus.Row]
    said: Said
    aside: Floats
    wanted: Floats
    fold: npt.NDArray[np.int64]
    cues: Cues
    masker: Masker
    tone: Sentiment

    @classmethod
    def of(cls, rows: Sequence[corpus.Row]) -> Material:
        texts = [r.own for r in rows]
        cues, masker, tone = Cues.of(cue_entries()), Masker(vocabulary(rows)), Sentiment.load()
        said = Said.of(texts, masker)
        return cls(rows, said, aside(said, cues, tone), targets(rows), folds(rows), cues, masker, tone)


def folds(rows: Sequence[corpus.Row]) -> npt.NDArray[np.int64]:
    authors = sorted({r.author for r in rows})
    return np.array([authors.index(r.author) % FOLDS for r in rows])


def unseeing(m: Material) -> list[Heads]:
    """For each fold, heads that have not seen its authors."""
    return [heads(subset(m.said.whole, m.fold != fold), m.wanted[m.fold != fold]) for fold in range(FOLDS)]


def votes(m: Material, apart: Sequence[Heads]) -> Floats:
    found = np.zeros(m.wanted.shape)
    for fold, unbiased in enumerate(apart):
        found[m.fold == fold] = unbiased(subset(m.said.whole, m.fold == fold))
    return found


def boosted(evidence: Floats, wanted: Floats, column: int) -> tuple[float, Trees]:
    """(start, trees) of one column: a regression for sentiment, log odds for the others."""
    settings: dict[str, Any] = {
        "max_iter": SENTIMENT_ROUNDS if column == SENTIMENT else ROUNDS,
        "max_leaf_nodes": LEAVES, "max_depth": DEPTH, "learning_rate": RATE,
        "min_samples_leaf": FEWEST_ROWS, "l2_regularization": SHRINKAGE, "random_state": 0,
    }  # fmt: skip
    kind = HistGradientBoostingRegressor if column == SENTIMENT else HistGradientBoostingClassifier
    return started(kind(**settings).fit(evidence, wanted[:, column]))


def decided_apart(m: Material, evidence: Floats) -> Floats:
    """What trees decide that have not seen the author either: for cut-offs, and for judging a change before the test split is touched."""
    found = np.zeros(m.wanted.shape)
    for fold in range(FOLDS):
        apart = m.fold == fold
        columns = np.ascontiguousarray(evidence[apart].T)
        for column in range(m.wanted.shape[1]):
            base, trees = boosted(evidence[~apart], m.wanted[~apart], column)
            found[apart, column] = base + trees(columns)
    return found


def train(m: Material) -> Model:
    apart = unseeing(m)
    evidence = np.column_stack([votes(m, apart), m.aside])
    decided = decided_apart(m, evidence)
    grown = [boosted(evidence, m.wanted, column) for column in range(len(COLUMNS))]
    return Model(
        version="untrained",
        heads=heads(m.said.whole, m.wanted),
        cues=m.cues,
        masker=m.masker,
        tone=m.tone,
        trees=[trees for _, trees in grown],
        base=np.array([base for base, _ in grown]),
        cutoffs=cutoffs(m.rows, decided),
        spotter=spotter(m.rows, m.said, m.fold, apart, decided, m.cues, m.masker),
    )


def save(model: Model, rows: Sequence[corpus.Row]) -> artifact.Artifact:
    arrays: dict[str, artifact.Array] = {
        "idf": model.heads.idf.astype(np.float16),
        "words": model.heads.words,
        "scale": model.heads.scale,
        "bias": model.heads.bias,
        "cue_keys": model.cues.keys,
        "cue_valence": model.cues.valence.astype(np.float16),
        "cue_tags": model.cues.tags,
        "vocabulary": model.masker.vocabulary.astype(np.uint32),
        "base": np.array([*model.base, *model.spotter.base]),
    }
    grown = [*model.trees, model.spotter.sentence, model.spotter.clause]
    for n, trees in enumerate(grown):
        arrays |= {
            f"feature_{n}": trees.feature.astype(np.int16), f"threshold_{n}": trees.threshold.astype(np.float32), f"left_{n}": trees.left.astype(np.int8),
            f"right_{n}": trees.right.astype(np.int8), f"value_{n}": trees.value.astype(np.float32),
        }  # fmt: skip
    meta = {
        "columns": list(COLUMNS),
        "trees": [trees.depth for trees in grown],
        "cutoffs": dict(model.cutoffs),
        "rows": len(rows),
        "rows_sha256": hashlib.sha256("\n".join(f"{r.id}\t{r.own}" for r in rows).encode("utf-8", "surrogatepass")).hexdigest(),
        "tone": model.tone.version,
    }
    return artifact.save(NAME, meta, arrays)


def main() -> None:
    rows = corpus.read("train")
    saved = save(train(Material.of(rows)), rows)
    sys.stdout.write(f"{saved.version}: {len(rows)} messages\n")


if __name__ == "__main__":
    main()
