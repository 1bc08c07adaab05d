"""Many sums of decision trees at once, for the reader: a batch of messages at two thirds of the cost of walking from node to node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ml.tokens import Floats, Ints
from ml.trees import Trees

BLOCK = 256
"""Rows that a forest takes at a time."""
TREES = 400
"""About as many trees at a time, so that what it works on stays in the cache."""
_NEVER = 65_535
"""A rank that no evidence has."""
Ranks = npt.NDArray[np.uint16]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Forest:
    """Several sums of trees of one depth at once. Evidence becomes ranks among the thresholds of its feature; every condition of every tree
    is then a comparison of small numbers, and no row walks from node to node."""

    edges: Sequence[Floats]
    """The thresholds of each feature, ascending."""
    blocks: Sequence[tuple[Ints, Ranks, Floats, Ints]]
    """Of some whole sums: (feature, rank, value) of their trees, and which tree each sum begins with."""

    @classmethod
    def of(cls, sums: Sequence[Trees]) -> Self:
        used = 1 + max(int(trees.feature.max()) for trees in sums)
        at, cut = (np.concatenate([getattr(trees, name).ravel() for trees in sums]) for name in ("feature", "threshold"))
        edges = [np.unique(cut[(at == n) & np.isfinite(cut)]) for n in range(used)]
        blocks, waiting = [], list(sums)
        while waiting:
            some = [waiting.pop(0)]
            while waiting and sum(len(t.value) for t in some) + len(waiting[0].value) <= TREES:
                some.append(waiting.pop(0))
            feature, threshold, value = (np.concatenate([getattr(trees, name) for trees in some]) for name in ("feature", "threshold", "value"))
            ranks = np.full(feature.shape, _NEVER, np.uint16)
            for place in zip(*np.nonzero(np.isfinite(threshold)), strict=True):
                ranks[place] = np.searchsorted(edges[feature[place]], threshold[place])
            blocks.append((feature.T.copy(), ranks.T.copy()[:, :, None], value, np.cumsum([0, *(len(trees.value) for trees in some[:-1])])))
        return cls(edges, blocks)

    def __call__(self, evidence: Floats) -> Floats:
        """(features, rows) -> (rows, sums)."""
        ranks = np.array([np.searchsorted(edges, values) for edges, values in zip(self.edges, evidence, strict=False)], dtype=np.uint16)
        rows = evidence.shape[1]
        return np.concatenate(
            [np.column_stack([_summed(ranks[:, first : first + BLOCK], *block) for block in self.blocks]) for first in range(0, max(rows, 1), BLOCK)]
        )


def _summed(ranks: Ranks, feature: Ints, cut: Ranks, value: Floats, starts: Ints) -> Floats:
    """(rows, sums) of one block of trees."""
    goes_right = [(ranks.take(at, axis=0) > least).view(np.uint8) for at, least in zip(feature, cut, strict=True)]
    path = [goes_right[0]]
    width = 2
    while width <= len(goes_right):
        level = goes_right[width - 1 : 2 * width - 1]
        for turn in path:
            level = [left ^ ((left ^ right) & turn) for left, right in _halves(level)]
        path.append(level[0])
        width *= 2
    leaf = path[0]
    for turn in path[1:]:
        leaf = (leaf << 1) | turn
    ends = value.ravel().take(leaf + (np.arange(len(value)) * value.shape[1])[:, None])
    summed: Floats = np.add.reduceat(ends, starts, axis=0).T
    return summed


def _halves(level: Sequence[Bytes]) -> list[tuple[Bytes, Bytes]]:
    """Nodes below the left and below the right of the parent that a turn is taken at."""
    half = len(level) // 2
    return list(zip(level[:half], level[half:], strict=True))
