"""Daily usage: landed by COPY and one merge, read back as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from connectors.records import UsageRows
from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePanel:
    """`values[i, d]` of series i on day `first_day + d`; NaN where there is no row."""

    account_ids: tuple[UUID, ...]
    metrics: tuple[str, ...]
    regions: tuple[str | None, ...]
    first_day: date
    values: NDArray[np.float64]


def land_usage(db: Db, rows: UsageRows) -> tuple[int, list[str]]:
    """Merges the rows and marks changed accounts as due. Returns how many rows changed, and the account keys that nobody knows.

    A key is the account's key in any connection, or its exact name if only one account has it.
    """
    db.execute("CREATE TEMP TABLE IF NOT EXISTS landing_usage (account text, metric text, day date, value float8) ON COMMIT DELETE ROWS")
    with db.cursor().copy("COPY landing_usage FROM STDIN") as copy:
        copy.write(_as_text(rows))
    unknown = [key for (key,) in db.execute(f"SELECT k.account FROM ({_KNOWN}) k WHERE k.account_id IS NULL")]
    changed = db.execute(
        "WITH merged AS (MERGE INTO usage_day u USING"
        "   (SELECT DISTINCT ON (k.account_id, l.metric, l.day) k.account_id, l.metric, l.day, l.value"
        f"    FROM landing_usage l JOIN ({_KNOWN}) k USING (account) WHERE k.account_id IS NOT NULL ORDER BY k.account_id, l.metric, l.day, l.ctid DESC) n"
        "   ON u.workspace_id = current_workspace() AND u.account_id = n.account_id AND u.metric = n.metric AND u.day = n.day"
        "   WHEN MATCHED AND u.value <> n.value THEN UPDATE SET value = n.value"
        "   WHEN NOT MATCHED THEN INSERT (workspace_id, account_id, metric, day, value)"
        "     VALUES (current_workspace(), n.account_id, n.metric, n.day, n.value)"
        "   RETURNING u.account_id),"
        " due AS (INSERT INTO score_due (workspace_id, account_id) SELECT DISTINCT current_workspace(), account_id FROM merged ON CONFLICT DO NOTHING)"
        " SELECT count(*) FROM merged"
    ).fetchone()
    return (changed[0] if changed else 0), unknown


_KNOWN = (
    "SELECT d.account, COALESCE((SELECT a.account_id FROM account a WHERE a.key = d.account ORDER BY a.connection_id LIMIT 1),"
    " (SELECT (array_agg(a.account_id))[1] FROM account a WHERE lower(a.name) = lower(d.account) AND NOT a.deleted HAVING count(*) = 1)) AS account_id"
    " FROM (SELECT DISTINCT account FROM landing_usage) d"
)


def panel(db: Db, until: date) -> UsagePanel | None:
    """All series of the workspace on the days before `until`; None where there is no usage at all. Aggregated in SQL: one row a series."""
    rows = db.execute(
        "SELECT u.account_id, u.metric, a.region, min(u.day), array_agg(u.day - date '2000-01-01' ORDER BY u.day), array_agg(u.value ORDER BY u.day)"
        " FROM usage_day u JOIN account a USING (workspace_id, account_id) WHERE u.day < %s AND NOT a.deleted"
        " GROUP BY u.account_id, u.metric, a.region ORDER BY u.account_id, u.metric",
        [until],
    ).fetchall()
    if not rows:
        return None
    first = min(r[3] for r in rows)
    offset = (first - date(2000, 1, 1)).days
    values = np.full((len(rows), (until - first).days), np.nan)
    for i, row in enumerate(rows):
        values[i, np.asarray(row[4]) - offset] = row[5]
    return UsagePanel(
        account_ids=tuple(r[0] for r in rows),
        metrics=tuple(r[1] for r in rows),
        regions=tuple(r[2] for r in rows),
        first_day=first,
        values=values,
    )


def series(db: Db, account_id: UUID) -> dict[str, tuple[list[date], list[float]]]:
    """For one account: metric -> (days, values), oldest first."""
    rows = db.execute(
        "SELECT metric, array_agg(day ORDER BY day), array_agg(value ORDER BY day) FROM usage_day WHERE account_id = %s GROUP BY metric ORDER BY metric",
        [account_id],
    )
    return {metric: (days, values) for metric, days, values in rows}


def sparklines(db: Db, metric: str, today: date) -> dict[UUID, list[float | None]]:
    """The last 52 weeks of one metric per account, as weekly means; None for a week without data."""
    rows = db.execute(
        "SELECT account_id, 51 - (%(today)s - day) / 7, avg(value) FROM usage_day"
        " WHERE metric = %(metric)s AND day < %(today)s AND day >= %(today)s - 364 GROUP BY 1, 2",
        {"metric": metric, "today": today},
    )
    lines: dict[UUID, list[float | None]] = {}
    for account_id, week, mean in rows:
        if 0 <= week < 52:
            lines.setdefault(account_id, [None] * 52)[week] = mean
    return lines


def _as_text(rows: UsageRows) -> bytes:
    days = np.datetime_as_string(rows.days, unit="D")
    lines: Sequence[str] = [
        f"{_escaped(a)}\t{_escaped(m)}\t{d}\t{v!r}" for a, m, d, v in zip(rows.accounts, rows.metrics, days.tolist(), rows.values.tolist(), strict=True)
    ]
    return "".join(line + "\n" for line in lines).encode()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\x00", "")
