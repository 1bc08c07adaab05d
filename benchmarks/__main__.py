"""`./dev bench`: each figure beside its reference, measured in the same run."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import base, cpu, export, landing, requests, usage_day
from benchmarks import usage as detector
from connectors.records import UsageRows
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.stories import DEMO, last_moment
from service import servers
from service.connect import connect
from service.pull import pull
from service.push import approve, push
from service.store import accounts, outbox, signals, suggestions, usage, workspaces
from service.store.pool import transaction

TESTS = Path(__file__).parent.parent
ROWS = 200_000
TASKS = 1_000
REQUESTS = 200
FEW_MAILS = 10


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument(
        "part",
        nargs="?",
        choices=["all", "landing", "memory", "usage", "usage-day", "export", "requests"],
        default="all",
        help="landing: tasks out of an org into Postgres; memory: a pull of many long emails; usage: what the detector costs, from few series to many;"
        " usage-day: a day of many from Postgres and back; export: signals as files, against COPY TO of the same rows;"
        " requests: what a request costs, against hello-world",
    )
    parser.add_argument("--tasks", type=int, default=50_000, help="how many tasks landing pulls")
    parser.add_argument("--mails", type=int, default=20_000, help="how many emails the memory figure pulls")
    parser.add_argument("--characters", type=int, default=32_000, help="of the body of each of them")
    parser.add_argument("--accounts", type=int, default=100_000, help="how many accounts of five metrics usage-day has")
    parser.add_argument("--signals", type=int, default=50_000, help="how many signals export writes")
    parser.add_argument("--large", action="store_true", help="requests: also with 100,000 accounts and 20 million usage rows, 10 minutes")
    given = parser.parse_args()
    if given.part == "requests":
        requests.main(large=given.large)
        return
    if given.part == "export":
        export.main(given.signals)
        return
    if given.part == "usage":
        detector.main()
        return
    if given.part == "usage-day":
        usage_day.main(given.accounts)
        return
    if given.part == "landing":
        landing.main(given.tasks)
        return
    table = Table("figure", "ours", "reference", "ratio")
    if given.part == "all":
        for row in _small():
            table.add_row(*row)
    table.add_row(*_memory(given.mails, given.characters))
    Console(width=160).print(table)


def _small() -> Iterator[tuple[str, str, str, str]]:
    with servers.throwaway(UNDERTONE_NOW=last_moment(DEMO).isoformat()) as home:
        servers.migrate()
        yield from (_usage(home), _tasks())


def _usage(home: Path) -> tuple[str, str, str, str]:
    """CPU of landing usage rows against a bare COPY of the same rows into a bare table."""
    workspace_id, names = base.workspace_with_accounts(100)
    rows = _usage_rows(names)
    watched = [psutil.Process(), *base.servers_of(home)]

    def ours(n: int) -> None:
        shifted = UsageRows(accounts=rows.accounts, metrics=rows.metrics, days=rows.days - 1000 * (n + 1), values=rows.values)
        with transaction(workspace_id) as db:
            usage.land_usage(db, shifted)

    def bare(_: int) -> None:
        lines = "".join(
            f"{a}\t{m}\t{d}\t{v}\n" for a, m, d, v in zip(rows.accounts, rows.metrics, rows.days.astype(str).tolist(), rows.values.tolist(), strict=True)
        )
        with transaction(workspace_id) as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS bare (account text, metric text, day date, value float8)")
            with db.cursor().copy("COPY bare FROM STDIN") as copy:
                copy.write(lines)

    mine, reference = cpu.median_of(ours, watched), cpu.median_of(bare, watched)
    return f"{ROWS:,} usage rows landed, CPU", f"{mine:.2f} s", f"{reference:.2f} s (bare COPY)", f"{reference / mine:.2f} of COPY's rate"


def _tasks() -> tuple[str, str, str, str]:
    """Tasks pushed per API call, reads and login included; and an unchanged second run."""
    from tests import builders  # the suggestions of the tests serve here as well

    now = last_moment(DEMO)
    with sandbox_running(DEMO, now=now) as sandbox:
        workspace_id = uuid4()
        with transaction(workspace_id) as db:
            workspaces.create(db, workspace_id, "bench tasks")
        config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}
        crm = connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": sandbox.credentials.client_secret})
        pull(workspace_id, crm, now)
        approve(workspace_id, crm, now)
        with transaction(workspace_id) as db:
            ids = [p.account_id for p in accounts.profiles(db)]
            made = [uuid4() for _ in range(TASKS)]
            found = [base.signal(ids[n % len(ids)]) for n in range(TASKS)]
            change = workspaces.next_change(db)
            signals.append(db, found, "bench", change)
            for suggestion_id, one in zip(made, found, strict=True):
                suggestions.append(db, builders.suggestion(suggestion_id, one.account_id, one.id), change)
            outbox.add(db, made, crm)
        sandbox.counters.reset()
        report = push(workspace_id, crm)
        calls = sandbox.counters.used
    return f"{report.created:,} tasks pushed, API calls", f"{calls}", f"{report.created:,} (one create each)", f"{report.created / calls:.0f} tasks a call"


def _memory(mails: int, characters: int) -> tuple[str, str, str, str]:
    """Peak resident memory of a process that pulls the mails, against one that pulls a few."""
    peaks = {}
    for count in (FEW_MAILS, mails):
        argv = [sys.executable, "-m", "benchmarks.mails", str(count), str(characters)]
        peaks[count] = int(subprocess.run(argv, check=True, capture_output=True, text=True, cwd=TESTS).stdout.split()[-1])
    return (
        f"peak memory, pull of {mails:,} emails of {characters:,} characters",
        f"{peaks[mails] / 1e6:.0f} MB",
        f"{peaks[FEW_MAILS] / 1e6:.0f} MB ({FEW_MAILS} of them)",
        f"{peaks[mails] / peaks[FEW_MAILS]:.2f}x",
    )


def _usage_rows(names: list[str]) -> UsageRows:
    days = ROWS // len(names) // 2
    day = np.datetime64("2026-01-01") - np.arange(days)
    return UsageRows(
        accounts=[name for name in names for _ in range(2 * days)],
        metrics=(["active_users"] * days + ["exports"] * days) * len(names),
        days=np.tile(day, 2 * len(names)),
        values=np.random.default_rng(1).poisson(40, ROWS).astype(float),
    )


if __name__ == "__main__":
    main()
