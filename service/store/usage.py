"""Daily usage: landed by COPY and one merge, read back as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from connectors.records import UsageRows
from service.store import bulk
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

    A key is the account's key in any connection, or its exact name if only one account has it. Of two rows for the same
    account, metric and day the later one counts.
    """
    keys, account = _coded(rows.accounts)
    names, metric = _coded(rows.metrics)
    known = _accounts_of(db, keys)
    ids = sorted(set(known.values()), key=str)
    place = {account_id: n for n, account_id in enumerate(ids)}
    account = np.array([place[known[k]] if k in known else -1 for k in keys], dtype=np.int64)[account]
    keep = _last_of_each(account, metric, rows.days.astype(np.int64))
    db.execute("CREATE TEMP TABLE IF NOT EXISTS landing_usage_name (kind text, n integer, account_id uuid, metric text) ON COMMIT DELETE ROWS")
    db.execute("DELETE FROM landing_usage_name")
    db.execute("INSERT INTO landing_usage_name SELECT 'account', n - 1, id, NULL FROM unnest(%s::uuid[]) WITH ORDINALITY u(id, n)", [ids])
    db.execute("INSERT INTO landing_usage_name SELECT 'metric', n - 1, NULL, name FROM unnest(%s::text[]) WITH ORDINALITY u(name, n)", [names])
    days = rows.days[keep].astype("datetime64[D]").astype(np.int64)
    bulk.copy_arrays(
        db,
        "usage",
        {
            "account": ("integer", account[keep]),
            "metric": ("integer", metric[keep]),
            "day": ("integer", days),
            "value": ("double precision", rows.values[keep]),
        },
    )
    changed = db.execute(_MERGE).fetchone()
    return (changed[0] if changed else 0), [k for k in keys if k not in known]


_MERGE = (
    "WITH merged AS (MERGE INTO usage_day u USING"
    "   (SELECT current_workspace() AS workspace_id, a.account_id, m.metric, date '1970-01-01' + l.day AS day, l.value FROM landing_usage l"
    "    JOIN landing_usage_name a ON a.kind = 'account' AND a.n = l.account JOIN landing_usage_name m ON m.kind = 'metric' AND m.n = l.metric) n"
    "   ON u.workspace_id = n.workspace_id AND u.account_id = n.account_id AND u.metric = n.metric AND u.day = n.day"
    "   WHEN MATCHED AND u.value <> n.value THEN UPDATE SET value = n.value"
    "   WHEN NOT MATCHED THEN INSERT (workspace_id, account_id, metric, day, value) VALUES (n.workspace_id, n.account_id, n.metric, n.day, n.value)"
    "   RETURNING u.account_id),"
    " due AS (INSERT INTO score_due (workspace_id, account_id) SELECT DISTINCT current_workspace(), account_id FROM merged ON CONFLICT DO NOTHING)"
    " SELECT count(*) FROM merged"
)


def _accounts_of(db: Db, keys: Sequence[str]) -> dict[str, UUID]:
    rows = db.execute(
        "SELECT k, COALESCE((SELECT a.account_id FROM account a WHERE a.key = k ORDER BY a.connection_id LIMIT 1),"
        " (SELECT (array_agg(a.account_id))[1] FROM account a WHERE lower(a.name) = lower(k) AND NOT a.deleted HAVING count(*) = 1)) AS account_id"
        " FROM unnest(%s::text[]) AS k",
        [list(keys)],
    )
    return {key: account_id for key, account_id in rows if account_id is not None}


def _coded(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct texts in order of appearance, and each row's place among them."""
    places: dict[str, int] = {}
    codes = [places.setdefault(text, len(places)) for text in texts]
    return list(places), np.array(codes, dtype=np.int64)


def _last_of_each(account: NDArray[np.int64], metric: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows to keep: of an account that is known, and the last one for its metric and day."""
    rows = np.nonzero(account >= 0)[0]
    if len(rows) == 0:
        return rows
    span = int(day.max() - day.min()) + 1
    key = (account[rows] * (int(metric.max()) + 1) + metric[rows]) * span + day[rows] - day.min()
    _, first_from_behind = np.unique(key[::-1], return_index=True)
    return rows[np.sort(len(rows) - 1 - first_from_behind)]


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


MAIN_METRICS = ["seats", "active_users", "users", "logins"]
"""What to show of an account where there is room for one metric; without any of these, its first by name."""


def sparklines(db: Db, today: date) -> dict[UUID, list[float | None]]:
    """The last 52 weeks of each account's main metric, as weekly means; None for a week without data."""
    rows = db.execute(
        "WITH main AS (SELECT DISTINCT ON (account_id) account_id, metric FROM (SELECT DISTINCT account_id, metric FROM usage_day) s"
        "  ORDER BY account_id, array_position(%(main)s::text[], metric) NULLS LAST, metric)"
        " SELECT account_id, 51 - (%(today)s - day) / 7, avg(value) FROM usage_day JOIN main USING (account_id, metric)"
        " WHERE day < %(today)s AND day >= %(today)s - 364 GROUP BY 1, 2",
        {"main": MAIN_METRICS, "today": today},
    )
    lines: dict[UUID, list[float | None]] = {}
    for account_id, week, mean in rows:
        if 0 <= week < 52:
            lines.setdefault(account_id, [None] * 52)[week] = mean
    return lines
