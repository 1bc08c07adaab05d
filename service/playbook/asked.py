"""What somebody has asked for, in words for the account manager, and what follows for a draft."""

from __future__ import annotations

import re
from datetime import date

from service.playbook.wording import day_month
from service.signals import Preference

WRITTEN = frozenset({"email", "chat"})
CHANNELS = {"email": "by mail", "chat": "in the chat", "call": "by phone", "meeting": "in a meeting"}
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese"}
_TALK = re.compile(
    r"\b(?:calls?|phone|ring|talks?|meet|meetings?|minutes|half an hour|speak"
    r"|anruf\w*|telefon\w*|gespräch|appel\w*|téléphon\w*|llam\w+|reuni\w+|lig(?:ar|ação))\b",
    re.IGNORECASE,
)


def lines(stated: Preference | None, today: date) -> list[str]:
    if stated is None:
        return []
    until = stated.no_contact_until
    return [
        *([f"To be reached {CHANNELS[stated.channel]}."] if stated.channel else []),
        *([f"To be written to in {LANGUAGES.get(stated.language, stated.language)}."] if stated.language else []),
        *([f"Nothing before {day_month(until, today)}."] if until and until > today else []),
    ]


def proposes_a_talk(text: str) -> bool:
    """For those who asked to be written to."""
    return _TALK.search(text) is not None


def plan_of_restraint(reason: str) -> tuple[str, ...]:
    """What to do where nobody is to be written to."""
    return (
        f"Leave them in peace: {reason}.",
        "Do on our side what can be done without them, and note it on the account.",
        "If you know better, record what they want with `undertone preferences` or PUT /v1/contacts/{id}/preferences.",
    )
