from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from connectors.base import Connector, Cursor, Finding, Page, Stream, StreamSchema
from connectors.cells import day_of, instant_of, number_of
from connectors.characters import clean
from connectors.context import Context
from connectors.errors import ConnectorError, Misconfigured, Retriable, StreamUnavailable
from connectors.folders import files, place
from connectors.records import Rejected, UsageRows
from connectors.tables import Block, Column, UnreadableTable, blocks
from connectors.usage_files import hours

SUFFIXES = (".csv", ".tsv", ".ndjson", ".jsonl", ".csv.gz", ".tsv.gz", ".ndjson.gz", ".jsonl.gz")
REPLACED = "a later row of the file gives another value for the same account, metric and day; the later one counts"
MAX_NAME = 200
"""Characters of an account's or a metric's name: more does not fit an index of the database."""
FIRST_DAY = np.datetime64("1990-01-01")

Array = npt.NDArray[Any]

COLUMNS = {
    "account": Column(
        ("account", "account_key", "account_id", "account_name", "customer", "customer_id", "company", "tenant", "organization", "workspace"), required=True
    ),
    "metric": Column(("metric", "metric_name", "measure", "event", "feature", "name"), required=True),
    "day": Column(("day", "date", "ds", "event_date", "activity_date"), required=True),
    "value": Column(("value", "count", "qty", "quantity", "total", "amount"), required=True),
}
TIMED = {("at" if name == "day" else name): column for name, column in COLUMNS.items()} | {
    "at": Column(("at", "timestamp", "hour", "time", "event_time", "occurred_at"), required=True)
}
"""Columns of a file without days: its rows are added up, see hours.py."""


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    path: str
    """A folder of CSV or NDJSON files, or one such file, as the worker's machine sees it."""


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

    def discover(self) -> Sequence[StreamSchema]:
        return [StreamSchema(stream="usage", fields=("account", "metric", "day", "value"))]

    def streams(self) -> Sequence[Stream]:
        return [Stream(name="usage")]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:
        if stream != "usage":
            message = f"usage_files has no stream {stream}."
            raise StreamUnavailable(message)
        for path, cursor in files(self.path, SUFFIXES, after):
            name = place(path, self.path)
            try:
                yield from _pages(path, name, until)
            except ConnectorError as error:
                yield Page(records=(), rejected=[Rejected(source_key=name, reason=str(error))])
            yield Page(records=(), cursor=cursor)


def columns_of(path: Path) -> Mapping[str, Column]:
    """COLUMNS or TIMED, whichever the file has. Raises as `blocks` does."""
    try:
        next(blocks(path, COLUMNS), None)
    except UnreadableTable as error:
        next(_timed_blocks(path, error), None)
        return TIMED
    return COLUMNS


def _readable(path: Path) -> Finding:
    try:
        columns = columns_of(path)
    except ConnectorError as error:
        return Finding(level="error", about=path.name, message=str(error))
    return Finding(level="ok", about=path.name, message="has all four columns" + (", with times" if columns is TIMED else ""))


def _pages(path: Path, name: str, until: datetime) -> Iterator[Page]:
    try:
        yield from (_page(name, block, until) for block in blocks(path, COLUMNS))
    except UnreadableTable as error:
        yield from _timed_pages(name, _timed_blocks(path, error), until)


def _timed_blocks(path: Path, without_days: UnreadableTable) -> Iterator[Block]:
    try:
        yield from blocks(path, TIMED)
    except UnreadableTable:
        raise without_days from None


def _page(name: str, block: Block, until: datetime) -> Page:
    rows, rejected = _usable(name, block, until, DAY)
    older = _contradicted(rows)
    rejected += _rejections(name, rows.line[older], REPLACED)
    rows = rows.only(~older)
    found = UsageRows(accounts=rows.accounts[rows.account].tolist(), metrics=rows.metrics[rows.metric].tolist(), days=rows.when, values=rows.value)
    return Page(records=[found] if len(rows.value) else [], rejected=rejected)


def _timed_pages(name: str, found: Iterator[Block], until: datetime) -> Iterator[Page]:
    """Of compressed data that break off, what came counts until the rest does."""
    sums = hours.Sums(name)
    try:
        for block in found:
            rows, rejected = _usable(name, block, until, INSTANT)
            sums.add(rows.accounts, rows.metrics, rows.account, rows.metric, rows.when, rows.value)
            yield Page(records=(), rejected=rejected)
    except Retriable:
        yield from _summed(name, sums)
        raise
    yield from _summed(name, sums)


