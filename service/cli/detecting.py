"""detect: a usage file replayed day by day, one JSON object a line for every alert, recovery and note. No database."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from service.cli.json_lines import PIPE, moved_in_place
from service.cli.workspace import printable
from service.config import now
from service.errors import BadInput

if TYPE_CHECKING:
    from ml.usage.levels import Interval
    from ml.usage.tell import Explanation, Told

LEAST_BUDGET, MOST_BUDGET = 0.01, 5.0


def register(app: typer.Typer) -> None:
    app.command("detect")(detect_drops)


def detect_drops(
    file: Annotated[Path, typer.Argument(help="CSV, TSV or JSON lines, also .gz: account, metric, day, value and, if there is one, region.")],
    out: Annotated[str, typer.Option(help="Where the alerts go, one JSON object a line; - for standard output.")] = PIPE,
    budget: Annotated[
        float, typer.Option(min=LEAST_BUDGET, max=MOST_BUDGET, help="False alarms that are allowed per account and year. More of them find more.")
    ] = 0.15,
    start: Annotated[str | None, typer.Option(help="Say nothing of the days before this one, like 2026-03-31; they only teach what is usual.")] = None,
    rejected: Annotated[Path | None, typer.Option(help="List the rows that were not used to this file, one JSON object a line.")] = None,
) -> None:
    """Find usage that changed for good: replays a file of daily counts as if live and writes what would have been said on which day. Nothing is stored."""
    first = _day(start) if start else None
    _check(file, out, rejected)
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    rows, bad = _detect(file, out, budget, first, rejected, console)
    if bad:
        where = f"{rejected} lists them" if rejected else "--rejected FILE lists them"
        message = f"{bad:,} of {rows:,} rows could not be used; {where}. The others were."
        raise BadInput(message)


def _detect(file: Path, out: str, budget: float, start: date | None, rejected: Path | None, console: Console) -> tuple[int, int]:
    """(rows, how many of them could not be used)."""
    from ml.usage.tell import alerts_of
    from service.cli.usage_file import read_panel

    with console.status("reading rows") as status:
        panel, reading = read_panel(file, now(), lambda rows: status.update(f"{rows:,} rows read"))
        series, days = panel.values.shape
        status.update(f"replaying {days:,} days of {series:,} series")
        told = alerts_of(panel, budget, start)
    with ExitStack() as stack:
        _write(stack, rejected, ({"row": row.row, "reason": row.reason} for row in [*reading.left_out, *reading.replaced]))
        _write(stack, out, map(_row, told))
    kept = reading.rows - len(reading.left_out) - len(reading.replaced)
    console.print(f"{kept:,} of {reading.rows:,} rows used: {len(set(panel.accounts)):,} accounts, {series:,} series, {_span(panel.first_day, days)}.")
    for reason, count in [*reading.reasons(), *Counter(row.reason for row in reading.replaced).most_common()]:
        console.print(f"  {count:,} left out: {printable(reason)}")
    console.print(_summary(told))
    return reading.rows, len(reading.left_out)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"--start must be a day like 2026-03-31, not {printable(text)[:40]!r}."
        raise BadInput(message) from None


def _check(file: Path, out: str, rejected: Path | None) -> None:
    targets = [Path(out).resolve()] * (out != PIPE) + ([rejected.resolve()] if rejected else [])
    for target in targets:
        if target == file.resolve():
            message = f"{target.name} is the file that is read, and would be overwritten. Name another one."
            raise BadInput(message)
        if target.exists() and not target.is_file():
            message = f"{target} is no ordinary file, and would be replaced by one. Name a file."
            raise BadInput(message)
    if len(targets) != len(set(targets)):
        message = "--out and --rejected name the same file. Name two."
        raise BadInput(message)


def _write(stack: ExitStack, path: str | Path | None, rows: Iterable[dict[str, Any]]) -> None:
    """Nothing stands under its name before all files are written."""
    if path is None:
        return
    target = sys.stdout.buffer if path == PIPE else stack.enter_context(moved_in_place(Path(path).resolve()))
    for row in rows:
        target.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n")
    target.flush()


def _row(told: Told) -> dict[str, Any]:
    """docs/usage.md explains each field."""
    alert, unit = told.alert, told.unit
    onset = unit.since if unit else alert.onset if alert else told.said_on
    row: dict[str, Any] = {
        "account": told.account,
        "metric": told.metric,
        "alerted_on": told.said_on.isoformat(),
        "onset": onset.isoformat(),
        "before": _rounded(alert.before) if alert else None,
        "after": _rounded(alert.after) if alert else None,
        "size": _rounded(alert.size) if alert else None,
        "kind": told.kind,
        "score": _rounded(alert.score) if alert else None,
        "peers": _rounded(told.explanation.peers if told.explanation else alert.peers) if alert else None,
        "sentence": told.sentence,
    }
    if told.now is not None:
        row["now"] = _rounded(told.now)
    if unit:
        row |= {"note": "unit changed?", "factor": unit.factor}
    if told.explanation:
        row["explanation"] = _explained(told.explanation)
    return row


def _explained(found: Explanation) -> dict[str, Any]:
    return {
        "onset_between": [day.isoformat() for day in found.onset_between],
        "before_between": _ends(found.before),
        "after_between": _ends(found.after),
        "gradual": found.gradual,
        "per_week": _rounded(found.per_week.value) if found.per_week else None,
        "people": found.people,
        "others": [{"metric": o.metric, "way": o.way, "change": _rounded(o.change.value) if o.way != "unknown" else None} for o in found.others],
        "peer_accounts": found.peer_accounts,
        "innocent": [{"key": i.key, "finding": i.finding, "number": _rounded(i.number), "text": i.text} for i in found.innocent],
    }


def _ends(found: Interval) -> list[float]:
    return [_rounded(found.low), _rounded(found.high)]


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _span(first: date, days: int) -> str:
    last = first + timedelta(days - 1)
    return f"{first} to {last}" if days > 1 else str(first)


def _summary(told: Sequence[Told]) -> str:
    kinds = Counter(t.kind for t in told)
    recoveries, notes = kinds.pop("recovery", 0), kinds.pop("note", 0)
    shown = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    alerts = _counted(kinds.total(), "alert", "alerts") + (f" ({shown})" if shown else "")
    return f"{alerts}, {_counted(recoveries, 'recovery', 'recoveries')}, {_counted(notes, 'note', 'notes')}."


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
