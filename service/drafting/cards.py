"""What stands beside a draft: how to say it on a call, what a meeting should settle. And what no draft should answer."""

from __future__ import annotations

import re

from service.drafting.lexicon import expression
from service.drafting.material import Material

_THREAT = re.compile(
    r"\b(?:i(?:'ll| will| am going to|'m going to) (?:hurt|kill|find you|come (?:to|for) your|make you regret|burn|smash)"
    r"|you(?:'ll| will) (?:regret|pay for) (?:this|it)"
    r"|know where you (?:live|work|park)|watch your back|someone will get hurt|(?:beat|break) (?:you|your))\b",
    re.IGNORECASE,
)
_CALL = (
    "Slow and even. Say the first two sentences, then wait three seconds.",
    "Do not read it aloud: say it in your own words.",
    "If they say yes: ask what they would want settled first.",
    "If they say it is something else: say it back in their words before you answer.",
)
_MEETING = (
    "Start with what this must do for each team, and what it must not do. No slides before that.",
    "Look at the camera while they speak, and write their words down.",
)


def is_threat(material: Material) -> bool:
    return (_THREAT if material.is_english else expression("threat", material.lang)).search(material.said.own) is not None


def card(material: Material) -> tuple[str, ...]:
    if material.request.channel == "call":
        return _CALL
    if material.request.channel != "meeting":
        return ()
    return (*_MEETING, *(f"{name}: hope, worry and source are to be filled in; what is not said stays unknown." for name in material.departments))
