"""Names of people, companies and places are taken out before anything is scored: a message reads the same whoever wrote it.

A word counts as a name where it is capitalised inside a sentence, or at its start when no ordinary text uses it in lower case.
German writes every noun with a capital; there, and at the start of a sentence, the vocabulary decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from ml.tokens import Flags, Hashes, Tokens

NAME = crc32(b"\x00name")
"""What every name reads as; a run of names reads as one."""
LONGEST_CHAIN = 3
"""Particles in a row."""

_ADDRESS = re.compile(r"[^\s@]{1,254}@\S+|\b(?:https?://|www\.)\S+", re.IGNORECASE)


def without_addresses(text: str) -> str:
    """Mail and web addresses hold names too, in lower case. Offsets stay what they are."""
    return _ADDRESS.sub(lambda m: " " * len(m[0]), text) if "@" in text or "www." in text or "http" in text else text


@dataclass(frozen=True, slots=True)
class Masker:
    """Both ascending checksums: `vocabulary` of the words that ordinary text uses in lower case, or as nouns in German; `openers` of those it
    uses before a capitalised word at the start of a sentence ("Dear", "Thanks"), where any other word is taken for part of a name."""

    vocabulary: Hashes
    openers: Hashes

    def __call__(self, t: Tokens) -> Tokens:
        """With every name, and every run of names, read as one token. Units are sentences."""
        if not len(t.hashes):
            return t
        names = _whole(self._sure(t), t)
        kept = ~(names & t.shifted(names))
        return t.anonymous(names, NAME).chosen(kept, t.unit[kept], t.units)

    def _sure(self, t: Tokens) -> Flags:
        """Words that are names by themselves."""
        starts = ~t.shifted(~t.has("end"))
        german = (t.count(t.has("german")) >= np.maximum(2, np.bincount(t.unit, minlength=t.units) / 12))[t.unit]
        may_be = t.capital & ~t.has("kept") & ~t.has("pronouns")
        given = t.has("given_names_that_are_words") & ~t.ahead(t.has("never_after_a_name"))
        titled = t.shifted(_reached(t.has("titles"), t.has("particles"), t))
        names = may_be & (~(starts | german) | ~_in(t.hashes, self.vocabulary) | given | titled)
        leads = t.ahead(_led(names | (may_be & ~german), t.has("particles"), t))
        found: Flags = names | (may_be & starts & leads & (~_in(t.hashes, self.openers) | t.has("given_names_that_are_words")))
        return found


def _whole(names: Flags, t: Tokens) -> Flags:
    """With what belongs to a name: particles and "and" between two of them, what is joined by a hyphen, particles between a title and a name."""
    joins = (t.has("particles") | t.has("joins")) & ~t.capital
    part = names | (_led(names, joins, t) & joins & t.shifted(_reached(names | t.has("titles"), joins, t)))
    goes_on = t.glued | (t.capital & t.has("kept"))
    for _ in range(LONGEST_CHAIN):
        part |= goes_on & t.shifted(part)
    return part


def _reached(start: Flags, through: Flags, t: Tokens) -> Flags:
    """`start`, and the tokens behind it that are `through`."""
    for _ in range(LONGEST_CHAIN):
        start = start | (through & t.shifted(start))
    return start


def _led(goal: Flags, through: Flags, t: Tokens) -> Flags:
    """`goal`, and the tokens before it that are `through`."""
    for _ in range(LONGEST_CHAIN):
        goal = goal | (through & t.ahead(goal))
    return goal


def _in(hashes: Hashes, sums: Hashes) -> Flags:
    if not len(sums):
        return np.zeros(len(hashes), dtype=bool)
    found: Flags = sums[np.minimum(np.searchsorted(sums, hashes), len(sums) - 1)] == hashes
    return found
