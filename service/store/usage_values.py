"""Values by series and step (a day, a quarter of an hour). What is there is read and compared here, and only what differs is written.

So that nobody writes in between, whoever writes holds `usage_series.lock`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from service.store import bulk
from service.store.pool import Db

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Where values of one kind of step stand. `most_apart`: rows of a series that lie at most so far apart are looked up in one go."""

    table: str
    column: str
    kind: str
    most_apart: int


DAYS = Steps(table="usage_day", column="day", kind="date", most_apart=7)
QUARTER_HOURS = Steps(table="usage_hour", column="quarter_hour", kind="integer", most_apart=24 * 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Columns of one length. `step`: days or quarters of an hour since 1970."""

    series: Ints
    step: Ints
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.series)

    @property
    def keys(self) -> Ints:
        """A number for each series and step, in their order."""
        keys: Ints = self.series * 2**24 + self.step
        return keys

    def only(self, rows: NDArray[np.bool_] | Ints) -> Values:
        return Values(series=self.series[rows], step=self.step[rows], value=self.value[rows])

    def last_of_each(self) -> Values:
        """Sorted by series and step; of rows for the same ones the last."""
        _, from_behind = np.unique(self.keys[::-1], return_index=True)
        return self.only(len(self) - 1 - from_behind)


def write(db: Db, steps: Steps, values: Values) -> Values:
    """Returns those that were not there, or not with this value. `values` are sorted, each series and step once."""
    stored = _stored(db, steps, values)
    known = np.isin(values.keys, stored.keys)
    differs = ~known
    differs[known] = stored.value[np.searchsorted(stored.keys, values.keys[known])] != values.value[known]
    changed = values.only(differs)
    if len(changed):
        _put(db, steps, changed, known[differs])
    return changed


def land_days(db: Db, values: Values) -> Values:
    """As `write`; series that changed on a closed day are queued as late."""
    changed = write(db, DAYS, values)
    if len(changed):
        _queue_late(db, changed)
    return changed


def _stored(db: Db, steps: Steps, values: Values) -> Values:
    """What is there on the steps of `values`, and at most a little between them."""
    starts = np.ones(len(values), dtype=bool)
    starts[1:] = (np.diff(values.series) != 0) | (np.diff(values.step) > steps.most_apart)
    ends = np.roll(starts, -1)
    span = f"{steps.table}_span"
    bulk.copy_arrays(
        db,
        span,
        {
            "series_no": ("integer", values.series[starts]),
            "first": (steps.kind, _typed(steps, values.step[starts])),
            "last": (steps.kind, _typed(steps, values.step[ends])),
        },
    )
    # OFFSET 0 holds the planner to one look into the key for each span: it knows neither how many those are nor how much a new workspace holds.
    series, step, value = bulk.read_arrays(
        db,
        f"SELECT l.series_no, u.step, u.value FROM landing_{span} l CROSS JOIN LATERAL (SELECT {steps.column} AS step, value FROM {steps.table} u"
        f" WHERE u.series_no = l.series_no AND u.{steps.column} BETWEEN l.first AND l.last OFFSET 0) u",
        {"series_no": "integer", "step": steps.kind, "value": "double precision"},
    )
    found = Values(series=series.astype(np.int64), step=step.astype(np.int64), value=value)
    return found.only(np.argsort(found.keys))


def _put(db: Db, steps: Steps, values: Values, known: NDArray[np.bool_]) -> None:
    """Most rows are new ones, which a plain INSERT writes in half the time of one that looks for a conflict."""
    columns = {
        "series_no": ("integer", values.series),
        steps.column: (steps.kind, _typed(steps, values.step)),
        "value": ("double precision", values.value),
        "known": ("boolean", known),
    }
    bulk.copy_arrays(db, steps.table, columns)
    insert = sql.SQL(
        "INSERT INTO {table} (workspace_id, series_no, {step}, value) SELECT w.id, l.series_no, l.{step}, l.value"
        " FROM {landing} l, (SELECT current_workspace() AS id OFFSET 0) w WHERE "
    ).format(table=sql.Identifier(steps.table), step=sql.Identifier(steps.column), landing=sql.Identifier(f"landing_{steps.table}"))
    if not known.all():
        db.execute(insert + sql.SQL("NOT l.known"))
    if known.any():
        conflict = sql.SQL("l.known ON CONFLICT (workspace_id, series_no, {}) DO UPDATE SET value = excluded.value")
        db.execute(insert + conflict.format(sql.Identifier(steps.column)))


def _queue_late(db: Db, changed: Values) -> None:
    row = db.execute("SELECT usage_closed_through FROM workspace").fetchone()
    if row is None or row[0] is None:
        return
    late = changed.only(changed.step <= np.datetime64(row[0], "D").astype(np.int64))
    series, first = np.unique(late.series, return_index=True)
    db.execute(
        "INSERT INTO usage_late (workspace_id, series_no, since) SELECT current_workspace(), s, date '1970-01-01' + d FROM unnest(%s::int[], %s::int[]) u(s, d)"
        " ON CONFLICT (workspace_id, series_no) DO UPDATE SET since = excluded.since WHERE excluded.since < usage_late.since",
        [series.tolist(), late.step[first].tolist()],
    )


def _typed(steps: Steps, values: Ints) -> NDArray[np.int64] | NDArray[np.datetime64]:
    return values.astype("datetime64[D]") if steps.kind == "date" else values
