"""The acknowledgement ledger: what weighed on the buyer or was asked, since when, and whether our side took it up. Facts about an
exchange, never a judgement of a person: no entry names anybody on our side.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from ml.asked import Asked, Inquiry, inquiries
from ml.concerns import HOSTILE, Concern, Passage, concerns, weighing_on
from ml.conversation import Conversation, Dated
from ml.labels import SituationName
from ml.situations import Question
from ml.taking_up import CERTAINTY, Basis, Settled

State = Literal["open", "acknowledged", "answered", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voiced:
    """Offsets into the own text of one message."""

    message: int
    start: int
    end: int
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How it was settled, by which message (ours; theirs where withdrawn or thanked for), and the working days from being voiced to then."""

    message: int
    day: date
    state: Literal["acknowledged", "answered", "withdrawn"]
    basis: Basis
    certainty: float
    working_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A concern, or a question; `situation` is what weighs on them (of a question: None unless it voices that as well).

    `settled` has more than one part when it was voiced again after it had been taken up. `waiting` are working days: until today while
    it is open, else those of the last settlement. Days on which the person had announced to be away do not count.
    """

    kind: Literal["concern", "question"]
    situation: SituationName | None
    confidence: float | None
    """Of the reading of a concern; a question is a matter of form."""
    contact: str | None
    voiced: Voiced
    again: tuple[Voiced, ...]
    state: State
    settled: tuple[Settlement, ...]
    waiting: int


def entries(conversation: Conversation) -> list[Entry]:
    """Everything voiced by the conversation's `today`, in the order in which it first was."""
    asked = inquiries(conversation)
    waits = _Waits(conversation)
    questions = (_question(i, a, waits) for i in asked for a in i.asked if weighing_on(i.message, a.question) != HOSTILE)
    place = {dated.message.id: n for n, dated in enumerate(conversation.dated)}
    return sorted([*questions, *(_concern(c, waits) for c in concerns(conversation, asked))], key=lambda e: (place[e.voiced.message], e.voiced.start))


def _question(inquiry: Inquiry, asked: Asked, waits: _Waits) -> Entry:
    since, contact = inquiry.dated.day, inquiry.message.contact
    return Entry(
        kind="question",
        situation=weighing_on(inquiry.message, asked.question),
        confidence=None,
        contact=contact,
        voiced=_voiced(inquiry.dated, asked.question),
        again=tuple(_voiced(*again) for again in asked.again),
        state=asked.settled.state if asked.settled else "open",
        settled=(waits.settlement(contact, since, asked.settled),) if asked.settled else (),
        waiting=waits.days(contact, since, asked.settled.day if asked.settled else None),
    )


def _concern(concern: Concern, waits: _Waits) -> Entry:
    contact = concern.last.message.contact
    settled = tuple(waits.settlement(contact, since, how) for since, how in concern.settled)
    return Entry(
        kind="concern",
        situation=concern.first.situation,
        confidence=concern.first.confidence,
        contact=contact,
        voiced=_voiced(*concern.voices[0]),
        again=tuple(_voiced(*again) for again in concern.voices[1:]),
        state="open" if concern.open else settled[-1].state,
        settled=settled,
        waiting=waits.days(contact, concern.since, None) if concern.open else settled[-1].working_days,
    )


def _voiced(dated: Dated, words: Question | Passage) -> Voiced:
    return Voiced(message=dated.message.id, start=words.start, end=words.end, day=dated.day)


class _Waits:
    """Working days that somebody really waited: not those on which they had told us that they are away."""

    def __init__(self, conversation: Conversation) -> None:
        self._calendar, self._today = conversation.calendar, conversation.today
        self._away = defaultdict[str, list[tuple[date, date]]](list)
        for dated in conversation.dated:
            m = dated.message
            if m.direction == "in" and m.contact is not None and m.traits is not None and m.traits.absent_until is not None:
                self._add(m.contact, dated.day, m.traits.absent_until)

    def settlement(self, contact: str | None, since: date, how: Settled) -> Settlement:
        days = self.days(contact, since, how.day)
        return Settlement(message=how.message, day=how.day, state=how.state, basis=how.basis, certainty=CERTAINTY[how.basis], working_days=days)

    def days(self, contact: str | None, since: date, until: date | None) -> int:
        """`until` None: until today."""
        end = until or self._today
        absences = self._away.get(contact, ()) if contact else ()
        away = sum(self._calendar.between(max(since, told), min(end, back - timedelta(days=1))) for told, back in absences)
        return self._calendar.between(since, end) - away

    def _add(self, contact: str, told: date, back: date) -> None:
        """They are told in order; one that begins before the last is over prolongs it."""
        known = self._away[contact]
        if known and told <= known[-1][1]:
            known[-1] = (known[-1][0], max(known[-1][1], back))
        else:
            known.append((told, back))
