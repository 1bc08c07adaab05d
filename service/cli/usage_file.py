"""A usage file as a panel: read by the usage connector, a block at a time, and laid out as one row a series, one column a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from connectors.base import Cursor
from connectors.characters import clean
from connectors.context import alone
from connectors.errors import Retriable
from connectors.records import Rejected, UsageHours, UsageRows
from connectors.tables import Column, blocks
from connectors.usage_files import CONNECTOR
from connectors.usage_files.source import COLUMNS, REPLACED
from ml.usage import Panel
from service.errors import BadInput

REGION = {"account": COLUMNS["account"], "region": Column(("region", "country", "territory", "geo", "market"))}
"""As the usage connector says it of rows that stand close together."""
MOST_DAYS = 5 * 366
"""Days of a panel. A single row of another decade must not stretch it over the years between."""
MOST_CELLS = 150_000_000
"""Series times days: about 3 GB at work. Beyond it, series of too few days to judge make room first."""
FEWEST_DAYS = 14
"""Days below which a series is neither judged nor anybody's peer."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One row that was not used: where it stands, as far as that is known, and why."""

    row: str
    reason: str


@dataclass(slots=True)
class Reading:
    """`timed`: the file has times instead of days, and what it tells of a day is added up; `rows` are quarters of an hour then.
    `replaced`: rows whose account, metric and day stand again further down with another value."""

    rows: int = 0
    timed: bool = False
    left_out: list[LeftOut] = field(default_factory=list)
    replaced: list[LeftOut] = field(default_factory=list)

    def note(self, rejected: Sequence[Rejected]) -> None:
        for row in rejected:
            (self.replaced if row.reason == REPLACED else self.left_out).append(LeftOut(row.source_key, row.reason))
            self.rows += ":" in row.source_key

    def reasons(self) -> list[tuple[str, int]]:
        return Counter(row.reason for row in self.left_out).most_common()


