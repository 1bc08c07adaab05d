from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from service.signals import Segment


class WordsErased(Exception):
    """A quoted message is no longer there, or no longer holds the quoted span."""


def render(segments: Sequence[Segment], words: Mapping[UUID, str]) -> str:
    raise NotImplementedError
