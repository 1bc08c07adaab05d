"""Which words of a message are worth reflecting: first the sentence, then the clause or run of clauses within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml import features
from ml.clauses import Clause, clauses
from ml.cues import Cues
from ml.features import Floats, Ints, Tokens
from ml.heads import Heads
from ml.masking import Masker
from ml.sentence_tokens import Said
from ml.trees import Trees

READ = 3
"""Sentences of a message whose clauses are looked at."""
MOST = 3
"""Spans of one message."""
APART = 0.55
"""A further span must promise this share of the first one's worth."""


@dataclass(frozen=True, slots=True)
class Spotter:
    """`sentence` and `clause` promise how much of what is worth reflecting a candidate holds, 0..1."""

    sentence: Trees
    clause: Trees
    base: tuple[float, float]

    def spans(self, texts: Sequence[str], said: Said, heads: Heads, cues: Cues, masker: Masker) -> list[list[tuple[int, int]]]:
        """Up to MOST spans of each text, best first."""
        owner = said.owner
        worth = self.base[0] + self.sentence(np.ascontiguousarray(sentence_evidence(said.sentences, owner, heads, cues).T))
        candidates, of = likely_clauses(texts, said.spans, owner, worth)
        if not candidates:
            return [[] for _ in texts]
        units = [texts[text][c.start : c.end] for text, c in zip(of, candidates, strict=True)]
        t = features.tokens(units, masker)
        evidence = clause_evidence(t, candidates, heads, cues, worth_of(candidates, of, owner, worth))
        promise = self.base[1] + self.clause(np.ascontiguousarray(evidence.T))
        return _best(len(texts), candidates, of, promise)


def sentence_evidence(t: Tokens, owner: Ints, heads: Heads, cues: Cues) -> Floats:
    """Votes, cues, length and place of each sentence."""
    count = np.bincount(owner, minlength=int(owner.max(initial=-1)) + 1)
    first = np.concatenate([[0], np.cumsum(count)])[:-1]
    place = np.arange(len(owner)) - first[owner]
    return np.column_stack([heads(t), cues.features(t), np.log1p(t.words), place, count[owner] - 1 - place])


def likely_clauses(texts: Sequence[str], spans: Sequence[tuple[int, int]], owner: Ints, worth: Floats) -> tuple[list[Clause], list[int]]:
    """Candidates in the READ best sentences of each text, and the text of each."""
    candidates: list[Clause] = []
    of: list[int] = []
    starts = np.searchsorted(owner, np.arange(len(texts) + 1))
    for text, body in enumerate(texts):
        here = worth[starts[text] : starts[text + 1]]
        for number in np.argsort(-here, kind="stable")[:READ]:
            start, end = spans[starts[text] + number]
            inside = clauses(body, start, end, int(number))
            candidates += inside
            of += [text] * len(inside)
    return candidates, of


def worth_of(candidates: Sequence[Clause], of: Sequence[int], owner: Ints, worth: Floats) -> Floats:
    """Of the sentence each candidate stands in."""
    starts = np.searchsorted(owner, np.arange(int(owner.max(initial=-1)) + 2))
    return np.array([worth[starts[text] + c.sentence] for text, c in zip(of, candidates, strict=True)])


def clause_evidence(t: Tokens, candidates: Sequence[Clause], heads: Heads, cues: Cues, worth: Floats) -> Floats:
    shape = np.array([(c.first, c.last - c.first, c.parts, c.parts - 1 - c.last) for c in candidates], dtype=float)
    return np.column_stack([heads(t), cues.features(t), np.log1p(t.words), shape, worth])


def _best(texts: int, candidates: Sequence[Clause], of: Sequence[int], promise: Floats) -> list[list[tuple[int, int]]]:
    chosen: list[list[tuple[int, int]]] = [[] for _ in range(texts)]
    highest = np.zeros(texts)
    for n in np.argsort(-promise, kind="stable"):
        text, c = of[n], candidates[n]
        taken = chosen[text]
        if not taken:
            highest[text] = promise[n]
        elif len(taken) == MOST or promise[n] < APART * highest[text] or any(c.start < end and start < c.end for start, end in taken):
            continue
        taken.append((c.start, c.end))
    return chosen
