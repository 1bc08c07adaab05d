"""Whether a sentence of a reply breaks a rule, and which: linear votes on hashed words, on what these rest on, and on signs such as the moment.

Learned by `python -m service.critic.learning` from replies that are right and the same with one fault each; how much of it holds for writers it has not
met stands in the model file.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ml import artifact
from ml.tokens import Floats, Ints

NAME = "faults"
BUCKETS, OF_RULES = 1 << 17, 1 << 14
"""Places for the features of a sentence; and for the same where a rule is told from the others."""
SIGN_WEIGHT = 0.7
"""Of a sign beside all words of a sentence, which have length 1."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`rests`: its words, those of the buyer, of our records and of names by kind; `words`: as they stand; `moment`: in what sort of moment; `signs`: what
    else is known of it."""

    rests: tuple[str, ...]
    words: tuple[str, ...]
    moment: str
    signs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Described:
    """The features of some sentences: (sentence, bucket, value). Those of `weighed` are words and want their idf, of the others the value is final."""

    sentence: Ints
    bucket: Ints
    value: Floats
    block: Ints
    count: int


def described(sentences: Sequence[Sentence]) -> Described:
    rows = [(n, bucket, value, block) for n, sentence in enumerate(sentences) for bucket, value, block in _features(sentence)]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 4)
    sentence, bucket, block = (table[:, n].astype(np.int64) for n in (0, 1, 3))
    return Described(sentence, bucket, table[:, 2], block, len(sentences))


def _features(sentence: Sentence) -> Iterator[tuple[int, float, int]]:
    blocks = (
        ("m", sentence.rests, 3, ""),
        ("r", sentence.words, 2, ""),
        ("x", sentence.rests, 2, sentence.moment),
    )
    for n, (name, words, most, behind) in enumerate(blocks):
        for gram, times in Counter(_grams(words, most)).items():
            yield _bucket(f"{name}{behind}:{gram}"), 1.0 + math.log(times), n
    for sign in sentence.signs:
        yield _bucket(f"s:{sign}"), SIGN_WEIGHT, _SIGNS


_SIGNS = 3


def _grams(words: Sequence[str], most: int) -> Iterator[str]:
    for size in range(1, most + 1):
        yield from (" ".join(words[n : n + size]) for n in range(len(words) - size + 1))


@lru_cache(maxsize=1 << 16)
def _bucket(feature: str) -> int:
    return zlib.crc32(feature.encode()) % BUCKETS


def weighed(found: Described, idf: npt.NDArray[np.float32]) -> Floats:
    """The values, those of words by idf and of length 1 in each block."""
    is_word = found.block < _SIGNS
    value = np.where(is_word, found.value * idf[found.bucket], found.value)
    place = found.sentence * (_SIGNS + 1) + found.block
    norm = np.sqrt(np.bincount(place, weights=value * value, minlength=found.count * (_SIGNS + 1)))[place]
    return np.where(is_word, value / np.maximum(norm, 1e-9), value)


@dataclass(frozen=True, slots=True)
class Faults:
    """`any` int8 (bucket) and `which` int8 (bucket, rule), each times its scale."""

    rules: tuple[str, ...]
    idf: npt.NDArray[np.float32]
    any: npt.NDArray[np.int8]
    any_scale: float
    any_bias: float
    which: npt.NDArray[np.int8]
    which_scale: Floats
    which_bias: Floats
    said_from: float
    """Chance from which a sentence is said to break a rule that no check finds."""
    borne_from: float
    """Chance from which it bears out what a check finds."""

    @classmethod
    def of(cls, meta: Mapping[str, Any], kept: Mapping[str, npt.NDArray[Any]]) -> Self:
        return cls(
            tuple(meta["rules"]),
            kept["idf"].astype(np.float32),
            kept["any"],
            float(kept["any_scale"]),
            float(kept["any_bias"]),
            kept["which"],
            kept["which_scale"],
            kept["which_bias"],
            float(meta["said_from"]),
            float(meta["borne_from"]),
        )

    def chances(self, found: Described) -> Floats:
        """Of a fault, for each sentence."""
        value = weighed(found, self.idf)
        votes = np.bincount(found.sentence, weights=value * self.any[found.bucket], minlength=found.count)
        chances: Floats = 1 / (1 + np.exp(-(votes * self.any_scale + self.any_bias)))
        return chances

    def likeliest(self, found: Described, sentence: int) -> str:
        """The rule that it breaks, if it breaks one."""
        own = found.sentence == sentence
        votes = weighed(found, self.idf)[own] @ self.which[found.bucket[own] % OF_RULES]
        return self.rules[int((votes * self.which_scale + self.which_bias).argmax())]


@cache
def load() -> Faults:
    return loaded(artifact.MODELS)


def loaded(folder: Path) -> Faults:
    """What learns it needs the critic, which nothing in ml may know: the message of a broken file names that module."""
    try:
        kept = artifact.load(NAME, folder)
    except artifact.BrokenArtifact as problem:
        raise artifact.BrokenArtifact(str(problem).replace(f"ml.train.{NAME}", "service.critic.learning")) from None
    return Faults.of(kept.meta, kept.arrays)
