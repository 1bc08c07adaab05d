"""The word list of situations, compiled. A pattern is only tried where the words it cannot do without occur, and only compiled then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ml import artifact
from ml.clues import Index, beginnings

SEEN = 500
"""Characters of a sentence that are matched; gaps in patterns are bounded, so the time is linear in the text."""
SURE, LIKELY = 0.8, 0.6

_LANGUAGE_SEEN = 2_000
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_LANGUAGE = re.compile(r"(de|fr|es|pt): ")
_CLASS = re.compile(r"\{([a-z]\w*)\}")
_GAP = r"[^\w\s]{0,3}(?: \S+){0,6}? [(\"']?"
_BLANKS = re.compile(r"\s+")
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\xa0": " "})
_UPPER_IT = re.compile(r"\bIT\b")


@dataclass(frozen=True)
class Pattern:
    """`language` is that of messages in which it is tried, None for any."""

    language: str | None
    source: str

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{self.source})(?!\w)")


@dataclass(frozen=True, slots=True)
class Kind:
    """Its patterns, as places in the list of all."""

    name: str
    sure: range
    likely: range
    unless: range


@dataclass(frozen=True, slots=True)
class Phrases:
    languages: Mapping[str, frozenset[str]]
    patterns: Sequence[Pattern]
    index: Index
    kinds: Sequence[Kind]
    department: Pattern

    def languages_of(self, text: str) -> set[str]:
        """Every language that has at least half as many of its common words in the text as the best; all where there are none."""
        words = _WORD.findall(text[:_LANGUAGE_SEEN].lower())
        hits = {code: sum(word in common for word in words) for code, common in self.languages.items()}
        most = max(hits.values())
        return {code for code, count in hits.items() if count * 2 >= most}

    def names_department(self, sentence: str) -> bool:
        return self.department.regex.search(normal(sentence)) is not None

    def spoken(self, sentence: str, languages: set[str]) -> Iterator[tuple[str, float]]:
        """(kind, confidence) of what the sentence speaks of."""
        text = normal(sentence)
        possible = self.index.possible(beginnings(text))
        for kind in self.kinds:
            confidence = SURE if self._any(kind.sure, text, possible, languages) else LIKELY
            if confidence == LIKELY and not self._any(kind.likely, text, possible, languages):
                continue
            if not self._any(kind.unless, text, possible, languages):
                yield kind.name, confidence

    def _any(self, places: range, text: str, possible: int, languages: set[str]) -> bool:
        left = (possible >> places.start) & ((1 << len(places)) - 1)
        while left:
            lowest = left & -left
            left ^= lowest
            pattern = self.patterns[places[lowest.bit_length() - 1]]
            if (pattern.language is None or pattern.language in languages) and pattern.regex.search(text):
                return True
        return False


def normal(sentence: str) -> str:
    """Lower case with single blanks and straight quotes; IT, the department, is kept apart from the pronoun."""
    marked = _UPPER_IT.sub("I_T", sentence[:SEEN]) if not sentence.isupper() else sentence[:SEEN]
    return _BLANKS.sub(" ", marked.translate(_STRAIGHT)).strip().lower()


@cache
def phrases() -> Phrases:
    words = artifact.words("situations")
    classes = {name: body.strip() for name, body in words["classes"].items()}
    patterns: list[Pattern] = []
    kinds = []
    for name, body in words["kinds"].items():
        places = []
        for part in ("sure", "likely", "unless"):
            start = len(patterns)
            patterns.extend(_patterns(body.get(part, ""), classes))
            places.append(range(start, len(patterns)))
        kinds.append(Kind(name, *places))
    languages = {code: frozenset(common) for code, common in words["languages"].items()}
    return Phrases(languages, patterns, Index.of([p.source for p in patterns]), kinds, Pattern(None, _expanded("{body}", classes)))


def _patterns(lines: str, classes: Mapping[str, str]) -> Iterator[Pattern]:
    for line in filter(None, map(str.strip, lines.splitlines())):
        language = _LANGUAGE.match(line)
        yield Pattern(language[1] if language else None, _expanded(line[language.end() :] if language else line, classes))


def _expanded(line: str, classes: Mapping[str, str]) -> str:
    while _CLASS.search(line):  # classes may name classes
        line = _CLASS.sub(lambda m: f"(?:{classes[m[1]]})", line)
    return line.replace(" .. ", _GAP)
