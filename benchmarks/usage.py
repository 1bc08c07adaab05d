"""`./dev bench usage`: what a day of a series costs the usage detector, from a thousand series to many, alerts and all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import cpu
from ml.usage import Panel, detect

SIZES = (1_000, 10_000, 50_000)
DAYS, LEARNING = 60, 90
LEVELS = (0.5, 60.0)
FALLING, FALL = 0.01, 0.5
"""Share of the series that lose half of their counts on the first day measured."""
BUDGET = 0.15
RUNS = 3
WEEK = np.array([1.2, 1.2, 1.2, 1.2, 1.1, 0.4, 0.3])
FIRST_DAY = date(2025, 3, 3)
METRICS = ("active_users", "actions", "exports", "reports", "shares")


def main() -> None:
    table = Table("series", "CPU of 60 further days", "CPU a series-day", "alerts", "against the smallest")
    for row in rows():
        table.add_row(*row)
    Console(width=120).print(table)


def rows() -> Iterator[tuple[str, ...]]:
    smallest = None
    for size in SIZES:
        seconds, alerts = further_days(size)
        each = seconds / (size * DAYS)
        smallest = smallest or each
        yield f"{size:,}", f"{seconds:.2f} s", f"{1e6 * each:.2f} µs", f"{alerts:,}", f"{each / smallest:.2f}x"


def further_days(size: int) -> tuple[float, int]:
    """CPU seconds of the days after the learning ones, as the difference of two runs, and the alerts raised on them."""
    panel = workspace(size)
    learning = Panel(panel.accounts, panel.metrics, panel.region, panel.first_day, panel.values[:, :LEARNING])
    whole, start = (cpu.median_of(lambda _, p=one: detect(p, BUDGET), [psutil.Process()], RUNS) for one in (panel, learning))  # type: ignore[misc]
    return max(whole - start, 0.0), len(detect(panel, BUDGET)) - len(detect(learning, BUDGET))


def workspace(size: int) -> Panel:
    """Accounts of five metrics in four regions; Poisson counts around a level and a week, and a few that fall."""
    random = np.random.default_rng(size)
    days = LEARNING + DAYS
    level = np.exp(random.uniform(np.log(LEVELS[0]), np.log(LEVELS[1]), size))
    left = np.where((random.random(size) < FALLING)[:, None] & (np.arange(days) >= LEARNING), 1 - FALL, 1.0)
    values = random.poisson(level[:, None] * WEEK[(np.arange(days) + FIRST_DAY.weekday()) % 7] * left).astype(np.float32)
    accounts = [i // len(METRICS) for i in range(size)]
    return Panel(
        tuple(f"account {a}" for a in accounts),
        tuple(METRICS[i % len(METRICS)] for i in range(size)),
        tuple(("US", "DE", "GB", "FR")[a % 4] for a in accounts),
        FIRST_DAY,
        values,
    )


if __name__ == "__main__":
    main()
