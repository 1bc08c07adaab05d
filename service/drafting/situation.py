"""What a draft answers to, where nobody said so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from service.drafting import facts

if TYPE_CHECKING:
    from service.drafting.known import Heard, Known

_WEIGHTS = {"hostile_or_injection": 0.4, "routine_logistics": 0.4, "silence": 0.1, "usage_drop": 0.7, "frustration": 0.8}
_PLAIN = frozenset({"routine_logistics", "usage_drop", "silence", "positive_momentum"})
"""Moments in which nobody is upset."""
_TROUBLE = frozenset({"ticket", "incident"})
_DECIDED = re.compile(
    r"\b(?:decided (?:not|to|against)|decision (?:not|to)|cancel\w*|terminat\w+|notice|leav(?:e|ing) you|out of the contract)\b", re.IGNORECASE
)
"""Without one of these nobody has given notice, however sure the reader of messages is."""
SURE = 0.3
GLAD = 0.2
"""Sentiment of a message that brings good news."""
DECIDED = 3
"""Churn risk of a message that gives notice."""


def lead(known: Known) -> str:
    """What the draft answers to: notice given before all, then what the messages say, then what numbers and notes say."""
    said = known.said
    if said.is_notice or any(_is_notice(h, known) for h in known.heard):
        return "renewal_notice"
    if facts.is_unanswered(known.pieces, known.lang) and not said.is_negative and not known.questions:
        return "silence"
    scores: dict[str, float] = {}
    for heard in known.heard:
        for found in (s for s in heard.reading.situations if _fits(s.name, heard, known)):
            scores[found.name] = max(scores.get(found.name, 0.0), found.confidence * _WEIGHTS.get(found.name, 1.0))
    if known.is_confirmed:
        scores.pop("past_vendor_disappointment", None)  # who let them down was we
    if said.is_negative:
        scores = {name: score for name, score in scores.items() if name not in _PLAIN}
    if not known.is_english and not said.is_win:
        scores.pop("positive_momentum", None)  # seen too readily in what is not English: nobody is congratulated on a complaint
    if _is_plainly_asked(known, scores):
        return "direct_question"
    if scores and max(scores.values()) >= SURE:
        return max(scores, key=lambda name: (scores[name], name))
    return _by_evidence(known)


_RENEWAL = re.compile(r"\b(?:renew\w*|extend|extension|contract|agreement|term|subscription|licen[cs]es?|notice|lapses?|expir\w+|year)\b", re.IGNORECASE)


def _is_notice(heard: Heard, known: Known) -> bool:
    return heard.reading.churn_risk == DECIDED and _is_renewal(heard) and (not known.is_english or _DECIDED.search(heard.piece.text) is not None)


_OWN_ANSWER = frozenset({"positive_momentum", "renewal_decision", "hostile_or_injection", "deadlock", "cross_functional"})
"""Moments that want more than an answer, even where nobody is upset."""


def _is_plainly_asked(known: Known, scores: Mapping[str, float]) -> bool:
    """Nobody is upset, something is asked, and there is something to answer with."""
    found = max(scores, key=lambda name: (scores[name], name), default="")
    is_other = scores.get(found, 0.0) >= SURE and found in _OWN_ANSWER
    is_calm = not (known.said.is_negative or known.is_confirmed or any(_AFRAID.search(h.piece.text) for h in known.heard))
    has_answer = any(e.type in (*facts.FACTS, *facts.MATERIAL) for e in known.pieces)
    return known.is_english and is_calm and not is_other and has_answer and bool(known.questions)


_AFRAID = re.compile(
    r"\b(?:scared|afraid|worr(?:y|ied)|nervous|unfortunately"
    r"|bad news|sadly|frozen|can't pay|cannot pay|problem|but now|patience|fed up|tired of|embarrass\w*|urgent\w*)\b",
    re.IGNORECASE,
)


def _fits(name: str, heard: Heard, known: Known) -> bool:
    """Whether the message and what is on record leave room for it."""
    if name == "positive_momentum":
        return heard.reading.sentiment > GLAD and not known.is_confirmed and not _AFRAID.search(heard.piece.text)
    if name == "routine_logistics":
        return not known.is_confirmed and not (known.figures and not known.questions)
    if name == "deadlock":
        return not known.is_english or bool(known.terms)
    return name != "renewal_decision" or not known.is_english or _RENEWAL.search(heard.piece.text) is not None


def _is_renewal(heard: Heard) -> bool:
    return any(s.name == "renewal_decision" and s.confidence >= SURE for s in heard.reading.situations)


def _by_evidence(known: Known) -> str:
    types = {e.type for e in known.pieces}
    if not known.heard:
        return "usage_drop" if "usage" in types else "silence"
    tone = min(h.reading.sentiment for h in known.heard)
    if tone <= -0.15 or known.said.is_negative:
        return "frustration"
    if not known.said.is_win and types & _TROUBLE:
        return "frustration"
    if "usage" in types and not known.questions:
        return "usage_drop"
    if known.said.is_win or tone >= 0.4:
        return "positive_momentum"
    return "routine_logistics"
