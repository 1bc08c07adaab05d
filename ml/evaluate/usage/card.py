"""The usage card: every figure beside its floor, its aim and what others reach on the same counts, all from one run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml.evaluate import fingerprint
from ml.evaluate.usage import change_points, chicago
from ml.evaluate.usage.detection import FIRST, Found, budget_for, seats, watched
from ml.evaluate.usage.figures import ACCOUNTS, BUDGET_SEEDS, TEST_SEEDS, Row, generated_rows, unlabelled_rows
from ml.evaluate.usage.generator import make_panel
from ml.evaluate.usage.peers import Compared, Judged, compared
from ml.evaluate.usage.speed import Cpu, speed_rows

CARD = fingerprint.SOURCES / "USAGE_CARD.md"
SETS = (chicago.SET, change_points.SET)
"""Files `usage/data/<set>.json` of the folder of outside data."""
PEER_ACCOUNTS, PEER_SEED, PEER_RATE = 300, 1001, 0.2
Sets = Mapping[str, Mapping[str, Any]]

INTRODUCTION = f"""# Usage card: how well Undertone finds usage drops

Written by `undertone evaluate usage`; a test says when it is stale. Whoever runs it again gets the same figures, but for those of speed.

The detector (`ml/usage/`, `models/usage.*`) reads daily counts per account and metric, keeps a state of constant size per series and says which series fell,
since when, from what to what. It learned from generated workspaces alone; no customer's data went into it.

## What is measured

- Generated workspaces (`ml/evaluate/usage/generator.py` says what is in them), {ACCOUNTS:,} accounts over 640 days,
  seeds {TEST_SEEDS[0]} to {TEST_SEEDS[-1]}, of which nothing was learned or chosen. Counts are as they were first seen: some days are late and never
  corrected. Drops and alerts count from day {FIRST} on.
- A drop is found when an alert comes within 42 days of its onset (a fade: until 28 days after its end) and no more than 3 days before it. Further alerts in
  those days count as neither right nor wrong; every other alert is false. Days until found end with the last day of counts that the alert needed.
- "0.2" and "0.1" are false alarms per series-year (per account-year for accounts). The budget that gives them is found on seeds
  {BUDGET_SEEDS[0]} and {BUDGET_SEEDS[-1]}; what came of it is in the table. Series-years count from the 45th day of a series on.
- Material: at least 3 active users a day in the four weeks before, and a fall of at least 30 %. An account is raised when the first of its series is.

What it does not say: how often usage drops at a real customer base, and how often a drop means a loss. The workspaces are generated, by us."""

MEASURES = "| what | floor | aim | mean | sd | holds | note |\n|---|---|---|---|---|---|---|"
PEERS = f"""## Others on the same counts

Seats of {PEER_ACCOUNTS} accounts, seed {PEER_SEED}, {PEER_RATE} false alarms per series-year. Thresholds and our budget are set on these very accounts
(in-sample), which favours the others: of every method all thresholds are tried, of ours a few budgets. Trailing window of 180 days, every 7
days unless said; a segmentation counts as an alert when its last segment lies at least 15 % below the one before. "Adjusted": weekdays and
the region's day taken out first, by us (`ml/evaluate/usage/adjustment.py`), as these methods know none.

| method | recall, counts as they are | recall, adjusted | false alarms a year | note |
|---|---|---|---|---|"""
CHANGE_POINTS = """## Turing change point data

For comparison alone. These are single series, mostly yearly or monthly, without a week or peers; the detector asks for 56 days before it says anything
and speaks of lasting falls and growth. Values are standardised and turned into counts for it; an alert's onset is the change point.

| method | covering | F1 | note |
|---|---|---|---|"""


def measured(sets: Sets, cpu: Cpu) -> str:
    """The card. `sets`: of SETS those that are at hand, as they are stored. Takes some ten CPU minutes, progress goes to stderr."""
    began_as = fingerprint.of_usage()
    parts = [
        INTRODUCTION,
        _table("Generated workspaces", generated_rows()),
        _table("Calibrated by the workspace's own days", unlabelled_rows()),
        _table("Real counts", chicago.chicago_rows(sets.get(chicago.SET))),
        _table("Cost", speed_rows(cpu)),
        _peers(),
        _change_points(sets.get(change_points.SET)),
        f"## Of what this speaks\n\n`{began_as}` is the hash of models/usage.*, ml/usage, ml/evaluate/usage and what they share with the rest.",
    ]
    if fingerprint.of_usage() != began_as:
        raise RuntimeError("Models or code changed while they were measured, so the figures speak of neither. Run it again.")
    return "\n\n".join(parts) + "\n"


def write(card: str, path: Path = CARD) -> None:
    path.write_text(card, encoding="utf-8")


def _table(title: str, rows: Iterable[Row]) -> str:
    return "\n".join([f"## {title}", "", MEASURES, *_told(title, map(line, rows))])


def line(row: Row) -> str:
    cells = (row.what, number(row.floor), number(row.aim), number(row.mean), number(row.spread), row.verdict, row.note)
    return f"| {' | '.join(cells)} |"


def number(value: float | None) -> str:
    """ "" for what was not measured."""
    if value is None or np.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def _told(title: str, lines: Iterable[str]) -> Iterator[str]:
    """The lines, each told on stderr as soon as it is there."""
    for text in lines:
        sys.stderr.write(f"{title}: {text}\n")
        yield text


def _peers() -> str:
    generated = make_panel(PEER_ACCOUNTS, seed=PEER_SEED)
    panel = generated.panel(("seats",))
    budget = budget_for(PEER_RATE, lambda b: seats(generated, b).rate, near=0.02, tries=6)
    days = watched(panel.values, FIRST)
    others = compared(panel, generated.events_for("seats"), first=FIRST, rate=PEER_RATE, days=days)
    lines = [_ours(seats(generated, budget), budget), *map(_other, others)]
    return "\n".join([PEERS, *_told("Others", lines)])


def _ours(found: Found, budget: float) -> str:
    return f"| Undertone | | {number(found.matched.recall)} | {number(found.rate)} | {len(found.events)} drops; day by day; budget {budget:.3f} |"


def _other(one: Compared) -> str:
    rates = ", ".join(number(judged.rate) for judged in (one.raw, one.adjusted) if judged)
    notes = [one.note, _beyond((one.raw, one.adjusted))]
    return f"| {one.name} | {_recall(one.raw)} | {_recall(one.adjusted)} | {rates} | {'; '.join(filter(None, notes))} |"


def _recall(judged: Judged | None) -> str:
    return "" if judged is None else number(judged.recall)


def _beyond(judged: Sequence[Judged | None]) -> str:
    return "more false alarms even at its strictest threshold" if any(j and j.rate > PEER_RATE for j in judged) else ""


def _change_points(stored: Mapping[str, Any] | None) -> str:
    lines = [f"| {one.name} | {number(one.covering)} | {number(one.f1)} | {one.note} |" for one in change_points.segmented(stored)]
    return "\n".join([CHANGE_POINTS, *_told("Change points", lines)])
