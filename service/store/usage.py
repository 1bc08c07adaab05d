"""Daily usage: landed by COPY and what differs written, read back as columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from connectors.records import UsageRows
from service.store import accounts, bulk, usage_series, usage_values
from service.store.pool import Db
from service.store.usage_series import NAMED_ACCOUNTS
from service.store.usage_values import Ints, Values

CHUNK = 4096
"""Series that are read together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePanel:
    """`values[i, d]` of series i on day `first_day + d`; NaN where there is no row."""

    account_ids: tuple[UUID, ...]
    account_names: tuple[str, ...]
    """As detectors know them."""
    metrics: tuple[str, ...]
    regions: tuple[str, ...]
    first_day: date
    values: NDArray[np.float64]


def land_usage(db: Db, rows: UsageRows) -> tuple[int, list[str]]:
    """Writes what differs and marks changed accounts as due. Returns how many rows changed, and the account keys that nobody knows.

    Of two rows for the same account, metric and day the later one counts. How accounts are named: `usage_series.numbered`.
    """
    if np.isnat(rows.days).any():
        message = "One of the rows has no day."
        raise ValueError(message)
    usage_series.lock(db)
    found = usage_series.numbered(db, rows.accounts, rows.metrics)
    given = Values(series=found.series, step=rows.days.astype("datetime64[D]").astype(np.int64), value=rows.values)
    changed = usage_values.land_days(db, given.only(found.series >= 0).last_of_each())
    accounts.mark_due(db, found.owners_of(changed.series))
    return len(changed), found.unknown


def on_day(db: Db, day: date) -> tuple[Ints, NDArray[np.float64]]:
    """(series numbers, values) of one day, of all series that have it. Quick for days that landed lately."""
    query = "SELECT series_no, value FROM usage_on(%s)"
    series, values = bulk.read_arrays(db, query, {"series_no": "integer", "value": "double precision"}, [day])
    return series.astype(np.int64), values


def panel(db: Db, until: date) -> UsagePanel | None:
    """All series of the workspace on the days before `until`; None where there is no usage at all."""
    names = db.execute(
        f"SELECT s.series_no, s.account_id, a.name, s.metric, a.region FROM usage_series s JOIN {NAMED_ACCOUNTS} a USING (account_id)"
        " WHERE NOT a.deleted ORDER BY s.account_id, s.metric"
    ).fetchall()
    row, day, value = _cells(db, until, np.array([n[0] for n in names], dtype=np.int64))
    if len(row) == 0:
        return None
    used, row = np.unique(row, return_inverse=True)
    first, end = int(day.min()), int(np.datetime64(until, "D").astype(np.int64))
    values = np.full((len(used), end - first), np.nan)
    values[row, day - first] = value
    shown = [names[n] for n in used.tolist()]
    return UsagePanel(
        account_ids=tuple(n[1] for n in shown),
        account_names=tuple(n[2] for n in shown),
        metrics=tuple(n[3] for n in shown),
        regions=tuple(n[4] for n in shown),
        first_day=date.fromordinal(date(1970, 1, 1).toordinal() + first),
        values=values,
    )


def _cells(db: Db, until: date, numbers: Ints) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """(place among `numbers`, day since 1970, value) of everything before `until` in these series, a chunk at a time: one message holds 1 GB at most."""
    place = np.full(int(numbers.max(initial=-1)) + 1, -1)
    place[numbers] = np.arange(len(numbers))
    parts = [_chunk(db, until, first) for first in range(0, max(1, len(place)), CHUNK)]
    series, day, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    at = np.append(place, -1)[np.minimum(series, len(place))]
    return at[at >= 0], day[at >= 0].astype(np.int64), value[at >= 0]


def _chunk(db: Db, until: date, first: int) -> tuple[NDArray[Any], ...]:
    return bulk.read_arrays(
        db,
        "SELECT series_no, day, value FROM usage_day WHERE series_no >= %s AND series_no < %s AND day < %s",
        {"series_no": "integer", "day": "date", "value": "double precision"},
        [first, first + CHUNK, until],
    )


def series(db: Db, account_id: UUID) -> dict[str, tuple[list[date], list[float]]]:
    """For one account: metric -> (days, values), oldest first."""
    rows = db.execute(
        "SELECT s.metric, u.days, u.values FROM usage_series s CROSS JOIN LATERAL (SELECT array_agg(day ORDER BY day) AS days,"
        "  array_agg(value ORDER BY day) AS values FROM usage_day u WHERE u.series_no = s.series_no OFFSET 0) u"
        " WHERE s.account_id = %s AND u.days IS NOT NULL ORDER BY s.metric",
        [account_id],
    )
    return {metric: (days, values) for metric, days, values in rows}
