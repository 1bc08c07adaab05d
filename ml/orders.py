"""Sentences that give orders to a machine that reads the mail. They are flagged and not scored.

People give each other orders all day ("please ignore my last mail"), so a head of the reader, taught by both kinds, weighs the words; small trees weigh its
votes on a sentence and on those around it together with forms that little else has (words/orders.yaml). Letters that are hidden from people need no weighing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ml import artifact
from ml.columns import ORDER, REFLECT
from ml.expressions import Pattern, one_of
from ml.sentence_tokens import Said
from ml.tokens import Flags, Floats, Ints
from ml.trees import Trees

_SPACED = re.compile(r"(?:\b\w[ .\-_]){6,}\w\b")
_BLANKS = re.compile(r"\s+")
_HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_TAGGED = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007e]{3,}")


_NOBODY = -9.0
"""Stands for the vote on a sentence that is not there."""
_FAR, _MANY = 6, 12


@dataclass(frozen=True, slots=True)
class Finder:
    """`trees` and `base`: log odds that a sentence is part of an order to a machine."""

    trees: Trees
    base: float

    def __call__(self, seen: Floats) -> Floats:
        """Of each sentence; `seen` is its evidence."""
        return self.base + self.trees(np.ascontiguousarray(seen.T))


def evidence(owner: Ints, votes: Floats, forms: Flags, cues: Floats) -> Floats:
    """Of each sentence of whole texts, whose `owner` is ascending: votes for an order on it, its neighbours and the rest of its text, the same of
    forms, where it stands; then votes and cues, for a sentence that speaks of the buyer's business gives no orders to a machine. What
    is worth reflecting says only how the sentences of one text compare, and is left out."""
    if not len(owner):
        return np.zeros((0, 2 * 5 + 3 + REFLECT + cues.shape[1]))
    begins = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    count = np.diff(np.concatenate([begins, [len(owner)]]))
    text = np.repeat(np.arange(len(begins)), count)
    place = np.arange(len(owner)) - begins[text]
    shape = np.column_stack([np.minimum(place, _FAR), np.minimum(count[text] - 1 - place, _FAR), np.minimum(count[text], _MANY)])
    around = (_around(values, begins, count, text) for values in (votes[:, ORDER], forms.astype(float)))
    return np.column_stack([*around, shape, votes[:, :REFLECT], cues])


def _around(values: Floats, begins: Ints, count: Ints, text: Ints) -> Floats:
    """Each value, those before and behind it, mean and highest of the others of its text."""
    first, last = np.zeros(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    first[begins], last[begins + count - 1] = True, True
    before, behind = np.where(first, _NOBODY, np.roll(values, 1)), np.where(last, _NOBODY, np.roll(values, -1))
    others = np.maximum(count[text] - 1, 1)
    mean = np.where(count[text] > 1, (np.add.reduceat(values, begins)[text] - values) / others, _NOBODY)
    ranked = values[np.lexsort((-values, text))]
    highest, second = ranked[begins], np.where(count > 1, ranked[np.minimum(begins + 1, len(values) - 1)], _NOBODY)
    return np.column_stack([values, before, behind, mean, np.where(values == highest[text], second[text], highest[text])])


def formed(texts: Sequence[str], said: Said, among: Flags) -> Flags:
    """Which of the sentences `among` these have a form that an order has, if only often."""
    found = np.zeros(len(among), dtype=bool)
    for n in np.flatnonzero(among).tolist():
        start, end = said.spans[n]
        found[n] = _has(texts[int(said.owner[n])][start:end], "orders", "often")
    return found


def has_form(sentence: str) -> bool:
    """One that nothing else has."""
    return _has(sentence, "orders")


def _has(sentence: str, *lists: str) -> bool:
    if _SPACED.search(sentence):
        return True
    seen = _BLANKS.sub(" ", unicodedata.normalize("NFKC", _HIDDEN.sub("", sentence))).lower()
    return _forms(lists).search(seen) is not None


def tagged(text: str) -> list[tuple[int, int]]:
    """Runs of invisible tag letters, in which a machine could read what no person sees. Flags of some countries end in a few of them."""
    return [match.span() for match in _TAGGED.finditer(text)] if not text.isascii() else []


@cache
def _forms(lists: tuple[str, ...]) -> Pattern:
    return one_of(f"(?<!\\w)(?:{line})" for name in lists for line in artifact.words("orders")[name])
