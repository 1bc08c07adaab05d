"""How each contact usually writes and answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from ml.conversation import Conversation, Habit, Message
from ml.pace import MIN_REPLIES, RECENT_REPLIES, p90, replies
from ml.tone import Usual
from ml.tone_turn import LONGEST_BASELINE, MIN_BASELINE

MIN_MESSAGES = 3
"""Of which a rate or a median is told at all."""
RECENT = 3


def habits_of(conversation: Conversation) -> list[Habit]:
    """In the order of each contact's first message."""
    written: dict[str, list[Message]] = {}
    for dated in conversation.dated:
        if dated.message.theirs and dated.message.contact is not None:
            written.setdefault(dated.message.contact, []).append(dated.message)
    gaps = defaultdict[tuple[str, bool], list[int]](list)
    for reply in replies(conversation):
        gaps[reply.contact, reply.by_us].append(reply.gap)
    return [_habit(contact, messages, gaps[contact, False], gaps[contact, True]) for contact, messages in written.items()]


def _habit(contact: str, messages: Sequence[Message], theirs: Sequence[int], ours: Sequence[int]) -> Habit:
    traits = [m.traits for m in messages if m.traits is not None]
    toned = [m for m in messages if m.traits is not None and m.confidence > 0][-LONGEST_BASELINE - RECENT :]
    usual = Usual(toned) if len(toned) >= MIN_MESSAGES else None
    return Habit(
        contact=contact,
        messages=len(messages),
        words_median=_median([t.words for t in traits]),
        tone_median=_median([m.sentiment for m in toned]),
        tone_spread=usual.spread if usual else None,
        tone_recent=_recent(toned),
        greeting_rate=_rate([t.greeting for t in traits]),
        thanks_rate=_rate([t.thanks for t in traits]),
        question_rate=_rate([bool(t.questions) for t in traits]),
        reply_gaps=len(theirs),
        reply_gap_median=_median(theirs[-RECENT_REPLIES:]),
        reply_gap_p90=_longest(theirs),
        our_reply_gap_median=_median(ours[-RECENT_REPLIES:]),
        our_reply_gap_p90=_longest(ours),
    )


def _recent(toned: Sequence[Message]) -> float | None:
    earlier, recent = toned[:-RECENT], toned[-RECENT:]
    if len(earlier) < MIN_BASELINE:
        return None
    usual = Usual(earlier)
    return (median(m.sentiment for m in recent) - usual.tone) / usual.spread


def _median(values: Sequence[float]) -> float | None:
    return float(median(values)) if len(values) >= MIN_MESSAGES else None


def _rate(seen: Sequence[bool]) -> float | None:
    return sum(seen) / len(seen) if len(seen) >= MIN_MESSAGES else None


def _longest(gaps: Sequence[int]) -> float | None:
    return p90(gaps[-RECENT_REPLIES:]) if len(gaps) >= MIN_REPLIES else None
