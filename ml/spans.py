"""Which words of a message are worth reflecting: first the sentence, then the clause or run of clauses within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml import features
from ml.clauses import Clause, clauses
from ml.cues import Cues
from ml.features import Flags, Floats, Ints, Tokens
from ml.heads import Heads
from ml.labels import EMOTIONS, SITUATIONS
from ml.masking import Masker
from ml.sentence_tokens import Said
from ml.trees import Trees

READ = 2
"""Sentences of a message whose clauses are looked at."""
MOST = 3
"""Spans of one message."""
APART = 0.55
"""A further span must promise this share of the first one's worth."""


@dataclass(frozen=True, slots=True)
class Spotted:
    """Offsets into the text, and the votes of the heads on just these words."""

    start: int
    end: int
    votes: Floats


@dataclass(frozen=True, slots=True)
class Spotter:
    """`sentence` and `clause` promise how much of what is worth reflecting a candidate holds, 0..1."""

    sentence: Trees
    clause: Trees
    base: tuple[float, float]

    def spans(self, texts: Sequence[str], said: Said, decided: Floats, wanted: Flags, heads: Heads, cues: Cues, masker: Masker) -> list[list[Spotted]]:
        """Up to MOST spans of each text that is `wanted`, best first. `decided`: what the trees decided on each text."""
        owner = said.owner
        evidence = sentence_evidence(said.sentences, owner, decided, heads, cues)
        worth = self.base[0] + self.sentence(np.ascontiguousarray(evidence.T))
        candidates, of = likely_clauses(texts, said.spans, owner, worth, wanted)
        if not candidates:
            return [[] for _ in texts]
        units = [texts[text][c.start : c.end] for text, c in zip(of, candidates, strict=True)]
        votes, evidence = clause_evidence(features.tokens(units, masker), candidates, of, decided, heads, cues, worth_of(candidates, of, owner, worth))
        promise = self.base[1] + self.clause(np.ascontiguousarray(evidence.T))
        return _best(len(texts), candidates, of, promise, votes)


def sentence_evidence(t: Tokens, owner: Ints, decided: Floats, heads: Heads, cues: Cues) -> Floats:
    """Votes, how far they say what the whole text says, cues, length and place of each sentence."""
    count = np.bincount(owner, minlength=len(decided))
    first = np.concatenate([[0], np.cumsum(count)])[:-1]
    place = np.arange(len(owner)) - first[owner]
    votes = heads(t)
    return np.column_stack([votes, agreement(votes, decided[owner]), cues.features(t), np.log1p(t.words), place, count[owner] - 1 - place])


def agreement(votes: Floats, decided: Floats) -> Floats:
    """How far the votes on a part speak for what was decided on the whole: situations, emotions, sentiment."""
    chances = 1 / (1 + np.exp(-decided))
    calm = [SITUATIONS.index("routine_logistics"), len(SITUATIONS) + EMOTIONS.index("neutral")]
    chances[:, calm] = 0
    situations, emotions = slice(0, len(SITUATIONS)), slice(len(SITUATIONS), len(SITUATIONS) + len(EMOTIONS))
    sentiment = len(SITUATIONS) + len(EMOTIONS)
    both = votes * chances
    return np.column_stack([both[:, situations].sum(axis=1), both[:, emotions].sum(axis=1), votes[:, sentiment] * decided[:, sentiment], votes[:, calm]])


def likely_clauses(texts: Sequence[str], spans: Sequence[tuple[int, int]], owner: Ints, worth: Floats, wanted: Flags) -> tuple[list[Clause], list[int]]:
    """Candidates in the READ best sentences of each wanted text, and the text of each."""
    candidates: list[Clause] = []
    of: list[int] = []
    starts = np.searchsorted(owner, np.arange(len(texts) + 1))
    for text in np.flatnonzero(wanted).tolist():
        here = worth[starts[text] : starts[text + 1]]
        for number in np.argsort(-here, kind="stable")[:READ]:
            start, end = spans[starts[text] + number]
            inside = clauses(texts[text], start, end, int(number))
            candidates += inside
            of += [text] * len(inside)
    return candidates, of


def worth_of(candidates: Sequence[Clause], of: Sequence[int], owner: Ints, worth: Floats) -> Floats:
    """Of the sentence each candidate stands in."""
    starts = np.searchsorted(owner, np.arange(int(owner.max(initial=-1)) + 2))
    return np.array([worth[starts[text] + c.sentence] for text, c in zip(of, candidates, strict=True)])


def clause_evidence(
    t: Tokens, candidates: Sequence[Clause], of: Sequence[int], decided: Floats, heads: Heads, cues: Cues, worth: Floats
) -> tuple[Floats, Floats]:
    """(votes, all evidence) of each candidate."""
    shape = np.array([(c.first, c.last - c.first, c.parts, c.parts - 1 - c.last) for c in candidates], dtype=float)
    votes = heads(t)
    return votes, np.column_stack([votes, agreement(votes, decided[list(of)]), cues.features(t), np.log1p(t.words), shape, worth])


def _best(texts: int, candidates: Sequence[Clause], of: Sequence[int], promise: Floats, votes: Floats) -> list[list[Spotted]]:
    chosen: list[list[Spotted]] = [[] for _ in range(texts)]
    highest = np.zeros(texts)
    for n in np.argsort(-promise, kind="stable").tolist():
        text, c = of[n], candidates[n]
        taken = chosen[text]
        if not taken:
            highest[text] = promise[n]
        elif len(taken) == MOST or promise[n] < APART * highest[text] or any(c.start < s.end and s.start < c.end for s in taken):
            continue
        taken.append(Spotted(c.start, c.end, votes[n]))
    return chosen
