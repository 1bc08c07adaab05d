"""Sentences as numbers: hashed words and pairs of words, marked where they are negated, and what a lexicon says of them.

The same code runs in training and in scoring; numpy only. No word is kept, only its checksum.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ml.masking import NAME, Masker, without_addresses

BUCKETS = 1 << 18
STEM = 4
"""Letters; what longer words share with their inflections, and often with their kin in a sister language."""
NEGATION_REACH = 3
"""Tokens behind a negation that it turns, as in VADER."""
LEXICON_FEATURES = ("compound", "positive", "negative", "highest", "lowest", "hits", "negations", "contrast", "exclaims", "asks", "please", "thanks", "length")

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[!?]|[:;=]-?[)(DP/]|[,.;:]|\n")
_STOPS = frozenset(",.;:!?\n")
_NEGATIONS = (
    "not no never none nobody nothing neither nor without cannot cant can't couldn't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't "
    "shouldn't hasn't haven't hadn't ain't hardly barely rarely seldom lack lacks lacking zero nicht kein keine keinen keiner nie niemand nichts ohne "
    "pas jamais rien aucun aucune personne sans ni nunca nadie nada ningún ninguna sin não nem ninguém nenhum sem niet geen"
).split()
_BOOSTERS = (
    "very really extremely absolutely completely totally so such highly deeply truly incredibly particularly especially "
    "sehr wirklich très vraiment muy realmente muito"
).split()
_DAMPERS = "slightly somewhat fairly rather almost little bit kind sort partly etwas ein bisschen peu poco pouco".split()
_CONTRASTS = "but however yet although though nevertheless unfortunately aber jedoch leider mais cependant pero sin_embargo mas porém maar".split()
_BOOST, _DAMP, _TURN, _ALPHA = 0.293, -0.293, -0.74, 15.0
_NEGATED = np.uint64(0x9E3779B1)
_PAIR = np.uint64(0x85EBCA6B)

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_T = TypeVar("_T", bound=np.generic)


def checksum(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


def _checksums(words: Sequence[str]) -> Hashes:
    return np.array(sorted(checksum(w) for w in words), dtype=np.uint64)


_SETS = {
    name: _checksums(words)
    for name, words in {
        "stop": sorted(_STOPS),
        "end": [".", "!", "?", ":", "\n"],
        "negation": _NEGATIONS,
        "boost": _BOOSTERS,
        "damp": _DAMPERS,
        "contrast": _CONTRASTS,
        "exclaims": ["!"],
        "asks": ["?"],
        "please": ["please", "kindly", "bitte", "veuillez", "favor"],
        "thanks": ["thanks", "thank", "danke", "merci", "gracias", "obrigado", "obrigada"],
    }.items()
}


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Valence of a word by its checksum, ascending; about -4..4."""

    keys: Hashes
    values: Floats

    def of(self, tokens: Hashes) -> Floats:
        at = np.minimum(np.searchsorted(self.keys, tokens), len(self.keys) - 1)
        return np.where(self.keys[at] == tokens, self.values[at], 0.0)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of all units in one row, and the unit each stands in."""

    hashes: Hashes
    stems: Hashes
    """Checksums of the first letters of each token; 0 for a token that is no longer than they are."""
    unit: Ints
    units: int

    def has(self, name: str) -> Flags:
        return np.isin(self.hashes, _SETS[name])

    def count(self, flags: Flags) -> Floats:
        return summed(self, flags.astype(np.float64))

    @property
    def words(self) -> Floats:
        return self.count(~self.has("stop"))


def summed(t: Tokens, weights: Floats) -> Floats:
    """Per unit."""
    return np.bincount(t.unit, weights=weights, minlength=t.units).astype(np.float64)


def tokens(units: Sequence[str], masker: Masker | None = None) -> Tokens:
    """With a masker, every name reads alike, and a line break counts as a mark, for it may begin a sentence."""
    places: dict[str, int] = {}
    flat: list[int] = []
    lengths: list[int] = []
    for text in units:
        found = _TOKEN.findall((without_addresses(text) if masker else text.replace("\n", " ")).replace("’", "'"))
        flat.extend([places.setdefault(token, len(places)) for token in found])
        lengths.append(len(found))
    lower = [token.lower() for token in places]
    hashes = np.array([checksum(token) for token in lower], dtype=np.uint64)
    stems = np.array([checksum(token[:STEM] + "*") if len(token) > STEM else 0 for token in lower], dtype=np.uint64)
    at, unit = np.array(flat, dtype=np.int64), np.repeat(np.arange(len(units)), lengths)
    read = Tokens(hashes[at], stems[at], unit, len(units))
    if masker is None:
        return read
    capital = np.array([token[0].isupper() and not token[1:].isupper() for token in places], dtype=bool)
    return _masked(read, capital[at], masker)


def _masked(t: Tokens, capital: Flags, masker: Masker) -> Tokens:
    ends = t.has("end")
    starts = np.ones(len(t.hashes), dtype=bool)
    starts[1:] = ends[:-1] | (t.unit[1:] != t.unit[:-1])
    names = masker.names(t.hashes, t.unit, t.units, capital, starts)
    kept = masker.kept(names, t.hashes, t.unit)
    hashes, stems = np.where(names, np.uint64(NAME), t.hashes), np.where(names, np.uint64(0), t.stems)
    return Tokens(hashes[kept], stems[kept], t.unit[kept], t.units)


def negated(t: Tokens) -> Flags:
    """Which tokens stand behind a negation, up to the next mark."""
    turned = np.zeros(len(t.hashes), dtype=bool)
    reach = t.has("negation")
    barrier = t.has("stop")
    for _ in range(NEGATION_REACH):
        reach = _shifted(reach, t) & ~barrier
        turned |= reach
    return turned & ~t.has("negation")


def hashed(t: Tokens, buckets: int = BUCKETS, *, stems: bool = False) -> tuple[Ints, Ints, Floats]:
    """(unit, bucket, term frequency 1 + ln n) of words and pairs, and of stems; sorted by unit and bucket."""
    words = np.where(negated(t), t.hashes * _NEGATED, t.hashes)
    follows = t.unit[1:] == t.unit[:-1]
    pairs = (words[:-1] * _PAIR + words[1:])[follows]
    long = t.stems != 0 if stems else np.zeros(len(t.stems), dtype=bool)
    unit = np.concatenate([t.unit, t.unit[1:][follows], t.unit[long]])
    key = mixed(np.concatenate([words, pairs, t.stems[long]])) % np.uint64(buckets)
    cells, counts = np.unique(unit * buckets + key.astype(np.int64), return_counts=True)
    return cells // buckets, cells % buckets, 1.0 + np.log(counts)


def lexical(t: Tokens, lexicon: Lexicon) -> Floats:
    """LEXICON_FEATURES of each unit, in VADER's way: negation turns, boosters strengthen, what follows a contrast weighs more."""
    valence = _weighed(t, lexicon)
    positive, negative = np.maximum(valence, 0), np.minimum(valence, 0)
    columns = [
        _squashed(summed(t, valence)),
        _squashed(summed(t, positive)),
        _squashed(summed(t, negative)),
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
    valence = valence + np.sign(valence) * _shifted(boost, t)
    valence = np.where(negated(t), valence * _TURN, valence)
    contrast = t.has("contrast")
    passed = np.cumsum(contrast)
    before_unit = np.concatenate([[0], passed])[np.searchsorted(t.unit, np.arange(t.units))]
    ends = np.concatenate([[0], passed])[np.searchsorted(t.unit, np.arange(t.units), side="right")]
    is_after = passed > before_unit[t.unit]
    has_contrast = ends[t.unit] > before_unit[t.unit]
    weighed: Floats = valence * np.where(has_contrast, np.where(is_after, 1.5, 0.5), 1.0)
    return weighed


def _shifted(values: npt.NDArray[_T], t: Tokens) -> npt.NDArray[_T]:
    """Each token gets its predecessor's value within the unit."""
    moved = np.zeros_like(values)
    moved[1:] = np.where(t.unit[1:] == t.unit[:-1], values[:-1], values.dtype.type(0))
    return moved


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
