"""What several benchmarks start from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psutil

from connectors.records import Account
from service.store import accounts, connections, signals, workspaces
from service.store.landing import land
from service.store.pool import transaction


def workspace() -> UUID:
    workspace_id = uuid4()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, f"bench {workspace_id}")
    return workspace_id


def workspace_with_accounts(count: int) -> tuple[UUID, list[str]]:
    workspace_id = workspace()
    with transaction(workspace_id) as db:
        connection_id = connections.create(db, "account_files", "accounts", {})
        land(db, connection_id, Account, [Account(key=f"a{n}", name=f"Account {n}") for n in range(count)])
    return workspace_id, [f"a{n}" for n in range(count)]


def workspace_with_signals(count: int) -> UUID:
    """One signal an account."""
    workspace_id, _ = workspace_with_accounts(count)
    with transaction(workspace_id) as db:
        signals.append(db, [signal(p.account_id) for p in accounts.profiles(db)], "bench", workspaces.next_change(db))
    return workspace_id


def signal(account_id: UUID) -> signals.Signal:
    today = date(2026, 3, 2)
    return signals.Signal(
        id=uuid4(),
        account_id=account_id,
        contact_id=None,
        kind="price_objection",
        key=f"price_objection:{uuid4()}",
        state="open",
        detected_at=today,
        ended_at=None,
        confidence=0.8,
        numbers={},
        alternatives=("negotiation_habit",),
        evidence=(
            signals.Evidence(
                id=uuid4(), type="usage", source="bench", observed_at=datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=9), numbers={"n": 1}
            ),
        ),
    )


def servers_of(home: Path) -> list[psutil.Process]:
    """The main processes of Postgres and Valkey; their children are counted with them."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).parent == home and process.parent() and Path(process.parent().cwd()).parent != home:  # type: ignore[union-attr]
                found.append(process)
        except psutil.Error:
            continue
    return found
