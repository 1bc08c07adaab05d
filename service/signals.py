"""The domain, in plain Python: evidence, signals, suggestions. Nothing here opens a connection or reads a clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Self
from uuid import UUID

from ml.moments import MomentKind

SignalKind = Literal[MomentKind, "stop_request"]
"""Moments that a detector dates, and the one wish that a plain list of phrases finds."""
SignalState = Literal["forming", "open", "ended"]
EvidenceType = Literal["buyer_message", "our_message", "usage", "contract", "crm_note"]
Handling = Literal["draft", "plain_reply", "log_only", "human_review", "escalate_no_draft"]
Move = Literal["GREET", "ACK", "VAL", "REF", "CHK", "INFO", "ASK", "CLOSE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One thing somebody can look up: a span of a message, or a number with its window.

    `text` is the buyer's own words, read from the one table that holds them; `start` and `end` are its offsets in the raw
    message. It is None for numbers, and once the words have been erased.
    """

    id: UUID
    type: EvidenceType
    source: str
    observed_at: datetime
    contact_id: UUID | None = None
    interaction_id: UUID | None = None
    start: int | None = None
    end: int | None = None
    text: str | None = None
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something happened, on a day, in somebody's words or in a series of numbers.

    `detected_at` is the day on which it could first be known, whenever it was computed. `confidence` is in 0..1.
    `alternatives` are keys of innocent explanations (ml.alternatives).
    """

    id: UUID
    account_id: UUID
    contact_id: UUID | None
    kind: SignalKind
    key: str
    state: SignalState
    detected_at: date
    ended_at: date | None
    confidence: float
    numbers: Mapping[str, float | int | str]
    alternatives: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def evidence_at(self) -> date:
        """The day of its newest evidence."""
        return max([self.detected_at, *(e.observed_at.date() for e in self.evidence)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What somebody has asked for, as a person recorded it at `stated_at`. `channel`, `language` (two letters): None for no wish."""

    channel: Literal["email", "chat", "call", "meeting"] | None = None
    language: str | None = None
    no_contact_until: date | None = None
    opted_out: bool = False
    evidence_id: UUID | None = None
    stated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who would receive the message. `name` is the CRM's spelling, None if the CRM has none."""

    contact_id: UUID
    name: str | None
    title: str | None = None
    preference: Preference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    close_date: date
    amount: float | None
    currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything the playbook may know about one account on one day. `signals` are the open ones, the lead first."""

    account_name: str
    owner_name: str | None
    recipient: Recipient | None
    renewal: Renewal | None
    signals: tuple[Signal, ...]
    today: date
    seed: str
    anger: float = 0.0
    """Of the angriest message that the lead rests on, in 0..1."""

    @property
    def lead(self) -> Signal:
        return self.signals[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A reference to the buyer's words: offsets into the raw message, the words themselves are read when shown. In quotation marks as they
    stand, or woven in and turned to the person who said them. `opens`: they begin a sentence."""

    interaction_id: UUID
    start: int
    end: int
    is_quoted: bool = True
    opens: bool = False


Part = str | Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A sentence or two of a draft with the move it makes and the evidence it rests on. A Quote is shown when somebody looks."""

    move: Move
    parts: tuple[Part, ...]
    evidence_ids: tuple[UUID, ...]
    joined: bool | None = None
    """Whether it goes on in the paragraph of the one before; None where that was not kept, and the moves decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A piece of evidence as the drafting engine is given it. `type` as in docs/critic.md."""

    id: str
    type: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How many rules a draft was held against, and (rule, severity) of what was found: W and S alone, as a draft with an E is not shown."""

    checked: int
    findings: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, checked: int, findings: Sequence[Sequence[str]]) -> Self:
        return cls(checked=checked, findings=tuple((rule, severity) for rule, severity in findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a draft was made from, but for the drafts that it must not repeat, and what the critic says of it."""

    situation: str
    channel: str
    lang: str
    am_name: str | None
    recipient_name: str | None
    pieces: tuple[Source, ...]
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """What the playbook proposes: always a plan, and a draft (subject-less message body) where an honest one is possible.

    `why_now` and `plan` hold no words of the buyer.
    """

    handling: Handling
    why_now: str
    plan: tuple[str, ...]
    draft: tuple[Segment, ...] | None
    no_draft_reason: str | None
    alternatives: tuple[str, ...]
    """Sentences: what else it could mean."""
    pause: bool = False
    """They are angry: nobody answers before the pause card."""
    made: Made | None = None
    """Of a draft that was written now; None where there is none, or it was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskText:
    """What lands in the CRM. The subject holds no words of the buyer."""

    subject: str
    description: str
