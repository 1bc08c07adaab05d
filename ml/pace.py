"""How long answers take, both ways, in working days of the account."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ml.conversation import Conversation, Dated

MIN_REPLIES = 5
RECENT_REPLIES = 30
"""A pace is that of the last replies: people change jobs and habits."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`position` is that of the answering message in the conversation."""

    position: int
    contact: str
    by_us: bool
    gap: int


def replies(conversation: Conversation) -> Iterator[Reply]:
    """From the first message that asked for an answer to the next one by the other side; what a call settled is no reply.

    The customer's answer in a thread of ours counts also where we had asked for none: it shows their pace all the same.
    """
    waiting: dict[tuple[str, bool], Dated] = {}
    written: dict[str, Dated] = {}
    for position, dated in enumerate(conversation.dated):
        m = dated.message
        if m.spoken:
            _settle(waiting, m.contact)
            written = {thread: last for thread, last in written.items() if m.contact not in (None, last.message.contact)}
        if m.contact is None or not (m.theirs or m.ours):
            continue
        asked = waiting.pop((m.contact, m.ours), None) or _written_to(written, dated)
        if asked is not None:
            yield Reply(position, m.contact, m.ours, conversation.calendar.between(asked.day, dated.day))
        if m.theirs:
            _answered_for_colleagues(waiting, m.thread)
        elif m.thread is not None:
            written[m.thread] = dated
        if m.asks:
            waiting.setdefault((m.contact, m.theirs), dated)


def _written_to(written: dict[str, Dated], answer: Dated) -> Dated | None:
    """Our last message in the thread that this person now answers, if it was to them."""
    if not answer.message.theirs or answer.message.thread is None:
        return None
    last = written.pop(answer.message.thread, None)
    return last if last is not None and last.message.contact == answer.message.contact else None


def _settle(waiting: dict[tuple[str, bool], Dated], contact: str | None) -> None:
    for key in [key for key in waiting if contact in (None, key[0])]:
        del waiting[key]


def _answered_for_colleagues(waiting: dict[tuple[str, bool], Dated], thread: str | None) -> None:
    """What a colleague answered in the same thread says nothing about the pace of whom we had asked."""
    for key in [key for key, asked in waiting.items() if not key[1] and thread is not None and asked.message.thread == thread]:
        del waiting[key]


@dataclass(slots=True)
class Gaps:
    positions: list[int] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)

    def add(self, reply: Reply) -> None:
        self.positions.append(reply.position)
        self.gaps.append(reply.gap)

    def before(self, position: int) -> Sequence[int]:
        end = bisect_left(self.positions, position)
        return self.gaps[max(0, end - RECENT_REPLIES) : end]


@dataclass(frozen=True, slots=True)
class Longest:
    """`days`: nine replies in ten came within it. `own`: from this contact's replies, not from the account's."""

    days: float
    own: bool


class Pace:
    """The customer's usual longest reply time at any point of a conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._account = Gaps()
        self._by_contact: dict[str, Gaps] = {}
        for reply in replies(conversation):
            if not reply.by_us:
                self._account.add(reply)
                self._by_contact.setdefault(reply.contact, Gaps()).add(reply)

    def longest(self, contact: str | None, position: int) -> Longest | None:
        """As known before the message at `position`; None while neither person nor account has answered often enough."""
        own = self._by_contact.get(contact or "", Gaps()).before(position)
        known = own if len(own) >= MIN_REPLIES else self._account.before(position)
        return Longest(p90(known), own=known is own) if len(known) >= MIN_REPLIES else None


def p90(gaps: Sequence[int]) -> float:
    return float(np.percentile(gaps, 90))
