"""Which words of a message are worth reflecting: first the sentence, then the clause or run of clauses within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self

import numpy as np

from ml.clauses import Clause, clauses
from ml.columns import EMOTION, REFLECT, SENTIMENT, SITUATION, VOTES
from ml.cues import Cues
from ml.edges import Edges, at_edges
from ml.heads import Heads
from ml.labels import EMOTIONS, SITUATIONS
from ml.sentence_tokens import Said
from ml.tokens import Flags, Floats, Ints, Tokens
from ml.trees import Trees

READ, NEAR = 2, 1.5
"""Sentences of a message whose clauses are looked at, and how far the worth of the second may be below that of the first, if that has clauses to quote."""
MOST = 3
"""Spans of one message."""
APART = 2.0
"""How far a further span may be below the first one."""
FOREMOST = 2
"""Situations of a text whose votes on a sentence are looked at one by one."""


_VERDICTS = [name.split(" ", 1)[1] for name in VOTES[:SENTIMENT]]


@dataclass(frozen=True, slots=True)
class Spotted:
    """Offsets into the text, and the two verdicts that these words vote for most."""

    start: int
    end: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spotter:
    """`sentence` and `clause` are the higher, the likelier a person would choose that sentence of its text, that clause of all."""

    sentence: Trees
    clause: Trees
    around: Edges
    """Of sentences in their texts."""
    within: Edges
    """Of clauses in their sentences."""

    def spans(self, texts: Sequence[str], said: Said, decided: Floats, wanted: Flags, votes: Floats, heads: Heads, cues: Cues) -> list[list[Spotted]]:
        """Up to MOST spans of each text that is `wanted`, best first. `decided`: what the trees decided on each text; `votes` on each sentence."""
        evidence = sentence_evidence(said, votes, decided, cues, self.around(around_sentences(said)))
        worth = self.sentence(np.ascontiguousarray(evidence.T))
        candidates, of = likely_clauses(texts, said.spans, said.owner, worth, wanted)
        if not candidates:
            return [[] for _ in texts]
        c = Candidates.of(said, candidates, np.array(of, dtype=np.int64))
        spoken = heads(c.tokens)
        evidence = clause_evidence(c, decided[c.text], spoken, votes[c.sentence], cues, worth, self.within(c.edges))
        return _best(len(texts), candidates, of, self.clause(np.ascontiguousarray(evidence.T)), spoken)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Clauses that may be quoted, as numbers: the text and the sentence of each, its tokens, what stands at its edges, and of its sentence the words,
    its place in the text and how many that has."""

    said: Said
    text: Ints
    sentence: Ints
    tokens: Tokens
    edges: Ints
    shape: Floats

    @classmethod
    def of(cls, said: Said, found: Sequence[Clause], text: Ints) -> Self:
        start, end, number, first, last, parts = np.fromiter(chain.from_iterable(found), np.int64, len(found) * len(Clause._fields)).reshape(len(found), -1).T
        begins, count = sentences_of(said.owner)
        sentence = begins[text] + number
        t, whole = said.part(text, start, end), said.sentences.words[sentence]
        shape = [first, last - first, parts, parts - 1 - last, np.log1p(t.words), t.words / np.maximum(whole, 1), whole, number, count[text]]
        edges = at_edges(said, said.begins[text] + start, said.begins[text] + end, *said.edges[sentence].T)
        return cls(said, text, sentence, t, edges, np.column_stack(shape))


def sentence_evidence(said: Said, votes: Floats, decided: Floats, cues: Cues, cut: Floats) -> Floats:
    """Votes, how far they say what the whole text says, how both compare with the other sentences, cues, length and place of each sentence;
    `cut`: what its edges say."""
    owner = said.owner
    begins, count = sentences_of(owner)
    place = np.arange(len(owner)) - begins[owner]
    agreed = agreement(votes, decided[owner])
    compared = np.column_stack([agreed[:, :3], votes[:, [SENTIMENT, REFLECT]], *foremost(votes, decided[owner])])
    length = np.log1p(said.sentences.words)
    around = [cut, cut - highest(cut, owner)[owner], length, place, count[owner] - 1 - place, decided[owner, SENTIMENT]]
    return np.column_stack([votes, agreed, compared[:, 5:], *beside(compared, owner, count), cues.features(said.sentences), *around])


