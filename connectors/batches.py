from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """As itertools.batched does from Python 3.12 on; each is drawn when it is asked for."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch
