"""Many regular expressions as one. They are written for text in lower case; a blank in them stands for any white space.

Most of them cannot match most texts. Each has letters in a row that any match must hold, found from its syntax, so that a text is asked for a few of
them before it is searched.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from re import _constants as op  # type: ignore[attr-defined]  # the syntax tree of an expression has no public name
from re import _parser as syntax  # type: ignore[attr-defined]
from typing import Any, Generic, Self, TypeVar

_BEHIND = re.compile(r"(\(\?<[=!](?:\[[^\]]*\]|[^()\[\]])*\))")
_SHORT, _LONG = 3, 5
"""Letters of the shortest run that tells anything, and those by which a text is asked for a run."""
_ONE_BY_ONE = 64
"""Runs that are asked for without that."""
_MOST_RUNS, _MOST_CHARS = 160, 4
_COMMON = "qzxjkvbwpgfymculdhrsinoat e"
"""Letters from the rarest to the most common."""
_EVERYWHERE = (
    " the and you your that this with have has had been being would could will can not for are was were is it in on of to at by or if as an a i we our us"
    " they their what which who how when where one two all any more than then there here about before into after over under out up off only just also so do"
    " did made make take keep send would be could be have to that the of the in the to the on the for the with the and the is the it is you have you are "
)
"""Letters in a row that stand here tell little."""
_Words = frozenset[str]
_T = TypeVar("_T")


class _Part:
    """Compiled when a text may first match: most are never needed."""

    def __init__(self, written: str) -> None:
        self.written = written
        self.runs = _Reading.of(syntax.parse(written, re.MULTILINE)).needed

    @cached_property
    def regex(self) -> re.Pattern[str]:
        return re.compile(self.written, re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Living:
    """Where a text is cut into sentences, each of them is asked for these alone."""

    regexes: Sequence[re.Pattern[str]]

    def is_in(self, text: str) -> bool:
        return any(regex.search(text) for regex in self.regexes)


class Pattern:
    """Finds as `re.Pattern` does; where two alternatives match at one place, the one written first."""

    __slots__ = ("_always", "_last", "_parts", "_runs")

    def __init__(self, written: Iterable[str]) -> None:
        spaced = [_spaced(part) for expression in written for part in _alternatives(expression)]
        self._last: tuple[str, Sequence[re.Pattern[str]]] = ("", ())
        self._parts = tuple(map(_Part, spaced))
        self._always = [n for n, part in enumerate(self._parts) if part.runs is None]
        self._runs = Runs((run, n) for n, part in enumerate(self._parts) for run in part.runs or ())

    @property
    def runs(self) -> list[tuple[str, int]] | None:
        """Letters in a row of which a text has to hold some, each white space as one blank, with the alternative that needs them; None where nothing is
        sure."""
        return None if self._always else [(run, n) for n, part in enumerate(self._parts) for run in part.runs or ()]

    def prime(self, text: str, places: Iterable[int]) -> None:
        """To be told which alternatives a text has the letters of, where somebody has asked already."""
        self._last = text, [self._parts[n].regex for n in sorted({*places, *self._always})]

    def may_match(self, text: str) -> bool:
        return bool(self._live(text))

    def living(self, text: str) -> Living:
        """What of it may match somewhere in the text."""
        return Living(self._found(text))

    def _found(self, text: str) -> Sequence[re.Pattern[str]]:
        found = self._runs.told(text)
        return [self._parts[n].regex for n in (sorted(found.union(self._always)) if found else self._always)]

    def _live(self, text: str) -> Sequence[re.Pattern[str]]:
        """Kept for the last text, which is mostly asked for sentence by sentence."""
        last, live = self._last
        if last is not text or not text:
            live = self._found(text)
            self._last = text, live
        return live

    def search(self, text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
        last = len(text) if end is None else end
        found = [match for part in self._live(text) if (match := part.search(text, start, last))]
        return min(found, key=re.Match.start) if found else None

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        return next((match for part in self._live(text) if (match := part.match(text, start))), None)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        return next((match for part in self._live(text) if (match := part.fullmatch(text))), None)

    def finditer(self, text: str, start: int = 0, end: int | None = None) -> Iterator[re.Match[str]]:
        """Matches that do not overlap, in the order of the text."""
        last = len(text) if end is None else end
        found = [match for part in self._live(text) for match in part.finditer(text, start, last)]
        at = start
        for match in sorted(found, key=re.Match.start):
            if match.start() >= at:
                yield match
                at = match.end()

    def blanked(self, text: str) -> str:
        """With one blank for each match."""
        kept, at = [], 0
        for match in self.finditer(text):
            kept.append(text[at : match.start()])
            at = match.end()
        return " ".join([*kept, text[at:]])


def one_of(written: Iterable[str]) -> Pattern:
    """Without any, nothing matches."""
    return Pattern(written)


def _spaced(expression: str) -> str:
    """What looks behind must have one width, and takes one blank."""
    return "".join(
        part.replace(" ", r"\s") if _BEHIND.fullmatch(part) else part.replace(" ?", r"\s*").replace(" ", r"\s+") for part in _BEHIND.split(expression)
    )


def _alternatives(expression: str) -> Iterator[str]:
    """The parts between bars that stand in no group and no set."""
    depth = start = at = 0
    in_set = False
    while at < len(expression):
        char = expression[at]
        if char == "\\":
            at += 1
        elif in_set:
            in_set = char != "]"
        elif char == "[":
            in_set = True
            at += expression[at + 1 : at + 2] == "^"
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and not depth:
            yield expression[start:at]
            start = at + 1
        at += 1
    yield expression[start:]


class Runs(Generic[_T]):
    """Letters in a row, and what each of them tells. Of many, those that are long are not asked for one by one, but by a few letters of each."""

    def __init__(self, told: Iterable[tuple[str, _T]]) -> None:
        kept = tuple(told)
        least = _LONG if len(kept) > _ONE_BY_ONE else sys.maxsize
        self._alone = [(run, what) for run, what in kept if len(run) < least]
        self._by_gram: dict[str, list[tuple[str, _T]]] = {}
        for run, what in kept:
            if len(run) >= least:
                self._by_gram.setdefault(_rarest(run), []).append((run, what))
        self._grams = frozenset(self._by_gram)

    def told(self, text: str) -> set[_T]:
        """By those that stand in the text."""
        joined = _joined(text)
        found = {what for run, what in self._alone if run in joined}
        if self._grams:
            found.update(what for gram in self._grams & _grams_of(joined) for run, what in self._by_gram[gram] if run in joined)
        return found


@lru_cache(maxsize=64)
def _joined(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=64)
def _grams_of(joined: str) -> _Words:
    return frozenset({joined[n : n + _LONG] for n in range(len(joined) - _LONG + 1)})


def _rarest(run: str) -> str:
    return min((run[n : n + _LONG] for n in range(len(run) - _LONG + 1)), key=lambda gram: (gram in _EVERYWHERE, sum(map(_COMMON.find, gram))))


@dataclass(frozen=True, slots=True)
class _Reading:
    """`exact`: all that a part of an expression may match, each white space as one blank, if that is little. `needed`: runs of which any match holds one."""

    exact: _Words | None
    needed: _Words | None

    @classmethod
    def of(cls, sequence: Any) -> Self:
        current, offers, is_exact = frozenset({""}), [], True
        for kind, value in sequence:
            part = _part(kind, value)
            if part.exact and len(current) * len(part.exact) <= _MOST_RUNS:
                current = frozenset(a + b for a in current for b in part.exact)
                continue
            offers += [current, part.needed]
            current, is_exact = part.exact or frozenset({""}), False
        return cls(current if is_exact else None, _best([*offers, current]))


def _best(offers: Iterable[_Words | None]) -> _Words | None:
    """Long runs, and few of them."""
    sets = [frozenset(" ".join(run.split(" ")) if "  " not in run else re.sub(" +", " ", run) for run in offer) for offer in offers if offer]
    usable = [runs for runs in sets if min(map(len, runs)) >= _SHORT]
    return max(usable, key=lambda runs: (min(*map(len, runs), _LONG + 1), -len(runs))) if usable else None


_NOTHING = _Reading(None, None)


def _part(kind: Any, value: Any) -> _Reading:
    if kind is op.LITERAL:
        return _Reading(frozenset({" " if chr(value).isspace() else chr(value)}), None)
    if kind in (op.AT, op.ASSERT, op.ASSERT_NOT):
        return _Reading(frozenset({""}), None)
    if kind is op.IN:
        return _set(value)
    if kind is op.SUBPATTERN:
        return _Reading.of(value[3])
    if kind is op.BRANCH:
        return _branch([_Reading.of(branch) for branch in value[1]])
    return _repeat(*value) if kind in (op.MAX_REPEAT, op.MIN_REPEAT) else _NOTHING


def _set(items: Any) -> _Reading:
    if items == [(op.CATEGORY, op.CATEGORY_SPACE)]:
        return _Reading(frozenset({" "}), None)
    if len(items) <= _MOST_CHARS and all(kind is op.LITERAL for kind, _ in items):
        return _Reading(frozenset(" " if chr(code).isspace() else chr(code) for _, code in items), None)
    return _NOTHING


def _branch(readings: Sequence[_Reading]) -> _Reading:
    exact = frozenset().union(*(r.exact or () for r in readings)) if all(r.exact for r in readings) else None
    needed = [r.needed for r in readings]
    return _Reading(exact if exact and len(exact) <= _MOST_RUNS else None, frozenset().union(*(n or () for n in needed)) if all(needed) else None)


def _repeat(least: int, most: int, sequence: Any) -> _Reading:
    inner = _Reading.of(sequence)
    if inner.exact and (most == 1 or inner.exact == {" "}):
        return _Reading(inner.exact if least else inner.exact | {""}, inner.needed if least else None)
    return _Reading(None, inner.needed if least else None)
