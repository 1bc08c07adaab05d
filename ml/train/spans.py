"""Learns which words are worth reflecting, from the spans people marked: each candidate is worth the token-F1 it has with the first of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from ml.cues import Cues
from ml.sentence_tokens import Said
from ml.spans import Spotter, clause_evidence, likely_clauses, sentence_evidence, sentence_of, within_texts
from ml.tokens import Floats, Ints, Tokens
from ml.train.boosting import regression
from ml.train.corpus import Row

ROUNDS = 80
FURTHER = 0.6
"""What a span that was not marked first counts for."""
_WORD = re.compile(r"\w+")


def spotter(rows: Sequence[Row], said: Said, decided: Floats, votes: Floats, worth: Floats, vote: Callable[[Tokens, Ints], Floats], cues: Cues) -> Spotter:
    """All judged by what had not seen the author: `decided` on each message, `votes` on each sentence, `vote` on tokens of the given messages.
    A message without a marked span teaches nothing."""
    texts, owner = [r.own for r in rows], said.owner
    evidence, teaches = sentence_evidence(said, votes, decided, cues), ~np.isnan(worth)
    base, sentence = regression(evidence[teaches], _beside_the_best(worth, owner)[teaches], ROUNDS)
    promise = base + sentence(np.ascontiguousarray(evidence.T))
    candidates, of = likely_clauses(texts, said.spans, owner, promise, np.array([bool(r.spans) for r in rows]))
    t, inside = within_texts(said, candidates, of), sentence_of(candidates, of, owner)
    seen = clause_evidence(t, candidates, decided[of], vote(t, np.array(of)), votes[inside], cues, promise[inside])
    clause_base, clause = regression(seen, np.array([_worth(texts[n][c.start : c.end], rows[n].spans) for n, c in zip(of, candidates, strict=True)]), ROUNDS)
    return Spotter(sentence, clause, (base, clause_base))


def worth_reflecting(rows: Sequence[Row], said: Said) -> Floats:
    """How much of what is worth reflecting each sentence holds, 0..1; NaN where the message has no marked span."""
    return np.array(
        [_worth(rows[n].own[start:end], rows[n].spans) if rows[n].spans else np.nan for n, (start, end) in zip(said.owner.tolist(), said.spans, strict=True)]
    )


def _beside_the_best(worth: Floats, owner: Ints) -> Floats:
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
