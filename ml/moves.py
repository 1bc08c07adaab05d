"""What a sentence of an answer does, of eight moves: linear votes on hashed words, pairs and stems and on the signs of ml/words/moves.yaml.

A guess: in cross-validation two sentences of three get the move that their writer meant (the figure stands in the model file).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from ml import artifact, features
from ml.expressions import Pattern, one_of
from ml.labels import LANGUAGES
from ml.tokens import Floats, Ints, tokens

Move = Literal["ACK", "VAL", "REF", "CHK", "INFO", "ASK", "GREET", "CLOSE"]
MOVES: tuple[Move, ...] = get_args(Move)
NAME = "moves"
BUCKETS = 1 << 14
SIGNS = ("val", "ref", "check", "schedule", "request", "stated_check", "info", "ack")
SIGN_WEIGHT = 0.5
"""A word's feature is below it in a sentence of usual length."""


@cache
def expressions(name: str, lang: str) -> Pattern:
    """Of one of the lists of ml/words/moves.yaml."""
    kept = artifact.words(NAME)[name]
    return one_of([*kept.get(lang, ()), *kept.get("any", ())])


def sign_of(lower: str, lang: str) -> Floats:
    """Which of SIGNS a sentence in lower case shows, and whether it asks."""
    known = lang if lang in LANGUAGES else LANGUAGES[0]
    return SIGN_WEIGHT * np.array([expressions(name, known).search(lower) is not None for name in SIGNS] + ["?" in lower], dtype=np.float64)


def weighed(texts: Sequence[str], idf: npt.NDArray[np.float32]) -> tuple[Ints, Ints, Floats]:
    """(sentence, bucket, tf-idf of length 1)."""
    t = tokens(texts)
    unit, bucket, frequency = features.hashed(t, BUCKETS, stems=True)
    value = frequency * idf[bucket]
    norm = np.sqrt(np.bincount(unit, weights=value * value, minlength=t.units))
    known = value > 0
    return unit[known], bucket[known], value[known] / norm[unit[known]]


@dataclass(frozen=True, slots=True)
class Mover:
    """`words` int8 (bucket, move) times `scale`; `signs` (sign and question mark, move)."""

    idf: npt.NDArray[np.float32]
    words: npt.NDArray[np.int8]
    scale: Floats
    signs: Floats
    bias: Floats

    @classmethod
    def packed(cls, idf: npt.NDArray[np.float32], words: Floats, signs: Floats, bias: Floats) -> Self:
        scale = np.maximum(np.abs(words).max(axis=0), 1e-9) / 127
        return cls(idf, np.round(words / scale).astype(np.int8), scale, signs, bias)

    def __call__(self, texts: Sequence[str], lang: str) -> Floats:
        """(sentence, move): chances that sum to 1."""
        unit, bucket, value = weighed(texts, self.idf)
        logits = np.zeros((len(texts), len(MOVES)))
        np.add.at(logits, unit, value[:, None] * self.words[bucket] * self.scale)
        logits += np.array([sign_of(text.lower(), lang) for text in texts]).reshape(len(texts), -1) @ self.signs + self.bias
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances: Floats = raised / raised.sum(axis=1, keepdims=True)
        return chances


@cache
def load() -> Mover:
    kept = artifact.load(NAME).arrays
    return Mover(kept["idf"].astype(np.float32), kept["words"], kept["scale"], kept["signs"], kept["bias"])
