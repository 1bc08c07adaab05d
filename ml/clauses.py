"""Candidates for the words worth reflecting: clauses and runs of clauses within one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MOST_CUTS = 6
"""Places at which a sentence is cut; a longer list is one run."""
FEWEST_WORDS, MOST_WORDS = 2, 25

_CUT = re.compile(r"[,;:–—]\s+|\s+[-–—]\s+|\s+\((?=\w)|\)\s+")
_JOINED = re.compile(
    r"\s+(?=(?:and|but|because|so|that|while|when|und|aber|weil|dass|et|mais|parce|puis|y|pero|porque|que|e|mas)\s)|" + _CUT.pattern, re.IGNORECASE
)
"""Where a sentence is cut of which nothing could be quoted else: many write without any mark."""
_LEADING = re.compile(
    r"(?:and|but|so|however|yet|also|still|well|uh|um|because|since|which|that|though|although|plus|now|then"
    r"|und|aber|denn|doch|jedoch|also|et|mais|donc|or|y|pero|e|mas|porém|pois)\s+",
    re.IGNORECASE,
)
_MARKS = " \t\n\r.,;:!?…\"'“”()–—-"


class Clause(NamedTuple):
    """Offsets into the text; `first` and `last` say which of the `parts` of the sentence are taken."""

    start: int
    end: int
    sentence: int
    first: int
    last: int
    parts: int


def clauses(text: str, start: int, end: int, sentence: int) -> list[Clause]:
    """Every run of neighbouring parts of the sentence that could be quoted."""
    return _runs(text, _edges(text, start, end, _CUT), end, sentence) or _runs(text, _edges(text, start, end, _JOINED), end, sentence)


def _runs(text: str, edges: Sequence[tuple[int, int]], end: int, sentence: int) -> list[Clause]:
    found = []
    ends = [_stop(text, first, last) for first, last in edges]
    for first, (at, _) in enumerate(edges):
        bare = _begin(text, at, end)
        leading = _LEADING.match(text, bare, end)
        after = leading.end() if leading else bare
        for last in range(first, len(edges)):
            begin, stop = after if after <= ends[last] else bare, ends[last]
            if begin < stop and FEWEST_WORDS <= len(text[begin:stop].split()) <= MOST_WORDS:
                found.append(Clause(begin, stop, sentence, first, last, len(edges)))
    return found


def _begin(text: str, start: int, end: int) -> int:
    while start < end and text[start] in _MARKS:
        start += 1
    return start


def _stop(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1] in _MARKS:
        end -= 1
    return end


def _edges(text: str, start: int, end: int, cuts: re.Pattern[str]) -> list[tuple[int, int]]:
    edges: list[tuple[int, int]] = []
    at = start
    for cut in cuts.finditer(text, start, end):
        if len(edges) == MOST_CUTS:
            break
        edges.append((at, cut.start()))
        at = cut.end()
    return [*edges, (at, end)]
