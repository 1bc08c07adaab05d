"""Sentences that give orders to a machine that reads the mail. They are flagged and not scored; words/orders.yaml holds the signs.

One sign alone is ordinary business ("please ignore my last mail"); an order shows at least two kinds: whom it addresses (an assistant, a model),
what it demands (ignore, classify, output) and of what (instructions, sentiment, score).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from ml import artifact

NEEDED = 2
_SPACED = re.compile(r"(?:\b\w[ .\-_]){5,}\w\b")
_BLANKS = re.compile(r"\s+")
_HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_LOOKALIKE = str.maketrans("аеорсухікАЕОРСТХІВМНК", "aeopcyxikAEOPCTXIBMHK")


def is_order(sentence: str) -> bool:
    text = plain(sentence)
    signs = _signs()
    if signs["alone"].search(text):
        return True
    return sum(signs[kind].search(text) is not None for kind in ("addressed", "demanded", "object")) >= NEEDED and signs["demanded"].search(text) is not None


def plain(text: str) -> str:
    """Without what hides letters: zero-width and tag characters, look-alikes of another alphabet, letters set apart."""
    shown = _BLANKS.sub(" ", unicodedata.normalize("NFKC", _HIDDEN.sub("", text)))
    if re.search(r"[A-Za-z]", shown):
        shown = shown.translate(_LOOKALIKE)
    return _SPACED.sub(lambda m: re.sub(r"[ .\-_]", "", m[0]), shown).lower()


@cache
def _signs() -> dict[str, re.Pattern[str]]:
    return {kind: re.compile("|".join(f"(?<!\\w)(?:{line})" for line in lines)) for kind, lines in artifact.words("orders").items()}
