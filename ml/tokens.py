"""Texts as tokens: checksums of words and marks, where each stands, and which word lists it is in. No word is kept.

The same code runs in training and in reading; numpy only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from itertools import chain
from typing import TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ml import artifact
from ml.labels import LANGUAGES

NEGATION_REACH = 3
"""Tokens behind a negation that it turns, as in VADER."""
STEM = 4
"""Letters; what longer words share with their inflections, and often with their kin in a sister language."""

_UNSEEN = r"[\u00ad\u200b-\u200d\u2060\ufeff]+"
_HIDDEN, _LATIN = re.compile(_UNSEEN), re.compile("[A-Za-z]")
_LOOKALIKE = str.maketrans("аеорсухікАЕОРСТХІВМНК", "aeopcyxikAEOPCTXIBMHK")
_TOKEN = re.compile(rf"([^\W_]+(?:{_UNSEEN}[^\W_]+)*(?:['’][^\W_]+)?|[!?]|[:;=]-?[)(DP/]|[,.;:])")
_GLUE = frozenset({"-", "‑", "'", "’", "&", " & "})
_BETWEEN = "\x1e"
"""Stands between units that are read in one go; no token holds it."""
_TOKEN_OR_LINE = re.compile(_TOKEN.pattern[:-1] + r"|\n)")
_LISTS: Mapping[str, Sequence[str]] = {
    "stop": [",", ".", ";", ":", "!", "?", "\n"],
    "end": [".", "!", "?", ":", "\n"],
    "full_stop": ["."],
    "comma": [","],
    "exclaims": ["!"],
    "asks": ["?"],
    "negation": (
        "not no never none nobody nothing neither nor without cannot cant can't couldn't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't "
        "shouldn't hasn't haven't hadn't ain't hardly barely rarely seldom lack lacks lacking zero nicht kein keine keinen keiner nie niemand nichts ohne "
        "pas jamais rien aucun aucune personne sans ni nunca nadie nada ningún ninguna sin não nem ninguém nenhum sem niet geen"
    ).split(),
    "boost": (
        "very really extremely absolutely completely totally so such highly deeply truly incredibly particularly especially "
        "sehr wirklich très vraiment muy realmente muito"
    ).split(),
    "damp": "slightly somewhat fairly rather almost little bit kind sort partly etwas ein bisschen peu poco pouco".split(),
    "contrast": "but however yet although though nevertheless unfortunately aber jedoch leider mais cependant pero sin_embargo mas porém maar".split(),
    "please": "please kindly bitte veuillez favor".split(),
    "thanks": "thanks thank danke merci gracias obrigado obrigada".split(),
}
_NAME_LISTS = (
    *("kept", "pronouns", "given_names_that_are_words", "nouns_that_are_names", "never_after_a_name", "particles", "joins", "titles", "german", "states"),
    *(
        "legal_forms",
        "small_legal_forms",
        "articles",
        "greetings",
        "closings",
        "organs",
        "beginnings",
        "particles_in_english",
        "german_places",
        "leads",
        *(f"done_{language}" for language in LANGUAGES),
    ),
)
_BIT = {name: 1 << n for n, name in enumerate((*_LISTS, *_NAME_LISTS, *LANGUAGES, "capitals", "uncased"))}

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_T = TypeVar("_T", bound=np.generic)


@dataclass(frozen=True)
class Tokens:
    """Tokens of all units in one row. `start` and `end` count letters as if the units stood end to end."""

    hashes: Hashes
    stems: Hashes
    """Checksums of the first letters of each token; 0 for a token that is no longer than they are."""
    kinds: Ints
    capital: Flags
    """Written with a capital, but not with capitals only; "capitals" among the word lists says which are."""
    glued: Flags
    """Only a hyphen, an apostrophe or "&" stands between it and the token before."""
    start: Ints
    end: Ints
    unit: Ints
    units: int

    def has(self, name: str) -> Flags:
        """Which tokens are in the word list of that name."""
        found: Flags = (self.kinds & _BIT[name]) != 0
        return found

    def of_any(self, *names: str) -> Flags:
        """Which tokens are in one of these lists."""
        found: Flags = (self.kinds & sum(_BIT[name] for name in names)) != 0
        return found

    def count(self, flags: Flags) -> Floats:
        return np.bincount(self.unit[flags], minlength=self.units).astype(np.float64)

    def summed(self, weights: Floats) -> Floats:
        """Per unit."""
        return np.bincount(self.unit, weights=weights, minlength=self.units).astype(np.float64)

    def shifted(self, values: npt.NDArray[_T]) -> npt.NDArray[_T]:
        """Each token gets its predecessor's value within the unit."""
        moved = np.zeros_like(values)
        moved[1:] = np.where(self.unit[1:] == self.unit[:-1], values[:-1], values.dtype.type(0))
        return moved

    def ahead(self, flags: Flags) -> Flags:
        """Each token gets its successor's flag within the unit."""
        moved = np.zeros_like(flags)
        moved[:-1] = flags[1:] & (self.unit[1:] == self.unit[:-1])
        return moved

    @property
    def words(self) -> Floats:
        return self.count(~self.has("stop"))

    @cached_property
    def negated(self) -> Flags:
        """Which tokens stand behind a negation, up to the next mark."""
        turned = np.zeros(len(self.hashes), dtype=bool)
        negation, barrier = self.has("negation"), self.has("stop")
        reach = negation
        for _ in range(NEGATION_REACH):
            reach = self.shifted(reach) & ~barrier
            turned |= reach
        found: Flags = turned & ~negation
        return found

    def chosen(self, at: Ints | Flags, unit: Ints, units: int) -> Tokens:
        """Some of the tokens, in units of their own."""
        return Tokens(self.hashes[at], self.stems[at], self.kinds[at], self.capital[at], self.glued[at], self.start[at], self.end[at], unit, units)

    def of_units(self, keep: Flags) -> Tokens:
        """The tokens of some of the units, which are counted anew."""
        inside = keep[self.unit]
        return self.chosen(inside, (np.cumsum(keep) - 1)[self.unit[inside]], int(keep.sum()))

    def anonymous(self, names: Flags) -> Tokens:
        """With these tokens read as one and the same, which says nothing: its checksum is 0."""
        return replace(
            self,
            hashes=np.where(names, np.uint64(0), self.hashes),
            stems=np.where(names, np.uint64(0), self.stems),
            kinds=np.where(names, 0, self.kinds),
        )