def around_sentences(said: Said) -> Ints:
    start, end = said.edges.T
    first, count = sentences_of(said.owner)
    first = first[said.owner]
    return at_edges(said, start, end, start[first], end[first + count[said.owner] - 1])


def sentences_of(owner: Ints) -> tuple[Ints, Ints]:
    """(first, how many) of each text that has any."""
    texts = int(owner.max(initial=-1)) + 1
    begins = np.searchsorted(owner, np.arange(texts + 1))
    return begins[:-1], np.diff(begins)


def foremost(votes: Floats, decided: Floats) -> Floats:
    """Votes (situation, sentence) for those situations that were decided most on the whole text, routine aside."""
    likely = np.delete(decided[:, SITUATION], SITUATIONS.index("routine_logistics"), axis=1)
    order = np.argsort(-likely, axis=1)[:, :FOREMOST]
    order += order >= SITUATIONS.index("routine_logistics")
    return np.take_along_axis(votes, order, axis=1).T


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
    """Candidates in the best sentences of each wanted text, and the text of each."""
    candidates: list[Clause] = []
    of: list[int] = []
    begins, _ = sentences_of(owner)
    order, place = np.lexsort((-worth, owner)), np.arange(len(owner)) - begins[owner]
    near = worth > highest(worth, owner)[owner] - NEAR
    looked_at = order[(place < READ) & wanted[owner]]
    of_text = owner[looked_at]
    for sentence, text, first, close in zip(*(at.tolist() for at in (looked_at, of_text, begins[of_text], near[looked_at])), strict=True):
        if not close and of and of[-1] == text:
            continue
        start, end = spans[sentence]
        inside = clauses(texts[text], start, end, sentence - first)
        candidates += inside
        of += [text] * len(inside)
    return candidates, of


def clause_evidence(c: Candidates, decided: Floats, votes: Floats, on_sentence: Floats, cues: Cues, worth: Floats, cut: Floats) -> Floats:
    """Of each candidate. `decided` and `on_sentence` are of the text and the sentence it stands in; `worth` is of all sentences, `cut` of its edges."""
    agreed = agreement(votes, decided)
    left_out = np.column_stack([agreed[:, :3], votes[:, [SENTIMENT, REFLECT]]]) - np.column_stack(
        [agreement(on_sentence, decided)[:, :3], on_sentence[:, [SENTIMENT, REFLECT]]]
    )
    own, owner = worth[c.sentence], c.said.owner
    places = np.column_stack([own, own - highest(worth, owner)[c.text], cut, cut - highest(cut, c.text)[c.text], cut - highest(cut, c.sentence)[c.sentence]])
    return np.column_stack([votes, agreed, left_out, cues.features(c.tokens), c.shape, places])


def highest(values: Floats, group: Ints) -> Floats:
    """Of each group, by its number."""
    found = np.full(int(group.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(found, group, values)
    return found


def _best(texts: int, candidates: Sequence[Clause], of: Sequence[int], promise: Floats, votes: Floats) -> list[list[Spotted]]:
    chosen: list[list[int]] = [[] for _ in range(texts)]
    worth = promise.tolist()
    for n in np.argsort(-promise, kind="stable").tolist():
        taken, c = chosen[of[n]], candidates[n]
        if taken and (len(taken) == MOST or worth[n] < worth[taken[0]] - APART):
            continue
        if any(c.start < candidates[other].end and candidates[other].start < c.end for other in taken):
            continue
        taken.append(n)
    at = [n for taken in chosen for n in taken]
    why = dict(zip(at, np.argsort(-votes[at, :SENTIMENT], axis=1)[:, :2].tolist(), strict=True))
    return [[Spotted(candidates[n].start, candidates[n].end, tuple(dict.fromkeys(_VERDICTS[v] for v in why[n]))) for n in taken] for taken in chosen]
