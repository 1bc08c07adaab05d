"""Usage of accounts that were merged into others."""

from __future__ import annotations

from uuid import UUID

import numpy as np

from service.store import accounts, bulk, usage_series, usage_values
from service.store.pool import Db
from service.store.usage_hours import days_of, zones_of
from service.store.usage_values import QUARTER_HOURS, Ints, Values


def follow_merges(db: Db) -> None:
    """Series of accounts that are part of another one now become that one's."""
    into = usage_series.survivors(db)
    if not into:
        return
    for (gone,) in db.execute("SELECT DISTINCT account_id FROM usage_series WHERE account_id = ANY(%s)", [list(into)]).fetchall():
        move_series(db, gone, into[gone])


def move_series(db: Db, from_account: UUID, to_account: UUID) -> None:
    """A metric that only `from_account` has goes over as it is. Of one that both have, the days go over that `to_account` lacks.

    Two numbers for one day are not added up: as a rule they are the same usage, told under the key before the merge and the one after.
    Those that do not go over stay where they are, out of sight, so that doing this twice changes nothing.
    """
    usage_series.lock(db)
    moved = db.execute(
        "UPDATE usage_series s SET account_id = %(to)s WHERE s.account_id = %(gone)s"
        " AND NOT EXISTS (SELECT FROM usage_series t WHERE t.account_id = %(to)s AND t.metric = s.metric)",
        {"gone": from_account, "to": to_account},
    ).rowcount
    added = [_fill(db, from_account, gone, kept) for gone, kept in _in_both(db, from_account, to_account)]
    if moved or any(added):
        accounts.mark_due(db, [to_account])


def _in_both(db: Db, from_account: UUID, to_account: UUID) -> list[tuple[int, int]]:
    return db.execute(
        "SELECT f.series_no, t.series_no FROM usage_series f JOIN usage_series t USING (workspace_id, metric) WHERE f.account_id = %s AND t.account_id = %s",
        [from_account, to_account],
    ).fetchall()


def _fill(db: Db, owner: UUID, gone: int, kept: int) -> int:
    """How many days series `kept` got from series `gone`. Hours go with their days, or the rest of a day would replace the whole of it."""
    (days, values) = bulk.read_arrays(
        db,
        "SELECT g.day, g.value FROM usage_day g WHERE g.series_no = %s AND NOT EXISTS (SELECT FROM usage_day k WHERE k.series_no = %s AND k.day = g.day)"
        " ORDER BY g.day",
        {"day": "date", "value": "double precision"},
        [gone, kept],
    )
    step = days.astype(np.int64)
    if len(step):
        usage_values.write(db, QUARTER_HOURS, _hours(db, owner, gone, kept, step))
        usage_values.land_days(db, Values(series=np.full(len(step), kept), step=step, value=values))
    return len(step)


def _hours(db: Db, owner: UUID, gone: int, kept: int, days: Ints) -> Values:
    columns = {"quarter_hour": "integer", "value": "double precision"}
    quarter, value = bulk.read_arrays(db, "SELECT quarter_hour, value FROM usage_hour WHERE series_no = %s ORDER BY quarter_hour", columns, [gone])
    hours = Values(series=np.full(len(quarter), kept), step=quarter.astype(np.int64), value=value)
    if not len(hours):
        return hours
    day, _, _ = days_of(zones_of(db, [owner])[owner], hours.step)
    return hours.only(np.isin(day, days))
