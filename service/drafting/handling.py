"""Who deals with a message next, and why nothing may be drafted."""

from __future__ import annotations

from service.drafting import cards
from service.drafting.facts import is_unanswered
from service.drafting.lexicon import tokens, words
from service.drafting.material import Material
from service.signals import Handling

ENOUGH_TO_TELL, COMMON_SHARE = 6, 8
"""Words by which a language can be told; one in so many is a common one."""
NO_WORDS_NEEDED = frozenset({"usage_drop", "silence"})
"""Situations without a message."""


def handling_of(material: Material) -> Handling:
    if cards.is_threat(material):
        return "escalate_no_draft"
    if material.said.is_hostile or material.ordered or material.situation == "hostile_or_injection":
        return "human_review"
    if material.situation in ("routine_logistics", "unanswered_question", "direct_question"):
        return "plain_reply"
    return "draft"


def refused(material: Material, handling: Handling) -> str | None:
    """Why nothing is drafted, the first reason that holds."""
    nothing_sayable = bool(material.heard) and not (material.clauses or material.questions or material.told())
    ids = [e.id for e in material.request.evidence]
    checks = (
        (len(set(ids)) < len(ids), "two pieces of evidence have the same id, and nobody could tell what a draft rests on; give each its own"),
        (not material.pieces, "there is nothing to go by: no message and no figures"),
        (handling == "escalate_no_draft", "their message holds a threat, and a person has to read it before anything is answered"),
        (material.is_contradictory, "the figures contradict each other; which of them holds has to be settled first"),
        (not material.heard and not _needs_no_words(material), "their message holds no words of their own to answer"),
        (_other_language(material), "they write in another language than the draft would be in"),
        (nothing_sayable, "none of their words can be given back without bending them"),
    )
    return next((reason for holds, reason in checks if holds), None)


def _needs_no_words(material: Material) -> bool:
    """Figures speak for themselves; a silence is one where somebody noted it or the caller says so."""
    if material.situation == "silence":
        return material.request.situation == "silence" or is_unanswered(material.pieces, material.lang)
    return material.situation == "usage_drop"


def _other_language(material: Material) -> bool:
    if material.request.lang == "en" and not _is_english(material.said.own):
        return True
    longest = max(material.heard, key=lambda h: len(h.piece.text), default=None)
    return longest is not None and len(material.said.own.split()) >= ENOUGH_TO_TELL and longest.reading.language != material.request.lang


def _is_english(text: str) -> bool:
    """The reader of messages knows five languages and takes any other for English."""
    found = tokens(text)
    if len(found) < ENOUGH_TO_TELL:
        return True
    english, foreign = (sum(t in words(name) for t in found) for name in ("english", "other_languages"))
    return english >= foreign and english * COMMON_SHARE >= len(found) and sum(char.isalpha() and not char.isascii() for char in text) * 4 < len(text)
