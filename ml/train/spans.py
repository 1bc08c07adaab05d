"""Learns which words are worth reflecting, from the spans people marked: of the candidates of a message, that one is to be chosen which has the highest
token-F1 with the first of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_matrix, hstack

from ml.columns import REFLECT
from ml.cues import Cues
from ml.edges import BUCKETS, VALUE, Edges
from ml.sentence_tokens import Said
from ml.spans import Candidates, Spotter, around_sentences, clause_evidence, likely_clauses, sentence_evidence, sentences_of
from ml.tokens import Flags, Floats, Ints, Tokens
from ml.train.corpus import Row
from ml.train.ranking import ranked, weights

ROUNDS = 80
WHOLE = 0.99
"""Share of the words of a sentence above which a candidate is all of it."""
FURTHER = 0.6
"""What a span that was not marked first counts for."""
_WORD = re.compile(r"\w+")


def spotter(
    rows: Sequence[Row], said: Said, fold: Ints, decided: Floats, votes: Floats, worth: Floats, vote: Callable[[Tokens, Ints], Floats], cues: Cues
) -> Spotter:
    """All judged by what had not seen the author: `decided` on each message, `votes` on each sentence, `vote` on tokens of the given messages.
    A message without a marked span teaches nothing."""
    texts, teaches = [r.own for r in rows], taught(worth, said.owner)
    best = np.nan_to_num(beside_the_best(worth, said.owner))
    beside = np.column_stack([votes[:, REFLECT], placed(said.owner, said.sentences.words)])
    around, cut = _edges(around_sentences(said), said.owner, best, beside, fold[said.owner], teaches)
    evidence = sentence_evidence(said, votes, decided, cues, cut)
    sentence = ranked(evidence[teaches], said.owner[teaches], best[teaches], ROUNDS)
    promise = _promised(evidence, said.owner, best, teaches, fold[said.owner])
    found, of = likely_clauses(texts, said.spans, said.owner, promise, np.array([bool(r.spans) for r in rows]))
    c = Candidates.of(said, found, np.array(of))
    gain = np.array([_worth(texts[n][f.start : f.end], rows[n].spans) for n, f in zip(of, found, strict=True)])
    within, cut = _edges(c.edges, c.text, gain, _shape(c, promise), fold[c.text], np.ones(len(gain), dtype=bool))
    seen = clause_evidence(c, decided[c.text], vote(c.tokens, c.text), votes[c.sentence], cues, promise, cut)
    return Spotter(sentence, ranked(seen, c.text, gain, ROUNDS), around, within)


def _promised(evidence: Floats, group: Ints, gain: Floats, teaches: Flags, fold: Ints) -> Floats:
    """By trees that had not seen the author: clauses are to be chosen from such sentences as will be found, and not from those that were learned by heart."""
    found = np.zeros(len(evidence))
    for number in np.unique(fold):
        learns, apart = teaches & (fold != number), fold == number
        found[apart] = ranked(evidence[learns], group[learns], gain[learns], ROUNDS)(np.ascontiguousarray(evidence[apart].T))
    return found


def _edges(buckets: Ints, group: Ints, gain: Floats, beside: Floats, fold: Ints, teaches: Flags) -> tuple[Edges, Floats]:
    """And what they say of candidates by authors they have not learned from. What else makes a candidate likely stands `beside` them while they learn,
    so that they speak of edges alone."""
    candidates, width = buckets.shape
    at = np.repeat(np.arange(candidates), width)
    words = csr_matrix((np.full(at.size, VALUE), (at, buckets.ravel())), shape=(candidates, BUCKETS))
    rows, cut = hstack([words, csr_matrix(beside)]).tocsr(), np.zeros(candidates)

    def learned(keep: Flags) -> Floats:
        return weights(rows[keep], group[keep], gain[keep])[:BUCKETS]

    for number in np.unique(fold):
        cut[fold == number] = words[fold == number] @ learned(teaches & (fold != number))
    return Edges(learned(teaches).astype(np.float16)), cut


def _shape(c: Candidates, promise: Floats) -> Floats:
    first, _, _, behind, _, share, *_ = c.shape.T
    long = np.clip(c.tokens.words, 2, 25)[:, None] // 2 == np.arange(1, 13)
    places = [np.minimum(at, 4)[:, None] == np.arange(5) for at in (first, behind)]
    return np.column_stack([promise[c.sentence], *places, long, share, share > WHOLE]).astype(float)


def taught(worth: Floats, owner: Ints) -> Flags:
    """Sentences of messages with a marked span and more than one sentence: there something is chosen."""
    several = np.bincount(owner)[owner] > 1
    known: Flags = ~np.isnan(worth) & several
    return known


def placed(owner: Ints, words: Floats) -> Floats:
    """Where each sentence stands in its message: first, second, ...; last, last but one, ...; and how long it is."""
    begins, count = sentences_of(owner)
    place = np.arange(len(owner)) - begins[owner]
    left = count[owner] - 1 - place
    return np.column_stack([np.minimum(place, 8)[:, None] == np.arange(9), np.minimum(left, 4)[:, None] == np.arange(5), np.log1p(words)]).astype(float)


def worth_reflecting(rows: Sequence[Row], said: Said) -> Floats:
    """How much of what is worth reflecting each sentence holds, 0..1; NaN where the message has no marked span."""
    return np.array(
        [_worth(rows[n].own[start:end], rows[n].spans) if rows[n].spans else np.nan for n, (start, end) in zip(said.owner.tolist(), said.spans, strict=True)]
    )


def beside_the_best(worth: Floats, owner: Ints) -> Floats:
    """Share of the worth of the best sentence of the same message: what counts is which one is chosen, not how well it could be cut."""
    best = np.zeros(int(owner.max(initial=0)) + 1)
    np.maximum.at(best, owner, np.nan_to_num(worth))
    shares: Floats = worth / np.maximum(best[owner], 1e-9)
    return shares


def _worth(unit: str, spans: Sequence[str]) -> float:
    return max((token_f1(unit, span) * (1.0 if n == 0 else FURTHER) for n, span in enumerate(spans)), default=0.0)


def token_f1(found: str, wanted: str) -> float:
    a, b = Counter(_WORD.findall(found.lower())), Counter(_WORD.findall(wanted.lower()))
    shared = (a & b).total()
    return 2 * shared / (a.total() + b.total()) if shared else 0.0
