"""Cues: words and set phrases of business mail with their valence and what they point to, written for Undertone (words/cues.*.tsv)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from ml.features import mixed
from ml.tokens import Flags, Floats, Hashes, Ints, Tokens, tokens

LONGEST = 4
"""Words of a phrase."""
TAGS = (
    "frustration disappointment anger anxiety confusion disengagement satisfaction gratitude enthusiasm silence price_objection deadlock cross_functional"
    " timing_concern implementation_worry past_vendor_disappointment budget_cut usage_drop renewal_decision risk_reliability champion_change"
    " competitor_evaluation positive_momentum routine_logistics hostile machine_order churn1 churn2 churn3 security achievement recognition"
).split()
VALENCES = ("sum", "positive", "negative", "highest", "lowest", "hits")
FEATURES = (*VALENCES, *TAGS)
_TURN = -0.6
"""What a negation does to a cue, as VADER's -0.74 but milder: phrases often hold their own negation."""
_SIEVE = np.uint64((1 << 20) - 1)
_STEP = np.uint64(0xFF51AFD7ED558CCD)


@dataclass(frozen=True)
class Cues:
    """`keys` ascending; `valence` -4..4; `tags` one bit for each of TAGS."""

    keys: Hashes
    valence: Floats
    tags: Hashes

    @classmethod
    def of(cls, entries: Iterable[tuple[str, float, Iterable[str]]]) -> Self:
        """From (form, valence, tags). Of two entries for one form the later one counts."""
        known: dict[int, tuple[float, int]] = {}
        for form, valence, tags in entries:
            t = tokens([form])
            if 0 < len(t.hashes) <= LONGEST:
                known[int(_phrases(t)[len(t.hashes) - 1][0])] = (valence, sum(1 << TAGS.index(tag) for tag in tags))
        keys = sorted(known)
        return cls(np.array(keys, np.uint64), np.array([known[k][0] for k in keys], float), np.array([known[k][1] for k in keys], np.uint64))

    @cached_property
    def _sieve(self) -> Flags:
        """False for most keys that are no cue: cheaper to ask than a search."""
        sieve = np.zeros(int(_SIEVE) + 1, dtype=bool)
        sieve[self.keys & _SIEVE] = True
        return sieve

    def found(self, t: Tokens) -> tuple[Ints, Ints, Ints]:
        """(place of the first token, words, entry) of the longest cue at each place; none overlaps a longer one that began before it."""
        at, length, entry = [], [], []
        free = np.ones(len(t.hashes), dtype=bool)
        for words, keys in reversed(list(enumerate(_phrases(t), 1))):
            likely = np.flatnonzero(self._sieve[keys & _SIEVE] & free[: len(keys)])
            place = np.minimum(np.searchsorted(self.keys, keys[likely]), len(self.keys) - 1)
            known = self.keys[place] == keys[likely]
            hit = likely[known]
            for k in range(words):
                free[hit + k] = False
            at.append(hit)
            length.append(np.full(len(hit), words))
            entry.append(place[known])
        return np.concatenate(at), np.concatenate(length), np.concatenate(entry)

    def features(self, t: Tokens) -> Floats:
        """FEATURES of each unit."""
        at, _, entry = self.found(t)
        unit = t.unit[at]
        valence = self.valence[entry] * np.where(t.negated[at], _TURN, 1.0)
        total = np.zeros((t.units, len(FEATURES)))
        for column, values in enumerate((valence, np.maximum(valence, 0), np.minimum(valence, 0))):
            summed = np.bincount(unit, weights=values, minlength=t.units)
            total[:, column] = summed / np.sqrt(summed * summed + 15.0)
        np.maximum.at(total[:, 3], unit, valence)
        np.minimum.at(total[:, 4], unit, valence)
        total[:, 3:5] /= 4
        total[:, 5] = np.log1p(np.bincount(unit, weights=valence != 0, minlength=t.units))
        bits = (self.tags[entry][:, None] >> np.arange(len(TAGS), dtype=np.uint64)) & np.uint64(1)
        cells = unit[:, None] * len(TAGS) + np.arange(len(TAGS))
        counts = np.bincount(cells.ravel(), weights=bits.ravel().astype(float), minlength=t.units * len(TAGS))
        total[:, len(VALENCES) :] = np.log1p(counts).reshape(t.units, len(TAGS))
        return total


def _phrases(t: Tokens) -> list[Hashes]:
    """Keys of the phrases of 1, 2, ... LONGEST words that begin at each token; only such as stay within a unit."""
    keys = [t.hashes]
    with np.errstate(over="ignore"):
        for words in range(2, LONGEST + 1):
            if len(t.hashes) < words:
                keys.append(np.zeros(0, np.uint64))
                continue
            inside = t.unit[words - 1 :] == t.unit[: len(t.unit) - words + 1]
            joined = mixed(keys[-1][: len(inside)] * _STEP + t.hashes[words - 1 :])
            keys.append(np.where(inside, joined, np.uint64(0)))
    return keys
