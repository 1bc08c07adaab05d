"""How a person writes, as numbers from their own messages, and how near a draft should come. Learned from the individual alone; heat is never copied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from service.drafting.material import Material

NEUTRAL = 3.0
ENOUGH_TEXTS, ENOUGH_WORDS = 3, 60
MOST_OF_SIGNATURE = 5
"""Words of a line."""
PRIOR = 5
"""Messages that the neutral style counts for."""
_FORMAL = re.compile(
    r"\b(?:dear (?:mr|mrs|ms|dr|prof|sir)|yours (?:sincerely|faithfully)|kind regards|sincerely|would you kindly"
    r"|i would be grateful|please find|with regards)\b",
    re.IGNORECASE,
)
_CASUAL = re.compile(
    r"(?:^|\n)\s*(?:hi|hey|hello there|yo)\b|\b(?:cheers|thx|ok|okay|gonna|wanna|btw|asap|yeah|nope|ta)\b|[a-z]['’](?:m|re|ve|ll|d|t)\b", re.IGNORECASE
)
_WARM = re.compile(r"\b(?:thank(?:s| you)|appreciate|hope you|lovely|happy to|glad|enjoy|kind of you|warm)\b", re.IGNORECASE)
_DIRECT = re.compile(r"(?:^|[.!?]\s+)(?:please )?(?:send|tell|fix|call|stop|explain|give|confirm|change|answer)\b", re.IGNORECASE)
_HEDGED = re.compile(r"\b(?:perhaps|maybe|might|could you|would you|i wonder|possibly|a bit|i think|i feel|sort of|if possible)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Style:
    """1 to 5 each; `words`: the median length of their messages; `n`: how many were read."""

    formality: float = NEUTRAL
    warmth: float = NEUTRAL
    directness: float = NEUTRAL
    words: int | None = None
    n: int = 0


def style_of(texts: Sequence[str]) -> Style:
    """From a person's own texts. Few of them leave it near neutral: n / (n + 5) of the way."""
    kept = [body for text in texts if (body := _body(text))]
    lengths = sorted(len(text.split()) for text in kept)
    if not kept:
        return Style()
    words = lengths[len(lengths) // 2]
    if len(kept) < ENOUGH_TEXTS and sum(lengths) < ENOUGH_WORDS:
        return Style(words=words, n=len(kept))
    pull = len(kept) / (len(kept) + PRIOR)
    return Style(
        formality=NEUTRAL + pull * (_mean(_formality, kept) - NEUTRAL),
        warmth=NEUTRAL + pull * (_mean(_warmth, kept) - NEUTRAL),
        directness=NEUTRAL + pull * (_mean(_directness, kept) - NEUTRAL),
        words=words,
        n=len(kept),
    )


def _body(text: str) -> str:
    """Without the short lines below the last sentence: name, town and address say nothing about how somebody writes, and may not decide anything."""
    lines = text.rstrip().split("\n")
    while len(lines) > 1 and len(lines[-1].split()) <= MOST_OF_SIGNATURE and not lines[-1].rstrip().endswith((".", "!", "?", ":")):
        lines.pop()
    return "\n".join(lines).strip()


def _mean(measure: object, texts: Sequence[str]) -> float:
    return sum(measure(text) for text in texts) / len(texts)  # type: ignore[operator]


def _formality(text: str) -> float:
    lower_case = text[:1].islower()
    return _within(NEUTRAL + 1.2 * len(_FORMAL.findall(text)) - 0.6 * len(_CASUAL.findall(text)) - lower_case)


def _warmth(text: str) -> float:
    return _within(2.4 + 0.8 * len(_WARM.findall(text)))


def _directness(text: str) -> float:
    return _within(NEUTRAL + 0.8 * len(_DIRECT.findall(text)) - 0.6 * len(_HEDGED.findall(text)) + (len(text.split()) < 25))


def _within(value: float) -> float:
    return max(1.0, min(5.0, value))


def style_for(material: Material) -> Style:
    return material.request.style or style_of([h.piece.text[h.spans[0][0] : h.spans[-1][1]] for h in material.heard])
