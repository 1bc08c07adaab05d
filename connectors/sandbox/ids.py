"""Record ids as Salesforce makes them: 15 case-sensitive characters, plus 3 that let a case-blind reader tell them apart."""

from __future__ import annotations

import re
from functools import lru_cache

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_POD = "5gS"
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?\Z")


def record_id(prefix: str, number: int) -> str:
    """The 18-character id of the `number`-th row of the object that `prefix` stands for."""
    return with_checksum(prefix + _POD + _base62(number, width=9))


def with_checksum(fifteen: str) -> str:
    """Each of the last three characters tells which of five letters are upper case."""
    return fifteen + _check_letter(fifteen[:5]) + _check_letter(fifteen[5:10]) + _check_letter(fifteen[10:])


def full_id(text: str) -> str:
    """The 18 characters of an id given as 15 or 18. ValueError if it is no id."""
    if not _SHAPE.match(text):
        raise ValueError(text)
    full = with_checksum(text[:15])
    if len(text) == 18 and text != full:
        raise ValueError(text)
    return full


@lru_cache(1_024)
def _check_letter(five: str) -> str:
    return _CHECK[sum(1 << place for place, letter in enumerate(five) if letter.isascii() and letter.isupper())]


def _base62(number: int, *, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
