"""Messages read for a script: one answer for each, in the same order, with offsets into the text as it was given. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ml.alternatives import BY_KIND, SENTENCES
from ml.labels import Language, Priority
from ml.reader import Emotion, Reading, SaidSituation, load
from ml.text import MAX_CHARS, OwnText
from service.errors import BadInput
from service.json_lines import LONGEST_ID, BadLine, is_id, numbered, parsed
from service.own_text import read_own_text
from service.playbook.handling import handling
from service.signals import Handling
from service.spans import Spans

MOST_ROWS, MOST_CHARS = 256, 1_000_000
"""Of one batch. The second keeps memory flat where every text is a long one."""
LONGEST_CHANNEL = 100
EXAMPLE = '{"id": "1", "text": "..."}'
EMAIL = "email"
_UNREAD = OwnText("", (), "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Own text is taken out of an email; what comes by another channel (chat, call, ...) is read as it is. What our side wrote is not read."""

    id: str | int
    text: str
    channel: str = EMAIL
    from_contact: bool = True


@dataclass(frozen=True, slots=True)
class Words:
    """The writer's words as they stand in the message, `text[start:end]`, and the verdicts they speak for most."""

    text: str
    start: int
    end: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """docs/reading.md explains each field. `span` is the text of the first of `spans`; `alternatives` are sentences."""

    id: str | int
    language: Language
    sentiment: float
    confidence: float
    abstained: bool
    emotions: tuple[Emotion, ...]
    situations: tuple[SaidSituation, ...]
    churn_risk: int
    priority: Priority
    span: str | None
    spans: tuple[Words, ...]
    alternatives: tuple[str, ...]
    handling: Handling


def read(messages: Sequence[Message]) -> list[Answer]:
    own = _own_texts(messages)
    readings = load().read([o.text for o in own])
    return [_answer(m, o, r) for m, o, r in zip(messages, own, readings, strict=True)]


def read_lines(lines: Iterable[bytes]) -> Iterator[list[Answer | BadLine]]:
    """JSON lines in batches: an answer for each, or what is wrong with it. Blank lines are no rows."""
    rows: list[Message | BadLine] = []
    chars = 0
    for number, line in numbered(lines):
        rows.append(row := parsed(line, number, _message, EXAMPLE))
        chars += len(row.text) if isinstance(row, Message) else 0
        if len(rows) == MOST_ROWS or chars >= MOST_CHARS:
            yield _read_rows(rows)
            rows, chars = [], 0
    if rows:
        yield _read_rows(rows)


def _read_rows(rows: Sequence[Message | BadLine]) -> list[Answer | BadLine]:
    answers = iter(read([row for row in rows if isinstance(row, Message)]))
    return [row if isinstance(row, BadLine) else next(answers) for row in rows]


def _message(row: dict[str, Any]) -> Message:
    """Null is the same as not given. Further fields are left alone: files carry columns of their own."""
    given = {name: value for name, value in row.items() if value is not None}
    found = Message(id=given.get("id", ""), text=given.get("text", ""), channel=given.get("channel", EMAIL), from_contact=given.get("from_contact", True))
    faults = {
        f"id must be a text of 1 to {LONGEST_ID:,} characters or a whole number.": not is_id(found.id),
        "text must be there, as a text; it may be empty.": "text" not in given or not isinstance(found.text, str),
        f"channel must be a text of at most {LONGEST_CHANNEL} characters, like email, chat or call.": not _is_text(found.channel, LONGEST_CHANNEL),
        "from_contact must be true or false.": not isinstance(found.from_contact, bool),
    }
    for sentence, wrong in faults.items():
        if wrong:
            raise BadInput(sentence)
    return Message(id=found.id, text=found.text[:MAX_CHARS], channel=found.channel, from_contact=found.from_contact)


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest


def _own_texts(messages: Sequence[Message]) -> list[OwnText]:
    mails = iter(read_own_text([m.text[:MAX_CHARS] for m in messages if m.from_contact and m.channel.lower() == EMAIL]))
    return [_UNREAD if not m.from_contact else next(mails) if m.channel.lower() == EMAIL else _whole(m.text[:MAX_CHARS]) for m in messages]


def _whole(text: str) -> OwnText:
    return OwnText(text, ((0, len(text)),), "ok")


def _answer(message: Message, own: OwnText, reading: Reading) -> Answer:
    spans = _spans(message.text, own, reading)
    return Answer(
        id=message.id,
        language=reading.language,
        sentiment=reading.sentiment,
        confidence=reading.confidence,
        abstained=reading.abstained,
        emotions=reading.emotions,
        situations=reading.situations,
        churn_risk=reading.churn_risk,
        priority=reading.priority,
        span=spans[0].text if spans else None,
        spans=spans,
        alternatives=_alternatives(reading),
        # A mail whose own text could not be told is unknown, not quiet.
        handling="human_review" if own.quote_strip == "failed" else handling(reading),
    )


def _spans(text: str, own: OwnText, reading: Reading) -> tuple[Words, ...]:
    to_raw = Spans([s for s, _ in own.spans], [e for _, e in own.spans]).to_raw
    placed = ((to_raw(q.start, q.end), q.why) for q in reading.quotes)
    return tuple(Words(text[raw[0] : raw[1]], *raw, why) for raw, why in placed if raw is not None)


def _alternatives(reading: Reading) -> tuple[str, ...]:
    """Of each emotion its own, and of each situation the first."""
    keys = [e.alternative for e in reading.emotions if e.alternative] + [BY_KIND[s.name][0] for s in reading.situations]
    return tuple(SENTENCES[key] for key in dict.fromkeys(keys))
