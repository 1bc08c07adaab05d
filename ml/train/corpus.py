"""Our own corpus of buyer messages (ml/data/buyer_messages): rows and label matrices. `python -m ml.train.corpus` prints the figures of its data card."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ml.labels import EMOTIONS, PRIORITIES, SITUATIONS
from ml.text import own_text

FOLDER = Path(__file__).parent.parent / "data" / "buyer_messages"
Split = Literal["train", "test", "contrast"]
"""`contrast`: sarcasm, polite complaints and their sincere counterparts in nearly the same words, for measuring only."""
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One labelled message. `own` is its own text; `spans` are verbatim in it. `author` and `brief` are what folds are cut by."""

    id: str
    author: str
    brief: str
    language: str
    channel: str
    own: str
    sentiment: float
    emotions: tuple[str, ...]
    situations: tuple[str, ...]
    churn_risk: int
    priority: str
    spans: tuple[str, ...]
    slices: tuple[str, ...]

    @property
    def gives_orders(self) -> bool:
        """To a machine that reads it, or phishing. Where no slice says so: of the hostile ones, those without anger."""
        return "injection" in self.slices or ("hostile_or_injection" in self.situations and "hostile" not in self.slices and self.emotions == ("neutral",))


@dataclass(frozen=True, slots=True)
class Labels:
    """One row a message: sentiment, emotions (n, 10), situations (n, 18), churn risk 0..3, place in PRIORITIES."""

    sentiment: Floats
    emotions: Flags
    situations: Flags
    churn_risk: npt.NDArray[np.int64]
    priority: npt.NDArray[np.int64]


def read(split: Split) -> list[Row]:
    lines = (FOLDER / f"{split}.ndjson").read_text(encoding="utf-8").splitlines()
    return [_row(json.loads(line)) for line in lines]


def _row(r: dict[str, Any]) -> Row:
    return Row(
        id=r["id"],
        author=r["id"].split("-")[0],
        brief=r["brief"],
        language=r["lang"],
        channel=r["channel"],
        own=own_text(r["text"]).text if r["channel"] == "email" else r["text"],
        sentiment=r["sentiment"],
        emotions=tuple(r["emotions"]),
        situations=tuple(r["situations"]),
        churn_risk=r["churn_risk"],
        priority=r["priority"],
        spans=tuple(r["spans"]),
        slices=tuple(r["slices"]),
    )


def labels(rows: Sequence[Row]) -> Labels:
    return Labels(
        np.array([r.sentiment for r in rows]),
        np.array([[name in r.emotions for name in EMOTIONS] for r in rows]),
        np.array([[name in r.situations for name in SITUATIONS] for r in rows]),
        np.array([r.churn_risk for r in rows]),
        np.array([PRIORITIES.index(r.priority) for r in rows]),
    )


def distinct_2(rows: Sequence[Row]) -> float:
    """Share of pairs of neighbouring words that are different from all others."""
    pairs = Counter(pair for r in rows for words in [_words(r.own)] for pair in pairwise(words))
    return len(pairs) / max(pairs.total(), 1)


def largest_overlap(rows: Sequence[Row], length: int = 8) -> tuple[int, str, str]:
    """The most runs of `length` words that any two messages share, and which two."""
    holders: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for r in rows:
        words = _words(r.own)
        for start in range(len(words) - length + 1):
            holders[tuple(words[start : start + length])].add(r.id)
    shared: Counter[tuple[str, str]] = Counter()
    for ids in holders.values():
        together = sorted(ids)
        shared.update((a, b) for n, a in enumerate(together) for b in together[n + 1 :])
    return (shared.most_common(1)[0][1], *shared.most_common(1)[0][0]) if shared else (0, "", "")


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


if __name__ == "__main__":
    every = [*read("train"), *read("test")]
    sys.stdout.write(f"distinct-2 {distinct_2(every):.3f}; largest overlap {largest_overlap(every)}\n")
