"""scikit-learn's boosted trees as plain arrays; its own file format would need pickle."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from ml.tokens import Floats
from ml.trees import Trees

Boosted: TypeAlias = HistGradientBoostingClassifier | HistGradientBoostingRegressor


def as_trees(model: Boosted, stage: int = 0) -> Trees:
    """Without the baseline that the model adds to the sum. `stage`: which class, of a model of several."""
    grown = [trees[stage].nodes for trees in model._predictors]
    trees, inner = len(grown), 2**model.max_depth - 1
    found = Trees(np.zeros((trees, inner), np.int64), np.full((trees, inner), np.inf), np.zeros((trees, inner + 1)))
    for tree, nodes in enumerate(grown):
        _fill(found, tree, nodes, 0, 0)
    return found


def _fill(found: Trees, tree: int, nodes: Any, node: int, at: int) -> None:
    """A leaf above the lowest level is repeated below itself."""
    inner = found.feature.shape[1]
    leaf = bool(nodes["is_leaf"][node])
    if at >= inner:
        found.value[tree, at - inner] = nodes["value"][node]
        return
    if not leaf:
        found.feature[tree, at], found.threshold[tree, at] = nodes["feature_idx"][node], nodes["num_threshold"][node]
    _fill(found, tree, nodes, node if leaf else int(nodes["left"][node]), 2 * at + 1)
    _fill(found, tree, nodes, node if leaf else int(nodes["right"][node]), 2 * at + 2)


def regression(evidence: Floats, wanted: Floats, rounds: int, leaves: int = 12, depth: int = 5) -> tuple[float, Trees]:
    """(start, trees) of a boosted regression."""
    return started(HistGradientBoostingRegressor(**shape(rounds, leaves, depth)).fit(evidence, wanted))


def shape(rounds: int, leaves: int, depth: int) -> dict[str, Any]:
    """What scikit-learn calls these, and what all trees of the reader share."""
    return {"max_iter": rounds, "max_leaf_nodes": leaves, "max_depth": depth, "learning_rate": 0.1, "min_samples_leaf": 40, "random_state": 0}


def started(model: Boosted, stage: int = 0) -> tuple[float, Trees]:
    """(what the sum starts from, its trees) of one class."""
    return float(np.ravel(model._baseline_prediction)[stage]), as_trees(model, stage)
