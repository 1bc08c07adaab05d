"""What goes wrong, and at which call. Faults wait in a list; each is used up by the calls it hits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

FaultKind = Literal["cut_before_commit", "cut_after_commit", "unavailable", "expired_session", "limit_exceeded", "too_many_requests", "slow", "row_locked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`on`: a path class as in the counters ("query", "collection_upsert", ...), empty for any. `skip`: so many calls go through first.
    `times`: how many calls (for row_locked: row submissions) it hits. `key`: external id or id of the locked row, empty for any. `seconds`: how slow."""

    kind: FaultKind
    on: str = ""
    skip: int = 0
    times: int = 1
    key: str = ""
    seconds: float = 1.0


def from_json(body: Mapping[str, Any]) -> Fault:
    """Raises ValueError saying what is wrong with it."""
    if body.get("kind") not in get_args(FaultKind):
        message = f"kind must be one of {', '.join(get_args(FaultKind))}"
        raise ValueError(message)
    try:
        return Fault(**body)
    except TypeError as error:
        message = "a fault has kind and may have on, skip, times, key, seconds; nothing else"
        raise ValueError(message) from error


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._waiting.extend(faults)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def for_call(self, path_class: str) -> Fault | None:
        """The fault that hits this call, if any: the first in the list whose turn it is."""
        return self._take(lambda fault: fault.kind != "row_locked" and fault.on in ("", path_class))

    def locks(self, *keys: str | None) -> bool:
        """Whether a row known by one of `keys` is locked at this moment."""
        return self._take(lambda fault: fault.kind == "row_locked" and fault.key in ("", *keys)) is not None

    def _take(self, hits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if not hits(fault):
                    continue
                if fault.skip > 0:
                    self._waiting[place] = replace(fault, skip=fault.skip - 1)
                    continue
                self._waiting[place : place + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                return fault
        return None
