"""evaluate: the figures of the model card, for anyone to run again."""

from __future__ import annotations

import time
from collections.abc import Callable

import typer

evaluate = typer.Typer(no_args_is_help=True, help="Measure the models again and write their card.")


def register(app: typer.Typer) -> None:
    app.add_typer(evaluate, name="evaluate")


@evaluate.callback()
def _verbs() -> None:
    """Keeps `text` a verb of its own while it is the only one."""


@evaluate.command()
def text() -> None:
    """Reads the test split of the corpus, and sets of others found in UNDERTONE_DATA, and writes ml/MODEL_CARD.md. Needs a clone."""
    from ml.evaluate import card
    from service.config import settings

    typer.echo(card.write(settings().data, _cpu_seconds))


def _cpu_seconds(act: Callable[[], object]) -> float:
    """Median of five."""
    taken = []
    for _ in range(5):
        start = time.process_time()
        act()
        taken.append(time.process_time() - start)
    return sorted(taken)[2]
