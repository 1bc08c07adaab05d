"""Where a quote may begin and end: the words at both edges of a sentence or clause and those beside it. ", so please" is left out, "because" rarely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.features import mixed
from ml.sentence_tokens import Said
from ml.tokens import Floats, Hashes, Ints

BUCKETS = 1 << 15
VALUE = 0.35
"""Of each word or pair at an edge, beside the weights that it is multiplied by: small, so that rare ones learn little."""
_BEYOND = np.uint64(7)
"""What stands where nothing is seen any more."""
_PAIR, _PLACE = np.uint64(31), np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Edges:
    weights: npt.NDArray[np.float16]

    def __call__(self, buckets: Ints) -> Floats:
        """Of each candidate, how likely people cut there."""
        found: Floats = self.weights.take(buckets).astype(np.float64).sum(axis=1) * VALUE
        return found


def at_edges(said: Said, start: Ints, end: Ints, lowest: Ints, highest: Ints) -> Ints:
    """Buckets (candidate, place) of the words at and beside both edges of [start, end), of which those within [lowest, highest) are seen: all letters
    as if the texts stood end to end."""
    first, floor, behind, above = (np.searchsorted(said.whole.start, at) for at in (start, lowest, end, highest))
    last, ceiling = behind - 1, above - 1
    hashes = said.whole.hashes if len(said.whole.hashes) else np.full(1, _BEYOND)

    def word(at: Ints) -> Hashes:
        return np.where((at >= floor) & (at <= ceiling), hashes.take(at, mode="clip"), _BEYOND)

    a, b, y, z = word(first), word(first + 1), word(last - 1), word(last)
    before, earlier, after, later, third = word(first - 1), word(first - 2), word(last + 1), word(last + 2), word(last + 3)
    with np.errstate(over="ignore"):
        seen = [
            a,
            a * _PAIR + b,
            b,
            z,
            y,
            after * _PAIR + later,
            later,
            later * _PAIR + third,
            before,
            before * _PAIR + a,
            before * _PAIR + earlier,
            z * _PAIR + later,
        ]
        keys = np.column_stack([mixed(words + np.uint64(place + 1) * _PLACE) for place, words in enumerate(seen)]) % np.uint64(BUCKETS)
    return keys.astype(np.int64)
