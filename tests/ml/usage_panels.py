"""Small usage panels for tests: steady counts, and counts thinned from a day on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt

from ml.usage import Panel

MONDAY = date(2025, 3, 3)
WEEK = np.array([1.2, 1.3, 1.3, 1.2, 1.1, 0.3, 0.2])


def steady(accounts: int = 12, days: int = 240, level: float = 25.0, metrics: tuple[str, ...] = ("seats",), seed: int = 0, region: str = "") -> Panel:
    """Poisson counts around one level with a plain week. Account k is called `a<k>`."""
    random = np.random.default_rng(seed)
    rate = level * WEEK[(np.arange(days) + MONDAY.weekday()) % 7]
    values = random.poisson(np.tile(rate, (accounts * len(metrics), 1))).astype(np.float32)
    names = tuple(f"a{k}" for k in range(accounts) for _ in metrics)
    return Panel(names, metrics * accounts, (region,) * len(names), MONDAY, values)


def thinned(panel: Panel, row: int, start: int, kept: float | npt.NDArray[np.float64], seed: int = 1) -> Panel:
    """The same panel with one row's counts thinned from a day on."""
    values = panel.values.copy()
    values[row, start:] = np.random.default_rng(seed).binomial(values[row, start:].astype(int), kept)
    return replace(panel, values=values)
