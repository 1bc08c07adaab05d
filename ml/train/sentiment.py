"""Trains the sentiment model and writes ml/models/sentiment.{json,npz}: `python -m ml.train.sentiment [--data FOLDER]`."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml import artifact, features
from ml.sentiment import NAME, Sentiment
from ml.tokens import tokens
from ml.train import logistic
from ml.train import sentiment_data as data
from ml.train.sentiment_report import report

LEXICAL_WEIGHT = 3.0
"""Lexicon features are few and dense; this lets the regulariser punish them less than single words."""
APART_WEIGHT = 5.0
"""Likewise, of the bias that rows without neutral ones have to themselves."""
STRENGTH = 0.5
"""Inverse regularisation."""
ROUNDS = 30
MIN_ROWS = 3
"""A word seen in fewer training rows gets no weight."""
ORDINARY = (0.18, 0.64, 0.18)
"""Shares of negative, neutral and positive sentences in ordinary business mail, by judgement."""
SHRINKAGE = 0.01
"""Of the calibration, which rests on a few hundred sentences."""

Floats = npt.NDArray[np.float64]


def train(rows: Sequence[data.Row]) -> Sentiment:
    """From training rows alone. The same rows give the same bytes."""
    lexicon = data.lexicon()
    own = [r for r in rows if r.source == "b2b"]
    kept_back = own[::2]
    first = _fitted([r for r in rows if r.source != "b2b"] + own[1::2], lexicon)
    temperature, shift = _calibration(first, kept_back)
    model = _fitted(rows, lexicon)
    return replace(model, temperature=temperature, bias=model.bias + shift)


def _fitted(rows: Sequence[data.Row], lexicon: features.Lexicon) -> Sentiment:
    from scipy.sparse import csr_matrix, hstack

    t = tokens([r.text for r in rows])
    unit, bucket, frequency = features.hashed(t)
    seen = np.bincount(bucket, minlength=features.BUCKETS)
    idf = np.where(seen >= MIN_ROWS, np.log((1 + len(rows)) / (1 + seen)) + 1, 0.0).astype(np.float16).astype(np.float32)
    value = frequency * idf[bucket]
    norm = np.sqrt(np.bincount(unit, weights=value * value, minlength=t.units))
    value /= np.where(norm > 0, norm, 1.0)[unit]
    used = np.flatnonzero(idf)
    words = csr_matrix((value, (unit, bucket)), shape=(t.units, features.BUCKETS))[:, used]
    lexical = features.lexical(t, lexicon) * LEXICAL_WEIGHT
    matrix = hstack([words, csr_matrix(np.hstack([lexical, _apart(rows, lexical)]))], format="csr")
    wanted, weight = np.eye(len(data.CLASSES))[[r.label for r in rows]], np.array([r.weight for r in rows])
    learned, bias = logistic.softmax(matrix, wanted, weight, strength=STRENGTH, rounds=ROUNDS)
    weights = np.zeros((features.BUCKETS, len(data.CLASSES)))
    weights[used] = learned[: len(used)]
    packed, scale = _packed(weights)
    return Sentiment(
        version="untrained",
        lexicon=lexicon,
        idf=idf,
        words=packed,
        scale=scale,
        lexical=learned[len(used) : len(used) + lexical.shape[1]] * LEXICAL_WEIGHT,
        bias=bias,
        temperature=1.0,
    )


def _apart(rows: Sequence[data.Row], lexical: Floats) -> Floats:
    """Columns that only training sees: where no row is neutral, bias and lexicon learn that nothing ever is, and must not pass it on."""
    apart = np.array([[r.domain in data.WITHOUT_NEUTRAL] for r in rows], dtype=float)
    return np.hstack([apart * APART_WEIGHT, apart * lexical])


def _packed(weights: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    scale = np.abs(weights).max(axis=0) / 127
    return np.round(weights / scale).astype(np.int8), scale


def _calibration(model: Sentiment, rows: Sequence[data.Row]) -> tuple[float, Floats]:
    """Temperature and shift of the classes under which business sentences the model has not seen are likeliest.

    Our own sentences hold far more feeling than real mail does, so each class counts for its share of ordinary mail.
    """
    from scipy.optimize import minimize

    t = tokens([r.text for r in rows])
    labels = np.array([r.label for r in rows])
    weight = (np.array(ORDINARY) / np.bincount(labels, minlength=len(ORDINARY)))[labels]

    def loss(x: Floats) -> float:
        chances = replace(model, temperature=float(np.exp(x[0])), bias=model.bias + np.array([x[1], 0.0, x[2]])).probabilities(t)
        return float(-(weight * np.log(chances[np.arange(len(labels)), labels] + 1e-9)).sum() + SHRINKAGE * (x**2).sum())

    found = minimize(loss, np.zeros(3), method="Nelder-Mead").x
    return float(np.exp(found[0])), np.array([found[1], 0.0, found[2]])


def save(model: Sentiment, rows: Sequence[data.Row], metrics: dict[str, Any]) -> artifact.Artifact:
    meta = {
        "classes": list(data.CLASSES),
        "temperature": model.temperature,
        "features": {"buckets": features.BUCKETS, "lexical": list(features.LEXICON_FEATURES)},
        "rows": {source: sum(r.source == source for r in rows) for source in data.LICENCES},
        "rows_sha256": hashlib.sha256("\n".join(f"{r.label}\t{r.text}" for r in rows).encode("utf-8", "surrogatepass")).hexdigest(),
        "licences": data.LICENCES,
        "metrics": metrics,
    }
    arrays: dict[str, artifact.Array] = {
        "lexicon_keys": model.lexicon.keys.astype(np.uint32),
        "lexicon_values": model.lexicon.values.astype(np.float32),
        "idf": model.idf.astype(np.float16),
        "words": model.words,
        "scale": model.scale,
        "lexical": model.lexical,
        "bias": model.bias,
    }
    return artifact.save(NAME, meta, arrays)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("UNDERTONE_DATA"), help="folder of the data sets (default: UNDERTONE_DATA)")
    folder = parser.parse_args(arguments).data
    if folder is None:
        parser.error("name the folder of the data sets with --data or UNDERTONE_DATA")
    rows = data.read(Path(folder))
    learned = [r for r in rows if not r.test]
    model = train(learned)
    metrics = report(model, [r for r in rows if r.test] + data.benchmarks(Path(folder)))
    saved = save(model, learned, metrics)
    sys.stdout.write(f"{saved.version}: {len(learned)} rows\n")
    for domain, numbers in metrics.items():
        sys.stdout.write(f"{domain:28} {numbers}\n")


if __name__ == "__main__":
    main()
