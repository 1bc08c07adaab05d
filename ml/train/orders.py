"""Sentences that give orders to a machine, and honest ones that only look like it (ml/data/machine_orders): what the head "order" learns from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from ml.masking import Masker
from ml.sentence_tokens import Said
from ml.tokens import Flags, Floats, Ints, Tokens

FOLDER = Path(__file__).parent.parent / "data" / "machine_orders"
RUN = 30
"""Lines in a row, which often share an idea, stay in one fold."""
HONEST_FIRST, HONEST_BESIDE, HONEST_FORM = 0.003, 0.04, 0.15
"""Shares of honest sentences above each limit."""


@dataclass(frozen=True, slots=True)
class Orders:
    """A row a sentence."""

    sentences: Tokens
    is_order: Flags
    fold: Ints

    @classmethod
    def read(cls, masker: Masker, folds: int) -> Self:
        orders, ordinary = _texts("orders"), _texts("ordinary")
        said = Said.of([*orders, *ordinary], masker)
        line = np.concatenate([np.arange(len(orders)), np.arange(len(ordinary))])[said.owner]
        return cls(said.sentences, said.owner < len(orders), line // RUN % folds)


def _texts(name: str) -> list[str]:
    return [json.loads(line)["text"] for line in (FOLDER / f"{name}.ndjson").read_text(encoding="utf-8").splitlines()]


def limits(on_ordinary: Floats, on_messages: Floats) -> dict[str, float]:
    """Votes above which a sentence is taken for an order: `first` in a text, `beside` another one, and `form` if it also has the form of one.
    Both arguments are votes of unseeing heads on honest sentences, and count alike."""
    drawn = np.random.default_rng(0).choice(on_messages, len(on_ordinary))
    honest = np.concatenate([on_ordinary, drawn])
    shares = {"first": HONEST_FIRST, "beside": HONEST_BESIDE, "form": HONEST_FORM}
    return {name: round(float(np.quantile(honest, 1 - share)), 4) for name, share in shares.items()}
