"""Which words of a message are worth reflecting: first the sentence, then the clause or run of clauses within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.clauses import Clause, clauses
from ml.columns import EMOTION, REFLECT, SENTIMENT, SITUATION, VOTES
from ml.cues import Cues
from ml.heads import Heads
from ml.labels import EMOTIONS, SITUATIONS
from ml.sentence_tokens import Said
from ml.tokens import Flags, Floats, Ints, Tokens
from ml.trees import Trees

READ = 2
"""Sentences of a message whose clauses are looked at."""
MOST = 3
"""Spans of one message."""
APART = 0.55
"""A further span must promise this share of the first one's worth."""


_VERDICTS = [name.split(" ", 1)[1] for name in VOTES[:SENTIMENT]]


@dataclass(frozen=True, slots=True)
class Spotted:
    """Offsets into the text, and the two verdicts that these words vote for most."""

    start: int
    end: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spotter:
    """`sentence` and `clause` promise how much of what is worth reflecting a candidate holds, 0..1."""

    sentence: Trees
    clause: Trees
    base: tuple[float, float]

    def spans(self, texts: Sequence[str], said: Said, decided: Floats, wanted: Flags, votes: Floats, heads: Heads, cues: Cues) -> list[list[Spotted]]:
        """Up to MOST spans of each text that is `wanted`, best first. `decided`: what the trees decided on each text; `votes` on each sentence."""
        owner = said.owner
        evidence = sentence_evidence(said, votes, decided, cues)
        worth = self.base[0] + self.sentence(np.ascontiguousarray(evidence.T))
        candidates, of = likely_clauses(texts, said.spans, owner, worth, wanted)
        if not candidates:
            return [[] for _ in texts]
        t, sentence = within_texts(said, candidates, of), sentence_of(candidates, of, owner)
        on_clauses = heads(t)
        evidence = clause_evidence(t, candidates, decided[of], on_clauses, votes[sentence], cues, worth[sentence])
        promise = self.base[1] + self.clause(np.ascontiguousarray(evidence.T))
        return _best(len(texts), candidates, of, promise, on_clauses)


def sentence_evidence(said: Said, votes: Floats, decided: Floats, cues: Cues) -> Floats:
    """Votes, how far they say what the whole text says, how both compare with the other sentences, cues, length and place of each sentence."""
    owner = said.owner
    count = np.bincount(owner, minlength=len(decided))
    place = np.arange(len(owner)) - (np.cumsum(count) - count)[owner]
    agreed = agreement(votes, decided[owner])
    compared = np.column_stack([agreed[:, :3], votes[:, [SENTIMENT, REFLECT]]])
    length = np.log1p(said.sentences.words)
    return np.column_stack(
        [votes, agreed, *beside(compared, owner, count), cues.features(said.sentences), length, place, count[owner] - 1 - place, decided[owner, SENTIMENT]]
    )


def beside(values: Floats, owner: Ints, count: Ints) -> tuple[Floats, Floats]:
    """How far each sentence is below the highest of its text, and from their mean."""
    shape = (len(count), values.shape[1])
    highest, total = np.full(shape, -np.inf), np.zeros(shape)
    np.maximum.at(highest, owner, values)
    np.add.at(total, owner, values)
    return values - highest[owner], values - (total / np.maximum(count, 1)[:, None])[owner]


def agreement(votes: Floats, decided: Floats) -> Floats:
    """How far the votes on a part speak for what was decided on the whole: situations, emotions, sentiment; then its votes for calm."""
    chances = 1 / (1 + np.exp(-decided))
    calm = [SITUATIONS.index("routine_logistics"), EMOTION.start + EMOTIONS.index("neutral")]
    chances[:, calm] = 0
    situations, emotions = ((votes[:, group] * chances[:, group]).sum(axis=1) for group in (SITUATION, EMOTION))
    return np.column_stack([situations, emotions, votes[:, SENTIMENT] * decided[:, SENTIMENT], votes[:, calm]])


def likely_clauses(texts: Sequence[str], spans: Sequence[tuple[int, int]], owner: Ints, worth: Floats, wanted: Flags) -> tuple[list[Clause], list[int]]:
    """Candidates in the READ best sentences of each wanted text, and the text of each."""
    candidates: list[Clause] = []
    of: list[int] = []
    starts, order = np.searchsorted(owner, np.arange(len(texts) + 1)), np.lexsort((-worth, owner))
    for text in np.flatnonzero(wanted).tolist():
        first = starts[text]
        for number in (order[first : starts[text + 1]][:READ] - first).tolist():
            start, end = spans[first + number]
            inside = clauses(texts[text], start, end, number)
            candidates += inside
            of += [text] * len(inside)
    return candidates, of


def sentence_of(candidates: Sequence[Clause], of: Sequence[int], owner: Ints) -> Ints:
    """The sentence each candidate stands in, among all of them."""
    starts = np.searchsorted(owner, np.arange(int(owner.max(initial=-1)) + 2))
    return np.array([starts[text] + c.sentence for text, c in zip(of, candidates, strict=True)], dtype=np.int64)


def within_texts(said: Said, candidates: Sequence[Clause], of: Sequence[int]) -> Tokens:
    return said.part(np.array(of, dtype=np.int64), np.array([c.start for c in candidates]), np.array([c.end for c in candidates]))


def clause_evidence(t: Tokens, candidates: Sequence[Clause], decided: Floats, votes: Floats, on_sentence: Floats, cues: Cues, worth: Floats) -> Floats:
    """Of each candidate. `decided`, `on_sentence` and `worth` are of the text and the sentence it stands in."""
    shape = np.array([(c.first, c.last - c.first, c.parts, c.parts - 1 - c.last) for c in candidates], dtype=float)
    agreed = agreement(votes, decided)
    left_out = np.column_stack([agreed[:, :3], votes[:, [SENTIMENT, REFLECT]]]) - np.column_stack(
        [agreement(on_sentence, decided)[:, :3], on_sentence[:, [SENTIMENT, REFLECT]]]
    )
    return np.column_stack([votes, agreed, left_out, cues.features(t), np.log1p(t.words), shape, worth])


def _best(texts: int, candidates: Sequence[Clause], of: Sequence[int], promise: Floats, votes: Floats) -> list[list[Spotted]]:
    chosen: list[list[int]] = [[] for _ in range(texts)]
    worth = promise.tolist()
    for n in np.argsort(-promise, kind="stable").tolist():
        taken, c = chosen[of[n]], candidates[n]
        if taken and (len(taken) == MOST or worth[n] < APART * worth[taken[0]]):
            continue
        if any(c.start < candidates[other].end and candidates[other].start < c.end for other in taken):
            continue
        taken.append(n)
    at = [n for taken in chosen for n in taken]
    why = dict(zip(at, np.argsort(-votes[at, :SENTIMENT], axis=1)[:, :2].tolist(), strict=True))
    return [[Spotted(candidates[n].start, candidates[n].end, tuple(dict.fromkeys(_VERDICTS[v] for v in why[n]))) for n in taken] for taken in chosen]
