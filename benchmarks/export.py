"""`./dev bench export`: CPU of an export of many signals against COPY TO of the same rows out of a bare table, and the exporting process's peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks import cpu
from benchmarks.usage_day import postgres
from service import servers
from service.config import settings
from service.store import exports, workspaces
from service.store.exports import Format
from service.store.pool import Db, transaction
from tests import builders

RUNS = 3
ACCOUNTS = 1_000
FEW = 1_000
ROOT = Path(__file__).parent.parent


def main(signals: int) -> None:
    table = Table("figure", "ours", "reference", "ratio")
    with servers.throwaway() as home:
        servers.migrate()
        few, many = filled(FEW), filled(signals)
        watched = [psutil.Process(), *postgres(home)]
        with transaction(many) as db:
            db.execute("CREATE TEMP TABLE bare AS SELECT * FROM analytics.signals")
            assert exported(many, "csv") > 0.9 * copied(db)
            reference = cpu.median_of(lambda _: copied(db), watched, RUNS)
        for form in ("csv", "ndjson"):
            mine = cpu.median_of(lambda _, form=form: exported(many, form), watched, RUNS)  # type: ignore[misc]
            rate = f"{reference / mine:.2f} of COPY's rate; {signals / mine:,.0f} a CPU-second"
            table.add_row(f"{signals:,} signals as {form}, CPU", f"{mine:.2f} s", f"{reference:.2f} s (COPY TO of the same rows, CSV)", rate)
        for form in exports.FORMATS:
            peaks = [peak(workspace_id, form) for workspace_id in (many, few)]
            table.add_row(f"peak memory, {form}", f"{peaks[0]:.0f} MB", f"{peaks[1]:.0f} MB ({FEW:,} signals)", f"{peaks[0] / peaks[1]:.2f}x")
    Console(width=160).print(table)


def filled(signals: int) -> UUID:
    """Made in SQL: this is not what is measured. Every tenth signal has two versions, each version one piece of evidence."""
    workspace_id = uuid4()
    with transaction(workspace_id) as db:
        db.execute("SET LOCAL statement_timeout = 0")
        workspaces.create(db, workspace_id, f"bench {workspace_id}")
        db.execute(
            "INSERT INTO account (workspace_id, connection_id, key, name) SELECT current_workspace(), %s, 'A' || n, 'Account ' || n"
            " FROM generate_series(1, %s) n",
            [builders.connection(db), ACCOUNTS],
        )
        db.execute(
            "CREATE TEMP TABLE made ON COMMIT DROP AS SELECT gen_random_uuid() AS signal_id, a.ids[1 + n %% %s] AS account_id, n"
            " FROM generate_series(1, %s) n, (SELECT array_agg(account_id) AS ids FROM account) a",
            [ACCOUNTS, signals],
        )
        for version, every in ((1, 1), (2, 10)):
            db.execute(
                "INSERT INTO signal (workspace_id, signal_id, version, account_id, kind, key, state, detected_at, confidence, numbers, alternatives,"
                " model_version, change_no) SELECT current_workspace(), signal_id, %(v)s, account_id, 'usage_drop', 'k' || n, 'open',"
                ' \'2026-03-01\'::date - n %% 700, 0.5 + n %% 100 / 250.0, \'{"before": 41.2, "after": 18.0, "metric": "active_users"}\','
                " '{busy_season}', 'bench', n FROM made WHERE n %% %(every)s = 0",
                {"v": version, "every": every},
            )
            db.execute(
                "INSERT INTO evidence (workspace_id, evidence_id, signal_id, version, type, source, observed_at, numbers) SELECT current_workspace(),"
                " gen_random_uuid(), signal_id, %(v)s, 'usage', 'bench', '2026-03-01', '{\"before\": 41.2}' FROM made WHERE n %% %(every)s = 0",
                {"v": version, "every": every},
            )
        db.execute("UPDATE workspace SET last_change = %s", [signals])
    # As autovacuum does once enough rows have landed.
    with psycopg.connect(str(settings().database_owner_url), autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE) signal, evidence, account")
    return workspace_id


def exported(workspace_id: UUID, form: Format) -> int:
    """Bytes."""
    return sum(map(len, exports.stream(workspace_id, "signals", form, {}, exports.through(workspace_id, "signals", {}))))


def copied(db: Db) -> int:
    """Bytes."""
    with db.cursor().copy("COPY bare TO STDOUT (FORMAT csv, HEADER)") as copy:
        return sum(map(len, copy))


def peak(workspace_id: UUID, form: Format) -> float:
    """MB, of a process that exports and does nothing else."""
    argv = [sys.executable, "-m", "benchmarks.export", str(workspace_id), form]
    return int(subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT, env=os.environ).stdout) / 1e6


if __name__ == "__main__":
    exported(UUID(sys.argv[1]), sys.argv[2])  # type: ignore[arg-type]
    # From the kernel's account of this program; getrusage would carry the parent's peak over.
    sys.stdout.write(str(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024))
