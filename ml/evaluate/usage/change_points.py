"""For comparison alone: the Turing change point data are single series without a week, a season or peers, and not what the detector is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.evaluate.usage.metrics import covering, f_measure
from ml.usage import Panel, detect

Floats = npt.NDArray[np.float64]

SET = "tcpd"
LEVEL, SPREAD = 30.0, 8.0
"""Standardised values become counts with this mean and standard deviation."""
BUDGET = 0.2
MONDAY = date(2024, 4, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    name: str
    covering: float | None = None
    f1: float | None = None
    note: str = ""


def segmented(stored: Mapping[str, Any] | None) -> Iterator[Segmented]:
    """`stored`: the set as it is stored, or None where it is not at hand."""
    if stored is None:
        yield from (Segmented(name=name, note=f"not run: needs usage/data/{SET}.json") for name, _, _ in METHODS)
        return
    series = [one for one in stored.values() if one["n_dim"] == 1]
    for name, needs, method in METHODS:
        if needs and find_spec(needs) is None:
            yield Segmented(name=name, note=f"not run: needs {needs} (pip install undertone-crm[evaluate])")
            continue
        points = [method(_standard(one["series"][0])) for one in series]
        scores = [(covering(one["annotations"], p, one["n_obs"]), f_measure(one["annotations"], p)) for one, p in zip(series, points, strict=True)]
        cover, f1 = np.mean(scores, axis=0)
        yield Segmented(name=name, covering=float(cover), f1=float(f1), note=f"{len(series)} series")


def _standard(values: Sequence[float | None]) -> Floats:
    read = np.array(values, dtype=float)
    standard: Floats = (read - np.nanmean(read)) / max(float(np.nanstd(read)), 1e-9)
    return standard


def ours(values: Floats) -> list[int]:
    """Where the detector says a change began, falls and growth alike, as if each point were a day of one account."""
    counts = np.round(np.maximum(LEVEL + SPREAD * values, 0)).astype(np.float32)
    panel = Panel(("series",), ("points",), ("",), MONDAY, counts[None])
    return [(alert.onset - MONDAY).days for alert in detect(panel, BUDGET)]


def _kernel(values: Floats) -> list[int]:
    import ruptures

    days = np.arange(len(values))
    known = np.isfinite(values)
    signal = np.interp(days, days[known], values[known])[:, None]
    ends: list[int] = ruptures.KernelCPD(kernel="rbf", min_size=2).fit(signal).predict(pen=2 * np.log(len(values)))
    return ends[:-1]


METHODS: tuple[tuple[str, str, Callable[[Floats], list[int]]], ...] = (
    ("Undertone's alerts", "", ours),
    ("ruptures KernelCPD, rbf, penalty 2 log n", "ruptures", _kernel),
    ("saying nothing", "", lambda values: []),
)
