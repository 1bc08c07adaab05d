"""scikit-learn's boosted trees as plain arrays; its own file format would need pickle."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ml.features import Floats
from ml.trees import Trees


def as_trees(model: HistGradientBoostingClassifier | HistGradientBoostingRegressor) -> Trees:
    """Without the baseline that the model adds to the sum."""
    trees = [stage[0].nodes for stage in model._predictors]
    width = max(len(nodes) for nodes in trees)
    feature, left, right = (np.zeros((len(trees), width), np.int64) for _ in range(3))
    threshold, value = (np.zeros((len(trees), width)) for _ in range(2))
    for k, nodes in enumerate(trees):
        here, leaf = np.arange(len(nodes)), nodes["is_leaf"].astype(bool)
        feature[k, : len(nodes)] = np.where(leaf, 0, nodes["feature_idx"])
        threshold[k, : len(nodes)] = np.where(leaf, 0.0, nodes["num_threshold"])
        left[k, : len(nodes)] = np.where(leaf, here, nodes["left"])
        right[k, : len(nodes)] = np.where(leaf, here, nodes["right"])
        value[k, : len(nodes)] = np.where(leaf, nodes["value"], 0.0)
    return Trees(feature, threshold, left, right, value, int(max(nodes["depth"].max() for nodes in trees)))


def regression(evidence: Floats, wanted: Floats, rounds: int, leaves: int = 12) -> tuple[float, Trees]:
    """(start, trees) of a boosted regression."""
    settings: dict[str, Any] = {"max_iter": rounds, "max_leaf_nodes": leaves, "learning_rate": 0.1, "min_samples_leaf": 40, "random_state": 0}
    return started(HistGradientBoostingRegressor(**settings).fit(evidence, wanted))


def started(model: HistGradientBoostingClassifier | HistGradientBoostingRegressor) -> tuple[float, Trees]:
    """(what the sum starts from, its trees)."""
    return float(np.ravel(model._baseline_prediction)[0]), as_trees(model)
