"""Jobs of the Bulk API 2.0: what the org knows of each, and when it is done."""

from __future__ import annotations

import secrets
import threading
from array import array
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from connectors.sandbox import clock, ids, sql
from connectors.sandbox.errors import Refusal, not_found
from connectors.sandbox.faults import Faults

State = Literal["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]
DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDS = {"LF": "\n", "CRLF": "\r\n"}
_KEPT = timedelta(days=7)
_MOST, _MOST_NUMBERS, _MOST_BYTES = 1_000, 5_000_000, 100_000_000
"""Of jobs, of row numbers and of finished lines of all jobs together; beyond it the oldest are forgotten, or read anew."""
_OVER = ("JobComplete", "Failed", "Aborted")


@dataclass(slots=True, kw_only=True)
class Job:
    """`fate` is the state it will end in, `polls` how often it is asked after until then."""

    id: str
    kind: Literal["query", "ingest"]
    operation: str
    object: str
    version: str
    made: datetime
    made_by: str
    delimiter: str
    line_end: str
    state: State
    fate: State
    polls: int
    error: str = ""
    plan: sql.Plan | None = None
    numbers: array[int] = field(default_factory=lambda: array("q"))
    lines: list[bytes] | None = None
    key_field: str = ""
    uploaded: bytes = b""
    outcomes: dict[str, list[list[str]]] = field(default_factory=dict)
    """Of an ingest job: rows by what became of them, each with what stands before its columns."""
    header: list[str] = field(default_factory=list)
    processed: int = 0
    failed: int = 0

    @property
    def over(self) -> bool:
        return self.state in _OVER

    def as_json(self, *, full: bool = True) -> dict[str, Any]:
        at = clock.wire(self.made)
        answer: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.made_by,
            "createdDate": at,
            "systemModstamp": at,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_end,
            "columnDelimiter": self.delimiter,
        }
        if self.kind == "ingest":
            answer |= {"contentUrl": f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"}
            answer |= {"externalIdFieldName": self.key_field} if self.key_field else {}
        if full:
            answer |= {"jobType": "V2Query" if self.kind == "query" else "V2Ingest", "retries": 0, "totalProcessingTime": 0}
            answer |= {"numberRecordsProcessed": self.processed} | ({"numberRecordsFailed": self.failed} if self.kind == "ingest" else {})
            answer |= {"isPkChunkingSupported": True} if self.kind == "query" else {}
        return answer | ({"errorMessage": self.error} if self.error else {})


class Jobs:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._made = secrets.randbelow(10**12)

    def new_id(self) -> str:
        with self._lock:
            self._made += 1
            return ids.record_id("750", self._made)

    def add(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > _MOST or (len(self._jobs) > 1 and sum(len(j.numbers) for j in self._jobs.values()) > _MOST_NUMBERS):
                self._jobs.popitem(last=False)
            kept = 0
            for held in reversed(self._jobs.values()):
                kept += sum(map(len, held.lines or ()))
                held.lines = held.lines if kept <= _MOST_BYTES else None

    def get(self, kind: str, job_id: str, now: datetime) -> Job:
        """Raises Refusal: NOT_FOUND for a job that never was, was deleted, or is older than a week."""
        with self._lock:
            job = self._jobs.get(_full(job_id))
        if job is None or job.kind != kind or job.made + _KEPT <= now:
            raise not_found()
        return job

    def every(self, kind: str, now: datetime) -> list[Job]:
        """Newest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if job.kind == kind and job.made + _KEPT > now]

    def forget(self, job_id: str) -> None:
        with self._lock:
            self._jobs.pop(_full(job_id), None)

    def forget_all(self) -> None:
        with self._lock:
            self._jobs.clear()


def format_of(body: Any) -> tuple[str, str]:
    """Column delimiter and line ending that a job asks for. Raises Refusal."""
    delimiter, line_end = str(body.get("columnDelimiter") or "COMMA").upper(), str(body.get("lineEnding") or "LF").upper()
    if delimiter not in DELIMITERS:
        raise Refusal("INVALIDJOB", f"columnDelimiter must be one of {', '.join(DELIMITERS)}")
    if line_end not in LINE_ENDS:
        raise Refusal("INVALIDJOB", f"lineEnding must be one of {', '.join(LINE_ENDS)}")
    if body.get("contentType", "CSV") != "CSV":
        raise Refusal("INVALIDJOB", "contentType must be CSV")
    return delimiter, line_end


def fate_of(faults: Faults, object_name: str) -> State:
    """Of a job about that object which is made now."""
    failed, aborted = (faults.hits(kind, object_name) for kind in ("job_failed", "job_aborted"))
    return "Aborted" if aborted else "Failed" if failed else "JobComplete"


def _full(job_id: str) -> str:
    try:
        return ids.full_id(job_id)
    except ValueError:
        return job_id
