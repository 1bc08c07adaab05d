"""Questions of theirs that nobody on our side answered in time. What answers a question: ml.taking_up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ml.alternatives import BY_KIND
from ml.asked import Asked, Inquiry, inquiries
from ml.conversation import Conversation
from ml.moments import Moment, Span

PATIENCE = 5
"""Working days in which an answer is in time."""
SURE, SURE_WHEN_REPLIED, SURE_WHEN_REPEATED = 0.75, 0.65, 0.85


def unanswered(conversation: Conversation) -> list[Moment]:
    return list(_raised(conversation))


def _raised(conversation: Conversation) -> Iterator[Moment]:
    for inquiry in inquiries(conversation):
        due = conversation.morning_after(inquiry.dated.day, PATIENCE)
        raised = _open_on(due, inquiry)
        if raised and due <= (inquiry.left_on or conversation.today):
            yield _moment(inquiry, raised, due, conversation)


def _open_on(due: date, inquiry: Inquiry) -> list[Asked]:
    """The time is up on the morning of `due`, before anything is said that day."""
    return [a for a in inquiry.asked if a.settled is None or a.settled.day >= due]


def _moment(inquiry: Inquiry, raised: list[Asked], due: date, conversation: Conversation) -> Moment:
    sure = SURE_WHEN_REPEATED if inquiry.repeats else SURE_WHEN_REPLIED if inquiry.replied else SURE
    ended = None if inquiry.open else max(a.settled.day for a in raised if a.settled)
    return Moment(
        kind="unanswered_question",
        state="ended" if ended else "open",
        detected_at=due,
        contact=inquiry.message.contact,
        anchor=inquiry.message.id,
        messages=(inquiry.message.id, *inquiry.repeats),
        spans=tuple(Span(inquiry.message.id, a.question.start, a.question.end) for a in raised),
        numbers={"asked_at": inquiry.dated.day.isoformat(), "waiting_days": conversation.calendar.between(inquiry.dated.day, ended or conversation.today)},
        confidence=sure,
        alternatives=BY_KIND["unanswered_question"],
        ended_at=ended,
    )
