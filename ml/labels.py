"""The names of everything that is read in a message; docs/reading.md explains each with examples."""

from __future__ import annotations

from typing import Literal, get_args

EmotionName = Literal[
    "frustration", "disappointment", "anger", "anxiety", "confusion", "disengagement", "neutral", "satisfaction", "gratitude", "enthusiasm"
]  # fmt: skip
SituationName = Literal[
    "frustration",
    "silence",
    "price_objection",
    "deadlock",
    "cross_functional",
    "timing_concern",
    "implementation_worry",
    "past_vendor_disappointment",
    "budget_cut",
    "usage_drop",
    "renewal_decision",
    "confusion",
    "risk_reliability",
    "champion_change",
    "competitor_evaluation",
    "positive_momentum",
    "routine_logistics",
    "hostile_or_injection",
]
Priority = Literal["unknown", "security", "achievement", "recognition"]
Language = Literal["en", "de", "fr", "es", "pt", "unknown"]

EMOTIONS: tuple[EmotionName, ...] = get_args(EmotionName)
SITUATIONS: tuple[SituationName, ...] = get_args(SituationName)
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
LANGUAGES: tuple[Language, ...] = get_args(Language)[:-1]
NEGATIVE_EMOTIONS: frozenset[EmotionName] = frozenset({"frustration", "disappointment", "anger", "anxiety", "confusion", "disengagement"})
NEGATIVE, POSITIVE = -0.15, 0.15
"""Sentiment at or beyond these is negative or positive; between them it is neutral."""
