"""`./dev bench usage-day`: one day of many series from Postgres and back, against COPY of the same rows out and in, and its peak memory."""

from __future__ import annotations

import io
import resource
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks import cpu
from service import servers
from service.config import settings
from service.store import workspaces
from service.store.pool import Db, transaction
from service.usage import advance
from tests import builders

METRICS = ("seats", "events", "exports", "reports", "shares")
LEARNING = 62
FIRST = date(2025, 3, 3)
RUNS = 5


def main(accounts: int = 100_000) -> None:
    with servers.throwaway() as home:
        servers.migrate()
        workspace_id = filled(accounts)
        watched = [psutil.Process(), *postgres(home)]
        told = FIRST + timedelta(days=LEARNING)
        advance(workspace_id, morning(told - timedelta(days=1)), fresh=True)
        before = peak()
        ours = cpu.median_of(lambda n: advance(workspace_id, morning(told + timedelta(days=n)), fresh=True), watched, RUNS)
        memory = peak()
        bare = cpu.median_of(lambda n: copied(workspace_id, told + timedelta(days=n)), watched, RUNS)
    table = Table("figure", "ours", "reference", "ratio")
    series = accounts * len(METRICS)
    table.add_row(f"one day of {series:,} series, CPU", f"{ours:.2f} s", f"{bare:.2f} s (COPY out and in of the same rows)", f"{ours / bare:.2f}x")
    table.add_row("peak memory", f"{memory} MB", f"{before} MB before the days measured", "")
    Console(width=160).print(table)


def filled(accounts: int) -> UUID:
    """Made in SQL: this is not what is measured."""
    workspace_id = uuid4()
    with transaction(workspace_id) as db:
        workspaces.create(db, workspace_id, f"bench {workspace_id}")
        connection_id = builders.connection(db)
        db.execute(
            "INSERT INTO account (workspace_id, connection_id, key, name, region) SELECT current_workspace(), %s, 'A' || n, 'Account ' || n,"
            " (ARRAY['US', 'DE', 'GB', 'FR'])[1 + n %% 4] FROM generate_series(1, %s) n",
            [connection_id, accounts],
        )
        db.execute(
            "INSERT INTO usage_series (workspace_id, series_no, account_id, metric)"
            " SELECT current_workspace(), row_number() OVER (ORDER BY key, metric) - 1, account_id, metric FROM account, unnest(%s::text[]) metric",
            [list(METRICS)],
        )
    for start in range(0, LEARNING + RUNS, 5):
        with transaction(workspace_id) as db:
            _counts(db, FIRST + timedelta(days=start), min(5, LEARNING + RUNS - start))
    # As autovacuum does once enough rows have landed.
    with psycopg.connect(str(settings().database_owner_url), autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE) usage_day")
    return workspace_id


def _counts(db: Db, first: date, days: int) -> None:
    """Levels from 0.5 to 60 by the number of the series, weekends at a third, about Poisson."""
    db.execute(
        "INSERT INTO usage_day (workspace_id, series_no, day, value) SELECT current_workspace(), series_no, day::date,"
        " greatest(0, round(l * w + sqrt(l * w) * random_normal())) FROM generate_series(%s::date, %s::date, '1 day') day,"
        " LATERAL (SELECT CASE WHEN extract(isodow FROM day) > 5 THEN 0.33 ELSE 1.2 END AS w) week,"
        " (SELECT series_no, exp(ln(0.5) + (series_no::bigint * 7919 %% 1000) / 1000.0 * ln(120)) AS l FROM usage_series) s",
        [first, first + timedelta(days=days - 1)],
    )


def copied(workspace_id: UUID, day: date) -> None:
    """The day's rows and the states, out of their tables and into bare ones."""
    with transaction(workspace_id) as db:
        for name, query in (
            ("usage", f"SELECT series_no, day, value FROM usage_day WHERE day = '{day.isoformat()}'"),
            ("state", "SELECT chunk, day, state FROM usage_state WHERE day = (SELECT usage_closed_through FROM workspace)"),
        ):
            buffer = io.BytesIO()
            with db.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT binary)") as out:
                for part in out:
                    buffer.write(part)
            db.execute(f"CREATE TEMP TABLE IF NOT EXISTS bare_{name} AS {query} LIMIT 0")
            with db.cursor().copy(f"COPY bare_{name} FROM STDIN (FORMAT binary)") as into:
                into.write(buffer.getvalue())
            db.execute(f"TRUNCATE bare_{name}")


def morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(days=1)


def peak() -> int:
    """MB"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def postgres(home: Path) -> Sequence[psutil.Process]:
    return [psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))]
