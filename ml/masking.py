"""Names of people, companies and places are taken out before anything is scored: a message reads the same whoever wrote it.

A word counts as a name where it is capitalised inside a sentence, or at its start when no ordinary text uses it in lower case.
German writes every noun with a capital; there, and at the start of a sentence, the vocabulary decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

from ml import artifact

NAME = crc32(b"\x00name")
"""What every name reads as; a run of names reads as one."""

Flags = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
_ADDRESS = re.compile(r"[^\s@]{1,254}@\S+|\b(?:https?://|www\.)\S+", re.IGNORECASE)


def without_addresses(text: str) -> str:
    """Mail and web addresses hold names too, in lower case."""
    return _ADDRESS.sub(" ", text) if "@" in text or "www." in text or "http" in text else text


def _sums(words: str | Sequence[str]) -> Hashes:
    listed = words.split() if isinstance(words, str) else words
    return np.array(sorted(crc32(w.encode()) for w in listed), dtype=np.uint64)


class Masker:
    """`vocabulary`: ascending checksums of the words that ordinary text uses in lower case, or as nouns in German."""

    def __init__(self, vocabulary: Hashes) -> None:
        words = artifact.words("names")
        self.vocabulary = vocabulary
        self._kept = _sums(words["kept"])
        self._given = _sums(words["given_names_that_are_words"])
        self._followers = _sums(words["never_after_a_name"])
        self._particles = _sums(words["particles"])
        self._german = _sums(words["german"])

    def names(self, hashes: Hashes, unit: npt.NDArray[np.int64], units: int, capital: Flags, starts: Flags) -> Flags:
        """Which tokens are names. `hashes` of the lower-cased tokens, `capital` where only the first letter is one, `starts` at the start of a sentence."""
        if not len(hashes):
            return np.zeros(0, dtype=bool)
        german = np.bincount(unit, weights=_in(hashes, self._german), minlength=units) >= np.maximum(2, np.bincount(unit, minlength=units) / 12)
        ordinary = _in(hashes, self.vocabulary)
        next_hash = np.concatenate([hashes[1:], [np.uint64(0)]])
        given = _in(hashes, self._given) & ~_in(next_hash, self._followers)
        unsure = starts | german[unit]
        names: Flags = capital & ~_in(hashes, self._kept) & (~unsure | ~ordinary | given)
        return names

    def kept(self, names: Flags, hashes: Hashes, unit: npt.NDArray[np.int64]) -> Flags:
        """False for what follows a name and belongs to it: further names, and particles between two of them."""
        if not len(names):
            return names
        same = np.concatenate([[False], unit[1:] == unit[:-1]])
        before, after = np.concatenate([[False], names[:-1]]) & same, np.concatenate([names[1:] & same[1:], [False]])
        joins = before & after & _in(hashes, self._particles)
        part = names | joins
        kept: Flags = ~(part & np.concatenate([[False], part[:-1]]) & same)
        return kept


def _in(hashes: Hashes, sums: Hashes) -> Flags:
    if not len(sums):
        return np.zeros(len(hashes), dtype=bool)
    at = np.minimum(np.searchsorted(sums, hashes), len(sums) - 1)
    found: Flags = sums[at] == hashes
    return found
