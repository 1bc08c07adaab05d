"""Learns which of several candidates is chosen: of the sentences of a message, and of the clauses within them. Only how they compare counts, never how good a
message is on the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn._loss.loss import HalfSquaredError
from sklearn.ensemble import HistGradientBoostingRegressor

from ml.tokens import Floats, Ints
from ml.train.boosting import as_trees, shape
from ml.trees import Trees

SHARPNESS = 0.15
"""Candidates whose gains are nearer than this are chosen nearly as often."""
PENALTY, STEPS = 0.7, 60
FEWEST_CURVED = 1e-4
"""Without it a step among candidates of which one is all but chosen would have no bound."""


def ranked(evidence: Floats, group: Ints, gain: Floats, rounds: int, leaves: int = 12, depth: int = 5) -> Trees:
    """Trees whose sum is higher, the likelier a candidate should be the one of its group that is chosen."""
    model = _Ranker(loss=_Chosen(np.unique(group, return_inverse=True)[1], gain), early_stopping=False, **shape(rounds, leaves, depth))
    return as_trees(model.fit(evidence, gain))


def weights(rows: Any, group: Ints, gain: Floats) -> Floats:
    """Of a linear model of the same, one for each column of a sparse matrix."""
    _, group = np.unique(group, return_inverse=True)
    wanted, columns = _softmax(gain / SHARPNESS, group), rows.T.tocsr()

    def loss(w: Floats) -> tuple[float, Floats]:
        chances = _softmax(rows @ w, group)
        missed = -(wanted * np.log(np.maximum(chances, 1e-12))).sum()
        return float(missed + 0.5 * PENALTY * (w @ w)), columns @ (chances - wanted) + PENALTY * w

    found: Floats = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    return found


def _softmax(values: Floats, group: Ints) -> Floats:
    highest = np.full(int(group.max()) + 1, -np.inf)
    np.maximum.at(highest, group, values)
    raised = np.exp(values - highest[group])
    chances: Floats = raised / np.bincount(group, weights=raised)[group]
    return chances


class _Ranker(HistGradientBoostingRegressor):  # type: ignore[misc]
    """scikit-learn's, with a loss of its own."""

    def _get_loss(self, **_: object) -> Any:
        return self.loss


class _Chosen(HalfSquaredError):  # type: ignore[misc]
    """Two wishes at once: that candidates are chosen as often as their gains say, and that the gain to be expected is high. The first leads there
    from anywhere, the second says what counts."""

    def __init__(self, group: Ints, gain: Floats) -> None:
        super().__init__()
        self.constant_hessian = False
        self.group, self.gain, self.wanted = group, gain, _softmax(gain / SHARPNESS, group)

    def fit_intercept_only(self, **_: object) -> Floats:
        return np.zeros(1)

    def gradient_hessian(self, *, raw_prediction: Any, gradient_out: Any, hessian_out: Any, **_: object) -> tuple[Any, Any]:
        chances = _softmax(np.ravel(raw_prediction).astype(float), self.group)
        expected = np.bincount(self.group, weights=chances * self.gain)[self.group]
        slope = 0.5 * (chances - self.wanted) - 2 * chances * (self.gain - expected)
        gradient_out[...] = slope.reshape(gradient_out.shape)
        hessian_out[...] = np.maximum(chances * (1 - chances), FEWEST_CURVED).reshape(hessian_out.shape)
        return gradient_out, hessian_out
