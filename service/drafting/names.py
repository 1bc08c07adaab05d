"""How to call somebody: as the CRM has it and as they call us, nothing guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set

LONGEST = 40
TITLES = frozenset(
    "dame lady lord dr dr. mr mr. mrs mrs. ms ms. prof prof. sir madam herr frau mme m. mx mx. rev rev. fr fr."
    " captain capt capt. sgt sgt. sergeant major colonel father sister brother sr sr. rabbi imam judge pastor bishop deacon"
    " abbot chief commander lieutenant".split()
)
_NO_NAMES = frozenset(
    "info accounts account support sales team office admin billing finance unknown none null test contact customer user hello mail"
    " purchasing reception the no n/a".split()
)
"""What CRMs hold where a name should be."""
_MARKS = ("Mn", "Mc")
"""Vowels of many scripts are marks on a letter."""
_BY_TITLE = re.compile(
    r"(?:[\w']+ ){0,3}(?:mr|mrs|ms|miss|dr|prof|professor|frau|herrn?|madam|ma'am|sir|señora?|sra?|monsieur|madame|signora?|senhora?)\b\.?"
    r" ?[A-ZÀ-Þ]?[\w'’-]*[,:!\n.–-]",
    re.IGNORECASE,
)


def address(name: str | None, *, is_formal: bool, titles: Set[str] = TITLES) -> tuple[str | None, str | None]:
    """(first name or whole name, title and surname): as the CRM has it, nothing guessed. None for what is no name one could write."""
    tokens = (name or "").split()
    plain = all(char.isalpha() or char in " .'’-" or unicodedata.category(char) in _MARKS for char in name or "") and len(name or "") <= LONGEST
    if not tokens or not plain or len(tokens) > 5 or tokens[0].lower() in _NO_NAMES:
        return None, None
    if tokens[0].lower() in titles or re.search(r"\w\.\w", tokens[0]):
        return (None, f"{tokens[0]} {tokens[-1]}") if len(tokens) > 1 else (None, None)
    return (" ".join(tokens) if is_formal else tokens[0]), None


def first_name(name: str | None) -> str | None:
    return next((token for token in (name or "").split() if token.lower() not in TITLES and not token.endswith(".")), None)


def keeps_distance(message: str, ours: str | None, theirs: str | None) -> bool:
    """It opens with our title or surname, or is signed with a surname and an initial at most."""
    opening = message.lstrip()[:40]
    by_title = _BY_TITLE.match(message.lstrip()) is not None or _signed_by_title(theirs, message)
    return by_title or _by_surname(ours, opening) or _signed_by_surname(theirs, message)


def _signed_by_title(name: str | None, message: str) -> bool:
    first = first_name(name)
    return first is not None and any(word.lower() in TITLES for word in re.findall(rf"([A-Z][a-z]+\.?) {re.escape(first)}\b", message))


def _by_surname(name: str | None, opening: str) -> bool:
    first, *others = (name or "").split() or [""]
    return bool(others) and re.search(rf"\b{re.escape(others[-1])}\b", opening) is not None and re.search(rf"\b{re.escape(first)}\b", opening) is None


def _signed_by_surname(name: str | None, message: str) -> bool:
    first, *others = (name or "").split() or [""]
    if not others or re.search(rf"\b{re.escape(first)}\b", message):
        return False
    return re.search(rf"(?:^|[\s.!?/])(?:[A-Z]\. ?)*{re.escape(others[-1])}\b", message) is not None
