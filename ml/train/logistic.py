"""Logistic regression with many sparse and a few dense columns, all classes at once.

scikit-learn's L-BFGS needs hundreds of rounds here, since a lexicon feature stands in every row and a word in three; each weight is therefore
solved for on the scale of its own curvature, which takes some thirty rounds. The optimum is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Sparse = Any
"""scipy.sparse.csr_matrix; scipy comes without types."""
MEMORY, GAIN = 8, 1e-5
"""Steps that L-BFGS remembers; relative gain of a round below which it stops."""
LEAST_CURVATURE = 0.02
"""Of a rare class, per row."""
Loss = Callable[[Floats], tuple[float, Floats]]
"""Logits (row, class) -> loss and its gradient, the chance of each class less what was wanted."""


def softmax(rows: Sparse, wanted: Floats, weight: Floats, *, strength: float, rounds: int) -> tuple[Floats, Floats]:
    """(weights (column, class), bias) of one class a row; `wanted` (row, class) sums to 1, `strength` is inverse regularisation."""

    def loss(logits: Floats) -> tuple[float, Floats]:
        logits = logits - logits.max(axis=1, keepdims=True)
        raised = np.exp(logits)
        total = raised.sum(axis=1, keepdims=True)
        lost = weight @ (np.log(total[:, 0]) - (wanted * logits).sum(axis=1))
        return float(lost), weight[:, None] * (raised / total - wanted)

    return _solved(rows, loss, np.zeros(wanted.shape[1]), weight @ wanted / weight.sum(), weight, strength, rounds)


def one_vs_rest(rows: Sparse, wanted: Floats, *, strength: float, rounds: int) -> tuple[Floats, Floats]:
    """(weights (column, class), bias) of classes that may stand together; each must occur, and not in every row."""

    def loss(logits: Floats) -> tuple[float, Floats]:
        return float((np.logaddexp(0, logits) - wanted * logits).sum()), 1 / (1 + np.exp(-logits)) - wanted

    share = wanted.mean(axis=0)
    return _solved(rows, loss, np.log(share / (1 - share)), share, np.ones(len(wanted)), strength, rounds)


def _solved(rows: Sparse, loss: Loss, bias: Floats, share: Floats, weight: Floats, strength: float, rounds: int) -> tuple[Floats, Floats]:
    from scipy.optimize import minimize

    curvature = np.maximum(share * (1 - share), LEAST_CURVATURE)
    columns = rows.T.tocsr()
    scale = 1 / np.sqrt(np.vstack([(columns.multiply(columns) @ weight)[:, None] * curvature + 1 / strength, weight.sum() * curvature]))

    def penalised(flat: Floats) -> tuple[float, Floats]:
        both = flat.reshape(scale.shape) * scale
        lost, gradient = loss(rows @ both[:-1] + both[-1])
        slope = np.vstack([columns @ gradient + both[:-1] / strength, gradient.sum(axis=0)])
        return lost + float((both[:-1] ** 2).sum()) / (2 * strength), (slope * scale).ravel()

    start = np.zeros(scale.shape)
    start[-1] = bias / scale[-1]
    options = {"maxiter": rounds, "maxcor": MEMORY, "ftol": GAIN, "gtol": 1e-3}
    found = minimize(penalised, start.ravel(), jac=True, method="L-BFGS-B", options=options).x.reshape(scale.shape) * scale
    return found[:-1], found[-1]
