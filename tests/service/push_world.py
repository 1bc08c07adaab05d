"""A small org, a workspace connected to it, and suggestions to push: for tests that make things go wrong."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

from connectors.records import Account, Contact, User
from connectors.salesforce.interactions import KEY_LINE
from connectors.sandbox import Options, Sandbox, running
from service.connect import connect
from service.push import PushReport, approve, push, retry
from service.store import accounts, connections, landing, linking, outbox, signals, suggestions, workspaces
from service.store.pool import transaction
from service.task import key_of
from tests import builders

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACCOUNTS = 6
MOST_ROUNDS = 6
Mode = Literal["keyed", "searched", "described"]
_KEY_FIELD = {"keyed": "unique", "searched": "external", "described": "missing"}
_STORY = {"name": "Test", "product": "Rosters", "our_domain": "vendor.example", "first_day": "2025-06-01", "last_day": "2026-03-02"}


@contextmanager
def org(folder: Path, mode: Mode) -> Iterator[Sandbox]:
    """May be shared by the tests of a module: every world has keys of its own."""
    files: dict[str, list[dict[str, Any]]] = {
        "users": [{"key": k, "name": f"{k} Berg", "email": f"{k}@vendor.example", "active": True, "manager": None} for k in ("ann", "mo")],
        "accounts": [
            {"key": f"a{n}", "name": f"Acme {n}", "website": f"a{n}.example", "owner": "ann", "region": "DE", "seats": 4, "arr": 1.0, "currency": "EUR"}
            for n in range(ACCOUNTS)
        ],
        "contacts": [{"key": f"c{n}", "account": f"a{n}", "name": f"Bo {n}", "email": f"bo@a{n}.example", "title": None} for n in range(ACCOUNTS)],
        "opportunities": [],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "story.json").write_text(json.dumps(_STORY))
    for name, rows in files.items():
        (folder / f"{name}.ndjson").write_text("\n".join(map(json.dumps, rows)))
    with running(folder, now=NOW, options=Options(key_field=_KEY_FIELD[mode])) as sandbox:  # type: ignore[arg-type]
        yield sandbox


@dataclass
class World:
    sandbox: Sandbox
    mode: Mode
    workspace: UUID = field(default_factory=builders.workspace)
    made: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox.faults.clear()
        self.crm = self.connect()
        with transaction(self.workspace) as db:
            landing.land(db, self.crm, User, [User(key=self.id_of("User", k), name=k, email=None) for k in ("ann", "mo")])
            landing.land(db, self.crm, Account, [self.account(n) for n in range(ACCOUNTS)])
            landing.land(db, self.crm, Contact, [self.contact(n) for n in range(ACCOUNTS)])
            linking.link_late_keys(db, self.crm)
        approve(self.workspace, self.crm, NOW)

    def connect(self) -> UUID:
        """Also anew."""
        box = self.sandbox
        config = {"domain": box.domain, "consumer_key": box.credentials.client_id, "endpoint": box.url}
        return connect(self.workspace, "salesforce", "crm", config, {"consumer_secret": box.credentials.client_secret})

    def connection(self) -> connections.Connection:
        with transaction(self.workspace) as db:
            found = connections.get(db, self.crm)
        assert found is not None
        return found

    def id_of(self, table: str, key: str) -> str:
        return self.sandbox.org.id_of(table, key)

    def account(self, n: int, **fields: Any) -> Account:
        return replace(Account(key=self.id_of("Account", f"a{n}"), name=f"Acme {n}", owner_key=self.id_of("User", "ann")), **fields)

    def contact(self, n: int, **fields: Any) -> Contact:
        contact = Contact(key=self.id_of("Contact", f"c{n}"), account_key=self.id_of("Account", f"a{n}"), name=f"Bo {n}", email=f"bo@a{n}.example")
        return replace(contact, **fields)

    def land(self, record_type: type, *records: Any) -> None:
        with transaction(self.workspace) as db:
            landing.land(db, self.crm, record_type, list(records))

    def suggest(self, count: int = 3, **fields: Any) -> list[UUID]:
        """Due to be pushed, about the first accounts in turn, each for the account's contact."""
        made = [uuid4() for _ in range(count)]
        with transaction(self.workspace) as db:
            known = {p.key: p.account_id for p in accounts.profiles(db)}
            ids = [known[self.id_of("Account", f"a{n % ACCOUNTS}")] for n in range(count)]
            people = {c.account_id: c.contact_id for c in accounts.contacts(db, ids)}
            found = [builders.signal(account_id) for account_id in ids]
            change = workspaces.next_change(db)
            signals.append(db, found, "m", change)
            for suggestion_id, one in zip(made, found, strict=True):
                plain = builders.suggestion(suggestion_id, one.account_id, one.id)
                suggestions.append(db, replace(plain, **{"contact_id": people.get(one.account_id), **fields}), change)
            outbox.add(db, made, self.crm)
        self.made += made
        return made

    def change(self, suggestion_id: UUID, *, due: bool = True, **fields: Any) -> None:
        """A new version of a suggestion; its push is due unless said otherwise."""
        with transaction(self.workspace) as db:
            row = suggestions.get(db, suggestion_id)
            assert row is not None
            bare = suggestions.Suggestion(**{name: getattr(row, name) for name in suggestions.Suggestion.__dataclass_fields__})
            suggestions.append(db, replace(bare, version=row.version + 1, **fields), workspaces.next_change(db))
            if due:
                outbox.add(db, [suggestion_id], self.crm)

    def again(self) -> None:
        with transaction(self.workspace) as db:
            outbox.add(db, self.made, self.crm)

    def push(self) -> PushReport:
        return push(self.workspace, self.crm)

    def killed(self, at: int, *, after: bool) -> bool:
        """A worker in a process of its own, killed at its n-th request: before it is sent, or once it is carried out and before the answer is read.
        False if it ended before that."""
        worker = _CONTEXT.Process(target=_push_and_die, args=(self.workspace, self.crm, at, after))
        worker.start()
        worker.join()
        return worker.exitcode != 0

    def time_passes(self) -> None:
        """Pauses end, the leases of the dead run out, and a person has mended what needs one."""
        with transaction(self.workspace) as db:
            db.execute("UPDATE outbox SET run_at = now() - interval '1 second', lease_until = now() - interval '1 second' WHERE state IN ('ready', 'leased')")
            db.execute("UPDATE stream SET lease_until = NULL")
            connections.unpark(db, self.crm)
            connections.set_status(db, self.crm, "active", None)

    def settle(self) -> int:
        """Calm weather until nothing is left to do. Returns how many rounds it took."""
        self.sandbox.faults.clear()
        for rounds in range(1, MOST_ROUNDS + 1):
            self.time_passes()
            retry(self.workspace, self.crm)
            self.push()
            if set(self.states()) == {"done"}:
                return rounds
        return MOST_ROUNDS + 1

    def states(self) -> dict[str, int]:
        with transaction(self.workspace) as db:
            return outbox.counts(db)

    def statuses(self) -> Counter[str]:
        return Counter(row.status for row in self.ledger().values())

    def ledger(self) -> dict[UUID, outbox.LedgerRow]:
        with transaction(self.workspace) as db:
            return {row.suggestion_id: row for row in outbox.ledger(db)}

    def every_task(self, *, deleted: bool = False) -> dict[str, list[dict[str, Any]]]:
        """By key."""
        fields = "Id, Subject, Description, Status, OwnerId, ActivityDate, Priority, WhatId, WhoId, IsClosed, IsDeleted"
        fields += "" if self.mode == "described" else ", Undertone_Key__c"
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.sandbox.org.query(f"SELECT {fields} FROM Task", deleted=deleted, version="64.0", page_size=2_000)["records"]:
            found[row.get("Undertone_Key__c") or (row["Description"] or "").rpartition(KEY_LINE)[2]].append(row)
        return found

    def tasks(self, suggestion_id: UUID, *, deleted: bool = False) -> list[dict[str, Any]]:
        return self.every_task(deleted=deleted)[key_of(self.workspace, suggestion_id)]

    def task(self, suggestion_id: UUID) -> dict[str, Any]:
        (row,) = self.tasks(suggestion_id)
        return row

    def wrong(self) -> dict[str, object]:
        """Whatever is not as it has to be once all is settled; empty when all is well."""
        tasks, ledger = self.every_task(), self.ledger()
        held = {s: tasks[key_of(self.workspace, s)] for s in self.made}
        found = {
            "lost": [s for s, rows in held.items() if not rows],
            "twice": [s for s, rows in held.items() if len(rows) > 1],
            "not sent": [s for s in self.made if s not in ledger or ledger[s].status != "sent"],
            "another task": [s for s, rows in held.items() if s in ledger and ledger[s].remote_id not in [r["Id"] for r in rows]],
            "stuck": {state: n for state, n in self.states().items() if state != "done"},
        }
        return {name: value for name, value in found.items() if value}


_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__, "connectors.salesforce.client", "connectors.salesforce.sink", "psycopg_pool", "cryptography.fernet", "holidays"])


def _push_and_die(workspace: UUID, crm: UUID, at: int, after: bool) -> None:
    name = "getresponse" if after else "putrequest"
    real = getattr(http.client.HTTPConnection, name)
    count = 0

    def counted(self: Any, *given: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        answer = real(self, *given, **more) if after or count < at else None
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(http.client.HTTPConnection, name, counted)
    push(workspace, crm)
