"""What the usage detector carries from one day to the next: records of closed days, states in chunks, alerts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import class_row

from service.store import bulk, usage
from service.store.pool import Db

CHUNK = 4096

Singles = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerRow:
    layout: int
    version: str
    regions: list[str]
    metrics: list[str]
    usual: bytes
    season: bytes
    quiet_counts: list[float]
    quiet_years: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedRow:
    """Per cell of that day, in their order: 8 factors, 7 weekdays' shares, whether it reported, whether its region was shut."""

    day: date
    factor: bytes
    week: bytes
    reported: bytes
    shut: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    series_no: int
    alerted_on: date
    kind: str
    onset: date
    before: float
    after: float
    size: float
    score: float
    peers: float
    recovered_on: date | None


def series_count(db: Db) -> int:
    row = db.execute("SELECT COALESCE(max(series_no) + 1, 0) FROM usage_series").fetchone()
    assert row is not None
    return int(row[0])


def closed_through(db: Db) -> date | None:
    row = db.execute("SELECT usage_closed_through FROM workspace").fetchone()
    return row[0] if row else None


def judged_through(db: Db, layout: int) -> date | None:
    """The last closed day, where the states that are stored have this layout."""
    row = db.execute("SELECT usage_closed_through FROM workspace JOIN usage_tracker USING (workspace_id) WHERE layout = %s", [layout]).fetchone()
    return row[0] if row else None


def first_day(db: Db) -> date | None:
    """The first day that was closed; before any was, the first that has usage."""
    row = db.execute("SELECT COALESCE((SELECT min(day) FROM usage_closed), (SELECT min(day) FROM usage_day))").fetchone()
    return row[0] if row else None


def time_zones(db: Db) -> list[str | None]:
    return [zone for (zone,) in db.execute("SELECT DISTINCT timezone FROM account WHERE NOT deleted")]


def tracker(db: Db) -> TrackerRow | None:
    with db.cursor(row_factory=class_row(TrackerRow)) as cursor:
        return cursor.execute(f"SELECT {', '.join(TrackerRow.__slots__)} FROM usage_tracker").fetchone()


def put_tracker(db: Db, row: TrackerRow) -> None:
    db.execute(
        "INSERT INTO usage_tracker (workspace_id, layout, version, regions, metrics, usual, season, quiet_counts, quiet_years)"
        " VALUES (current_workspace(), %(layout)s, %(version)s, %(regions)s, %(metrics)s, %(usual)s, %(season)s, %(quiet_counts)s, %(quiet_years)s)"
        " ON CONFLICT (workspace_id) DO UPDATE SET layout = excluded.layout, version = excluded.version, regions = excluded.regions,"
        " metrics = excluded.metrics, usual = excluded.usual, season = excluded.season, quiet_counts = excluded.quiet_counts,"
        " quiet_years = excluded.quiet_years",
        {name: getattr(row, name) for name in TrackerRow.__slots__},
    )


def closed_days(db: Db, first: date, last: date) -> list[ClosedRow]:
    with db.cursor(row_factory=class_row(ClosedRow)) as cursor:
        return cursor.execute(
            "SELECT day, factor, week, reported, shut FROM usage_closed WHERE day BETWEEN %s AND %s ORDER BY day", [first, last], binary=True
        ).fetchall()


def put_closed(db: Db, rows: Iterable[ClosedRow]) -> None:
    db.cursor().executemany(
        "INSERT INTO usage_closed (workspace_id, day, factor, week, reported, shut) VALUES (current_workspace(), %s, %b, %b, %b, %b)",
        [(r.day, r.factor, r.week, r.reported, r.shut) for r in rows],
    )


def read_state(db: Db, day: date, rows: Singles) -> None:
    """Fills (height, series) with the states as of the end of the day; a series that had none then keeps what is there."""
    for chunk, content in db.execute("SELECT chunk, state FROM usage_state WHERE day = %s ORDER BY chunk", [day], binary=True):
        part = _part(content, len(rows))
        rows[:, chunk * CHUNK : chunk * CHUNK + part.shape[1]] = part


def read_columns(db: Db, day: date, numbers: Ints, rows: Singles) -> None:
    """The same, of some series."""
    for chunk, inside, part in _parts(db, day, numbers, len(rows)):
        known = inside & (numbers - chunk * CHUNK < part.shape[1])
        rows[:, known] = part[:, numbers[known] - chunk * CHUNK]


def patch_state(db: Db, day: date, numbers: Ints, rows: Singles, blank: Singles) -> None:
    """Writes the first rows of some series' states as of that day anew. `blank`: one column, for series that had no state then."""
    for chunk, inside, part in _parts(db, day, numbers, len(blank)):
        place = numbers[inside] - chunk * CHUNK
        wide = np.concatenate([part, np.repeat(blank, max(0, int(place.max()) + 1 - part.shape[1]), axis=1)], axis=1)
        wide[: len(rows), place] = rows[:, inside]
        put_chunk(db, chunk, day, wide)


