"""The figures that are asked of the detector, each with the floor it must hold and the aim it is to reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ml.evaluate.usage.detection import METRICS, Found, accounts, budget_for, seats
from ml.evaluate.usage.generator import Generated, make_panel

ACCOUNTS = 2000
TEST_SEEDS, BUDGET_SEEDS, UNLABELLED_SEEDS = range(1001, 1009), range(2001, 2003), range(1101, 1103)
"""Of none of them was anything learned or chosen."""
NEAR = 0.1
SELF_BUDGET, SELF_FIRST = 0.25, 431
NUISANCES = ((0.5, 0.6), (1.0, 0.6), (1.6, 0.3))
"""Scale of the nuisances, drops per account-year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure per seed. `at_most`: less is better."""

    what: str
    values: tuple[float, ...] = ()
    floor: float | None = None
    aim: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def mean(self) -> float:
        return float(np.mean(self.values)) if self.values else float("nan")

    @property
    def spread(self) -> float:
        """Standard deviation over seeds; NaN for one."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else float("nan")

    @property
    def verdict(self) -> str:
        if not self.values or self.floor is None or self.aim is None:
            return ""
        sign = -1 if self.at_most else 1
        if sign * self.mean >= sign * self.aim:
            return "aim reached"
        return "floor held" if sign * self.mean >= sign * self.floor else "below the floor"


@dataclass(frozen=True, slots=True)
class Goal:
    what: str
    floor: float | None
    aim: float | None
    measure: Callable[[Found], float]
    at_most: bool = False

    def row(self, runs: Sequence[Found]) -> Row:
        return Row(what=self.what, values=tuple(self.measure(run) for run in runs), floor=self.floor, aim=self.aim, at_most=self.at_most)


def _onset_near(f: Found) -> float:
    return _mean([float(abs(alert.onset - event[1]) <= 7) for alert, event in f.pairs("seat_loss")])


def _size_error(f: Found) -> float:
    return _mean([abs(alert.size - event[3]) for alert, event in f.pairs("seat_loss")])


def _median_delay(f: Found) -> float:
    known = f.matched.delays[np.isfinite(f.matched.delays)]
    return float(np.median(known)) if len(known) else float("nan")


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


SEATS_02 = (
    Goal("seats, 0.2: recall, all drops", 0.665, 0.72, lambda f: f.matched.recall),
    Goal("seats, 0.2: precision", None, None, lambda f: f.matched.precision),
    Goal("seats, 0.2: days until found, median", None, None, _median_delay),
    Goal("material sudden drop, 0.2: recall", 0.90, 0.94, lambda f: f.matched.found(f.material())),
    Goal("material sudden drop, 0.2: within 14 days", 0.71, 0.82, lambda f: f.matched.found(f.material(), 14)),
    Goal("of at least 50 %, 0.2: within 14 days", 0.84, 0.95, lambda f: f.matched.found(f.material(0.5), 14)),
    Goal("of at least 50 %, 0.2: within 7 days", 0.35, 0.58, lambda f: f.matched.found(f.material(0.5), 7)),
    Goal("material fade, 0.2: recall", 0.80, 0.85, lambda f: f.matched.found(f.material(fade=True))),
    Goal("seat losses: onset within 7 days", 0.84, 0.92, _onset_near),
    Goal("seat losses: mean absolute error of the size", 0.11, 0.07, _size_error, at_most=True),
)
SEATS_01 = (
    Goal("seats, 0.1: recall, all drops", 0.585, 0.64, lambda f: f.matched.recall),
    Goal("seats, 0.1: precision", 0.60, 0.66, lambda f: f.matched.precision),
)
OF_ACCOUNTS = (
    Goal(f"account of {len(METRICS)} series, 0.2: recall, all kinds", 0.52, 0.62, lambda f: f.matched.recall),
    Goal(f"account of {len(METRICS)} series, 0.2: precision", 0.54, 0.60, lambda f: f.matched.precision),
)
Part = tuple[str, float, Callable[[Generated, float], Found], tuple[Goal, ...]]
"""Name, rate of false alarms, who looks, and what is asked."""
PARTS: tuple[Part, ...] = (
    ("seats", 0.2, seats, SEATS_02),
    ("seats", 0.1, seats, SEATS_01),
    ("account", 0.2, accounts, OF_ACCOUNTS),
)


def generated_rows(
    seeds: Sequence[int] = TEST_SEEDS, budget_seeds: Sequence[int] = BUDGET_SEEDS, *, count: int = ACCOUNTS, parts: Sequence[Part] = PARTS
) -> Iterator[Row]:
    known, fresh = ([make_panel(count, seed=seed) for seed in some] for some in (budget_seeds, seeds))
    for name, rate, look, goals in parts:
        budget = budget_for(rate, lambda b, look=look: float(np.mean([look(g, b).rate for g in known])))  # type: ignore[misc]
        runs = [look(g, budget) for g in fresh]
        yield _realised(name, rate, budget, tuple(run.rate for run in runs))
        yield from (goal.row(runs) for goal in goals)


def _realised(name: str, rate: float, budget: float, values: tuple[float, ...]) -> Row:
    off = float(np.mean(values)) / rate - 1
    verdict = f"within {NEAR:.0%} of {rate}" if abs(off) <= NEAR else f"NOT within {NEAR:.0%} of {rate}"
    return Row(what=f"{name}, {rate}: false alarms a year", values=values, note=f"{verdict} ({off:+.0%}); budget {budget:.3f}")


def unlabelled_rows(seeds: Sequence[int] = UNLABELLED_SEEDS, count: int = ACCOUNTS) -> Iterator[Row]:
    """What becomes of a budget that is passed as it is, with nothing but the workspace's own days to calibrate by."""
    for hard, drops in NUISANCES:
        runs = [seats(make_panel(count, seed=seed, hard=hard, drop_rate=drops), SELF_BUDGET, SELF_FIRST) for seed in seeds]
        yield Row(
            what=f"budget {SELF_BUDGET} as it is, nuisances x{hard}: false alarms a year",
            values=tuple(run.rate for run in runs),
            floor=0.25,
            aim=0.20,
            at_most=True,
            note=f"recall {np.mean([run.matched.recall for run in runs]):.3f}, precision {np.mean([run.matched.precision for run in runs]):.3f}",
        )
