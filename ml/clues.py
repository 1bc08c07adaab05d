"""Which words a regular expression cannot do without, as the first letters of words: a cheap test before an expensive one.

Only what is certain counts. A part of a pattern that this reader does not understand is taken to match anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

LETTERS = 3
MOST = 3
"""Clues of one pattern that are used: the rarest ones."""
_WORD = re.compile(r"\w+")
_OPTIONAL = re.compile(r"[?*]|\{0")
_LOOKAROUND = ("(?!", "(?=", "(?<")
_QUANTIFIER = re.compile(r"[?*+]\??|\{\d+(?:,\d*)?\}\??")

Clue = frozenset[str]


def beginnings(text: str) -> Clue:
    """The first letters of every word."""
    return frozenset(word[:LETTERS] for word in _WORD.findall(text))


def clues(pattern: str) -> tuple[Clue, ...]:
    """Sets of beginnings: a text that matches has a word of each. `pattern` must begin at the beginning of a word."""
    alternatives = list(_alternatives(pattern))
    if len(alternatives) == 1:
        return tuple(sorted(_sets(alternatives[0]), key=len))
    joined = _union(alternatives)
    return () if joined is None else (joined,)


@dataclass(frozen=True, slots=True)
class Index:
    """Many patterns' clues, turned round: bit n of a number stands for pattern n.

    `having[k]`: by beginning, the patterns whose clue k it satisfies; `without[k]`: the patterns that have no clue k.
    """

    having: tuple[Mapping[str, int], ...]
    without: tuple[int, ...]

    @classmethod
    def of(cls, sources: Sequence[str]) -> Self:
        having: list[dict[str, int]] = [{} for _ in range(MOST)]
        without = [0] * MOST
        for n, source in enumerate(sources):
            found = clues(source)[:MOST]
            for k in range(MOST):
                for beginning in found[k] if k < len(found) else ():
                    having[k][beginning] = having[k].get(beginning, 0) | 1 << n
                without[k] |= (k >= len(found)) << n
        return cls(tuple(having), tuple(without))

    def possible(self, words: Clue) -> int:
        """The patterns that may match a text with these words; no other can."""
        result = -1
        for having, without in zip(self.having, self.without, strict=True):
            satisfied = without
            for word in words:
                satisfied |= having.get(word, 0)
            result &= satisfied
        return result


def _union(alternatives: list[str]) -> Clue | None:
    found: set[str] = set()
    for alternative in alternatives:
        smallest = min(_sets(alternative), key=len, default=None)
        if smallest is None:
            return None
        found |= smallest
    return frozenset(found)


def _sets(part: str) -> Iterator[Clue]:
    """One per literal word and per group that must be there and stands where a word begins."""
    i, begins = 0, True
    while i < len(part):
        end = _piece_end(part, i)
        piece, optional = part[i:end], _OPTIONAL.match(part, end) is not None
        if piece.startswith("(") and not piece.startswith(_LOOKAROUND):
            inner = list(_alternatives(piece[3:-1] if piece.startswith("(?:") else piece[1:-1]))
            if begins and not optional and (joined := _union(inner)) is not None:
                yield joined
            begins = (begins or not optional) and all(alternative.endswith(" ") for alternative in inner)
        elif piece[0].isalpha():
            if begins and (word := _beginning(part, i, end)):
                yield frozenset({word})
            begins = False
        elif piece == " ":
            begins = not optional
        elif piece not in "^$" and not piece.startswith(_LOOKAROUND) and not (piece.startswith("[") and optional):
            begins = False
        quantifier = _QUANTIFIER.match(part, end)
        i = quantifier.end() if quantifier else end


def _beginning(part: str, start: int, end: int) -> str | None:
    """None where the pattern may go on with other letters than those we see."""
    certain = end - 1 if _OPTIONAL.match(part, end) else end
    word = part[start:certain]
    if len(word) >= LETTERS:
        return word[:LETTERS]
    return word if certain == end and part[end : end + 1] in (" ", "'") and word else None


def _piece_end(part: str, i: int) -> int:
    char = part[i]
    if char == "(":
        return _closing(part, i) + 1
    if char == "[":
        return part.index("]", i + 2) + 1
    if char == "\\":
        return i + 2
    if not char.isalpha():
        return i + 1
    end = i
    while end < len(part) and (part[end].isalpha() or part[end] == "_"):
        end += 1
    return end


def _alternatives(pattern: str) -> Iterator[str]:
    start = i = 0
    while i < len(pattern):
        if pattern[i] == "|":
            yield pattern[start:i]
            start = i = i + 1
        else:
            i = _piece_end(pattern, i)
    yield pattern[start:]


def _closing(pattern: str, i: int) -> int:
    depth = 0
    while i < len(pattern):
        char = pattern[i]
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return i
        elif char in "[\\":
            i = _piece_end(pattern, i) - 1
        i += 1
    raise ValueError(f"unbalanced parentheses in {pattern}")
