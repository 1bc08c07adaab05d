"""`./dev bench landing`: CPU of pulling many tasks out of an org into Postgres, against COPY of the same rows into a bare table."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import cpu
from connectors.sandbox import Credentials
from service import servers
from service.connect import connect
from service.pull import pull
from service.store import workspaces
from service.store.pool import Db, transaction

ACCOUNTS = 200
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = datetime(2024, 1, 8, 9, tzinfo=UTC)
YEARS = timedelta(days=700)
WORDS = (
    "the rota planner week report export budget renewal call pilot site manager asked whether we could agreed to send figures after trial next"
    " month numbers seats licence security review team onboarding training support ticket open question price quarter they said it works well"
    " but slow on mondays integration with payroll system needs another look und die Schichten fürs Frühjahr follow up promised answer by friday"
).split()
KINDS = (("call", "Completed", 0.5), ("note", "Completed", 0.42), ("note", "Not Started", 0.06), ("ours", "Completed", 0.02))
"""What a task is, its status, and its share. What is open and what is ours lands elsewhere or not at all."""

Cells = list[tuple[Any, ...]]


def main(tasks: int) -> None:
    table = Table("figure", "ours", "reference", "ratio")
    with tempfile.TemporaryDirectory() as folder, servers.throwaway() as home:
        servers.migrate()
        story(Path(folder), tasks)
        clock = cpu.here_and([psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))])
        with org(Path(folder)) as url:
            for row in measured(url, tasks, clock):
                table.add_row(*row)
    Console(width=160).print(table)


def measured(url: str, tasks: int, clock: Any) -> Iterator[tuple[str, str, str, str]]:
    pulled = [connected(url, n) for n in range(cpu.RUNS + 1)]
    pull(*pulled[0], NOW)  # imports, prepared statements
    ours = cpu.median_by(clock, lambda n: pull(*pulled[n + 1], NOW))
    with transaction(pulled[0][0]) as db:
        cells = landed(db)
        bare = cpu.median_by(clock, lambda _: copied(db, cells))
    rate, most = len(cells) / ours, len(cells) / bare
    yield f"{tasks:,} tasks pulled, {len(cells):,} rows landed, CPU", f"{ours:.2f} s", f"{bare:.2f} s (bare COPY)", f"{bare / ours:.2f} of COPY's rate"
    yield "rows per CPU-second", f"{rate:,.0f}", f"{most:,.0f}", ""
    again = cpu.median_by(clock, lambda _: pull(*pulled[-1], NOW))
    yield f"a pull with nothing new beside {len(cells):,} interactions, CPU", f"{1000 * again:.0f} ms", "", ""


def connected(url: str, number: int) -> tuple[UUID, UUID]:
    workspace_id, known = uuid4(), Credentials()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, f"bench {number}")
    config = {"domain": "undertone-sandbox.my", "consumer_key": known.client_id, "endpoint": url}
    return workspace_id, connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": known.client_secret})


def landed(db: Db) -> Cells:
    return db.execute(
        "SELECT i.key, i.kind, i.direction, i.occurred_at, i.account_key, i.contact_key, i.from_email, i.to_emails, i.message_id, i.in_reply_to,"
        " i.automatic, i.modified_at, i.deleted, t.subject, t.body, t.truncated"
        " FROM interaction i LEFT JOIN message_text t USING (workspace_id, interaction_id)"
    ).fetchall()


def copied(db: Db, cells: Cells) -> None:
    """The same rows as text into one logged table with the same columns, without a key, an index or a check."""
    db.execute(
        "CREATE TEMP TABLE bare (key text, kind text, direction text, occurred_at timestamptz, account_key text, contact_key text, from_email text,"
        " to_emails text[], message_id text, in_reply_to text, automatic boolean, modified_at timestamptz, deleted boolean, subject text, body text,"
        " truncated boolean)"
    )
    with db.cursor().copy("COPY bare FROM STDIN") as copy:
        for row in cells:
            copy.write_row(row)
    db.execute("DROP TABLE bare")


@contextmanager
def org(folder: Path) -> Iterator[str]:
    """Its address; it runs in a process of its own."""
    argv = [sys.executable, "-m", "connectors.sandbox", "--story", str(folder), "--now", NOW.isoformat()]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split(" answers at ")[1].split(";")[0]
        finally:
            process.terminate()


def story(folder: Path, tasks: int) -> None:
    """Two years of one vendor's calls and notes with its accounts, in the sandbox's format."""
    chance = random.Random(tasks)
    meta = {"name": "bench", "product": "rotas", "our_domain": "vendor.example", "first_day": "2024-01-01", "last_day": "2025-12-31"}
    (folder / "story.json").write_text(json.dumps(meta))
    accounts = [
        {"key": f"a{n}", "name": f"Acme {n}", "website": f"acme{n}.example", "owner": "u1", "region": "GB", "seats": 9, "arr": 1, "currency": "GBP"}
        for n in range(ACCOUNTS)
    ]
    contacts = [{"key": f"c{n}", "account": f"a{n}", "name": "Bo Lind", "email": f"bo@acme{n}.example", "title": "Operations"} for n in range(ACCOUNTS)]
    files: dict[str, list[dict[str, Any]]] = {
        "users": [{"key": "u1", "name": "Ann Berg", "email": "ann@vendor.example", "active": True, "manager": None}],
        "accounts": accounts,
        "contacts": contacts,
        "opportunities": [],
        "emails": [],
        "events": [],
    }
    for name, rows in files.items():
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    paragraphs = [" ".join(chance.choices(WORDS, k=chance.randint(12, 40))).capitalize() + "." for _ in range(2_000)]
    with (folder / "tasks.ndjson").open("w") as file:
        for n in range(tasks):
            file.write(json.dumps(_task(n, tasks, paragraphs, chance)) + "\n")


def _task(n: int, tasks: int, paragraphs: list[str], chance: random.Random) -> dict[str, object]:
    kind, status, _ = chance.choices(KINDS, [share for *_, share in KINDS])[0]
    wanted, description = chance.randint(300, 1_000), ""
    while len(description) < wanted:
        description += chance.choice(paragraphs) + ("\n\n" if chance.random() < 0.3 else " ")
    ours = f"\nUndertone key: ut-bench-{n}" if kind == "ours" else ""
    account = chance.randrange(ACCOUNTS)
    return {
        **{"key": f"t{n}", "account": f"a{account}", "contact": f"c{account}" if n % 3 else None, "owner": "u1", "status": status},
        **{"kind": "call" if kind == "call" else "note", "at": f"{FIRST + YEARS * (n / tasks):%Y-%m-%dT%H:%M:%SZ}"},
        **{"subject": " ".join(chance.choices(WORDS, k=5)), "description": description[:wanted] + ours},
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
