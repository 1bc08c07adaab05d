"""Linear heads over hashed words, pairs and stems of a whole message: one column of weights for each thing that is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from ml import features
from ml.tokens import Floats, Ints, Tokens

BUCKETS = 1 << 17


@dataclass(frozen=True)
class Heads:
    """`words` int8 (bucket, head) times `scale`; most rows are zero, `used` lists the others."""

    idf: npt.NDArray[np.float32]
    words: npt.NDArray[np.int8]
    scale: Floats
    bias: Floats

    @classmethod
    def packed(cls, idf: npt.NDArray[np.float32], weights: Floats, bias: Floats) -> Self:
        scale = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127
        return cls(idf, np.round(weights / scale).astype(np.int8), scale, bias)

    @cached_property
    def _weights(self) -> npt.NDArray[np.float32]:
        return (self.words * self.scale).astype(np.float32)

    def __call__(self, t: Tokens) -> Floats:
        """(unit, head)."""
        from scipy.sparse import csr_matrix  # takes a while to load, and who asks for help needs none of it

        unit, bucket, value = weighed(t, self.idf)
        edges = np.searchsorted(unit, np.arange(t.units + 1))
        rows = csr_matrix((value.astype(np.float32), bucket, edges), shape=(t.units, len(self.idf)))
        found: Floats = rows @ self._weights + self.bias
        return found


def weighed(t: Tokens, idf: npt.NDArray[np.float32]) -> tuple[Ints, Ints, Floats]:
    """(unit, bucket, tf-idf of length 1), sorted by unit. A bucket without idf is left out."""
    unit, bucket, frequency = features.hashed(t, BUCKETS, stems=True)
    value = frequency * idf[bucket]
    norm = np.sqrt(np.bincount(unit, weights=value * value, minlength=t.units))
    known = value > 0
    unit, bucket, value = unit[known], bucket[known], value[known]
    return unit, bucket, value / norm[unit]
