"""Conversation dynamics of one account: tone against a person's own habit, silence, questions nobody answered.

Every detector is causal: what it says about a day uses nothing that happened after that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ml.calendar import Calendar
from ml.moments import Moment
from ml.situations import Situation, Traits

Direction = Literal["in", "out", "internal", "unknown"]
Kind = Literal["email", "call", "meeting", "chat", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One interaction. `id` is an index of the caller's, `contact` the person on the customer's side: who wrote (in) or
    was written to first (out). `thread` is any key two mails of one thread share; None when it is not known.
    `traits` is None where there is no own text (a call without notes, an empty body): such a message has no tone.
    """

    id: int
    at: datetime
    contact: str | None
    direction: Direction
    kind: Kind = "email"
    automatic: bool = False
    thread: str | None = None
    sentiment: float = 0.0
    confidence: float = 0.0
    traits: Traits | None = None
    situations: tuple[Situation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How one contact usually writes, as of `now`. Rates are 0..1, gaps in working days; None when there are too few."""

    contact: str
    messages: int
    words_median: float | None
    tone_median: float | None
    tone_spread: float | None
    tone_recent: float | None
    """Robust z of the last three messages' tone against the earlier ones."""
    greeting_rate: float | None
    thanks_rate: float | None
    question_rate: float | None
    reply_gaps: int
    reply_gap_median: float | None
    reply_gap_p90: float | None
    our_reply_gap_median: float | None
    our_reply_gap_p90: float | None


def moments(messages: Sequence[Message], calendar: Calendar, now: datetime) -> list[Moment]:
    """All moments of one account that were knowable by `now`, by detected_at. `messages` may be in any order."""
    raise NotImplementedError


def habits(messages: Sequence[Message], calendar: Calendar, now: datetime) -> list[Habit]:
    """One per contact who ever wrote, for the page and for the outlook."""
    raise NotImplementedError
