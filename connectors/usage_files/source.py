from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from connectors.base import Connector, Cursor, Finding, Page, Stream
from connectors.errors import Misconfigured
from connectors.folders import files
from connectors.records import Rejected, UsageRows
from connectors.tables import Column, UnreadableTable, raw_rows

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
PAGE = 50_000
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
            try:
                yield from _pages(path, until)
            except (UnreadableTable, EOFError, OSError) as error:
                yield Page(records=(), rejected=[Rejected(source_key=path.name, reason=str(error) or "the file ends too early")])
            yield Page(records=(), cursor=cursor)


def _readable(path: Path) -> Finding:
    try:
        next(iter(raw_rows(path, COLUMNS)), None)
    except (UnreadableTable, EOFError, OSError) as error:
        return Finding(level="error", about=path.name, message=str(error))
    return Finding(level="ok", about=path.name, message="has all four columns")


def _pages(path: Path, until: datetime) -> Iterator[Page]:
    rows = raw_rows(path, COLUMNS)
    while chunk := list(islice(rows, PAGE)):
        yield _page(path.name, chunk, until)


def _page(name: str, chunk: Sequence[tuple[int, Sequence[str | None]]], until: datetime) -> Page:
    lines = np.array([line for line, _ in chunk])
    accounts, metrics, days, values = (np.array(column, dtype=object) for column in zip(*(cells for _, cells in chunk), strict=True))
    day, day_ok = _days(days)
    value, value_ok = _numbers(values)
    last = np.datetime64(until.date() + timedelta(days=1))
    problems = [
        ("no account", _is_none(accounts)),
        ("no metric", _is_none(metrics)),
        ("the day is missing or not a date like 2026-03-31", ~day_ok),
        ("the day lies in the future or before 1990", day_ok & ((day > last) | (day < FIRST_DAY))),
        ("the value is missing or not a finite number", ~value_ok),
        ("the value is negative or above 10^15", value_ok & ((value < 0) | (value > MOST))),
    ]
    bad = np.zeros(len(chunk), dtype=bool)
    rejected: list[Rejected] = []
    for reason, where in problems:
        rejected += _rejections(name, lines[where & ~bad], reason)
        bad |= where.astype(bool)
    older = _contradicted(accounts, metrics, day, value, ~bad)
    rejected += _rejections(name, lines[older], "a later row of the file gives another value for the same account, metric and day; the later one counts")
    keep = ~bad & ~older
    rows = UsageRows(accounts=accounts[keep].tolist(), metrics=metrics[keep].tolist(), days=day[keep], values=value[keep])
    return Page(records=[rows] if len(rows.accounts) else [], rejected=rejected)


def _is_none(cells: Array) -> Array:
    return np.array([cell is None for cell in cells], dtype=bool)


def _rejections(name: str, lines: Array, reason: str) -> list[Rejected]:
    return [Rejected(source_key=f"{name}:{line}", reason=reason) for line in lines.tolist()]


def _days(cells: Array) -> tuple[Array, Array]:
    """ISO days, with or without a time of day behind them; and which cells were one."""
    try:
        return cells.astype("datetime64[D]"), ~_is_none(cells)
    except (ValueError, TypeError):
        parsed = [_day(cell) for cell in cells]
    day = np.array(parsed, dtype="datetime64[D]")
    return day, ~np.isnat(day)


def _day(cell: str | None) -> np.datetime64:
    try:
        return np.datetime64(datetime.fromisoformat((cell or "").replace("/", "-")).date())
    except ValueError:
        return np.datetime64("NaT")


def _numbers(cells: Array) -> tuple[Array, Array]:
    try:
        value = cells.astype(np.float64)
    except (ValueError, TypeError):
        value = np.array([_number(cell) for cell in cells])
    return value, np.isfinite(value)


def _number(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return float("nan")


def _contradicted(accounts: Array, metrics: Array, day: Array, value: Array, usable: Array) -> Array:
    """True for rows whose account, metric and day stand again further down with another value."""
    older = np.zeros(len(day), dtype=bool)
    at = np.nonzero(usable)[0]
    if len(at) == 0:
        return older
    codes = [np.unique(column[at].astype(str), return_inverse=True)[1] for column in (accounts, metrics)]
    days = day[at].astype(np.int64)
    order = np.lexsort((at, days, codes[1], codes[0]))
    same = np.ones(len(at) - 1, dtype=bool)
    for key in (codes[0], codes[1], days):
        same &= key[order][1:] == key[order][:-1]
    differs = value[at][order][1:] != value[at][order][:-1]
    older[at[order[:-1][same & differs]]] = True
    return older


def _source(config: Mapping[str, Any], secrets: Mapping[str, str]) -> UsageFiles:  # noqa: ARG001 - files need none
    return UsageFiles(Config.model_validate(config))


CONNECTOR = Connector(config_model=Config, source=_source)
