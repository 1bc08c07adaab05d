"""Every connector of ours keeps what connectors/conformance.py asks of any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import account_files, mail_files, usage_files
from connectors.base import Connector, Cursor, Sink, Source, Task
from connectors.conformance import CANARY, SinkSuite, SourceSuite
from connectors.context import alone
from connectors.salesforce.source import SalesforceSource
from connectors.sandbox import Fault, admin
from tests.connectors.salesforce.conftest import NOW, Bench, bench_of


class Folder:
    """A folder that a connector reads; a file each time it is filled."""

    now = datetime(2026, 3, 31, tzinfo=UTC)

    def __init__(self, folder: Path, connector: Connector, stream: str, **settings: Any) -> None:
        self.folder, self.connector, self.stream, self.settings = folder, connector, stream, settings
        self.filled = 0

    def source(self) -> Source:
        return self.connector.source(alone({"path": str(self.folder), **self.settings}))

    def broken(self) -> Source:
        return self.connector.source(alone({"path": str(self.folder / "gone"), **self.settings}))

    def write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content)
        os.utime(self.folder / name)


class Mail(Folder):
    def fill(self, count: int) -> set[str]:
        start, self.filled = self.filled, self.filled + count
        keys = set()
        for n in range(start, self.filled):
            head = f"From: bo@theirs.example\nTo: ann@ours.example\nDate: Tue, 3 Mar 2026 1{n % 3}:00:00 +0000\nMessage-ID: <{n}@theirs.example>\n"
            self.write(f"{n}.eml", f"{head}Subject: {CANARY}\n\n{CANARY} {n}\n")
            keys.add(f"<{n}@theirs.example>")
        return {str(k) for k in self._keys(keys)}

    def _keys(self, message_ids: set[str]) -> set[str]:
        records = [r for page in self.source().read(self.stream, Cursor(), self.now) for r in page.records]
        return {r.key for r in records if getattr(r, "message_id", None) in message_ids}  # type: ignore[union-attr]

    def spoil(self) -> str:
        self.write("spoilt.eml", f"Subject: {CANARY}\n\nnobody wrote this\n")
        return "spoilt.eml"


class Usage(Folder):
    def fill(self, count: int) -> set[str]:
        start, self.filled = self.filled, self.filled + count
        rows = [(f"A{n}", "logins", f"2026-03-{1 + n % 20:02d}") for n in range(start, self.filled)]
        self.write(f"u{start}.csv", "account,metric,day,value\n" + "".join(f"{a},{m},{d},5\n" for a, m, d in rows))
        return {"|".join(row) for row in rows}

    def spoil(self) -> str:
        self.write("spoilt.csv", f"account,metric,day,value\nA,logins,{CANARY},5\n")
        return "spoilt.csv"


class Accounts(Folder):
    def source(self) -> Source:
        return self.connector.source(alone({"accounts": str(self.folder / "accounts.csv")}))

    def broken(self) -> Source:
        return self.connector.source(alone({"accounts": str(self.folder / "gone.csv")}))

    def fill(self, count: int) -> set[str]:
        start, self.filled = self.filled, self.filled + count
        with (self.folder / "accounts.csv").open("a") as file:
            file.write("" if start else "account,name,arr\n")
            file.writelines(f"A{n},Name {n},1000\n" for n in range(start, self.filled))
        return {f"A{n}" for n in range(start, self.filled)}

    def spoil(self) -> str:
        with (self.folder / "accounts.csv").open("a") as file:
            file.write(f",{CANARY},1000\n")
        return "accounts.csv:"


class TestMailFiles(SourceSuite):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Mail:
        return Mail(tmp_path, mail_files.CONNECTOR, "emails", our_domains="ours.example")


class TestUsageFiles(SourceSuite):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Usage:
        return Usage(tmp_path, usage_files.CONNECTOR, "usage")


class TestAccountFiles(SourceSuite):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Accounts:
        return Accounts(tmp_path, account_files.CONNECTOR, "accounts")


class Salesforce:
    now = NOW
    stream = "emails"

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.filled = 0

    def source(self) -> Source:
        return self.bench.source

    def broken(self) -> Source:
        wrong = replace(self.bench, secrets={"consumer_secret": CANARY}).client
        return SalesforceSource(wrong, self.bench.config)

    def fill(self, count: int) -> set[str]:
        start, self.filled = self.filled, self.filled + count
        first = NOW - timedelta(hours=3)
        return {self.bench.email(Subject=CANARY, TextBody=CANARY, at=first + timedelta(minutes=n // 4)) for n in range(start, self.filled)}

    def spoil(self) -> str:
        return self.bench.email(Subject=CANARY, TextBody=CANARY, FromAddress=None, ToAddress=None)

    def sink(self) -> Sink:
        return self.bench.sink

    def task(self, key: str) -> Task:
        return self.bench.task(key)

    def count(self, key: str) -> int:
        return sum(not t["IsDeleted"] for t in self.bench.tasks(key))

    def writes(self) -> int:
        return self.bench.sandbox.counters.writes

    def close(self, key: str) -> None:
        self.bench.change("Task", self.bench.tasks(key)[0]["Id"], Status="Completed", IsClosed=True)

    def delete(self, key: str) -> None:
        admin.bin_row(self.bench.sandbox.org, "Task", self.bench.tasks(key)[0]["Id"])

    def cut_after_write(self) -> None:
        self.bench.sandbox.faults.add(Fault(kind="cut_after_commit", on="collection_upsert"))


class TestSalesforce(SourceSuite, SinkSuite):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[Salesforce]:
        with bench_of(tmp_path) as bench:
            yield Salesforce(bench)

    @pytest.fixture
    def sinks(self, world: Salesforce) -> Salesforce:
        return world
