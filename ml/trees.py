"""Sums of small decision trees as plain arrays: learned by scikit-learn, run by numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.tokens import Floats, Ints

AT_ONCE = 1024
"""Rows that go through the trees together: what that takes stays in the processor's cache."""


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
        parts = [self.leaves(evidence[:, start : start + AT_ONCE]).sum(axis=0) for start in range(0, evidence.shape[1], AT_ONCE)]
        return np.concatenate([np.zeros(0), *parts])

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
