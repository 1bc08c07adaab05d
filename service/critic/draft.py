"""What is reviewed and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ml.labels import SituationName
from ml.moves import Move

Severity = Literal["E", "W", "S"]
"""E: never shown as it is. W: the person who sends it clears it. S: a hint."""
Channel = Literal["email", "chat", "call", "meeting"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
Situation = Literal[SituationName, "renewal_notice", "tone_turn", "unanswered_question", "direct_question"]
"""Those of docs/reading.md, and what else a draft of ours may say that it is about."""
SITUATIONS: tuple[Situation, ...] = get_args(Situation)
LANG = r"^(en|de|fr|es|pt)([-_][A-Za-z0-9]{1,8}){0,3}$"
"""A language that the critic reads, with or without a region."""
MOST_CHARS = 20_000
"""Of one draft; only as much is reviewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a draft may rest on. `type`: buyer_message, ticket, usage, billing, quote, contract, product, incident, project, crm_note, offer, tracking."""

    id: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Marked:
    """What `text[start:end]` of a draft does, where its writer knows: "ACK", "VAL" and so on."""

    start: int
    end: int
    move: Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text that somebody wrote to `recipient_name`. Without a `situation` the evidence decides. `earlier`: drafts to the same account, newest last.
    `marked`: the moves where they are known for certain, as in drafts of our own engine; of every other sentence they are guessed."""

    id: str | int
    text: str
    channel: str = "email"
    lang: str = "en"
    evidence: tuple[Evidence, ...] = ()
    recipient_name: str | None = None
    am_name: str | None = None
    situation: str | None = None
    earlier: tuple[str, ...] = ()
    marked: tuple[Marked, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """`text[start:end]` breaks the rule, or, where something is missing, is where it should be."""

    rule: str
    severity: Severity
    start: int
    end: int
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a person set aside, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Each 0..1, each read on its own: they are never added up."""

    structure: float
    specificity: float
    coverage: float
    novelty: float
    style: float
    brevity: float
    readability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """`rules`: those of error level that are broken, each once; with none the verdict is good. `moves` of a person's text are a guess, see docs/critic.md."""

    id: str | int
    verdict: Literal["good", "bad"]
    rules: tuple[str, ...]
    findings: tuple[Finding, ...]
    scores: Scores
    suppressed: tuple[Suppressed, ...] = ()


Reasons = Mapping[str, str]
"""Rule to the reason for which its findings are set aside."""
