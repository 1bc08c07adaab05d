"""One account's exchanges, oldest first, each with the day on which it was written, and a person's habits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from ml.calendar import Calendar
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
    reproaches: tuple[Situation, ...] | None = None
    """Situations that the tone detector goes by, where they are others: it is fitted to the word list of ml.situations."""

    @property
    def spoken(self) -> bool:
        """A call or a meeting with somebody of the customer's."""
        return self.kind in ("call", "meeting") and self.direction != "internal"

    @property
    def theirs(self) -> bool:
        """Written by a person on the customer's side."""
        return self.direction == "in" and not self.automatic and self.kind in ("email", "chat")

    @property
    def ours(self) -> bool:
        """Written by a person on our side."""
        return self.direction == "out" and not self.automatic and self.kind in ("email", "chat")

    @property
    def sign_of_life(self) -> bool:
        return not self.automatic and (self.direction == "in" or self.spoken)

    @property
    def held_against_us(self) -> tuple[Situation, ...]:
        return self.situations if self.reproaches is None else self.reproaches

    @property
    def asks(self) -> bool:
        return self.traits is not None and self.traits.answer_expected


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


@dataclass(frozen=True, slots=True)
class Dated:
    """`day` is the account's calendar day."""

    day: date
    message: Message


@dataclass(frozen=True, slots=True)
class Conversation:
    """What had been said by `today`. Nothing later is in it, so no detector can look ahead."""

    dated: Sequence[Dated]
    calendar: Calendar
    today: date

    @classmethod
    def until(cls, messages: Iterable[Message], calendar: Calendar, now: datetime) -> Conversation:
        past = sorted((m for m in messages if m.at <= now), key=lambda m: (m.at, m.id))
        return cls([Dated(calendar.day_of(m.at), m) for m in past], calendar, calendar.day_of(now))

    def morning_after(self, day: date, working_days: int) -> date:
        """The first day that begins with that many working days over since `day`: known before anybody writes on it."""
        return self.calendar.add(day, working_days) + timedelta(days=1)