def _parts(db: Db, day: date, numbers: Ints, height: int) -> Iterator[tuple[int, NDArray[np.bool_], Singles]]:
    """Per chunk: its number, which of the series lie in it, and its states."""
    for chunk in np.unique(numbers // CHUNK).tolist():
        row = db.execute("SELECT state FROM usage_state WHERE chunk = %s AND day = %s", [chunk, day], binary=True).fetchone()
        yield chunk, numbers // CHUNK == chunk, _part(row[0] if row else b"", height)


def _part(content: bytes, height: int) -> Singles:
    return np.frombuffer(content, np.float32).reshape(height, -1)


def put_state(db: Db, day: date, rows: Singles) -> None:
    """A chunk at a time: what stands in memory beside the state itself stays small."""
    for chunk in range(-(-rows.shape[1] // CHUNK)):
        put_chunk(db, chunk, day, rows[:, chunk * CHUNK : (chunk + 1) * CHUNK])


def put_chunk(db: Db, chunk: int, day: date, rows: Singles) -> None:
    db.execute(
        "INSERT INTO usage_state (workspace_id, chunk, day, state) VALUES (current_workspace(), %s, %s, %b)"
        " ON CONFLICT (workspace_id, chunk, day) DO UPDATE SET state = excluded.state",
        [chunk, day, rows.tobytes()],
    )


def drop_states(db: Db, kept: Sequence[date]) -> None:
    db.execute("DELETE FROM usage_state WHERE day <> ALL(%s)", [list(kept)])


def state_days(db: Db) -> list[date]:
    return [day for (day,) in db.execute("SELECT DISTINCT day FROM usage_state ORDER BY day")]


def take_late(db: Db) -> dict[int, date]:
    """Series with values that came after their day was closed, and the first such day."""
    return dict(db.execute("DELETE FROM usage_late RETURNING series_no, since").fetchall())


def values_of(db: Db, series: Ints, first: date, last: date) -> Singles:
    """(series, days) of some series, NaN where there is no value."""
    lengths, day, value = bulk.read_ragged(
        db,
        "SELECT u.days, u.values FROM unnest(%b::int[]) WITH ORDINALITY w(series_no, n) CROSS JOIN LATERAL (SELECT array_agg(day) AS days,"
        " array_agg(value) AS values FROM usage_day u WHERE u.series_no = w.series_no AND day BETWEEN %s AND %s OFFSET 0) u ORDER BY w.n",
        {"days": "date", "values": "double precision"},
        [series.tolist(), first, last],
    )
    return _matrix(np.repeat(np.arange(len(series)), lengths), day, value, len(series), first, last)


def values_between(db: Db, first: date, last: date, series: int) -> Singles:
    """(series, days) of all series."""
    if first == last:
        number, value = usage.on_day(db, first)
        return _matrix(number, np.full(len(number), np.datetime64(first, "D")), value, series, first, last)
    number, day, value = bulk.read_arrays(
        db,
        "SELECT series_no, day, value FROM usage_day WHERE day BETWEEN %s AND %s",
        {"series_no": "integer", "day": "date", "value": "double precision"},
        [first, last],
    )
    return _matrix(number, day, value, series, first, last)


def _matrix(row: Ints, day: NDArray[np.datetime64], value: NDArray[np.float64], rows: int, first: date, last: date) -> Singles:
    matrix = np.full((rows, (last - first).days + 1), np.nan, np.float32)
    known = row < rows
    matrix[row[known], (day[known] - np.datetime64(first, "D")).astype(np.int64)] = value[known]
    return matrix


def put_alerts(db: Db, rows: Iterable[AlertRow]) -> None:
    """New ones, and recoveries of known ones."""
    _insert(db, "usage_alert", rows, " ON CONFLICT (workspace_id, series_no, alerted_on, kind) DO UPDATE SET recovered_on = excluded.recovered_on")


def put_forming(db: Db, rows: Iterable[AlertRow]) -> None:
    """In place of those that were there."""
    db.execute("DELETE FROM usage_forming")
    _insert(db, "usage_forming", rows)


def _insert(db: Db, table: str, rows: Iterable[AlertRow], conflict: str = "") -> None:
    names = AlertRow.__slots__
    db.cursor().executemany(
        sql.SQL("INSERT INTO {} (workspace_id, {}) VALUES (current_workspace(), {})" + conflict).format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(map(sql.Placeholder, names))
        ),
        [{name: getattr(row, name) for name in names} for row in rows],
    )


def alerts(db: Db, account_ids: Sequence[UUID] | None = None, *, standing: bool = False) -> list[AlertRow]:
    """In the order in which they were raised; of all accounts where none are named. `standing`: only those that have not recovered."""
    return _rows(db, "usage_alert", account_ids, "recovered_on IS NULL" if standing else "true")


def forming(db: Db, account_ids: Sequence[UUID] | None = None) -> list[AlertRow]:
    return _rows(db, "usage_forming", account_ids, "true")


def _rows(db: Db, table: str, account_ids: Sequence[UUID] | None, condition: str) -> list[AlertRow]:
    query = sql.SQL(
        "SELECT l.series_no, alerted_on, kind, onset, before, after, size, score, peers, recovered_on FROM {} l JOIN usage_series s"
        " USING (workspace_id, series_no) WHERE (%(ids)s::uuid[] IS NULL OR s.account_id = ANY(%(ids)s)) AND " + condition + " ORDER BY alerted_on, l.series_no"
    ).format(sql.Identifier(table))
    with db.cursor(row_factory=class_row(AlertRow)) as cursor:
        return cursor.execute(query, {"ids": list(account_ids) if account_ids is not None else None}).fetchall()
