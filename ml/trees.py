"""Sums of small decision trees as plain arrays: learned by scikit-learn, run by numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ml.tokens import Floats, Ints

BLOCK = 32
"""Rows that a forest takes at a time, so that what it works on stays in the cache."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Complete trees of one depth, level by level: `feature` and `threshold` (tree, 2^depth - 1), `value` (tree, 2^depth).

    Up to the threshold a row goes left. A branch that ends early goes on with thresholds that nothing exceeds.
    """

    feature: Ints
    threshold: Floats
    value: Floats

    def __call__(self, evidence: Floats) -> Floats:
        """(features, rows) -> (rows,)."""
        result: Floats = self.leaves(evidence).sum(axis=0)
        return result

    def leaves(self, evidence: Floats) -> Floats:
        """(features, rows) -> (tree, row): the value each row ends at."""
        trees, inner = self.feature.shape
        roots = np.arange(trees)[:, None] * inner
        feature, threshold = self.feature.ravel(), self.threshold.ravel()
        flat, rows = evidence.ravel(), evidence.shape[1]
        row = np.arange(rows)
        node = 1 + (evidence.take(self.feature[:, 0], axis=0) > self.threshold[:, :1])
        while inner > 1:
            at = roots + node
            goes_right = flat.take(feature.take(at) * rows + row) > threshold.take(at)
            node = 2 * node + 1 + goes_right
            inner >>= 1
        ends: Floats = self.value.ravel().take(np.arange(trees)[:, None] * self.value.shape[1] + node - self.feature.shape[1])
        return ends


@dataclass(frozen=True, slots=True)
class Forest:
    """Several sums of trees of one depth at once: one pass costs as little for one row as for a block of them."""

    together: Trees
    starts: Ints
    """The first tree of each sum."""

    @classmethod
    def of(cls, sums: Sequence[Trees]) -> Self:
        together = Trees(*(np.concatenate([getattr(trees, name) for trees in sums]) for name in ("feature", "threshold", "value")))
        return cls(together, np.cumsum([0, *(len(trees.value) for trees in sums[:-1])]))

    def __call__(self, evidence: Floats) -> Floats:
        """(features, rows) -> (rows, sums)."""
        found = np.empty((evidence.shape[1], len(self.starts)))
        for first in range(0, evidence.shape[1], BLOCK):
            leaves = self.together.leaves(evidence[:, first : first + BLOCK])
            found[first : first + BLOCK] = np.add.reduceat(leaves, self.starts, axis=0).T
        return found
