"""Trains what tells the moves of sentences and writes ml/models/moves.{json,npz}: `python -m ml.train.moves`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack

from ml import artifact, features
from ml.moves import BUCKETS, MOVES, NAME, Mover, sign_of, weighed
from ml.tokens import Floats, Ints, tokens
from ml.train import logistic

SENTENCES = Path(__file__).parent.parent / "data" / "critic" / "sentences.ndjson"
STRENGTH, ROUNDS, FOLDS = 3.0, 60, 5
LEAST_SEEN = 2
"""Sentences that must show a word for it to get a weight."""


@dataclass(frozen=True, slots=True)
class Row:
    text: str
    lang: str
    move: int


def rows() -> list[Row]:
    kept = [json.loads(line) for line in SENTENCES.read_text("utf-8").splitlines()]
    return [Row(r["text"], r["lang"], MOVES.index(r["move"])) for r in kept if r["move"]]


def train(rows: Sequence[Row]) -> Mover:
    """The same rows give the same bytes."""
    idf = _idf([r.text for r in rows])
    used = np.flatnonzero(idf)
    table = hstack([_table(rows, idf)[:, used], csr_matrix(_signs(rows))]).tocsr()
    wanted = np.eye(len(MOVES))[[r.move for r in rows]]
    weights, bias = logistic.softmax(table, wanted, np.ones(len(rows)), strength=STRENGTH, rounds=ROUNDS)
    words = np.zeros((BUCKETS, len(MOVES)))
    words[used] = weights[: len(used)]
    return Mover.packed(idf, words, weights[len(used) :], bias)


def crossed(rows: Sequence[Row]) -> tuple[float, dict[str, float]]:
    """(share told right, the same by move), each sentence by a model that did not see it."""
    told = np.full(len(rows), -1)
    for fold in range(FOLDS):
        out = np.arange(len(rows)) % FOLDS == fold
        model = train([r for r, left in zip(rows, out, strict=True) if not left])
        for n in np.flatnonzero(out).tolist():
            told[n] = model([rows[n].text], rows[n].lang)[0].argmax()
    meant = np.array([r.move for r in rows])
    return round(float((told == meant).mean()), 3), {move: round(float((told == meant)[meant == n].mean()), 3) for n, move in enumerate(MOVES)}


def _idf(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    _, bucket, _ = features.hashed(tokens(texts), BUCKETS, stems=True)
    seen = np.bincount(bucket, minlength=BUCKETS)
    return np.where(seen >= LEAST_SEEN, np.log((1 + len(texts)) / (1 + seen)) + 1, 0.0).astype(np.float16).astype(np.float32)


def _table(rows: Sequence[Row], idf: npt.NDArray[np.float32]) -> Any:
    unit, bucket, value = weighed([r.text for r in rows], idf)
    return csr_matrix((value, (unit, bucket)), shape=(len(rows), BUCKETS))


def _signs(rows: Sequence[Row]) -> Floats:
    return np.array([sign_of(r.text.lower(), r.lang) for r in rows])


def main() -> None:
    kept = rows()
    share, by_move = crossed(kept)
    model = train(kept)
    meta = {
        "rows": len(kept),
        "data": hashlib.sha256(SENTENCES.read_bytes()).hexdigest(),
        "cross_validated": {"folds": FOLDS, "right": share, "by_move": by_move},
    }
    arrays: dict[str, Ints | Floats | npt.NDArray[Any]] = {
        "idf": model.idf.astype(np.float16),
        "words": model.words,
        "scale": model.scale,
        "signs": model.signs,
        "bias": model.bias,
    }
    print(artifact.save(NAME, meta, arrays).version, meta["cross_validated"])  # noqa: T201


if __name__ == "__main__":
    main()
