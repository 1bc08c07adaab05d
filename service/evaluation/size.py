"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`swaps`: sets times variants of the name."""

    drafts: int
    pairs: int
    contexts: int
    swaps: tuple[int, int]
    timed: int
    """Drafts and reviews in each of the five runs that are timed."""


FULL = Size(drafts=1_000, pairs=150, contexts=10_000, swaps=(100, 50), timed=8)
QUICK = Size(drafts=200, pairs=40, contexts=500, swaps=(4, 50), timed=3)
