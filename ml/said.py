"""What was said: situations of the customer's messages as moments, one per kind and person while it is fresh."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from math import prod

from ml.alternatives import BY_KIND
from ml.conversation import Conversation, Dated
from ml.moments import Moment, Span
from ml.situations import Situation, SituationName

FRESH = timedelta(days=30)
"""How long words stand after they were last said."""
NO_MOMENT: frozenset[SituationName] = frozenset({"silence", "usage_drop", "routine_logistics"})
"""Silence and drops are seen in dates and numbers, whoever mentions them; work as usual is no event."""
MODERATION = 0.9
MOST_SURE = 0.95


def said(conversation: Conversation) -> list[Moment]:
    """A mention while the last one is fresh belongs to the same moment, which the first message anchors."""
    episodes: dict[tuple[SituationName, str | None], list[Dated]] = {}
    found: list[Moment] = []
    for dated in conversation.dated:
        if dated.message.direction != "in" or dated.message.automatic:
            continue
        for name in {s.name for s in dated.message.situations} - NO_MOMENT:
            key = (name, dated.message.contact)
            episode = episodes.setdefault(key, [])
            if episode and dated.day > episode[-1].day + FRESH:
                found.append(_moment(name, episode, conversation.today))
                episode = episodes[key] = []
            episode.append(dated)
    return found + [_moment(name, episode, conversation.today) for (name, _), episode in episodes.items()]


def _moment(kind: SituationName, episode: list[Dated], today: date) -> Moment:
    stale_after = episode[-1].day + FRESH
    over = today > stale_after
    return Moment(
        kind=kind,
        state="ended" if over else "open",
        detected_at=episode[0].day,
        contact=episode[0].message.contact,
        anchor=episode[0].message.id,
        messages=tuple(d.message.id for d in episode),
        spans=tuple(Span(d.message.id, s.start, s.end) for d in episode for s in _named(d, kind)),
        confidence=_confidence(kind, episode),
        alternatives=BY_KIND[kind],
        ended_at=stale_after if over else None,
    )


def _named(dated: Dated, kind: SituationName) -> Iterator[Situation]:
    return (s for s in dated.message.situations if s.name == kind)


def _confidence(kind: SituationName, episode: list[Dated]) -> float:
    """A sentence read alone is less sure than it looks; said again in another message it is surer."""
    doubt = prod(1 - MODERATION * max(s.confidence for s in _named(d, kind)) for d in episode)
    return min(MOST_SURE, 1 - doubt)
