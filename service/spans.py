"""Offsets: between the own text that was scored and the raw message that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spans:
    """Own text is the raw spans joined by one line break. Offsets are half-open, spans ascending and disjoint."""

    starts: Sequence[int]
    ends: Sequence[int]

    def text_of(self, body: str) -> str:
        return "\n".join(body[s:e] for s, e in zip(self.starts, self.ends, strict=True))

    def to_raw(self, start: int, end: int) -> tuple[int, int] | None:
        """Cut where the raw span that holds `start` ends: between two own spans stand somebody else's words."""
        at = 0
        for s, e in zip(self.starts, self.ends, strict=True):
            length = e - s
            if start < at + length:
                first = s + max(start - at, 0)
                return (first, min(s + end - at, e)) if end > at else None
            at += length + 1
        return None

    def to_own(self, start: int, end: int) -> tuple[int, int] | None:
        at = 0
        for s, e in zip(self.starts, self.ends, strict=True):
            if s <= start < e:
                return at + start - s, at + min(end, e) - s
            at += e - s + 1
        return None
