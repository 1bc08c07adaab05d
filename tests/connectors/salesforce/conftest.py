"""A running sandbox org with a handful of rows, and the real connector on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Cursor, Page, Task
from connectors.context import Budget, Context, PrivateTokens, Unlimited
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.sink import SalesforceSink
from connectors.salesforce.source import SalesforceSource
from connectors.sandbox import Options, Sandbox, running
from connectors.sandbox.clock import wire
from connectors.sandbox.objects import SCHEMA

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONG_AGO = datetime(2025, 6, 1, tzinfo=UTC)
STORY = {"name": "Test", "product": "Rosters", "our_domain": "vendor.example", "first_day": "2025-06-01", "last_day": "2026-03-02"}
ANN = {"key": "ann", "name": "Ann Berg", "email": "ann@vendor.example", "active": True, "manager": "mo"}
MO = {"key": "mo", "name": "Mo Diaz", "email": "mo@vendor.example", "active": True, "manager": None}
ACME = {
    **{"key": "acme", "name": "Acme", "website": "acme.example", "owner": "ann", "region": "DE", "seats": 40, "arr": 12000.0},
    "currency": "EUR",
}
BO = {"key": "bo", "account": "acme", "name": "Bo Lind", "email": "bo@acme.example", "title": "COO"}
RENEWAL = {
    **{"key": "renewal", "account": "acme", "name": "Acme renewal", "type": "Renewal", "stage": "Prospecting", "amount": 12000.0},
    **{"close_date": "2026-05-01", "closed": False, "won": False, "roles": [{"contact": "bo", "role": "Decision Maker", "primary": True}]},
}


@dataclass
class Bench:
    """The org, and the connector that a test drives. `pauses` are the seconds it would have waited."""

    sandbox: Sandbox
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=lambda: {"consumer_secret": "undertone-sandbox-secret"})
    pauses: list[float] = field(default_factory=list)
    budget: Budget = field(default_factory=Unlimited)

    @property
    def config(self) -> SalesforceConfig:
        basics = {"domain": self.sandbox.domain, "consumer_key": self.sandbox.credentials.client_id, "endpoint": self.sandbox.url}
        return SalesforceConfig.model_validate({**basics, **self.settings})

    @property
    def client(self) -> Client:
        return Client(self.config, self.context, pause=self.pauses.append)

    @property
    def context(self) -> Context:
        return Context(config=self.config.model_dump(), secrets=self.secrets, tokens=PrivateTokens(self.secrets), budget=self.budget)

    @property
    def source(self) -> SalesforceSource:
        return SalesforceSource(self.client, self.config)

    @property
    def sink(self) -> SalesforceSink:
        return SalesforceSink(self.client, self.config, pause=self.pauses.append)

    def id_of(self, table: str, key: str) -> str:
        return self.sandbox.org.id_of(table, key)

    def insert(self, table: str, at: datetime = NOW - timedelta(hours=1), **values: Any) -> str:
        """A row as the org holds it, whatever its API would let anybody write."""
        sobject = SCHEMA[table.lower()]
        flags = {f.name: f.default for f in sobject.fields.values() if f.type == "boolean"}
        stamps = {"CreatedDate": wire(at), "LastModifiedDate": wire(at), "SystemModstamp": wire(at)}
        return self.sandbox.org.tables.insert(sobject, {**flags, **stamps, **values})

    def change(self, table: str, row_id: str, at: datetime = NOW, **values: Any) -> None:
        self.sandbox.org.tables.update(SCHEMA[table.lower()], row_id, {"SystemModstamp": wire(at), **values})

    def email(self, **values: Any) -> str:
        at = values.pop("at", NOW - timedelta(hours=1))
        defaults: dict[str, Any] = {
            "FromAddress": "bo@acme.example",
            "ToAddress": "ann@vendor.example",
            "Subject": "Rosters",
            "TextBody": "The rosters look fine to me.",
            "Incoming": True,
            "Status": "1",
            "MessageDate": wire(at),
        }
        return self.insert("EmailMessage", at, **{**defaults, **values})

    def read(self, stream: str, after: Cursor | None = None, until: datetime = NOW) -> list[Page]:
        return list(self.source.read(stream, after or Cursor(), until))

    def records(self, stream: str) -> list[Any]:
        return [record for page in self.read(stream) for record in page.records]

    def task(self, key: str = "ut-abc", **values: Any) -> Task:
        defaults: dict[str, Any] = {
            "subject": "Ask Bo what changed",
            "description": "Two messages were cooler than usual.",
            "due": date(2026, 3, 4),
            "priority": "high",
            "owner_keys": (self.id_of("User", "ann"), self.id_of("User", "mo")),
            "account_key": self.id_of("Account", "acme"),
            "contact_key": self.id_of("Contact", "bo"),
        }
        return Task(key=key, **{**defaults, **values})

    def push(self, *tasks: Task) -> list[Any]:
        """As the step does it: look up, plan, apply what is not skipped. A sink of its own, like every run."""
        sink = self.sink
        changes = [c for c in sink.plan(tasks, sink.lookup([t.key for t in tasks])) if c.action != "skip"]
        return list(sink.apply(changes)) if changes else []

    def tasks(self, key: str = "ut-abc") -> list[dict[str, Any]]:
        return self.sandbox.org.tables.find(SCHEMA["task"], "Undertone_Key__c", key)


@contextmanager
def bench_of(folder: Path, options: Options | None = None) -> Iterator[Bench]:
    (folder / "story.json").write_text(json.dumps(STORY))
    rows = {"users": [ANN, MO], "accounts": [ACME], "contacts": [BO], "opportunities": [RENEWAL]}
    for name, lines in rows.items():
        (folder / f"{name}.ndjson").write_text("\n".join(map(json.dumps, lines)))
    with running(folder, now=NOW, options=options) as sandbox:
        yield Bench(sandbox)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_of(tmp_path) as made:
        yield made


@pytest.fixture
def bench_with(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """An org that differs from the usual one: bench_with(key_field="missing")."""
    open_orgs = []

    def make(**options: Any) -> Bench:
        folder = tmp_path / f"org{len(open_orgs)}"
        folder.mkdir()
        org = bench_of(folder, Options(**options))
        open_orgs.append(org)
        return org.__enter__()

    yield make
    for org in open_orgs:
        org.__exit__(None, None, None)
