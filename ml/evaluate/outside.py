"""Figures on labelled sets of others, which are never part of the package: they are read from a folder, if there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ml.evaluate.figure import Figure
from ml.evaluate.goemotions import FIGURES as EMOTION_FIGURES
from ml.evaluate.goemotions import goemotions
from ml.evaluate.unseen import LEFT_OUT_FIGURES, NEVER_SEEN_FIGURES, left_out, never_seen


@dataclass(frozen=True, slots=True)
class Part:
    run: Callable[[Path], list[Figure]]
    figures: tuple[tuple[str, str], ...]
    sets: tuple[str, ...]
    """Files `text/<set>.parquet` of the folder."""


LEARNED_FROM = ("vader_groundtruth", "senti4sd", "xed", "email_intent")
PARTS = (
    Part(left_out, LEFT_OUT_FIGURES, LEARNED_FROM),
    Part(never_seen, NEVER_SEEN_FIGURES, (*LEARNED_FROM, "uci_sentences")),
    Part(goemotions, EMOTION_FIGURES, ("goemotions",)),
)


def outside(data: Path | None) -> list[Figure]:
    """Every figure; one whose sets are not there is empty and says in its note what it needs. Takes some minutes, progress goes to stderr."""
    return [figure for part in PARTS for figure in _measured(part, data)]


def _measured(part: Part, data: Path | None) -> list[Figure]:
    lacking = _lacking(part, data)
    if data is None or lacking:
        return [Figure(benchmark=name, metric=metric, note=f"not run: needs {lacking}") for name, metric in part.figures]
    return part.run(data)


def _lacking(part: Part, data: Path | None) -> str:
    if data is None:
        return f"{', '.join(part.sets)} in the folder that UNDERTONE_DATA names"
    absent = [name for name in part.sets if not (data / "text" / f"{name}.parquet").is_file()]
    if absent:
        return f"{', '.join(absent)} in {data / 'text'}"
    return "" if find_spec("pyarrow") else "pyarrow: pip install undertone-crm[train]"
