"""What every detector hands over: a moment in the life of an account, with the messages or numbers that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from ml.labels import SituationName

MomentKind = Literal[SituationName, "tone_turn", "unanswered_question"]
MomentState = Literal["forming", "open", "ended"]
Numbers = Mapping[str, float | int | str]


@dataclass(frozen=True, slots=True)
class Span:
    """Some words of one message: offsets into the own text that was scored. start == end means the message as a whole."""

    message: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that became knowable on `detected_at`, however late it was computed.

    `anchor` identifies the moment for good: the message that began it (text and dynamics), or the onset as a proleptic
    day number (usage). (kind, contact, anchor) is therefore a key that does not change when later days are replayed.
    `alternatives` are keys of ml.alternatives: other things it could mean, listed and never asserted.
    """

    kind: MomentKind
    state: MomentState
    detected_at: date
    contact: str | None
    anchor: int
    messages: tuple[int, ...] = ()
    spans: tuple[Span, ...] = ()
    numbers: Numbers = field(default_factory=dict)
    confidence: float
    alternatives: tuple[str, ...]
    ended_at: date | None = None
