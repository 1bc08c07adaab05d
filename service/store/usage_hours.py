"""Usage told by the hour, summed up over the account's own days."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from connectors.cells import zone_of
from connectors.records import UsageHours
from service.store import accounts, bulk, usage_series, usage_values
from service.store.pool import Db
from service.store.usage_series import Numbered
from service.store.usage_values import QUARTER_HOURS, Ints, Values

SECONDS = 900
_UTC = ZoneInfo("UTC")


def land_hours(db: Db, rows: UsageHours) -> tuple[int, list[str]]:
    """As `usage.land_usage`; returns how many days changed.

    A quarter of an hour that is told again replaces what was told of it, and the sum of its day is taken anew over all that is known of that day:
    telling twice changes nothing, whether in the same pieces or in others.
    """
    usage_series.lock(db)
    found = usage_series.numbered(db, rows.accounts, rows.metrics)
    quarter = rows.at.astype("datetime64[s]").astype(np.int64) // SECONDS
    given = Values(series=found.series, step=quarter, value=rows.values)
    given = given.only(found.series >= 0).last_of_each()
    usage_values.write(db, QUARTER_HOURS, given)
    changed = usage_values.land_days(db, _sums(db, given, found))
    accounts.mark_due(db, found.owners_of(changed.series))
    return len(changed), found.unknown


def zones_of(db: Db, account_ids: list[UUID]) -> dict[UUID, ZoneInfo]:
    """UTC where the account has no time zone, or one that nobody knows."""
    rows = db.execute("SELECT account_id, timezone FROM account WHERE account_id = ANY(%s)", [account_ids])
    return {account_id: (zone_of(name) if name else None) or _UTC for account_id, name in rows}


def days_of(zone: ZoneInfo, quarters: Ints) -> tuple[Ints, Ints, Ints]:
    """(days since 1970 in the zone, the first quarter of each, the last), for each of these quarters of an hour."""
    first, last = int(quarters.min()) // 96 - 1, int(quarters.max()) // 96 + 2
    starts = np.array([_start(zone, day) for day in range(first, last + 1)], dtype=np.int64)
    at = np.searchsorted(starts, quarters, side="right") - 1
    return first + at, starts[at], starts[at + 1] - 1


def _start(zone: ZoneInfo, day: int) -> int:
    """Where clocks leave out midnight, the day begins with the hour after it, which is what an imaginary midnight of before comes to."""
    midnight = datetime.fromordinal(datetime(1970, 1, 1).toordinal() + day).replace(tzinfo=zone)  # noqa: DTZ001 - only counts days
    return -int(-midnight.timestamp() // SECONDS)


def _sums(db: Db, given: Values, found: Numbered) -> Values:
    """Of the days that these quarters of an hour lie in, over all that is known of them."""
    columns = {name: ("integer", column) for name, column in zip(("series_no", "day", "first", "last"), _spans(db, given, found).T, strict=True)}
    bulk.copy_arrays(db, "usage_hour_day", columns)
    # In the order of time: in another one the same numbers may add up to a slightly other sum.
    series, day, value = bulk.read_arrays(
        db,
        "SELECT l.series_no, l.day, u.value FROM landing_usage_hour_day l CROSS JOIN LATERAL (SELECT sum(value ORDER BY quarter_hour) AS value"
        " FROM usage_hour u WHERE u.series_no = l.series_no AND u.quarter_hour BETWEEN l.first AND l.last OFFSET 0) u",
        {"series_no": "integer", "day": "integer", "value": "double precision"},
    )
    return Values(series=series.astype(np.int64), step=day.astype(np.int64), value=value)


def _spans(db: Db, given: Values, found: Numbered) -> Ints:
    """A row for each series and day, in their order: series, day, first and last quarter of an hour."""
    zones = zones_of(db, found.account_ids)
    parts = [np.empty((0, 4), dtype=np.int64)]
    for zone in set(zones.values()):
        owners = [n for n, account_id in enumerate(found.account_ids) if zones[account_id] is zone]
        here = given.only(np.isin(given.series, found.number[np.isin(found.owner, owners)]))
        if len(here):
            parts.append(np.column_stack((here.series, *days_of(zone, here.step))))
    return np.unique(np.concatenate(parts), axis=0)
