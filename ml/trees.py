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
        trees, width = self.value.shape
        roots = np.arange(trees)[:, None] * width
        feature, threshold, value = self.feature.ravel(), self.threshold.ravel(), self.value.ravel()
        left, right = (self.left + roots).ravel(), (self.right + roots).ravel()
        flat, row = evidence.ravel(), np.arange(evidence.shape[1])
        node = np.repeat(roots, evidence.shape[1], axis=1)
        for _ in range(self.depth):
            goes_left = flat.take(feature.take(node) * len(row) + row) <= threshold.take(node)
            node = np.where(goes_left, left.take(node), right.take(node))
        result: Floats = value.take(node).sum(axis=0)
        return result


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
        trees, width = self.together.value.shape
        t, roots = self.together, np.arange(trees)[:, None] * width
        feature, threshold, value = t.feature.ravel(), t.threshold.ravel(), t.value.ravel()
        left, right = (t.left + roots).ravel(), (t.right + roots).ravel()
        found = np.empty((evidence.shape[1], len(self.starts)))
        for first in range(0, evidence.shape[1], BLOCK):
            flat, rows = evidence[:, first : first + BLOCK].ravel(), min(BLOCK, evidence.shape[1] - first)
            row, node = np.arange(rows), np.repeat(roots, rows, axis=1)
            for _ in range(t.depth):
                goes_left = flat.take(feature.take(node) * rows + row) <= threshold.take(node)
                node = np.where(goes_left, left.take(node), right.take(node))
            found[first : first + BLOCK] = np.add.reduceat(value.take(node), self.starts, axis=0).T
        return found
