"""retrain: the reader learns from this workspace's corrections, and is used only where it got better by them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from service import servers
from service.cli.workspace import Workspace, opened
from service.errors import BadInput
from service.retrain import Retrained, Standing, roll_back, standing
from service.retrain import retrain as retrain_step


def register(app: typer.Typer) -> None:
    app.command()(retrain)


def retrain(
    *,
    status: Annotated[bool, typer.Option("--status", help="Only show which reader is in use, and how earlier ones were judged.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Give up the reader that was promoted last; the one before it reads again.")] = False,
    workspace: Workspace = "default",
) -> None:
    """Teach the reader this workspace's corrections. It is used only if it reads held-out corrections better. Takes minutes; nothing leaves the database."""
    if status and rollback:
        message = "Give --status or --rollback, not both."
        raise BadInput(message)
    console = Console(highlight=False, markup=False)
    with servers.running():
        workspace_id = opened(workspace)
        if status:
            _show_standing(console, standing(workspace_id))
        elif rollback:
            given_up, now = roll_back(workspace_id)
            console.print(f"{given_up} is no longer used and its weights are deleted. {now} reads from the next scoring on.")
        else:
            with Console(stderr=True).status("Learning from the shipped corpus and your corrections; this takes minutes"):
                done = retrain_step(workspace_id)
            _show(console, done)


def _show(console: Console, done: Retrained) -> None:
    found = done.comparison
    console.print(
        f"Learned from {done.known:,} messages of the shipped corpus and {done.learned} corrected ones; judged by {found.held_out} others that were corrected."
    )
    table = Table("label", "measure", "held out", "present", "new")
    for a in found.agreements:
        table.add_row(a.label, a.measure, str(a.rows), f"{a.present:.2f}", f"{a.new:.2f}")
    present, new = found.remembered
    table.add_row("all", "agreement with the shipped corpus", "", f"{present:.3f}", f"{new:.3f}")
    console.print(table)
    if found.promoted:
        console.print(f"Promoted: {done.version} reads from the next scoring on, which reads every message again. `undertone retrain --rollback` undoes it.")
        return
    _list(console, "Not promoted; the present reader stays.", found.against)


def _show_standing(console: Console, found: Standing) -> None:
    console.print(f"In use: {found.in_use}. Corrected messages to learn from: {found.corrected}, of which {found.held_out} are held out.")
    if found.trouble:
        console.print(found.trouble)
    if not found.history:
        return
    table = Table("when", "version", "state", "learned from", "held out", "gain", "taught beside")
    for row in found.history:
        figures: dict[str, Any] = row.figures
        table.add_row(
            f"{row.recorded_at:%Y-%m-%d %H:%M}",
            row.version,
            row.state.replace("_", " "),
            str(figures["learned"]),
            str(figures["held_out"]),
            f"{figures['gain']:+.3f}",
            row.base,
        )
    console.print(table)
    _list(console, "", found.history[0].figures["against"])


def _list(console: Console, title: str, sentences: Iterable[str]) -> None:
    for line in (title, *(f"  {sentence}" for sentence in sentences)):
        if line:
            console.print(line, soft_wrap=True)
