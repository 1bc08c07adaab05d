"""Conversation dynamics of one account: what was said, tone against a person's own habit, silence, questions nobody answered.

Every detector is causal: what it says about a day uses nothing that happened after that day. A `forming` moment is about today
only: it turns open, with the day on which it did, or is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ml.calendar import Calendar
from ml.conversation import Conversation, Direction, Habit, Kind, Message
from ml.habits import habits_of
from ml.moments import Moment
from ml.said import said
from ml.silence import silences
from ml.tone_turn import tone_turns
from ml.unanswered import unanswered

__all__ = ["Direction", "Habit", "Kind", "Message", "habits", "moments"]

DETECTORS = (said, tone_turns, silences, unanswered)


def moments(messages: Sequence[Message], calendar: Calendar, now: datetime) -> list[Moment]:
    """All moments of one account that were knowable by `now`, by detected_at. `messages` may be in any order."""
    conversation = Conversation.until(messages, calendar, now)
    found = [moment for detect in DETECTORS for moment in detect(conversation)]
    return sorted(found, key=lambda m: (m.detected_at, m.kind, m.contact or "", m.anchor))


def habits(messages: Sequence[Message], calendar: Calendar, now: datetime) -> list[Habit]:
    """One per contact who ever wrote, for the page and for the outlook."""
    return habits_of(Conversation.until(messages, calendar, now))
