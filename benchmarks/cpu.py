"""CPU time of this process and of whoever works for it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

RUNS = 5


def spent(processes: Iterable[psutil.Process]) -> float:
    """Seconds of user and system time so far, of the processes and all their living and reaped children."""
    total = 0.0
    # Each once, though it may be named itself and be a child of another one as well.
    for one in {one.pid: one for process in processes for one in [process, *_children(process)]}.values():
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def here_and(servers: Iterable[psutil.Process]) -> Callable[[], float]:
    """A clock of this process and these servers, without what else this process has started."""
    watched = list(servers)
    return lambda: time.process_time() + spent(watched)


def median_of(run: Callable[[int], object], processes: Iterable[psutil.Process], runs: int = RUNS) -> float:
    """Median CPU seconds of `run(n)` over some runs."""
    watched = list(processes)
    return median_by(lambda: spent(watched), run, runs)


def median_by(clock: Callable[[], float], run: Callable[[int], object], runs: int = RUNS) -> float:
    """Median of what `run(n)` moves the clock by, over some runs."""
    costs = []
    for n in range(runs):
        before = clock()
        run(n)
        costs.append(clock() - before)
    return statistics.median(costs)


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []
