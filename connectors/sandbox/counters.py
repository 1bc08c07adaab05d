"""How often the org was called and what it wrote: the proof that a dry run writes nothing and a retry writes once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

Kind = Literal["read", "write", "token"]


class Counters:
    """`calls["read"]`, `by_class["query"]`, `rows["Task.created"]`, `refused["UNABLE_TO_LOCK_ROW"]`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tentative = threading.local()
        self.calls: Counter[str] = Counter()
        self.by_class: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._free = 0

    def called(self, kind: Kind, path_class: str, *, counted: bool = True) -> None:
        """Not `counted`: the call itself costs nothing, what it carries does."""
        with self._lock:
            self.calls[kind] += 1
            self.by_class[path_class] += 1
            self._free += not counted

    def wrote(self, object_name: str, action: str) -> None:
        held: list[str] | None = getattr(self._tentative, "rows", None)
        name = f"{object_name}.{action}"
        if held is not None:
            held.append(name)
            return
        with self._lock:
            self.rows[name] += 1

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Rows written in this block by this thread count only if it ends without an error."""
        self._tentative.rows = []
        try:
            yield
            with self._lock:
                self.rows.update(self._tentative.rows)
        finally:
            self._tentative.rows = None

    def refuses(self, code: str) -> None:
        with self._lock:
            self.refused[code] += 1

    @property
    def writes(self) -> int:
        """Rows written, of all objects."""
        with self._lock:
            return self.rows.total()

    @property
    def used(self) -> int:
        """Calls that count against the daily limit."""
        with self._lock:
            return self.calls["read"] + self.calls["write"] - self._free

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {"calls": dict(self.calls), "by_class": dict(self.by_class), "rows": dict(self.rows), "refused": dict(self.refused)}

    def reset(self) -> None:
        with self._lock:
            self._free = 0
            for counter in (self.calls, self.by_class, self.rows, self.refused):
                counter.clear()
