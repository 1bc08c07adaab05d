"""The reader on the test split of our own corpus, and a second person's labels of the same messages: the ceiling to read every score against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from ml.evaluate.metrics import Labelled
from ml.reader import Reader, Reading
from ml.train import corpus

BATCH = 256


def truth(rows: Sequence[corpus.Row]) -> Labelled:
    return Labelled.named(
        [r.sentiment for r in rows],
        [r.emotions for r in rows],
        [r.situations for r in rows],
        [r.churn_risk for r in rows],
        [r.priority for r in rows],
        [r.spans[0] if r.spans else "" for r in rows],
    )


def read(reader: Reader, texts: Sequence[str]) -> list[Reading]:
    return [reading for start in range(0, len(texts), BATCH) for reading in reader.read(texts[start : start + BATCH])]


def found(readings: Sequence[Reading], rows: Sequence[corpus.Row]) -> Labelled:
    return Labelled.named(
        [r.sentiment for r in readings],
        [[e.name for e in r.emotions] for r in readings],
        [[s.name for s in r.situations] for r in readings],
        [r.churn_risk for r in readings],
        [r.priority for r in readings],
        [row.own[r.quotes[0].start : r.quotes[0].end] if r.quotes else "" for r, row in zip(readings, rows, strict=True)],
    )


def second(split: Literal["test", "contrast"] = "test") -> tuple[list[str], Labelled]:
    """(message ids, labels) of the second, blind reading."""
    name = "second_labels.ndjson" if split == "test" else f"{split}_second_labels.ndjson"
    rows = [json.loads(line) for line in (corpus.FOLDER / name).read_text(encoding="utf-8").splitlines()]
    return [r["id"] for r in rows], Labelled.named(
        [r["sentiment"] for r in rows],
        [r["emotions"] for r in rows],
        [r["situations"] for r in rows],
        [r["churn_risk"] for r in rows],
        [r["priority"] for r in rows],
        [r["spans"][0] if r["spans"] else "" for r in rows],
    )
