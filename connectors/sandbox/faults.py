"""What goes wrong, and at which call. Faults wait in a list; each is used up by the calls, rows or jobs it hits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

Stage = Literal["call", "row", "stamp", "job", "clock"]
_QUERIES = ("query", "query_all", "query_more", "bulk_query_results")
_JOBS = ("bulk_query_info", "bulk_query_results", "bulk_query_change", "bulk_ingest_info", "bulk_ingest_change", "bulk_ingest_results")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`stage`: what uses the fault up: calls, rows written, stamps given, jobs made; a clock's fault stays until it is taken back.
    `on`: the path classes it can hit, empty for all. `amount`: what Fault.amount means if it is left out."""

    stage: Stage
    tells: str
    on: tuple[str, ...] = ()
    amount: int = 0


KINDS: Mapping[str, Kind] = {
    "cut_before_commit": Kind(stage="call", tells="the connection ends without an answer; nothing was written"),
    "cut_after_commit": Kind(stage="call", tells="the connection ends without an answer; everything was written"),
    "cut_mid_body": Kind(stage="call", tells="the connection ends after `amount` bytes of the body", amount=100),
    "unavailable": Kind(stage="call", tells="503 with an HTML body"),
    "html_ok": Kind(stage="call", tells="200 with an HTML login page"),
    "expired_session": Kind(stage="call", tells="401 INVALID_SESSION_ID"),
    "revoked_credentials": Kind(stage="call", tells="from this call on every token is dead and none is given, until access is restored"),
    "limit_exceeded": Kind(stage="call", tells="403 REQUEST_LIMIT_EXCEEDED, TotalRequests"),
    "concurrent_limit": Kind(stage="call", tells="403 REQUEST_LIMIT_EXCEEDED, ConcurrentRequests"),
    "too_many_requests": Kind(stage="call", tells="429 with Retry-After: 1"),
    "unknown_error": Kind(stage="call", tells="an error with the code `code` and the status `amount`", amount=400),
    "slow": Kind(stage="call", tells="the answer comes `seconds` later"),
    "slow_body": Kind(stage="call", tells="the body trickles for `seconds`"),
    "short_page": Kind(stage="call", tells="at most `amount` rows (0: half of them) and more to come", on=_QUERIES),
    "wrong_count": Kind(stage="call", tells="totalSize, or Sforce-NumberOfRecords, is off by `amount`", on=_QUERIES, amount=1),
    "dead_cursor": Kind(stage="call", tells="INVALID_QUERY_LOCATOR, for this cursor for ever", on=("query_more",)),
    "row_locked": Kind(stage="row", tells="UNABLE_TO_LOCK_ROW for the row with external id or id `key`"),
    "several": Kind(stage="row", tells="300 (in a collection DUPLICATE_EXTERNAL_ID) for the external id `key`"),
    "duplicate_rule": Kind(stage="row", tells="DUPLICATES_DETECTED; with `alert`, allowSave=true passes"),
    "late_visible": Kind(stage="stamp", tells="the row as written is seen by queries `seconds` after its stamp, in the org's time"),
    "equal_stamps": Kind(stage="stamp", tells="`times` writes in a row get one SystemModstamp"),
    "clock_skew": Kind(stage="clock", tells="the org's clock is `seconds` ahead (negative: behind) until the fault is taken back"),
    "job_failed": Kind(stage="job", tells="the bulk job ends as Failed"),
    "job_aborted": Kind(stage="job", tells="the bulk job ends as Aborted"),
    "job_forgotten": Kind(stage="call", tells="404: the org no longer knows the bulk job", on=_JOBS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`on`: a path class as in the counters ("query", "collection_upsert", ...), empty for any. `skip`: so many calls, rows, stamps or jobs go
    through first. `times`: how many it hits. `key`: external id or id of the row, for stamps and jobs the object; empty for any. The rest is
    for the kinds whose text in KINDS names it. Raises ValueError for what no fault can be."""

    kind: str
    on: str = ""
    skip: int = 0
    times: int = 1
    key: str = ""
    seconds: float = 1.0
    amount: int | None = None
    code: str = "UNHEARD_OF"
    alert: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            message = f"kind must be one of {', '.join(KINDS)}"
            raise ValueError(message)
        if self.on and KINDS[self.kind].stage != "call":
            message = f"{self.kind} hits no calls, so that on means nothing; choose by key"
            raise ValueError(message)
        for f in fields(self):
            if not isinstance(getattr(self, f.name), _TYPES[f.name]):
                message = f"{f.name} of {self.kind} has the wrong type"
                raise ValueError(message)  # noqa: TRY004 - of all wrong values one error

    @property
    def size(self) -> int:
        return KINDS[self.kind].amount if self.amount is None else self.amount


_TYPES: Mapping[str, Any] = {
    **dict.fromkeys(("kind", "on", "key", "code"), str),
    **dict.fromkeys(("skip", "times"), int),
    "seconds": (int, float),
    "amount": (int, type(None)),
    "alert": bool,
}


def from_json(body: Mapping[str, Any]) -> Fault:
    """Raises ValueError saying what is wrong with it."""
    try:
        return Fault(**body)
    except TypeError as error:
        message = f"a fault has kind and may have {', '.join(f.name for f in fields(Fault) if f.name != 'kind')}; nothing else"
        raise ValueError(message) from error


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._classes: frozenset[str] = frozenset()

    def know(self, path_classes: frozenset[str]) -> None:
        """From now on a fault on another path class is refused: it would never come."""
        self._classes = path_classes

    def add(self, *faults: Fault) -> None:
        """Raises ValueError for a path class that no call has."""
        unknown = {f.on for f in faults if self._classes and f.on and f.on not in self._classes}
        if unknown:
            message = f"on must be one of {', '.join(sorted(self._classes))}, not {', '.join(sorted(unknown))}"
            raise ValueError(message)
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
        return self._take(lambda fault, kind: kind.stage == "call" and fault.on in ("", path_class) and (not kind.on or path_class in kind.on))

    def hits(self, wanted: str, *keys: str | None) -> Fault | None:
        """The fault of this kind that hits the row, stamp or job known by one of `keys` at this moment."""
        if not self._waiting:
            return None
        return self._take(lambda fault, _: fault.kind == wanted and fault.key in ("", *keys))

    @property
    def skew(self) -> float:
        """Seconds that the org's clock is ahead."""
        return sum(f.seconds for f in self.waiting() if f.kind == "clock_skew") if self._waiting else 0.0

    def _take(self, matches: Callable[[Fault, Kind], bool]) -> Fault | None:
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if not matches(fault, KINDS[fault.kind]):
                    continue
                if fault.skip > 0:
                    self._waiting[place] = replace(fault, skip=fault.skip - 1)
                    continue
                self._waiting[place : place + 1] = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                return fault
        return None
