"""demo: a customer base of 60 accounts, from pull to task, in about a minute."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from service import demo as demos
from service.console.session import sign_in_link
from service.demo import Demo
from service.pull import pull
from service.push import approve, preview
from service.score import score
from service.suggest import suggest
from service.truth import Comparison


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(*, once: Annotated[bool, typer.Option("--once", help="Run to the end and exit instead of waiting for Ctrl-C.")] = False) -> None:
    """See it work: a sandbox CRM with a scripted year of 60 accounts. Needs no account anywhere; leaves nothing behind."""
    console = Console()
    console.print("Starting Postgres, Valkey, a sandbox CRM and the API ...", highlight=False)
    with demos.running() as running:
        _read(console, running)  # before there is a worker, which would take what is due out of its hands
        found = demos.compared(running)
        with demos.working():
            _push(console, running)
            _show(console, running, found)
            if once:
                return
            _lead_there(console, running)
            console.print("\nCtrl-C stops everything.")
            try:
                while True:
                    time.sleep(1)
            except KeyboardInterrupt:
                console.print("Stopping.")


def _bars(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description:26}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _read(console: Console, d: Demo) -> None:
    with _bars(console) as bars:
        for name, connection in (("Pull the CRM", d.crm), ("Pull usage", d.usage)):
            bar = bars.add_task(name, total=None)
            landed: dict[str, int] = {}

            def count(stream: str, rows: int, bar: object = bar, landed: dict[str, int] = landed) -> None:
                landed[stream] = rows
                bars.update(bar, completed=sum(landed.values()))  # type: ignore[arg-type]

            report = pull(d.workspace_id, connection, d.now, count)
            bars.update(bar, total=report.landed, completed=report.landed)
            for error in report.errors:
                console.print(f"  {error}", markup=False)
        bar = bars.add_task("Score messages and usage", total=None)
        scored = score(d.workspace_id, d.now, lambda _, done: bars.update(bar, completed=done))
        bars.update(bar, total=scored.messages, completed=scored.messages)
        bar = bars.add_task("Suggest", total=None)
        suggested = suggest(d.workspace_id, d.now)
        bars.update(bar, total=suggested.opened, completed=suggested.opened)


def _push(console: Console, d: Demo) -> None:
    would = preview(d.workspace_id, d.crm)
    approve(d.workspace_id, d.crm, d.now)
    with _bars(console) as bars:
        bar = bars.add_task("Push tasks into the CRM", total=len(would))
        for done, total in demos.push_by_doorbell(d):
            bars.update(bar, completed=done, total=total)


def _show(console: Console, d: Demo, comparison: Comparison) -> None:
    table = Table("what was planted in the story", "found", title="Found, against the story's truth")
    for kind, (found, planted) in sorted(comparison.per_kind.items()):
        table.add_row(kind, f"{found} of {planted}")
    table.add_row("false alarms: suggestions open on the quiet accounts", str(len(comparison.false_alarms)))
    console.print(table)
    console.print("Outlook: " + ", ".join(f"{count} {level.replace('_', ' ')}" for level, count in demos.outlooks(d).items()), highlight=False)


def _lead_there(console: Console, d: Demo) -> None:
    """Addresses that work while the demo runs."""
    console.print(f"\nConsole (signs you in, valid for ten minutes):\n  {sign_in_link(d.workspace_id, datetime.now(UTC))}", soft_wrap=True, highlight=False)
    console.print(f"The tasks, in the CRM that the account managers use:\n  {d.sandbox_url}/sandbox/tasks", soft_wrap=True, highlight=False)
