"""One pass over own text: sentiment, emotions, situations, churn risk, priority, and the words that carried the verdict.

Hashed words vote in linear heads; small boosted trees weigh the votes together with cues, lexicon and the tones of the clauses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np

from ml import artifact, features
from ml.columns import CHURN, ON_TEXTS
from ml.cues import Cues
from ml.edges import Edges
from ml.forest import Forest
from ml.heads import Heads
from ml.masking import Masker
from ml.orders import Finder
from ml.sentence_tokens import Said
from ml.sentiment import Sentiment
from ml.spans import Spotter
from ml.tokens import Floats, Ints
from ml.trees import Trees

NAME = "reading"


@dataclass(frozen=True)
class Model:
    """Load once, score in batches."""

    version: str
    heads: Heads
    cues: Cues
    masker: Masker
    tone: Sentiment
    trees: Sequence[Trees]
    """One for each of DECISIONS."""
    base: Floats
    """What each sum of trees starts from."""
    cutoffs: Mapping[str, Any]
    """Learned limits, see ml.train.cutoffs."""
    spotter: Spotter
    finder: Finder

    @classmethod
    def load(cls) -> Self:
        return cls.of(artifact.load(NAME))

    @classmethod
    def of(cls, stored: artifact.Artifact) -> Self:
        a, meta = stored.arrays, stored.meta
        *grown, sentence, clause, order = unpacked(a, len(meta["trees"]) if isinstance(meta["trees"], list) else meta["trees"])
        *base, order_base = a["base"].tolist()
        return cls(
            version=stored.version,
            heads=Heads(a["idf"].astype(np.float32), a["words"], a["scale"], a["bias"]),
            cues=Cues(a["cue_keys"], a["cue_valence"].astype(np.float64), a["cue_tags"]),
            masker=Masker(**{field.name: a[field.name].astype(np.uint64) for field in fields(Masker)}),
            tone=Sentiment.load(),
            trees=grown,
            base=np.array(base),
            cutoffs=meta["cutoffs"],
            spotter=Spotter(sentence, clause, Edges(a["around"]), Edges(a["within"])),
            finder=Finder(order, order_base),
        )

    @cached_property
    def _forest(self) -> Forest:
        return Forest.of(self.trees)

    def evidence_of(self, said: Said, votes: Floats) -> Floats:
        """What the trees see of each text, of whose sentences `votes` are known."""
        return evidence(said, self.heads(said.whole), votes, aside(said, self.cues, self.tone))

    def decided(self, evidence: Floats) -> Floats:
        """Columns as DECISIONS: sentiment -1..1 as the trees see it, log odds for the rest."""
        return self.base + self._forest(np.ascontiguousarray(evidence.T))


def evidence(said: Said, on_texts: Floats, on_sentences: Floats, beside: Floats) -> Floats:
    """Votes on each text, and on its sentences where one among many may decide: a notice is given in a few words. `beside`: see aside."""
    return np.column_stack([on_texts[:, ON_TEXTS], beside, *pooled(on_sentences[:, CHURN], said.owner, said.whole.units)])


def aside(said: Said, cues: Cues, tone: Sentiment) -> Floats:
    """Evidence beside the votes: cues, lexicon, tones of the sentences, length."""
    chances = tone.probabilities(said.sentences)
    tones = pooled((chances[:, 2] - chances[:, 0])[:, None], said.owner, said.whole.units)
    return np.column_stack([cues.features(said.whole), features.lexical(said.whole, tone.lexicon), *tones, np.log1p(said.whole.words)])


def pooled(values: Floats, owner: Ints, texts: int) -> tuple[Floats, Floats, Floats, Floats]:
    """(highest, lowest, mean, last) row of each text's sentences; 0 for a text without any."""
    shape = (texts, values.shape[1])
    highest, lowest, last = np.full(shape, -np.inf), np.full(shape, np.inf), np.zeros(shape)
    np.maximum.at(highest, owner, values)
    np.minimum.at(lowest, owner, values)
    last[owner] = values  # of several sentences of one text, numpy keeps the last
    counts = np.bincount(owner, minlength=texts)[:, None]
    total = np.zeros(shape)
    np.add.at(total, owner, values)
    empty = counts == 0
    return np.where(empty, 0.0, highest), np.where(empty, 0.0, lowest), total / np.maximum(counts, 1), last


def unpacked(arrays: Mapping[str, artifact.Array], sums: int) -> list[Trees]:
    return [
        Trees(arrays[f"feature_{n}"].astype(np.int64), arrays[f"threshold_{n}"].astype(np.float64), arrays[f"value_{n}"].astype(np.float64))
        for n in range(sums)
    ]
