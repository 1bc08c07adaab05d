"""A clause said back to the person who said it: I and we become you. Declined wherever another word would have to change as well."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*|[^A-Za-z]+")
_SUBJECT = {
    "i": "you", "we": "you", "i'm": "you're", "we're": "you're", "i've": "you've", "we've": "you've",
    "i'd": "you'd", "we'd": "you'd", "i'll": "you'll", "we'll": "you'll",
}  # fmt: skip
_OTHER = {"my": "your", "our": "your", "me": "you", "us": "you", "mine": "yours", "ours": "yours", "myself": "yourself", "ourselves": "yourselves"}
_AFTER_I = {"am": "are", "was": "were", "wasn't": "weren't", "ain't": "aren't"}
_BETWEEN = frozenset("also still really just never always probably simply only even already then now ever actually certainly".split())
_OURS = frozenset("you your yours yourself yourselves you're you've you'd you'll u ur".split())
"""Who is meant by these would change sides as well, and then nobody knows who is who."""
_BOTH = re.compile(
    r"\b(?:between us|both of us|all of us|each other|let's|let us|together|us two|we both|like (?:us|ours)"
    r"|our (?:two|call|meeting|agreement|contract|size|kind|sort))\b",
    re.IGNORECASE,
)
_FRONTED = re.compile(r"\b(?:am i|was i|wasn't i|aren't i|amn't i)\b", re.IGNORECASE)
_JOINED = re.compile(r"\b(?:and|or|nor) (?:i|me|myself)\b|\b(?:i|me|myself) (?:and|or)\b", re.IGNORECASE)


def shifted(clause: str) -> str | None:
    """None where a safe answer needs more than these words."""
    plain = clause.replace("’", "'")
    if _BOTH.search(plain) or _FRONTED.search(plain) or _JOINED.search(plain):
        return None
    pieces = _WORD.findall(plain)
    if any(piece.lower() in _OURS for piece in pieces):
        return None
    return "".join(_turned(pieces))


def _turned(pieces: list[str]) -> list[str]:
    turned, waits_for_verb = [], False
    for at, piece in enumerate(pieces):
        low = piece.lower()
        if not piece[0].isalpha():
            turned.append(piece)
            waits_for_verb &= not piece.strip()
            continue
        if waits_for_verb and low in _AFTER_I:
            turned.append(_AFTER_I[low])
            waits_for_verb = False
            continue
        waits_for_verb = low == "i" or (waits_for_verb and low in _BETWEEN)
        new = _SUBJECT.get(low) or _OTHER.get(low)
        turned.append(piece if new is None else _cased(piece, new, opens=at == 0))
    return turned


def _cased(old: str, new: str, *, opens: bool) -> str:
    return new[0].upper() + new[1:] if opens and old[0].isupper() else new