def _summed(name: str, sums: hours.Sums) -> Iterator[Page]:
    for rows, left_out in sums.rows():
        reason = f"the values of one account and metric add up to more than 10^12 within a quarter of an hour, {left_out} times; they are left out"
        yield Page(records=[rows], rejected=[Rejected(source_key=name, reason=reason)] if left_out else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class _When:
    """How the third column is read. `most`: the largest value of a row."""

    kind: str
    read: Callable[[str], date | datetime | None]
    missing: str
    beyond: str
    most: float


DAY = _When(
    kind="datetime64[D]",
    read=day_of,
    missing="the day is missing or not a date like 2026-03-31",
    beyond="the day lies in the future or before 1990",
    most=1e15,
)
INSTANT = _When(
    kind="datetime64[s]",
    read=lambda cell: at.replace(tzinfo=None) if (at := instant_of(cell)) else None,
    missing="the time is missing or not one with Z or an offset, like 2026-03-31T14:00:00Z",
    beyond="the time lies in the future or before 1990",
    most=hours.MOST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """`account` and `metric` are places among the names; the other columns are of the same length."""

    accounts: Array
    metrics: Array
    account: Array
    metric: Array
    when: Array
    value: Array
    line: Array

    def only(self, rows: Array) -> _Rows:
        columns = {name: getattr(self, name)[rows] for name in ("account", "metric", "when", "value", "line")}
        return replace(self, **columns)


def _usable(name: str, block: Block, until: datetime, kind: _When) -> tuple[_Rows, list[Rejected]]:
    cells = [_distinct(column) for column in block.columns]
    (accounts, account), (metrics, metric) = (_cleaned(*found) for found in cells[:2])
    value = _values(block.columns[3], cells[3], ",." if block.decimal_comma else ".")
    line = np.array(block.lines, dtype=np.int64)
    rows = _Rows(accounts=accounts, metrics=metrics, account=account, metric=metric, when=_times(kind, *cells[2]), value=value, line=line)
    rejected = [Rejected(source_key=f"{name}:{at}", reason=reason) for at, reason in block.broken]
    keep = np.ones(len(line), dtype=bool)
    for reason, where in _problems(rows, until, kind):
        rejected += _rejections(name, line[keep & where], reason)
        keep &= ~where
    return rows.only(keep), rejected


def _problems(rows: _Rows, until: datetime, kind: _When) -> list[tuple[str, Array]]:
    last = np.datetime64(until.date() + timedelta(days=1))
    too_long = (_lengths(rows.accounts)[rows.account] > MAX_NAME) | (_lengths(rows.metrics)[rows.metric] > MAX_NAME)
    finite = np.isfinite(rows.value)
    return [
        ("the account is missing", _lengths(rows.accounts)[rows.account] == 0),
        ("the metric is missing", _lengths(rows.metrics)[rows.metric] == 0),
        (f"the account or the metric has more than {MAX_NAME} characters", too_long),
        (kind.missing, np.isnat(rows.when)),
        (kind.beyond, (rows.when > last) | (rows.when < FIRST_DAY)),
        ("the value is missing or not a number like 12.5", ~finite),
        (f"the value is negative or above 10^{np.log10(kind.most):.0f}", finite & ((rows.value < 0) | (rows.value > kind.most))),
    ]


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


def _times(kind: _When, cells: Sequence[str], at: Array) -> Array:
    """Not a time where a cell is none."""
    return np.array([kind.read(clean(cell).strip()) for cell in cells], dtype=kind.kind)[at]


def _values(column: Sequence[str], distinct: tuple[Sequence[str], Array], decimals: str) -> Array:
    """Not a number where a cell is none."""
    try:
        return np.fromiter(map(float, column), np.float64, len(column))
    except ValueError:
        cells, at = distinct
    numbers = (number_of(clean(cell).strip(), decimals) for cell in cells)
    return np.array([np.nan if n is None else n for n in numbers], dtype=np.float64)[at]


def _contradicted(rows: _Rows) -> Array:
    """Where the row's account, metric and day stand again further down with another value."""
    older = np.zeros(len(rows.value), dtype=bool)
    if not len(older):
        return older
    days = rows.when.astype(np.int64)
    key = (rows.account * (rows.metric.max() + 1) + rows.metric) * (days.max() + 1) + days
    order = np.argsort(key, kind="stable")
    ends = np.append(key[order][1:] != key[order][:-1], True)
    values = rows.value[order]
    older[order] = values != values[ends][np.cumsum(ends) - ends]
    return older


def _source(context: Context) -> UsageFiles:
    return UsageFiles(Config.model_validate(context.config))


CONNECTOR = Connector(config_model=Config, source=_source)
