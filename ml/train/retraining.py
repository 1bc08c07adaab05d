"""Retrains the reader on what a team corrected: its heads and trees are learned anew from the shipped corpus and the team's messages.

What a team says moves situations, emotions, sentiment, churn risk and priority. Limits, cues, names, the choice of quotes and the vote on orders to a machine
stay those of the shipped model: no correction can teach the reader to overlook an attack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from ml import artifact, features
from ml.columns import ON_TEXTS
from ml.heads import BUCKETS, Heads, weighed
from ml.reading import Model, aside, evidence
from ml.sentence_tokens import Said
from ml.tokens import Floats, Tokens
from ml.train.corpus import Row
from ml.train.heads import PENALTY
from ml.train.reading import FOLDS, ROUNDS, boosted, folds, packed, targets, votes
from ml.train.team import NAME

TIMES = 3
"""How often a corrected message stands among those of the shipped corpus."""


def retrained(base: Model, known: Sequence[Row], team: Sequence[Row], rounds: int = ROUNDS) -> Model:
    """Heads and trees learned anew from the shipped corpus and the team's rows; all else of `base`, which is the shipped model."""
    rows = [*known, *(row for row in team for _ in range(TIMES))]
    said = Said.of([r.own for r in rows], base.masker)
    wanted, fold = targets(rows), folds(rows)
    idf = _idf(base.heads.idf, said.whole)
    apart = [_heads(base.heads, said.whole.of_units(fold != n), wanted[fold != n], idf, known_only=True) for n in range(FOLDS)]
    on_texts, on_sentences = votes(said.whole, fold, apart), votes(said.sentences, fold[said.owner], apart)
    seen = evidence(said, on_texts, on_sentences, aside(said, base.cues, base.tone))
    with threadpool_limits(1, "openmp"):  # trees as small as these gain nothing by threads, which spin while others work: five times the CPU, measured
        start, grown = boosted(seen, wanted, rounds)
    heads = _heads(base.heads, said.whole, wanted, idf, known_only=False)
    return replace(base, version="untrained", heads=heads, trees=grown, base=start)


def _idf(shipped: npt.NDArray[np.float32], t: Tokens) -> npt.NDArray[np.float32]:
    """Of the words that the shipped model knows as they were, so that the votes it keeps stay the same; of new ones as in training."""
    seen = _seen(t)
    learned = np.where(seen > 0, np.log((1 + t.units) / (1 + seen)) + 1, 0.0).astype(np.float16).astype(np.float32)
    return np.where(shipped > 0, shipped, learned)


def _seen(t: Tokens) -> Floats:
    _, bucket, _ = features.hashed(t, BUCKETS, stems=True)
    return np.bincount(bucket, minlength=BUCKETS).astype(float)


def _heads(kept: Heads, t: Tokens, wanted: Floats, idf: npt.NDArray[np.float32], *, known_only: bool) -> Heads:
    """With votes ON_TEXTS of their own and the other votes of `kept`. `known_only`: a word that these messages do not use counts for nothing."""
    idf = np.where(_seen(t) > 0, idf, 0) if known_only else idf
    used = np.flatnonzero(idf)
    unit, bucket, value = weighed(t, idf)
    rows = csr_matrix((value, (unit, bucket)), shape=(t.units, BUCKETS))[:, used]
    learned = Ridge(alpha=PENALTY, solver="sparse_cg", tol=1e-3).fit(rows, wanted)
    fresh = Heads.packed(idf[used], learned.coef_.T, learned.intercept_)
    words, scale, bias = kept.words.copy(), kept.scale.copy(), kept.bias.copy()
    words[:, ON_TEXTS] = 0
    words[used, ON_TEXTS], scale[ON_TEXTS], bias[ON_TEXTS] = fresh.words, fresh.scale, fresh.bias
    return Heads(idf, words, scale, bias)


def frozen(model: Model, base: str, rows: int) -> tuple[dict[str, Any], bytes]:
    """(metadata, weights) to keep. `base`: the version of the shipped model it was learned beside, `rows`: how many of the team's messages."""
    meta, arrays = packed(model)
    return artifact.packed(NAME, {**meta, "base": base, "team_rows": rows}, arrays)
