"""What the conversation detectors need to know of one own text: counts, flags and word stems, never its sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from ml.absence import absent_until
from ml.asking import is_answer_expected, is_withdrawn, questions
from ml.stems import words_in


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
    )


def _greets(text: str) -> bool:
    first = text.lstrip()[:_GREETING_LENGTH]
    return _GREETING.match(first) is not None
