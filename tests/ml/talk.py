"""Short ways to write conversations down: `them(3, ...)` is a mail by Bo on day 3, `us(3, ...)` one of ours to Bo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count

from ml import dynamics, ledger
from ml.calendar import calendar_for
from ml.conversation import Conversation
from ml.dynamics import Message
from ml.ledger import Entry
from ml.moments import Moment
from ml.situations import Question, Situation, Traits

CALENDAR = calendar_for("US", "America/New_York")
MONDAY = date(2025, 3, 3)
WORRY = "export night failed ledger"
_ids = count()


def at(day: float) -> datetime:
    """`day` 0 is a Monday; .5 is around noon where the account is."""
    return datetime(MONDAY.year, MONDAY.month, MONDAY.day, 5, tzinfo=UTC) + timedelta(days=day)


def on(day: int) -> date:
    return MONDAY + timedelta(days=day)


def traits(terms: str = "", **fields: object) -> Traits:
    defaults: dict[str, object] = {
        "words": 40,
        "greeting": True,
        "thanks": False,
        "questions": (),
        "answer_expected": False,
        "absent_until": None,
        "withdrawn": False,
        "terms": frozenset(terms.split()),
    }
    return Traits(**{**defaults, **fields})  # type: ignore[arg-type]


def question(terms: str, start: int = 10) -> Question:
    return Question(start, start + 20, frozenset(terms.split()))


def them(day: float, *, tone: float = 0.2, said: Sequence[Situation] = (), by: str | None = "bo", **fields: object) -> Message:
    defaults: dict[str, object] = {"traits": traits(), "confidence": 0.5, "thread": "t"}
    return Message(id=next(_ids), at=at(day + 0.5), contact=by, direction="in", sentiment=tone, situations=tuple(said), **{**defaults, **fields})  # type: ignore[arg-type]


def us(day: float, *, asks: bool = True, to: str | None = "bo", **fields: object) -> Message:
    defaults: dict[str, object] = {"traits": traits(answer_expected=asks), "thread": "t"}
    return Message(id=next(_ids), at=at(day + 0.5), contact=to, direction="out", **{**defaults, **fields})  # type: ignore[arg-type]


def asked(day: float, terms: str, **fields: object) -> Message:
    """They ask something; nothing else is in the mail."""
    return them(day, traits=traits(terms, questions=(question(terms),), answer_expected=True), **fields)


def moments(messages: Sequence[Message], day: float, kind: str | None = None) -> list[Moment]:
    """As of the end of a day."""
    found = dynamics.moments(messages, CALENDAR, at(day + 0.9))
    return [m for m in found if kind is None or m.kind == kind]


def blamed(confidence: float = 0.7) -> tuple[Situation, ...]:
    return (Situation("frustration", confidence, 5, 30),)


def worry(terms: str = WORRY, name: str = "risk_reliability", start: int = 100, end: int = 140, confidence: float = 0.8) -> Situation:
    return Situation(name, confidence, start, end, frozenset(terms.split()))  # type: ignore[arg-type]


def voiced(day: float, terms: str = WORRY, name: str = "risk_reliability", **fields: object) -> Message:
    """They write of a worry; nothing else is in the mail."""
    return them(day, said=[worry(terms, name)], **{"traits": traits(terms), **fields})


def entries(messages: Sequence[Message], day: float = 60) -> list[Entry]:
    """As of the end of a day."""
    return ledger.entries(Conversation.until(messages, CALENDAR, at(day + 0.9)))
