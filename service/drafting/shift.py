"""A clause said back to the person who said it: I and we become you. Declined wherever another word would have to change as well."""

from __future__ import annotations

import re
from functools import lru_cache

from service.drafting.lexicon import has_verb, tokens

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
_GOES_ON = re.compile(
    r"\band i(?='(?:m|ve|d|ll)\b| (?:\w+ly |just |still |also )?(?:have|haven't|had|do|don't|did|didn't|can|can't|cannot|will|won't|would|wouldn't|am|was"
    r"|need|want|know|pay|see)\b)",
    re.IGNORECASE,
)
"""Where a sentence stands in front of it, a second one, and nobody beside the person who writes."""
_JOINED = re.compile(r"\b(?:and|or|nor) (?:i|me|myself)\b|\b(?:i|me|myself) (?:and|or)\b", re.IGNORECASE)


_OUR_SIDE = {"your": "our", "yours": "ours", "you're": "we're", "you've": "we've", "you'd": "we'd", "you'll": "we'll"}
_OF_OURS = re.compile(r"\b(you(?:r|rs|'re|'ve|'d|'ll)?)\b", re.IGNORECASE)
_DOING = re.compile(
    r" (?:(?:also|still|never|always|even|now|then|already) )?(?:will|won't|would|wouldn't|have|haven't|had|hadn't|did|didn't|do|don't|are|aren't|were"
    r"|weren't|say|said|told|wrote|promised|sent|quoted|charged|charge|offered|offer|asked|closed|changed|moved|shipped|delivered|installed|sold|took|made|put|keep|kept|cut|raised|gave|answered|wanted)\b",
    re.IGNORECASE,
)
_DONE_TO = re.compile(
    r"\b(?:from|to|by|with|for|of|at|give|gives|giving|send|sends|show|shows|help|helps|asks|call|calls|ring|rang|writes"
    r"|see|owe|owes|reach|told|asked|tell|ask|pay|paid|wrote|called|let|gave|sent|showed|trust|like|trusted|between) $",
    re.IGNORECASE,
)
_WORD_FOR_WORD = re.compile(r"([\"“”][^\"“”]*[\"“”])")


@lru_cache(maxsize=2048)
def turned(sentence: str) -> str | None:
    """As `shifted`, and what is ours becomes ours as well: "your gate opens late" is "our gate opens late" to them. What stands in
    quotation marks stays."""
    parts = _WORD_FOR_WORD.split(sentence.replace("’", "'"))
    said = [part if n % 2 else _ours_and_theirs(part) for n, part in enumerate(parts)]
    return None if None in said else "".join(part or "" for part in said)


def _ours_and_theirs(text: str) -> str | None:
    found: list[str] = []
    at = 0
    for match in _OF_OURS.finditer(text):
        ours = _our_side(text, match)
        theirs = shifted(text[at : match.start()]) if text[at : match.start()].strip() else text[at : match.start()]
        if ours is None or theirs is None:
            return None
        found += [theirs, _cased(match.group(), ours, opens=True)]
        at = match.end()
    rest = shifted(text[at:]) if text[at:].strip() else text[at:]
    return None if rest is None else "".join([*found, rest])


def _our_side(text: str, match: re.Match[str]) -> str | None:
    """None for a "you" that may be anybody."""
    low = match.group().lower()
    if low != "you":
        return _OUR_SIDE[low]
    if _DOING.match(text, match.end()):
        return "we"
    return "us" if _DONE_TO.search(text, 0, match.start()) else None


def shifted(clause: str) -> str | None:
    """None where a safe answer needs more than these words."""
    plain = clause.replace("’", "'")
    if _BOTH.search(plain) or _FRONTED.search(plain) or _JOINED.search(_GOES_ON.sub(_joining, plain)):
        return None
    pieces = _WORD.findall(plain)
    if any(piece.lower() in _OURS or _is_no_pronoun(piece, n) for n, piece in enumerate(pieces)):
        return None
    return "".join(_turned(pieces))


def _is_no_pronoun(piece: str, place: int) -> bool:
    """ "the US", "Me Carpentier": written like no pronoun inside a sentence."""
    return piece.lower() in {**_SUBJECT, **_OTHER} and len(piece) > 1 and (piece.isupper() or (place > 0 and piece[0].isupper() and piece[0] != "I"))


def _joining(match: re.Match[str]) -> str:
    before = match.string[: match.start()]
    return "and" if has_verb(tokens(before)) else match.group()


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
