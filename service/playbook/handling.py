"""Who deals with a message next, from its reading alone."""

from __future__ import annotations

from ml.labels import NEGATIVE, SituationName
from ml.reader import Reading
from service.signals import Handling

_HOSTILE: SituationName = "hostile_or_injection"
_ROUTINE: frozenset[SituationName] = frozenset({"routine_logistics"})


def handling(reading: Reading) -> Handling:
    """Whatever is hostile goes to a person, and nothing is drafted beside it. Nor where something was said and its mood is unsure."""
    said = frozenset(s.name for s in reading.situations)
    if _HOSTILE in said or reading.orders:
        return "human_review" if said - {_HOSTILE} else "escalate_no_draft"
    if said <= _ROUTINE and (reading.abstained or _is_calm(reading)):
        return "plain_reply" if said else "log_only"
    return "human_review" if reading.abstained else "draft"


def _is_calm(reading: Reading) -> bool:
    return reading.sentiment > NEGATIVE and all(emotion.name == "neutral" for emotion in reading.emotions)
