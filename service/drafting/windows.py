"""Drafts that a new one must not sound like: what share of its four-word runs another holds, and the longest run that both share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from service.drafting.lexicon import tokens

GRAM = 4
Gram = tuple[str, ...]
ACCOUNT, MANAGER, TEAM = (0.06, 7), (0.12, 9), (0.20, 12)
"""Most of the four-word runs of a draft that another may hold, and the longest run in words: to one account or contact, by one account manager, in a team."""


def grams(text: str, length: int = GRAM) -> list[Gram]:
    """Runs of so many words within a line: none goes over a gap where something was left out."""
    lines = map(tokens, text.split("\n"))
    return [tuple(found[n : n + length]) for found in lines for n in range(len(found) - length + 1)]


@dataclass(frozen=True)
class Window:
    """`texts`: earlier drafts as compared, without greeting, name and quotations."""

    texts: tuple[str, ...]
    most_shared: float
    longest_run: int

    @cached_property
    def _holders(self) -> dict[Gram, frozenset[int]]:
        found: dict[Gram, set[int]] = {}
        for n, text in enumerate(self.texts):
            for gram in grams(text):
                found.setdefault(gram, set()).add(n)
        return {gram: frozenset(holders) for gram, holders in found.items()}

    @cached_property
    def _runs(self) -> frozenset[Gram]:
        return frozenset(run for text in self.texts for run in grams(text, self.longest_run + 1))

    def shared(self, text: str) -> float:
        """Of the four-word runs of this text, the largest share that one earlier draft holds."""
        mine = frozenset(grams(text))
        hits = Counter(holder for gram in mine for holder in self._holders.get(gram, ()))
        return max(hits.values(), default=0) / len(mine) if mine else 0.0

    def worn(self, text: str) -> float:
        """Share of the four-word runs of this text that any earlier draft holds."""
        mine = frozenset(grams(text))
        return sum(gram in self._holders for gram in mine) / len(mine) if mine else 0.0

    def allows(self, text: str) -> bool:
        return self.shared(text) <= self.most_shared and self._runs.isdisjoint(grams(text, self.longest_run + 1))

    def has_run(self, text: str) -> bool:
        return not self._runs.isdisjoint(grams(text, self.longest_run + 1))


def windows(account: Sequence[str] = (), manager: Sequence[str] = (), team: Sequence[str] = ()) -> tuple[Window, ...]:
    """Texts as they were sent, newest last: of one account 12 months, of one account manager 200 drafts, of a team 1,000."""
    given: Iterable[tuple[Sequence[str], tuple[float, int]]] = ((account, ACCOUNT), (manager[-200:], MANAGER), (team[-1_000:], TEAM))
    return tuple(Window(tuple(texts), *limits) for texts, limits in given if texts)
