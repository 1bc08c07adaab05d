"""What the pictures of usage are drawn from: a few series with their cells, the records of closed days for these cells alone, their peers, small lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from psycopg.rows import class_row

from ml.usage.band import Records
from ml.usage.cohort import FOLDS
from service.store.pool import Db
from service.store.usage_series import NAMED_ACCOUNTS

MAIN_METRICS = ["seats", "active_seats", "active_users", "users", "logins"]
"""What is shown first where there is no room for all; the others follow by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A series of one account. `cell` is the one its records lie in, `regional` the one of its region's rarer metrics; -1 where there is none yet."""

    series_no: int
    account_name: str
    metric: str
    region: str
    cell: int
    regional: int
    first_day: date | None
    total: int
    """Of the account's series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    series_no: int
    account_id: UUID
    name: str
    metric: str
    region: str
    total: int
    """Other accounts with usage, however many were asked for."""
    near: int
    """Those of them in the region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The last 52 weeks of a series as weekly means; None for a week without data."""

    metric: str
    fallen: bool
    """Whether a fall of it was told and still stands."""
    weeks: list[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    shown: list[Line]
    more: int
    """Series of the account that are not shown."""


def drawn(db: Db, account_id: UUID, since: date, most: int) -> list[Drawn]:
    """Those with an alert after `since` first, then the main metrics, then by name."""
    with db.cursor(row_factory=class_row(Drawn)) as cursor:
        return cursor.execute(
            "WITH cell AS (SELECT c.region, c.metric, c.n::int - 1 AS n FROM usage_tracker t,"
            "   unnest(t.regions, t.metrics) WITH ORDINALITY c(region, metric, n)),"
            " series AS (SELECT s.series_no, a.name AS account_name, s.metric, a.region, count(*) OVER () AS total,"
            "   EXISTS (SELECT 1 FROM usage_alert l WHERE l.series_no = s.series_no AND l.alerted_on > %(since)s) AS told"
            f"  FROM usage_series s JOIN {NAMED_ACCOUNTS} a USING (account_id) WHERE s.account_id = %(account)s"
            "  ORDER BY told DESC, array_position(%(main)s::text[], s.metric) NULLS LAST, s.metric LIMIT %(most)s)"
            " SELECT s.series_no, s.account_name, s.metric, s.region, COALESCE(o.n, r.n, -1) AS cell, COALESCE(r.n, -1) AS regional, u.first_day, s.total"
            " FROM series s LEFT JOIN cell o ON (o.region, o.metric) = (s.region, s.metric) LEFT JOIN cell r ON (r.region, r.metric) = (s.region, '')"
            " CROSS JOIN LATERAL (SELECT min(day) AS first_day FROM usage_day u WHERE u.series_no = s.series_no OFFSET 0) u"
            " ORDER BY s.told DESC, array_position(%(main)s::text[], s.metric) NULLS LAST, s.metric",
            {"account": account_id, "since": since, "main": MAIN_METRICS, "most": most},
        ).fetchall()


def records(db: Db, series: Sequence[Drawn], fold: int, first: date, last: date) -> Records:
    """Cut out of what is recorded of all cells, in the database: a workspace may have thousands, an account lies in a few. `fold`: of the account.

    A cell that is newer than the day stands for its region's, as it did then.
    """
    rows = db.execute(
        "SELECT c.day - %(first)s AS place, string_agg(substring(c.factor FROM 4 * (%(folds)s * k.cell + %(fold)s) + 1 FOR 4), '' ORDER BY w.n),"
        " string_agg(substring(c.week FROM 28 * k.cell + 1 FOR 28), '' ORDER BY w.n),"
        " string_agg(substring(c.reported FROM k.cell + 1 FOR 1), '' ORDER BY w.n), string_agg(substring(c.shut FROM k.cell + 1 FOR 1), '' ORDER BY w.n)"
        " FROM usage_closed c CROSS JOIN unnest(%(cells)s::int[], %(regional)s::int[]) WITH ORDINALITY w(cell, regional, n)"
        " CROSS JOIN LATERAL (SELECT CASE WHEN w.cell BETWEEN 0 AND length(c.shut) - 1 THEN w.cell"
        "  WHEN w.regional BETWEEN 0 AND length(c.shut) - 1 THEN w.regional ELSE 0 END AS cell) k"
        " WHERE c.day BETWEEN %(first)s AND %(last)s GROUP BY c.day",
        {"cells": [s.cell for s in series], "regional": [s.regional for s in series], "folds": FOLDS, "fold": fold, "first": first, "last": last},
        binary=True,
    ).fetchall()
    days, many = (last - first).days + 1, len(series)
    at = np.array([row[0] for row in rows], np.int64)
    known = np.zeros(days, bool)
    known[at] = True
    found = Records(
        known=known,
        factor=np.ones((days, many), np.float32),
        week=np.ones((days, many, 7), np.float32),
        reported=np.zeros((days, many), bool),
        shut=np.zeros((days, many), bool),
    )
    for n, part in enumerate((found.factor, found.week, found.reported, found.shut), start=1):
        part[at] = np.frombuffer(b"".join(row[n] for row in rows), part.dtype).reshape(len(rows), *part.shape[1:])
    return found


def peers(db: Db, account_id: UUID, region: str, metrics: Sequence[str], most: int) -> list[Peer]:
    """Series of these metrics of `most` other accounts, those of the region first; of one that has none of them another series."""
    with db.cursor(row_factory=class_row(Peer)) as cursor:
        return cursor.execute(
            "WITH other AS (SELECT a.account_id, a.name, COALESCE(a.region, '') AS region FROM account a WHERE a.account_id <> %(account)s AND NOT a.deleted"
            "  AND EXISTS (SELECT 1 FROM usage_series s WHERE s.account_id = a.account_id)),"
            " chosen AS (SELECT *, count(*) OVER () AS total, count(*) FILTER (WHERE region = %(region)s) OVER () AS near FROM other"
            "  ORDER BY region = %(region)s DESC, account_id LIMIT %(most)s)"
            " SELECT s.series_no, c.account_id, c.name, s.metric, c.region, c.total, c.near FROM chosen c CROSS JOIN LATERAL"
            "  (SELECT series_no, metric FROM usage_series s WHERE s.account_id = c.account_id"
            "   ORDER BY s.metric = ANY(%(metrics)s) DESC, s.metric LIMIT %(each)s) s",
            {"account": account_id, "region": region, "metrics": list(metrics), "most": most, "each": max(1, len(metrics))},
        ).fetchall()


def names(db: Db, account_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """Name and region."""
    rows = db.execute("SELECT account_id, name, COALESCE(region, '') FROM account WHERE account_id = ANY(%s)", [list(account_ids)])
    return {account_id: (name, region) for account_id, name, region in rows}


def accounts_with_usage(db: Db) -> dict[str, int]:
    """How many in each region."""
    return dict(
        db.execute(
            "SELECT COALESCE(a.region, ''), count(*) FROM account a WHERE NOT a.deleted"
            " AND EXISTS (SELECT 1 FROM usage_series s WHERE s.account_id = a.account_id) GROUP BY 1"
        ).fetchall()
    )


def lines(db: Db, today: date, account_ids: Sequence[UUID], most: int) -> dict[UUID, Lines]:
    """Per account its last year as `most` small lines: fallen metrics first, then the main ones; an account without any is not there.

    Each series is looked up by itself: for EXISTS the planner may read every value of the workspace.
    """
    rows = db.execute(
        "WITH series AS (SELECT s.account_id, s.series_no, s.metric, EXISTS (SELECT 1 FROM usage_alert l"
        "   WHERE l.series_no = s.series_no AND l.recovered_on IS NULL AND l.kind <> 'growth' AND l.alerted_on >= %(today)s - 364) AS fallen"
        "  FROM usage_series s CROSS JOIN LATERAL"
        "   (SELECT FROM usage_day u WHERE u.series_no = s.series_no AND day < %(today)s AND day >= %(today)s - 364 LIMIT 1)"
        "  WHERE s.account_id = ANY(%(ids)s)),"
        " ranked AS (SELECT *, count(*) OVER account AS total, row_number() OVER (account ORDER BY fallen DESC,"
        "   array_position(%(main)s::text[], metric) NULLS LAST, metric) AS place FROM series WINDOW account AS (PARTITION BY account_id))"
        " SELECT r.account_id, r.metric, r.fallen, r.total, u.weeks, u.means FROM ranked r CROSS JOIN LATERAL"
        "  (SELECT array_agg(week) AS weeks, array_agg(mean) AS means FROM (SELECT 51 - (%(today)s - day - 1) / 7 AS week, avg(value) AS mean"
        "    FROM usage_day u WHERE u.series_no = r.series_no AND day < %(today)s AND day >= %(today)s - 364 GROUP BY 1 OFFSET 0) w) u"
        " WHERE r.place <= %(most)s ORDER BY r.account_id, r.place",
        {"main": MAIN_METRICS, "today": today, "ids": list(account_ids), "most": most},
    )
    found: dict[UUID, Lines] = {}
    for account_id, metric, fallen, total, weeks, means in rows:
        of_account = found.setdefault(account_id, Lines(shown=[], more=max(0, total - most)))
        of_account.shown.append(Line(metric=metric, fallen=fallen, weeks=_by_week(weeks, means)))
    return found


def _by_week(weeks: Sequence[int], means: Sequence[float]) -> list[float | None]:
    line: list[float | None] = [None] * 52
    for week, mean in zip(weeks, means, strict=True):
        line[week] = mean
    return line
