"""A small open word list: which situation a sentence speaks of. The tone detector goes by it; what was said is read by ml/reader.py.

The words themselves are in ml/words/situations.yaml. A change there is a change of VERSION.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import cast

from ml.absence import absent_until
from ml.asking import is_answer_expected, is_withdrawn, questions, solved
from ml.labels import SituationName
from ml.phrases import SEEN, phrases
from ml.stems import words_in
from ml.text import sentences

__all__ = ["VERSION", "Question", "Situation", "SituationName", "Traits", "find", "is_answer_expected", "questions", "traits"]

VERSION = 1
MAX_SENTENCES = 400
"""Sentences of one message that are looked at; nobody writes more by hand."""


@dataclass(frozen=True, slots=True)
class Situation:
    """`start` and `end` are offsets of the sentence or clause that carried the verdict, into the text that was given.

    `terms` are its content words, as of a question; empty where nobody asked for them.
    """

    name: SituationName
    confidence: float
    start: int
    end: int
    terms: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Question:
    """A direct question to us. `terms` are its content words, so that an answer can be recognised without the text."""

    start: int
    end: int
    terms: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the conversation detectors need to know of one message; counts, flags and word stems, never its sentences."""

    words: int
    greeting: bool
    thanks: bool
    questions: tuple[Question, ...]
    answer_expected: bool
    """True when the message asks for something; a receipt or a thank-you asks for nothing."""
    absent_until: date | None
    """The writer says they are away: first day back, or a guess of ten working days when no date is given."""
    withdrawn: bool
    """The writer takes a question back: never mind, found it."""
    terms: frozenset[str]
    over: frozenset[str] | None = None
    """The writer says that some trouble is over: the content words of the sentence (all good now: hardly any). None where nobody says so."""


_GREETING = re.compile(
    r"(?:dear|hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings|hallo|guten (?:tag|morgen)|liebe[rs]?|sehr geehrte[rs]?|moin|servus|grüezi"
    r"|bonjour|bonsoir|salut|ch(?:er|ère)s?"
    r"|hola|buenos días|buenas(?: tardes)?|estimad[oa]s?|querid[oa]s?|olá|bom dia|boa (?:tarde|noite)|car[oa]s?|prezad[oa]s?|ciao|buongiorno|hoi|beste"
    r"|hej|morning)\b",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\b(?:thanks|thank you|thx|many thanks|much appreciated|i appreciate|we appreciate|appreciated|grateful|cheers for|danke|dankeschön|vielen dank"
    r"|besten dank|merci|remerci\w+|gracias|agrade\w+|obrigad[oa]s?|grazie|bedankt|dank (?:u|je))\b",
    re.IGNORECASE,
)
_NO_THANKS = re.compile(r"\b(?:no,? thanks|no,? thank you|thanks for nothing|thankless|would (?:have )?(?:be |been )?appreciated?)\b", re.IGNORECASE)
_GREETING_LENGTH = 80


def find(texts: Sequence[str]) -> list[list[Situation]]:
    """Situations of each own text, in order of appearance."""
    return [sorted(_found(text), key=lambda s: (s.start, s.name)) for text in texts]


def _found(text: str) -> Iterator[Situation]:
    words = phrases()
    languages = words.languages_of(text)
    spans = [piece for start, end in sentences(text)[:MAX_SENTENCES] for piece in _pieces(text, start, end)]
    for start, end in spans:
        for name, confidence in words.spoken(text[start:end], languages):
            yield Situation(cast("SituationName", name), confidence, start, end)
    yield from _across(text, spans, languages)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence longer than the patterns look is read in pieces."""
    while end - start > SEEN:
        cut = text.rfind(" ", start, start + SEEN)
        cut = cut if cut > start else start + SEEN
        yield start, cut
        start = cut + 1
    yield start, end


def _across(text: str, spans: Sequence[tuple[int, int]], languages: set[str]) -> Iterator[Situation]:
    """ "Ops wants it simple. Finance wants one invoice." says only in two sentences that departments differ."""
    words = phrases()
    for (start, middle), (after, end) in pairwise(spans):
        if end - start > SEEN or not all(words.names_department(text[s:e]) for s, e in ((start, middle), (after, end))):
            continue
        joined = dict(words.spoken(f"{text[start:middle]} {text[after:end]}", languages))
        apart = {name for s, e in ((start, middle), (after, end)) for name, _ in words.spoken(text[s:e], languages)}
        if "cross_functional" in joined and "cross_functional" not in apart:
            yield Situation("cross_functional", joined["cross_functional"], start, end)


def traits(text: str, written_on: date) -> Traits:
    """Everything ml.dynamics.Message wants to know of one own text. `written_on` resolves "back on 12 May"."""
    return Traits(
        words=len(text.split()),
        greeting=_greets(text),
        thanks=_THANKS.search(_NO_THANKS.sub(" ", text)) is not None,
        questions=tuple(Question(start, end, words_in(text[start:end])) for start, end in questions(text)),
        answer_expected=is_answer_expected(text),
        absent_until=absent_until(text, written_on),
        withdrawn=is_withdrawn(text),
        terms=words_in(text),
        over=_over(text),
    )


def _over(text: str) -> frozenset[str] | None:
    found = solved(text)
    return frozenset[str]().union(*(words_in(text[start:end]) for start, end in found)) if found else None


def _greets(text: str) -> bool:
    first = text.lstrip()[:_GREETING_LENGTH]
    return _GREETING.match(first) is not None
