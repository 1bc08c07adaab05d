"""Learns the linear heads: ridge regression on whole messages; for what is worth reflecting, which sentence of a message is chosen; logistic regression for
orders."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.linear_model import LogisticRegression, Ridge

from ml import features
from ml.columns import ON_TEXTS, ORDER, REFLECT, VOTES
from ml.heads import BUCKETS, Heads, weighed
from ml.tokens import Flags, Floats, Ints, Tokens
from ml.train.orders import Orders
from ml.train.ranking import weights
from ml.train.spans import beside_the_best, placed, taught

PENALTY, INVERSE_PENALTY = 1.0, 10.0
ORDER_WEIGHT, LOOKALIKE_WEIGHT = 4.0, 2.0
"""Of a sentence that gives orders and of one that only looks like it, beside one of an ordinary message."""


def heads(messages: Tokens, wanted: Floats, sentences: Tokens, owner: Ints, worth: Floats, honest: Flags, orders: Orders) -> Heads:
    """`wanted`: columns ON_TEXTS of each message. `owner`: the message of each sentence; `worth`: of its reflection, NaN
    where nothing is known; `honest`: it gives no orders."""
    idf = _idf([messages, orders.sentences])
    used = np.flatnonzero(idf)
    table, bias = np.zeros((BUCKETS, len(VOTES))), np.zeros(len(VOTES))

    def keep(columns: int | slice, coefficients: Floats, intercept: Floats | float) -> None:
        table[used, columns], bias[columns] = coefficients, intercept

    rows = _rows(sentences, idf)[:, used]
    whole = Ridge(alpha=PENALTY, solver="sparse_cg", tol=1e-3).fit(_rows(messages, idf)[:, used], wanted)
    keep(ON_TEXTS, whole.coef_.T, whole.intercept_)
    known = taught(worth, owner)
    if known.any():
        # A greeting stands first and is short: place and length would else be learned as what its words say.
        beside = hstack([rows[known], csr_matrix(placed(owner, sentences.words)[known])]).tocsr()
        keep(REFLECT, weights(beside, owner[known], beside_the_best(worth, owner)[known])[: len(used)], 0.0)
    told = vstack([_rows(orders.sentences, idf)[:, used], rows[honest]]).tocsr()
    is_order = np.concatenate([orders.is_order, np.zeros(honest.sum(), dtype=bool)])
    weight = np.concatenate([np.where(orders.is_order, ORDER_WEIGHT, LOOKALIKE_WEIGHT), np.ones(honest.sum())])
    order = LogisticRegression(C=INVERSE_PENALTY, max_iter=300, tol=1e-3).fit(told, is_order, sample_weight=weight)
    keep(ORDER, order.coef_[0], order.intercept_[0])
    return Heads.packed(idf, table, bias)


def _idf(parts: list[Tokens]) -> npt.NDArray[np.float32]:
    seen, units = np.zeros(BUCKETS), sum(t.units for t in parts)
    for t in parts:
        _, bucket, _ = features.hashed(t, BUCKETS, stems=True)
        seen += np.bincount(bucket, minlength=BUCKETS)
    return np.where(seen > 0, np.log((1 + units) / (1 + seen)) + 1, 0.0).astype(np.float16).astype(np.float32)


def _rows(t: Tokens, idf: npt.NDArray[np.float32]) -> csr_matrix:
    unit, bucket, value = weighed(t, idf)
    return csr_matrix((value, (unit, bucket)), shape=(t.units, BUCKETS))
