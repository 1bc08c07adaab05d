"""A draft as plain text. The buyer's words are read here, at the moment they are shown, and nowhere kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from service.drafting.render import BLOCKS, between, said_back
from service.signals import Quote, Segment


class WordsErased(Exception):
    """A quoted message is no longer there, or no longer holds the quoted span."""


def render(segments: Sequence[Segment], words: Mapping[UUID, str], channel: str = "email", lang: str = "en") -> str:
    """`words`: the raw body per interaction id. Raises WordsErased rather than showing a draft with a hole in it.
    Paragraphs: greeting; what they said; what we know and offer; the question; the name. In a chat and on a call there is one."""
    if not segments:
        return ""
    told = [_sentence(segment, words, lang) for segment in segments]
    parted = (between(channel, goes_on=_goes_on(*pair)) for pair in pairwise(segments))
    return told[0] + "".join(gap + text for gap, text in zip(parted, told[1:], strict=True))


def _goes_on(before: Segment, segment: Segment) -> bool:
    return BLOCKS[before.move] == BLOCKS[segment.move] if segment.joined is None else segment.joined


def _sentence(segment: Segment, words: Mapping[UUID, str], lang: str) -> str:
    return "".join(part if isinstance(part, str) else _spoken(part, words, lang) for part in segment.parts)


def _spoken(quote: Quote, words: Mapping[UUID, str], lang: str) -> str:
    body = words.get(quote.interaction_id)
    if body is None or not 0 <= quote.start < quote.end <= len(body):
        raise WordsErased("The message this draft quotes is no longer there.")
    return said_back(body[quote.start : quote.end], is_quoted=quote.is_quoted, opens=quote.opens, lang=lang)
