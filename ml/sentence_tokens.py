"""Texts as sentences and as wholes, from one pass over their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ml import features
from ml.features import Flags, Ints, Tokens
from ml.masking import Masker
from ml.text import sentences

MOST_SENTENCES = 200
"""Sentences of one text that are read; nobody writes more by hand."""


@dataclass(frozen=True, slots=True)
class Said:
    """Texts as sentences: each sentence is a unit of `sentences`, each text one of `whole`. `owner` is the text of a sentence."""

    sentences: Tokens
    whole: Tokens
    owner: Ints
    spans: Sequence[tuple[int, int]]
    """Of the sentences in their texts."""

    @classmethod
    def of(cls, texts: Sequence[str], masker: Masker) -> Self:
        spans = [sentences(text)[:MOST_SENTENCES] for text in texts]
        owner = np.repeat(np.arange(len(texts)), [len(found) for found in spans])
        t = features.tokens([text[start:end] for text, found in zip(texts, spans, strict=True) for start, end in found], masker)
        whole = Tokens(t.hashes, t.stems, owner[t.unit], len(texts))
        return cls(t, whole, owner, [span for found in spans for span in found])

    @property
    def empty(self) -> Flags:
        """Texts without a word."""
        empty: Flags = self.whole.words < 1
        return empty