def tokens(units: Sequence[str], *, lines: bool = False) -> Tokens:
    """With `lines`, a line break is a token too, for it may begin a sentence."""
    parts = (_TOKEN_OR_LINE if lines else _TOKEN).split(_BETWEEN.join(units))
    written = parts[1::2]
    places = {word: place for place, word in enumerate(dict.fromkeys(written))}
    at = np.fromiter(map(places.__getitem__, written), np.int64, len(written))
    edges = np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))
    start, end = edges[:-1:2], edges[1::2]
    ends_of_units = np.cumsum(np.fromiter(map(len, units), np.int64, len(units)) + len(_BETWEEN))
    unit = np.searchsorted(ends_of_units, start, side="right")
    glued = np.fromiter(map(_GLUE.__contains__, parts[:-1:2]), bool, len(at))
    hashes, stems, kinds, capital = _described(places)
    return Tokens(hashes[at], stems[at], kinds[at], capital[at], glued, start - unit, end - unit, unit, len(units))


def _described(words: Iterable[str]) -> tuple[Hashes, Hashes, Ints, Flags]:
    """(checksum, checksum of the stem, word lists, capital) of each word."""
    found = [_of_common(word) if word.islower() else _of(word) for word in words]
    sums, stems, kinds, capital = zip(*found, strict=True) if found else ((), (), (), ())
    return np.array(sums, dtype=np.uint64), np.array(stems, dtype=np.uint64), np.array(kinds, dtype=np.int64), np.array(capital, dtype=bool)


def _of(word: str) -> tuple[int, int, int, bool]:
    word = word if word.isascii() else _shown(word)
    lower = word.lower().replace("’", "'")
    value = checksum(lower)
    kinds = _kinds().get(value, 0) | (_BIT["capitals"] if len(word) > 1 and word.isupper() else 0) | (_BIT["uncased"] if _is_uncased(word) else 0)
    return value, checksum(lower[:STEM] + "*") if len(lower) > STEM else 0, kinds, _is_capital(word)


_of_common = lru_cache(maxsize=1 << 15)(_of)
"""Mail repeats its words. What is written with a capital, or holds no letter, may be a name or a number, and is not kept."""


def _shown(word: str) -> str:
    """As a person sees it: without letters of no width, styled letters as plain ones, and those of another alphabet among Latin ones as what they look like."""
    plain = unicodedata.normalize("NFKC", _HIDDEN.sub("", word))
    return plain.translate(_LOOKALIKE) if _LATIN.search(plain) else plain


def _is_capital(word: str) -> bool:
    """Also within a word ("eBay", "l'Oréal", "3M"), but not throughout."""
    return word != word.lower() and (len(word) == 1 or not word.isupper() or word[0].isdigit())


def _is_uncased(word: str) -> bool:
    """Of letters that have no capitals: Arabic, Chinese, Hebrew, Hindi, ..."""
    return not word.isascii() and word[0].isalpha() and word.upper() == word.lower()


def checksum(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


@cache
def _kinds() -> Mapping[int, int]:
    """Bits of the word lists that each checksum is in."""
    names, languages = artifact.words("names"), artifact.words("languages")
    stored = chain(((name, names[name].split()) for name in _NAME_LISTS), ((name, languages[name].split()) for name in LANGUAGES))
    found: dict[int, int] = {}
    for name, words in chain(_LISTS.items(), stored):
        for word in words:
            found[checksum(word)] = found.get(checksum(word), 0) | _BIT[name]
    return found


def within(t: Tokens, first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """(place of the token, range) of every token that starts in one of the ranges of letters [first, last)."""
    low, high = np.searchsorted(t.start, first), np.searchsorted(t.start, last)
    length = high - low
    of = np.repeat(np.arange(len(low)), length)
    return np.arange(len(of)) - np.repeat(np.cumsum(length) - length, length) + low[of], of
