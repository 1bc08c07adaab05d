"""Rows with a time of day, added up: however many a file has of a quarter of an hour, it is handed over once, when the file has been read to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.errors import Misconfigured
from connectors.records import UsageHours

SECONDS = 900
"""The days of every time zone begin with a quarter of an hour; not so with a whole hour."""
MOST = 1e12
"""What a quarter of an hour may hold: a hundred of them make a day, which may hold 10^15."""
MOST_SUMS = 5_000_000
"""Different sums of one file, 80 MB of them."""
PAGE = 50_000

Array = npt.NDArray[Any]


class Sums:
    def __init__(self, name: str, most: int = MOST_SUMS) -> None:
        self.name = name
        self.most = most
        self._series: dict[tuple[str, str], int] = {}
        self._parts: list[tuple[Array, Array]] = []

    def add(self, accounts: Array, metrics: Array, account: Array, metric: Array, at: Array, value: Array) -> None:
        """`account` and `metric` are places among the names, one for each row. Raises Misconfigured when the file holds more than can be added up."""
        pairs, place = np.unique(account * max(1, len(metrics)) + metric, return_inverse=True)
        numbers = [self._number(accounts[a], metrics[m]) for a, m in zip(*(n.tolist() for n in np.divmod(pairs, max(1, len(metrics)))), strict=True)]
        quarter = at.astype("datetime64[s]").astype(np.int64) // SECONDS
        self._parts.append(_added(np.array(numbers, dtype=np.int64)[place] * 2**24 + quarter, value))
        if sum(len(key) for key, _ in self._parts) > 2 * self.most:
            self._parts = [self._whole()]
            if len(self._parts[0][0]) > self.most:
                message = (
                    f"{self.name} tells of more than {self.most:,} different hours of accounts and metrics. Split it, at the end of a day, and give the parts."
                )
                raise Misconfigured(message)

    def rows(self) -> Iterator[tuple[UsageHours, int]]:
        """A page at a time, with how many sums were left out as they are above MOST."""
        names = list(self._series)
        keys, values = self._whole()
        for start in range(0, len(keys), PAGE):
            key, value = keys[start : start + PAGE], values[start : start + PAGE]
            usable = value <= MOST
            number, quarter = np.divmod(key[usable], 2**24)
            shown = [names[n] for n in number.tolist()]
            at = (quarter * SECONDS).astype("datetime64[s]")
            yield UsageHours(accounts=[a for a, _ in shown], metrics=[m for _, m in shown], at=at, values=value[usable]), int((~usable).sum())

    def _number(self, account: str, metric: str) -> int:
        return self._series.setdefault((account, metric), len(self._series))

    def _whole(self) -> tuple[Array, Array]:
        if not self._parts:
            return np.empty(0, dtype=np.int64), np.empty(0)
        keys, values = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        return _added(keys, values)


def _added(keys: Array, values: Array) -> tuple[Array, Array]:
    distinct, place = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(place, weights=values, minlength=len(distinct))
