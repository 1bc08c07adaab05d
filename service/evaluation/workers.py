"""Work on many tasks in processes of their own, with word of how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")
CHUNK, CHUNKS = 8, 16
"""Tasks handed to a process at once, at most, and how many such handfuls there should be at least."""
Told = Callable[[str], None]


class Spread(Protocol):
    def __call__(self, what: str, act: Callable[[T], R], tasks: Sequence[T]) -> list[R]:
        """Results in the order of the tasks."""


@contextmanager
def workers(processes: int, told: Told) -> Iterator[Spread]:
    """One process: this one."""
    if processes == 1:
        yield lambda what, act, tasks: _counted(what, map(act, tasks), len(tasks), told)
        return
    # Spawned: a fork would copy the threads of numerical libraries in the state they happen to be in.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield lambda what, act, tasks: _counted(what, pool.map(act, tasks, chunksize=_handful(len(tasks))), len(tasks), told)


def _handful(tasks: int) -> int:
    return max(1, min(CHUNK, tasks // CHUNKS))


def _counted(what: str, results: Iterator[R], total: int, told: Told) -> list[R]:
    """Tells at every tenth part."""
    found: list[R] = []
    step = max(1, total // 10)
    for result in results:
        found.append(result)
        if len(found) % step == 0 or len(found) == total:
            told(f"{what}: {len(found):,} of {total:,}")
    return found
