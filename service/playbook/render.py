"""A draft as plain text. The buyer's words are read here, at the moment they are shown, and nowhere kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from service.playbook.wording import folded
from service.signals import Quote, Segment

_BLOCKS = {"GREET": 0, "ACK": 1, "VAL": 1, "INFO": 2, "REF": 2, "ASK": 2, "CHK": 3, "CLOSE": 3}
_SIGN_OFF = 4


class WordsErased(Exception):
    """A quoted message is no longer there, or no longer holds the quoted span."""


def render(segments: Sequence[Segment], words: Mapping[UUID, str]) -> str:
    """`words`: the raw body per interaction id. Raises WordsErased rather than showing a draft with a hole in it."""

    def spoken(quote: Quote) -> str:
        body = words.get(quote.interaction_id)
        if body is None or not 0 <= quote.start < quote.end <= len(body):
            raise WordsErased("The message this draft quotes is no longer there.")
        return body[quote.start : quote.end]

    return show(segments, spoken)


def show(segments: Iterable[Segment], spoken: Callable[[Quote], str]) -> str:
    """Paragraphs: greeting; what they said; what we know and offer; the question; the sign-off."""
    blocks = groupby(segments, key=_block)
    return "\n\n".join(" ".join(_sentence(segment, spoken) for segment in block) for _, block in blocks)


def _block(segment: Segment) -> int:
    is_sign_off = segment.move == "CLOSE" and any(isinstance(part, str) and "\n" in part for part in segment.parts)
    return _SIGN_OFF if is_sign_off else _BLOCKS[segment.move]


def _sentence(segment: Segment, spoken: Callable[[Quote], str]) -> str:
    return "".join(part if isinstance(part, str) else f'"{folded(spoken(part))}"' for part in segment.parts)
