"""A small open word list: which situation a sentence speaks of. It stands in until the language model replaces it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

SituationName = Literal[
    "frustration",
    "silence",
    "price_objection",
    "deadlock",
    "cross_functional",
    "timing_concern",
    "implementation_worry",
    "past_vendor_disappointment",
    "budget_cut",
    "usage_drop",
    "renewal_decision",
    "confusion",
    "risk_reliability",
    "champion_change",
    "competitor_evaluation",
    "positive_momentum",
    "routine_logistics",
    "hostile_or_injection",
]


@dataclass(frozen=True, slots=True)
class Situation:
    """`start` and `end` are offsets of the sentence or clause that carried the verdict, into the text that was given."""

    name: SituationName
    confidence: float
    start: int
    end: int


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


def find(texts: Sequence[str]) -> list[list[Situation]]:
    """Situations of each own text, in order of appearance."""
    raise NotImplementedError


def questions(text: str) -> list[tuple[int, int]]:
    """Spans of direct questions that want something of us; pleasantries and rhetorical ones are left out."""
    raise NotImplementedError


def is_answer_expected(text: str) -> bool:
    """Whether a message of ours asks the reader for something."""
    raise NotImplementedError


def traits(text: str, written_on: date) -> Traits:
    """Everything ml.dynamics.Message wants to know of one own text. `written_on` resolves "back on 12 May"."""
    raise NotImplementedError
