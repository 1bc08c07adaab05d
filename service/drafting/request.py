"""What a draft is asked for with, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.critic.draft import Channel, Evidence, Review
from service.signals import Handling

if TYPE_CHECKING:
    from service.drafting.style import Style
    from service.drafting.windows import Window

LANGUAGES = ("en", "de", "fr", "es", "pt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of the buyer, by offsets into the text of a piece of evidence. In quotation marks exactly as they stand there; otherwise
    woven in, which turns "we" into "you". `opens`: they begin a sentence."""

    evidence_id: str
    start: int
    end: int
    is_quoted: bool
    opens: bool = False


Part = str | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A sentence or two with the move they make, `ACK.event`, and the evidence they rest on."""

    move: str
    parts: tuple[Part, ...]
    evidence_ids: tuple[str, ...]
    frame: str = ""
    given: tuple[str, ...] = ()
    """What its parts hold word for word from evidence other than the buyer's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`situation`: one of ml.labels.SITUATIONS, or `renewal_notice`, `tone_turn`, `unanswered_question`, `direct_question`; without it the evidence decides.
    `windows`: earlier drafts that a new one must not repeat. The same request gives the same draft."""

    id: str | int
    channel: Channel = "email"
    lang: str = "en"
    am_name: str | None = None
    recipient_name: str | None = None
    evidence: tuple[Evidence, ...] = ()
    situation: str | None = None
    style: Style | None = None
    windows: tuple[Window, ...] = ()
    seed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A draft that broke no rule. `plan`: its moves in order."""

    text: str
    segments: tuple[Segment, ...]
    plan: tuple[str, ...]
    review: Review


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """That a language model was asked to rewrite the draft, and what came of it. Codes alone, none of anybody's words: docs/drafting_model.md lists them.
    `prompt_hash`: SHA-256 of all that was asked. `rejected`: the first reason against each answer that was not fit."""

    model: str
    prompt_version: str
    prompt_hash: str
    outcome: str
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The best draft first; `alternatives` follow other plans. Without a draft `reason` says why, and what is known still stands in `plan`."""

    id: str | int
    handling: Handling
    situation: str
    plan: tuple[str, ...]
    written: Written | None = None
    alternatives: tuple[Written, ...] = ()
    reason: str | None = None
    subject: str | None = None
    lang: str = "en"
    card: tuple[str, ...] = ()
    """How to say it: for calls and meetings."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """What the offsets of the segments point into, by evidence id."""
    rewriting: Rewriting | None = None
    """None where no model was asked."""
