"""The word list of situations, compiled. A pattern that names a class is only tried where every class it names occurs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ml import artifact

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


@dataclass(frozen=True, slots=True)
class Pattern:
    """`needs`: classes and languages without which it cannot match."""

    needs: tuple[str, ...]
    regex: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    sure: tuple[Pattern, ...]
    likely: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Phrases:
    languages: Mapping[str, frozenset[str]]
    classes: Mapping[str, re.Pattern[str]]
    kinds: tuple[Kind, ...]

    def languages_of(self, text: str) -> set[str]:
        """Every language that has at least half as many of its common words in the text as the best; all where there are none."""
        words = _WORD.findall(text[:_LANGUAGE_SEEN].lower())
        hits = {code: sum(word in common for word in words) for code, common in self.languages.items()}
        most = max(hits.values())
        return {code for code, count in hits.items() if count * 2 >= most}

    def mentions(self, name: str, sentence: str) -> bool:
        """Whether a word of the class occurs."""
        return self.classes[name].search(normal(sentence)) is not None

    def spoken(self, sentence: str, languages: set[str]) -> Iterator[tuple[str, float]]:
        """(kind, confidence) of what the sentence speaks of."""
        text = normal(sentence)
        present = languages | {name for name, regex in self.classes.items() if regex.search(text)}
        for kind in self.kinds:
            confidence = _confidence(kind, text, present)
            if confidence and not _any(kind.unless, text, present):
                yield kind.name, confidence


def normal(sentence: str) -> str:
    """Lower case with single blanks and straight quotes; IT, the department, is kept apart from the pronoun."""
    marked = _UPPER_IT.sub("I_T", sentence[:SEEN]) if not sentence.isupper() else sentence[:SEEN]
    return _BLANKS.sub(" ", marked.translate(_STRAIGHT)).strip().lower()


def _confidence(kind: Kind, text: str, present: set[str]) -> float:
    if _any(kind.sure, text, present):
        return SURE
    return LIKELY if _any(kind.likely, text, present) else 0.0


def _any(patterns: tuple[Pattern, ...], text: str, present: set[str]) -> bool:
    return any(present.issuperset(p.needs) and p.regex.search(text) for p in patterns)


@cache
def phrases() -> Phrases:
    words = artifact.words("situations")
    classes = {name: body.strip() for name, body in words["classes"].items()}
    kinds = tuple(
        Kind(name, *(tuple(_patterns(body.get(part, ""), classes)) for part in ("sure", "likely", "unless"))) for name, body in words["kinds"].items()
    )
    languages = {code: frozenset(common) for code, common in words["languages"].items()}
    return Phrases(languages, {name: _compiled(f"{{{name}}}", classes) for name in classes}, kinds)


def _patterns(lines: str, classes: Mapping[str, Any]) -> Iterator[Pattern]:
    """Lines that need the same are joined into one pattern: there is nothing to tell them apart by."""
    by_need: dict[tuple[str, ...], list[str]] = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        language = _LANGUAGE.match(line)
        bare = line[language.end() :] if language else line
        needs = (*((language[1],) if language else ()), *_required(bare))
        by_need.setdefault(needs, []).append(bare)
    for needs, bare_lines in by_need.items():
        yield Pattern(needs, _compiled("|".join(f"(?:{line})" for line in bare_lines), classes))


def _required(line: str) -> Iterator[str]:
    """Classes outside of any alternative or optional group: without them the pattern cannot match."""
    if _has_alternatives(line):
        return
    depth = 0
    for i, char in enumerate(line):
        depth += (char == "(") - (char == ")")
        if char == "{" and depth == 0 and (match := _CLASS.match(line, i)) and line[match.end() : match.end() + 1] != "?":
            yield match[1]


def _has_alternatives(line: str) -> bool:
    depth = 0
    for char in line:
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            return True
    return False


def _compiled(pattern: str, classes: Mapping[str, str]) -> re.Pattern[str]:
    for _ in range(4):  # classes may name classes
        pattern = _CLASS.sub(lambda m: f"(?:{classes[m[1]]})", pattern)
    return re.compile(rf"(?<!\w)(?:{pattern.replace(' .. ', _GAP)})(?!\w)")
