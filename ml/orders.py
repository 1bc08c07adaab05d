"""Sentences that give orders to a machine that reads the mail. They are flagged and not scored.

People give each other orders all day ("please ignore my last mail"), so a head of the reader, taught by both kinds, weighs the words; here are the forms
that nothing else has (words/orders.yaml), and letters that are hidden from people.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from ml import artifact

_SPACED = re.compile(r"(?:\b\w[ .\-_]){6,}\w\b")
_BLANKS = re.compile(r"\s+")
_HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_TAGGED = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007e]{3,}")


def has_form(sentence: str) -> bool:
    if _SPACED.search(sentence):
        return True
    return _forms().search(_BLANKS.sub(" ", unicodedata.normalize("NFKC", _HIDDEN.sub("", sentence))).lower()) is not None


def tagged(text: str) -> list[tuple[int, int]]:
    """Runs of invisible tag letters, in which a machine could read what no person sees. Flags of some countries end in a few of them."""
    return [match.span() for match in _TAGGED.finditer(text)] if not text.isascii() else []


@cache
def _forms() -> re.Pattern[str]:
    return re.compile("|".join(f"(?<!\\w)(?:{line})" for line in artifact.words("orders")["orders"]))
