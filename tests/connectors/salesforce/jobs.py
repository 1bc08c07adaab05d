"""An org that reads by Bulk API jobs, as far as a test needs one: it can lose, fail and cut what it was asked for."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.connectors.salesforce.conftest import NOW
from tests.connectors.salesforce.wire import TOKEN, Reply, Said, Wire, described, rows, wire

_JOB = re.compile(r"/services/data/v(\d+\.\d)/jobs/query/?([^/]*)(/results)?")
_UNKNOWN: Reply = (404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])


CONTACT = described("Name", "Email", "Title", "AccountId", "MasterRecordId", HasOptedOutOfEmail="boolean")
EVENT = described(
    *("Subject", "AccountId", "WhoId", "Description"), StartDateTime="datetime", CreatedDate="datetime", ActivityDate="date", IsAllDayEvent="boolean"
)


def row(prefix: str, number: int, **values: Any) -> dict[str, Any]:
    stamp = (NOW - timedelta(minutes=60) + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"Id": f"{prefix}5gS{number:09}ABA", "SystemModstamp": stamp, "IsDeleted": False, **values}


def event(number: int) -> dict[str, Any]:
    return row("00U", number, Subject=f"Review {number}", StartDateTime="2026-03-01T10:00:00.000Z")


@dataclass
class Jobs:
    """`states`: what the job says, one poll after the other, then JobComplete. `trouble`: looks at a request before the org does."""

    held: list[dict[str, Any]]
    describe: dict[str, Any] = field(default_factory=lambda: EVENT)
    states: Sequence[str] = ()
    set_size: int = 10_000
    processed: int | None = None
    trouble: Callable[[Said], Reply | None] = lambda said: None
    counted: int | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def running(self, **settings: Any) -> AbstractContextManager[Wire]:
        return wire(self, bulk_from=1, **settings)

    def __call__(self, said: Said) -> Reply:
        if "oauth2" in said.path:
            return 200, TOKEN
        return self.trouble(said) or self._answer(said)

    def _answer(self, said: Said) -> Reply:
        if "/describe" in said.path:
            return 200, self.describe
        found = _JOB.match(said.path)
        if found:
            return self._job(said, *found.groups())
        if "COUNT" in said.path:
            return 200, rows(total=len(self.held) if self.counted is None else self.counted)
        return 200, rows(*self.held)

    def _job(self, said: Said, version: str, job: str, results: str | None) -> Reply:
        if said.method == "POST":
            self.asked.append(json.loads(said.body))
            name = f"7505gS{len(self.asked):09}AAA"
            self.known[name] = list(self.states)
            return 200, {"id": name, "state": "UploadComplete"}
        if job not in self.known:
            return _UNKNOWN
        if said.method == "DELETE":
            self.deleted.append(job)
            return 204, ""
        if results:
            return self._results(said)
        waiting = self.known[job]
        state = waiting.pop(0) if waiting else "JobComplete"
        code, _, message = state.partition(":")
        return 200, {"id": job, "state": code, "errorMessage": message, "numberRecordsProcessed": len(self.held) if self.processed is None else self.processed}

    def _results(self, said: Said) -> Reply:
        parameters = parse_qs(urlsplit(said.path).query)
        begin = int(parameters.get("locator", ["0"])[0])
        self.results.append(str(begin))
        end = begin + min(int(parameters["maxRecords"][0]), self.set_size)
        part = self.held[begin:end]
        following = str(end) if end < len(self.held) else "null"
        return 200, *packed(csv_of(part, self.names), {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(part))})

    @property
    def names(self) -> list[str]:
        return list(self.held[0]) if self.held else ["Id", "SystemModstamp"]


def packed(text: str, headers: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    return gzip.compress(text.encode(), 1), {"Content-Encoding": "gzip", "Content-Type": "text/csv", **headers}


def csv_of(part: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """As Salesforce writes it: everything in quotes, null as an empty cell, flags in lower case."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in part)
    return out.getvalue()


def _cell(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