class _Names:
    """Names in order of appearance, as numbers."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}

    def __call__(self, names: list[str]) -> Ints:
        for name in dict.fromkeys(names):
            self.number.setdefault(name, len(self.number))
        return np.fromiter(map(self.number.__getitem__, names), np.int64, len(names))

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True, slots=True)
class _Table:
    account: Ints
    metric: Ints
    day: Ints
    value: npt.NDArray[np.float64]

    def only(self, rows: npt.NDArray[np.bool_]) -> _Table:
        return _Table(self.account[rows], self.metric[rows], self.day[rows], self.value[rows])


def read_panel(path: Path, until: datetime, progress: Callable[[int], None], most_cells: int = MOST_CELLS) -> tuple[Panel, Reading]:
    """All series of the file. Raises BadInput where the file as a whole cannot be used; single rows are left out and listed."""
    if not path.is_file():
        message = f"There is no file {path}. Check the path; a folder or a pipe cannot be read here."
        raise BadInput(message)
    reading, accounts, metrics = Reading(), _Names(), _Names()
    parts = [_Table(accounts(r.accounts), metrics(r.metrics), _days(r), r.values) for r in _pages(path, until, reading, progress)]
    if not parts:
        raise BadInput(_nothing(path, reading))
    table = _Table(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("account", "metric", "day", "value")))
    if reading.timed:
        table = _summed(table, len(metrics))
    names = list(accounts.number), list(metrics.number)
    table = _of_the_same_years(table, names, reading)
    return _laid_out(path, table, names, _regions(path), reading, most_cells), reading


def _pages(path: Path, until: datetime, reading: Reading, progress: Callable[[int], None]) -> Iterator[UsageRows | UsageHours]:
    for page in CONNECTOR.source(alone({"path": str(path)})).read("usage", Cursor(), until):
        reading.note(page.rejected)
        for rows in page.records:
            if isinstance(rows, UsageRows | UsageHours):
                reading.rows += len(rows.accounts)
                reading.timed |= isinstance(rows, UsageHours)
                yield rows
        progress(reading.rows)


def _days(rows: UsageRows | UsageHours) -> Ints:
    """As days since 1970; times fall on the day that they have in UTC."""
    return (rows.days if isinstance(rows, UsageRows) else rows.at.astype("datetime64[D]")).astype(np.int64)


def _summed(table: _Table, metrics: int) -> _Table:
    """One row per account, metric and day."""
    first, span = int(table.day.min()), int(np.ptp(table.day)) + 1
    cell, place = np.unique((table.account * metrics + table.metric) * span + table.day - first, return_inverse=True)
    series, day = np.divmod(cell, span)
    return _Table(series // metrics, series % metrics, day + first, np.bincount(place, table.value).astype(np.float64))


def _nothing(path: Path, reading: Reading) -> str:
    why = "; ".join(f"{count:,} × {reason}" for reason, count in reading.reasons()[:3])
    whole = [row.reason for row in reading.left_out if row.row == path.name]
    return whole[0] if whole else f"{path.name} holds no row that can be used" + (f": {why}." if why else ".")


def _of_the_same_years(table: _Table, names: tuple[list[str], list[str]], reading: Reading) -> _Table:
    """Of days that are more than MOST_DAYS apart those years that hold most rows."""
    first = int(table.day.min())
    if int(table.day.max()) - first < MOST_DAYS:
        return table
    below = np.concatenate([[0], np.cumsum(np.bincount(table.day - first))])
    ends = np.minimum(np.arange(len(below) - 1) + MOST_DAYS, len(below) - 1)
    start = first + int(np.argmax(below[ends] - below[:-1]))
    inside = (table.day >= start) & (table.day < start + MOST_DAYS)
    reason = f"the day lies more than {MOST_DAYS // 366} years from those of most rows"
    reading.left_out += _named(table.only(~inside), names, reason)
    return table.only(inside)


def _named(table: _Table, names: tuple[list[str], list[str]], reason: str) -> list[LeftOut]:
    accounts, metrics = names
    days = table.day.astype("datetime64[D]").astype(str)
    return [LeftOut(f"{accounts[a]} / {metrics[m]} / {d}", reason) for a, m, d in zip(table.account, table.metric, days, strict=True)]


def _laid_out(path: Path, table: _Table, names: tuple[list[str], list[str]], regions: dict[str, str], reading: Reading, most_cells: int) -> Panel:
    first = int(table.day.min())
    days = int(table.day.max()) - first + 1
    key, series = np.unique(table.account * len(names[1]) + table.metric, return_inverse=True)
    if len(key) * days > most_cells:
        table, key, series = _with_enough_days(path, table, key, series, days, names, reading, most_cells)
    values = np.full((len(key), days), np.nan, np.float32)
    values[series, table.day - first] = table.value
    later = values[series, table.day - first] != table.value.astype(np.float32)
    reading.replaced += _named(table.only(later), names, REPLACED)
    accounts = tuple(names[0][k // len(names[1])] for k in key.tolist())
    return Panel(
        accounts=accounts,
        metrics=tuple(names[1][k % len(names[1])] for k in key.tolist()),
        region=tuple(regions.get(account, "") for account in accounts),
        first_day=date.fromordinal(first + date(1970, 1, 1).toordinal()),
        values=values,
    )


def _with_enough_days(
    path: Path, table: _Table, key: Ints, series: Ints, days: int, names: tuple[list[str], list[str]], reading: Reading, most_cells: int
) -> tuple[_Table, Ints, Ints]:
    enough = np.bincount(series, minlength=len(key)) >= FEWEST_DAYS
    if np.count_nonzero(enough) * days > most_cells:
        message = f"{path.name} holds {len(key):,} series over {days:,} days, more than fit. Give files of one region each, or of fewer years."
        raise BadInput(message)
    kept = enough[series]
    reading.left_out += _named(table.only(~kept), names, f"the file is very large, and this account and metric have fewer than {FEWEST_DAYS} days in it")
    return table.only(kept), key[enough], (np.cumsum(enough) - 1)[series[kept]]


def _regions(path: Path) -> dict[str, str]:
    """Account -> region, where the file has such a column; of several the last. What cannot be read has been said when the rows were."""
    found: dict[str, str] = {}
    try:
        for block in blocks(path, REGION):
            pairs = dict.fromkeys(zip(*block.columns, strict=True))
            found |= {clean(account).strip(): clean(region).strip() for account, region in pairs if region.strip()}
    except Retriable:
        return found
    return found
