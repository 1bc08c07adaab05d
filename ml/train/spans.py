"""Learns which words are worth reflecting, from the spans people marked: each candidate is worth the token-F1 it has with the first of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ml import features
from ml.cues import Cues
from ml.features import Floats
from ml.heads import Heads
from ml.masking import Masker
from ml.sentence_tokens import Said
from ml.spans import Spotter, clause_evidence, likely_clauses, sentence_evidence, worth_of
from ml.train.boosting import regression
from ml.train.corpus import Row

ROUNDS = 80
FURTHER = 0.6
"""What a span that was not marked first counts for."""
_WORD = re.compile(r"\w+")


def spotter(rows: Sequence[Row], said: Said, fold: npt.NDArray[np.int64], apart: Sequence[Heads], decided: Floats, cues: Cues, masker: Masker) -> Spotter:
    """`apart[fold]`: heads that have not seen the authors of the fold; `decided` likewise. A message without a marked span teaches nothing."""
    texts = [r.own for r in rows]
    evidence = np.stack([sentence_evidence(said.sentences, said.owner, decided, unseeing, cues) for unseeing in apart])
    evidence = evidence[fold[said.owner], np.arange(len(said.owner))]
    wanted = np.array([_worth(texts[text][start:end], rows[text].spans) for text, (start, end) in zip(said.owner.tolist(), said.spans, strict=True)])
    marked = np.array([bool(r.spans) for r in rows])
    teaches = marked[said.owner]
    base, sentence = regression(evidence[teaches], wanted[teaches], ROUNDS)
    worth = base + sentence(np.ascontiguousarray(evidence.T))
    candidates, of = likely_clauses(texts, said.spans, said.owner, worth, marked)
    units = [texts[text][c.start : c.end] for text, c in zip(of, candidates, strict=True)]
    t, promise = features.tokens(units, masker), worth_of(candidates, of, said.owner, worth)
    seen = np.stack([clause_evidence(t, candidates, of, decided, unseeing, cues, promise)[1] for unseeing in apart])[fold[of], np.arange(len(of))]
    clause_base, clause = regression(seen, np.array([_worth(unit, rows[text].spans) for unit, text in zip(units, of, strict=True)]), ROUNDS)
    return Spotter(sentence, clause, (base, clause_base))


def _worth(unit: str, spans: Sequence[str]) -> float:
    return max((token_f1(unit, span) * (1.0 if n == 0 else FURTHER) for n, span in enumerate(spans)), default=0.0)


def token_f1(found: str, wanted: str) -> float:
    a, b = Counter(_WORD.findall(found.lower())), Counter(_WORD.findall(wanted.lower()))
    shared = (a & b).total()
    return 2 * shared / (a.total() + b.total()) if shared else 0.0
