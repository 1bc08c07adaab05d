"""Candidates for the words worth reflecting: clauses and runs of clauses within one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_CUTS = 6
"""Places at which a sentence is cut; a longer list is one run."""
FEWEST_WORDS, MOST_WORDS = 2, 25

_CUT = re.compile(r"[,;:–—]\s+|\s+[-–—]\s+|\s+\((?=\w)|\)\s+")
_LEADING = re.compile(
    r"(?:and|but|so|however|yet|also|still|well|uh|um|because|since|which|that|though|although|plus|now|then"
    r"|und|aber|denn|doch|jedoch|also|et|mais|donc|or|y|pero|e|mas|porém|pois)\s+",
    re.IGNORECASE,
)
_MARKS = " \t\n\r.,;:!?…\"'“”()–—-"


@dataclass(frozen=True, slots=True)
class Clause:
    """Offsets into the text; `first` and `last` say which of the `parts` of the sentence are taken."""

    start: int
    end: int
    sentence: int
    first: int
    last: int
    parts: int


def clauses(text: str, start: int, end: int, sentence: int) -> list[Clause]:
    """Every run of neighbouring parts of the sentence that could be quoted."""
    found = []
    edges = _edges(text, start, end)
    for first in range(len(edges)):
        for last in range(first, len(edges)):
            span = _trimmed(text, edges[first][0], edges[last][1])
            if span and FEWEST_WORDS <= len(text[span[0] : span[1]].split()) <= MOST_WORDS:
                found.append(Clause(*span, sentence, first, last, len(edges)))
    return found


def _edges(text: str, start: int, end: int) -> list[tuple[int, int]]:
    edges: list[tuple[int, int]] = []
    at = start
    for cut in _CUT.finditer(text, start, end):
        if len(edges) == MOST_CUTS:
            break
        edges.append((at, cut.start()))
        at = cut.end()
    return [*edges, (at, end)]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start] in _MARKS:
        start += 1
    while end > start and text[end - 1] in _MARKS:
        end -= 1
    leading = _LEADING.match(text, start, end)
    if leading:
        start = leading.end()
    return (start, end) if start < end else None
