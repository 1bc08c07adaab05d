"""Whom one writes to: Sie or du, vous or tu, usted or tú; by name, without guessing anything about the person."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from typing import Literal

from service.drafting.lexicon import expression, of_language

Address = Literal["formal", "familiar"]
_STAYS_CAPITAL = re.compile(r"(?:Sie|Ihr(?:e[nmrs]?)?|Ihnen|Ärger|Worte)\b")


def address_of(own: str, offers: Sequence[str], lang: str) -> Address:
    """As the buyer's own words do; where these do not tell, as our side wrote of them; formal by default."""
    if lang == "en":
        return "formal"
    return next((found for text in (own, *offers) if (found := spoken_to(text, lang))), "formal")


def spoken_to(text: str, lang: str) -> Address | None:
    if expression("familiar", lang).search(text):
        return "familiar"
    return "formal" if re.search(of_language(lang)["formal"], text) else None


def after_comma(text: str, openings: Set[str]) -> str:
    """How a sentence goes on after the comma of a greeting: in lower case, but for nouns and for Sie. `openings`: words that frames begin with."""
    first = text.split(" ", 1)[0]
    return text if first not in openings or _STAYS_CAPITAL.match(text) else text[0].lower() + text[1:]
