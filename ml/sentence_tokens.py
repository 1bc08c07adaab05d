"""Texts as sentences and as wholes, from one pass over their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Self

import numpy as np

from ml.masking import Masker, without_addresses
from ml.text import sentences
from ml.tokens import Flags, Ints, Tokens, tokens, within

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
    begins: Ints
    """Where each text begins, if all stood end to end."""
    edges: Ints
    """(sentence, 2): `spans`, if all texts stood end to end."""

    @classmethod
    def of(cls, texts: Sequence[str], masker: Masker) -> Self:
        texts = [without_addresses(text) for text in texts]
        spans = [sentences(text)[:MOST_SENTENCES] for text in texts]
        owner = np.repeat(np.arange(len(texts)), [len(found) for found in spans])
        begins = np.concatenate([[0], np.cumsum([len(text) for text in texts])[:-1]]).astype(np.int64)
        flat = [span for found in spans for span in found]
        edges = np.array(flat, dtype=np.int64).reshape(len(flat), 2) + begins[owner][:, None]
        read = tokens(texts, lines=True)
        at, sentence = within(read, edges[:, 0], edges[:, 1])
        t = masker(read.chosen(at, sentence, len(flat)), owner)
        return cls(t, replace(t, unit=owner[t.unit], units=len(texts)), owner, flat, begins, edges)

    def part(self, text: Ints, start: Ints, end: Ints) -> Tokens:
        """The tokens of [start, end) of some texts, each a unit of its own; they may overlap."""
        at, unit = within(self.whole, self.begins[text] + start, self.begins[text] + end)
        return self.whole.chosen(at, unit, len(text))

    def only(self, keep: Flags) -> Said:
        """As if nobody had written the other sentences."""
        t, owner = self.sentences.of_units(keep), self.owner[keep]
        whole = replace(t, unit=owner[t.unit], units=self.whole.units)
        return Said(t, whole, owner, list(compress(self.spans, keep.tolist())), self.begins, self.edges[keep])

    @property
    def empty(self) -> Flags:
        """Texts without a word."""
        empty: Flags = self.whole.words < 1
        return empty
