"""evaluate: the figures of the cards, for anyone to run again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from service.errors import BadInput

PROCESSES = 2
evaluate = typer.Typer(no_args_is_help=True, help="Measure models, drafts and critic again and write their cards.")


def register(app: typer.Typer) -> None:
    app.add_typer(evaluate, name="evaluate")


@evaluate.command()
def text() -> None:
    """Reads the test split of the corpus, and sets of others found in UNDERTONE_DATA, and writes ml/MODEL_CARD.md. Needs a clone."""
    from ml.evaluate import card
    from service.config import settings

    typer.echo(card.write(settings().data, _cpu_seconds))


@evaluate.command()
def usage() -> None:
    """Finds planted drops in generated workspaces, and in counts of others found in UNDERTONE_DATA, and in a clone writes ml/USAGE_CARD.md."""
    from ml.evaluate.usage import card
    from service.config import settings

    measured = card.measured(usage_sets(settings().data, card.SETS), _cpu_seconds)
    typer.echo(measured)
    if card.CARD.is_file():
        card.write(measured)


@evaluate.command()
def drafts(
    sets: Annotated[Path | None, typer.Option(help="Folder of the test sets; without it benchmarks/drafting of this clone.")] = None,
    quick: Annotated[bool, typer.Option(help="Fewer drafts, contexts and names, in under two minutes; the card is left as it is.")] = False,
) -> None:
    """Measures the drafting engine and the critic on their test sets and on contexts made to break them, and writes docs/drafts_card.md. Needs a clone.
    Exit code 1 when a gate does not hold."""
    from service import evaluation

    size = evaluation.QUICK if quick else evaluation.FULL
    found = evaluation.measured(sets or evaluation.SETS, size, PROCESSES, _cpu_seconds, lambda word: typer.echo(word, err=True))
    typer.echo(found.text)
    if not quick:
        evaluation.write(found)
    if found.broken:
        raise typer.Exit(1)


def usage_sets(data: Path | None, names: tuple[str, ...]) -> Mapping[str, Mapping[str, Any]]:
    """Those of the named sets that are there."""
    files = {name: data / "usage" / "data" / f"{name}.json" for name in names} if data else {}
    return {name: _read(file) for name, file in files.items() if file.is_file()}


def _read(file: Path) -> Mapping[str, Any]:
    try:
        stored: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as e:
        raise BadInput(f"{file} is no JSON ({e}). Put the whole file there again, or take it away to leave its figures out.") from e
    return stored


def _cpu_seconds(act: Callable[[], object]) -> float:
    """Median of five."""
    taken = []
    for _ in range(5):
        start = time.process_time()
        act()
        taken.append(time.process_time() - start)
    return sorted(taken)[2]
