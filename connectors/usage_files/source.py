from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from connectors.base import Connector, Cursor, Finding, Page, Stream
from connectors.cells import day_of, number_of
from connectors.characters import clean
from connectors.errors import ConnectorError, Misconfigured
from connectors.folders import files, place
from connectors.records import Rejected, UsageRows
from connectors.tables import Block, Column, blocks

SUFFIXES = (".csv", ".tsv", ".ndjson", ".jsonl", ".csv.gz", ".tsv.gz", ".ndjson.gz", ".jsonl.gz")
MAX_NAME = 200
"""Characters of an account's or a metric's name: more does not fit an index of the database."""
FIRST_DAY = np.datetime64("1990-01-01")
MOST = 1e15

Array = npt.NDArray[Any]

COLUMNS = {
    "account": Column(
        ("account", "account_key", "account_id", "account_name", "customer", "customer_id", "company", "tenant", "organization", "workspace"), required=True
    ),
    "metric": Column(("metric", "metric_name", "measure", "event", "feature", "name"), required=True),
    "day": Column(("day", "date", "ds", "event_date", "activity_date"), required=True),
    "value": Column(("value", "count", "qty", "quantity", "total", "amount"), required=True),
}


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str


class UsageFiles:
    def __init__(self, config: Config) -> None:
        self.path = Path(config.path)

    def check(self, now: datetime) -> Sequence[Finding]:  # noqa: ARG002 - the interface of every source
        try:
            found = list(files(self.path, SUFFIXES, Cursor()))
        except Misconfigured as error:
            return [Finding(level="error", about="usage files", message=str(error))]
        if not found:
            return [Finding(level="warning", about="usage files", message=f"{self.path} holds no file that ends in {', '.join(SUFFIXES[:4])} yet.")]
        return [_readable(path) for path, _ in found]

    def streams(self) -> Sequence[Stream]:
        return [Stream(name="usage")]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:  # noqa: ARG002 - one stream
        for path, cursor in files(self.path, SUFFIXES, after):
            name = place(path, self.path)
            try:
                yield from (_page(name, block, until) for block in blocks(path, COLUMNS))
            except ConnectorError as error:
                yield Page(records=(), rejected=[Rejected(source_key=name, reason=str(error))])
            yield Page(records=(), cursor=cursor)


def _readable(path: Path) -> Finding:
    try:
        next(blocks(path, COLUMNS), None)
    except ConnectorError as error:
        return Finding(level="error", about=path.name, message=str(error))
    return Finding(level="ok", about=path.name, message="has all four columns")


def _page(name: str, block: Block, until: datetime) -> Page:
    cells = [_distinct(column) for column in block.columns]
    (accounts, account), (metrics, metric) = (_cleaned(*found) for found in cells[:2])
    day, value = _days(*cells[2]), _values(block.columns[3], cells[3], ",." if block.decimal_comma else ".")
    last = np.datetime64(until.date() + timedelta(days=1))
    finite = np.isfinite(value)
    problems = [
        ("no account", _lengths(accounts)[account] == 0),
        ("no metric", _lengths(metrics)[metric] == 0),
        (f"the account or the metric has more than {MAX_NAME} characters", (_lengths(accounts)[account] > MAX_NAME) | (_lengths(metrics)[metric] > MAX_NAME)),
        ("the day is missing or not a date like 2026-03-31", np.isnat(day)),
        ("the day lies in the future or before 1990", (day > last) | (day < FIRST_DAY)),
        ("the value is missing or not a finite number", ~finite),
        ("the value is negative or above 10^15", finite & ((value < 0) | (value > MOST))),
    ]
    lines = np.array(block.lines, dtype=np.int64)
    rejected = [Rejected(source_key=f"{name}:{line}", reason=reason) for line, reason in block.broken]
    keep = np.ones(len(lines), dtype=bool)
    for reason, where in problems:
        rejected += _rejections(name, lines[keep & where], reason)
        keep &= ~where
    older = _contradicted(account, metric, day, value, keep)
    rejected += _rejections(name, lines[older], "a later row of the file gives another value for the same account, metric and day; the later one counts")
    keep[older] = False
    rows = UsageRows(accounts=accounts[account[keep]].tolist(), metrics=metrics[metric[keep]].tolist(), days=day[keep], values=value[keep])
    return Page(records=[rows] if keep.any() else [], rejected=rejected)


def _rejections(name: str, lines: Array, reason: str) -> list[Rejected]:
    return [Rejected(source_key=f"{name}:{line}", reason=reason) for line in lines.tolist()]


def _distinct(cells: Sequence[str]) -> tuple[list[str], Array]:
    """The different cells of a column, and for each row the index of its own. Whatever is costly is then done once per different cell."""
    index = {cell: i for i, cell in enumerate(dict.fromkeys(cells))}
    return list(index), np.fromiter(map(index.__getitem__, cells), np.int64, len(cells))


def _cleaned(names: Sequence[str], at: Array) -> tuple[Array, Array]:
    """Names that differ in blanks and NUL characters alone are one."""
    cleaned, same = _distinct([clean(name).strip() for name in names])
    return np.array(cleaned, dtype=object), same[at]


def _lengths(names: Array) -> Array:
    return np.fromiter(map(len, names), np.int64, len(names))


def _days(cells: Sequence[str], at: Array) -> Array:
    """Not a time where a cell is no day."""
    return np.array([day_of(clean(cell).strip()) for cell in cells], dtype="datetime64[D]")[at]


def _values(column: Sequence[str], distinct: tuple[Sequence[str], Array], decimals: str) -> Array:
    """Not a number where a cell is none."""
    try:
        return np.fromiter(map(float, column), np.float64, len(column))
    except ValueError:
        cells, at = distinct
    numbers = (number_of(clean(cell).strip(), decimals) for cell in cells)
    return np.array([np.nan if n is None else n for n in numbers], dtype=np.float64)[at]


def _contradicted(account: Array, metric: Array, day: Array, value: Array, usable: Array) -> Array:
    """Indices of rows whose account, metric and day stand again further down with another value."""
    at = np.flatnonzero(usable)
    if len(at) == 0:
        return at
    days = day[at].astype(np.int64)
    key = (account[at] * (metric.max() + 1) + metric[at]) * (days.max() + 1) + days
    order = np.argsort(key, kind="stable")
    ends = np.append(key[order][1:] != key[order][:-1], True)
    values = value[at][order]
    of_the_last = values[ends][np.cumsum(ends) - ends]
    older: Array = at[order[values != of_the_last]]
    return older


def _source(config: Mapping[str, Any], secrets: Mapping[str, str]) -> UsageFiles:  # noqa: ARG001 - files need none
    return UsageFiles(Config.model_validate(config))


CONNECTOR = Connector(config_model=Config, source=_source)
