"""Drafts that a new one must not sound like: what share of its four-word runs another holds, and the longest run that both share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from service.drafting.lexicon import tokens

GRAM = 4
Gram = tuple[str, ...]
ACCOUNT, MANAGER, TEAM = (0.06, 7), (0.12, 9), (0.20, 12)
"""Most of the four-word runs of a draft that another may hold, and the longest run in words: to one account or contact, by one account manager, in a team."""


def grams(text: str, length: int = GRAM) -> list[Gram]:
    """Runs of so many words within a line: none goes over a gap where something was left out."""
    lines = map(tokens, text.split("\n"))
    return [tuple(found[n : n + length]) for found in lines for n in range(len(found) - length + 1)]


class Window:
    """Earlier drafts as compared, without greeting, name and quotations. Grows as drafts are added."""

    def __init__(self, most_shared: float, longest_run: int, texts: Iterable[str] = ()) -> None:
        self.most_shared, self.longest_run = most_shared, longest_run
        self._holders: dict[Gram, set[int]] = {}
        self._runs: set[Gram] = set()
        self._count = 0
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        for gram in grams(text):
            self._holders.setdefault(gram, set()).add(self._count)
        self._runs.update(grams(text, self.longest_run + 1))
        self._count += 1

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
        return self.shared(text) <= self.most_shared and not self.has_run(text)

    def has_run(self, text: str) -> bool:
        return not self._runs.isdisjoint(grams(text, self.longest_run + 1))


def windows(account: Sequence[str] = (), manager: Sequence[str] = (), team: Sequence[str] = ()) -> tuple[Window, ...]:
    """Texts as they were sent, newest last: of one account 12 months, of one account manager 200 drafts, of a team 1,000."""
    given: Iterable[tuple[Sequence[str], tuple[float, int]]] = ((account, ACCOUNT), (manager[-200:], MANAGER), (team[-1_000:], TEAM))
    return tuple(Window(*limits, texts) for texts, limits in given if texts)
