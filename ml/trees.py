"""Sums of small decision trees as plain arrays: learned by scikit-learn, run by numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.features import Floats, Ints


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
