"""Sums of small decision trees as plain arrays: learned by scikit-learn, run by numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ml.features import Floats, Ints

BLOCK = 32
"""Rows that a forest takes at a time, so that what it works on stays in the cache."""


@dataclass(frozen=True, slots=True)
class Trees:
    """(tree, node) each; `left` and `right` are nodes of the same tree, a leaf leads to itself."""

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    value: Floats
    depth: int

    def __call__(self, evidence: Floats) -> Floats:
        """(features, rows) -> (rows,)."""
        result: Floats = self.leaves(evidence).sum(axis=0)
        return result

    def leaves(self, evidence: Floats) -> Floats:
        """(features, rows) -> (tree, row): the value each row ends at."""
        trees, width = self.value.shape
        roots = np.arange(trees)[:, None] * width
        feature, threshold = self.feature.ravel(), self.threshold.ravel()
        left, right = (self.left + roots).ravel(), (self.right + roots).ravel()
        flat, row = evidence.ravel(), np.arange(evidence.shape[1])
        node = np.repeat(roots, evidence.shape[1], axis=1)
        for _ in range(self.depth):
            goes_left = flat.take(feature.take(node) * len(row) + row) <= threshold.take(node)
            node = np.where(goes_left, left.take(node), right.take(node))
        ends: Floats = self.value.ravel().take(node)
        return ends


@dataclass(frozen=True, slots=True)
class Forest:
    """Several sums of trees at once: one pass costs as little for one row as for a block of them."""

    together: Trees
    starts: Ints
    """The first tree of each sum."""

    @classmethod
    def of(cls, sums: Sequence[Trees]) -> Self:
        width = max(trees.value.shape[1] for trees in sums)

        def joined(name: str) -> Any:
            return np.concatenate([np.pad(getattr(trees, name), ((0, 0), (0, width - trees.value.shape[1]))) for trees in sums])

        arrays = {name: joined(name) for name in ("feature", "threshold", "left", "right", "value")}
        starts = np.cumsum([0, *(len(trees.value) for trees in sums[:-1])])
        return cls(Trees(**arrays, depth=max(trees.depth for trees in sums)), starts)

    def __call__(self, evidence: Floats) -> Floats:
        """(features, rows) -> (rows, sums)."""
        found = np.empty((evidence.shape[1], len(self.starts)))
        for first in range(0, evidence.shape[1], BLOCK):
            leaves = self.together.leaves(evidence[:, first : first + BLOCK])
            found[first : first + BLOCK] = np.add.reduceat(leaves, self.starts, axis=0).T
        return found
