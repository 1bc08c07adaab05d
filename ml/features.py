"""Tokens as numbers: hashed words and pairs of words, marked where they are negated, and what a lexicon says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.tokens import Floats, Hashes, Ints, Tokens

BUCKETS = 1 << 18
LEXICON_FEATURES = ("compound", "positive", "negative", "highest", "lowest", "hits", "negations", "contrast", "exclaims", "asks", "please", "thanks", "length")

_BOOST, _DAMP, _TURN, _ALPHA = 0.293, -0.293, -0.74, 15.0
_NEGATED = np.uint64(0x9E3779B1)
_PAIR = np.uint64(0x85EBCA6B)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Valence of a word by its checksum, ascending; about -4..4."""

    keys: Hashes
    values: Floats

    def of(self, tokens: Hashes) -> Floats:
        at = np.minimum(np.searchsorted(self.keys, tokens), len(self.keys) - 1)
        return np.where(self.keys[at] == tokens, self.values[at], 0.0)


def hashed(t: Tokens, buckets: int = BUCKETS, *, stems: bool = False) -> tuple[Ints, Ints, Floats]:
    """(unit, bucket, term frequency 1 + ln n) of words and pairs, and of stems; sorted by unit and bucket. A masked name is in none of them: it counts
    for no more than a word that nobody has seen."""
    words = np.where(t.negated, t.hashes * _NEGATED, t.hashes)
    says = t.hashes != 0
    follows = (t.unit[1:] == t.unit[:-1]) & says[1:] & says[:-1]
    pairs = (words[:-1] * _PAIR + words[1:])[follows]
    long = t.stems != 0 if stems else np.zeros(len(t.stems), dtype=bool)
    unit = np.concatenate([t.unit[says], t.unit[1:][follows], t.unit[long]])
    key = mixed(np.concatenate([words[says], pairs, t.stems[long]])) % np.uint64(buckets)
    cells, counts = np.unique(unit * buckets + key.astype(np.int64), return_counts=True)
    return cells // buckets, cells % buckets, 1.0 + np.log(counts)


def lexical(t: Tokens, lexicon: Lexicon) -> Floats:
    """LEXICON_FEATURES of each unit, in VADER's way: negation turns, boosters strengthen, what follows a contrast weighs more."""
    valence = _weighed(t, lexicon)
    positive, negative = np.maximum(valence, 0), np.minimum(valence, 0)
    columns = [
        _squashed(t.summed(valence)),
        _squashed(t.summed(positive)),
        _squashed(t.summed(negative)),
        _extreme(positive, t),
        -_extreme(-negative, t),
        np.log1p(t.count(valence != 0)),
        np.minimum(t.count(t.has("negation")), 3) / 3,
        np.minimum(t.count(t.has("contrast")), 1),
        *(np.minimum(t.count(t.has(name)), 2) / 2 for name in ("exclaims", "asks", "please", "thanks")),
        np.log1p(t.words) / 4,
    ]
    return np.column_stack(columns)


def _weighed(t: Tokens, lexicon: Lexicon) -> Floats:
    valence = lexicon.of(t.hashes)
    valence[t.has("negation")] = 0.0
    boost = np.where(t.has("boost"), _BOOST, 0.0) + np.where(t.has("damp"), _DAMP, 0.0)
    valence = valence + np.sign(valence) * t.shifted(boost)
    valence = np.where(t.negated, valence * _TURN, valence)
    contrast = t.has("contrast")
    passed = np.cumsum(contrast)
    before_unit = np.concatenate([[0], passed])[np.searchsorted(t.unit, np.arange(t.units))]
    ends = np.concatenate([[0], passed])[np.searchsorted(t.unit, np.arange(t.units), side="right")]
    is_after = passed > before_unit[t.unit]
    has_contrast = ends[t.unit] > before_unit[t.unit]
    weighed: Floats = valence * np.where(has_contrast, np.where(is_after, 1.5, 0.5), 1.0)
    return weighed


def _extreme(values: Floats, t: Tokens) -> Floats:
    highest = np.zeros(t.units)
    np.maximum.at(highest, t.unit, values)
    return highest / 4


def _squashed(total: Floats) -> Floats:
    squashed: Floats = total / np.sqrt(total * total + _ALPHA)
    return squashed


def mixed(keys: Hashes) -> Hashes:
    """Finaliser of splitmix64: checksums of similar words must not share buckets."""
    with np.errstate(over="ignore"):
        keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return keys ^ (keys >> np.uint64(31))
