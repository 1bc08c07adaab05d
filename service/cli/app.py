from __future__ import annotations

import sys

import typer

from connectors.errors import ConnectorError
from service.cli import (
    analysts,
    asking,
    auditing,
    connecting,
    demo,
    detecting,
    drafting,
    erasing,
    evaluating,
    explaining,
    exporting,
    importing,
    keys,
    people,
    policy,
    reading,
    retraining,
    reviewing,
    running,
    status,
    steps,
)
from service.embedded import EmbeddedError
from service.errors import UndertoneError

app = typer.Typer(
    name="undertone",
    help="Undertone hears the tone under the words: which customers' mood or usage is turning, in whose words, and what one might do about it. "
    "It never sends anything.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_GROUPS = (
    *(running, connecting, steps, status, policy, keys, people, erasing, importing, reading, asking, auditing, reviewing, drafting),
    *(detecting, explaining, retraining, evaluating, exporting, analysts, demo),
)
for group in _GROUPS:
    group.register(app)


def main() -> None:
    """Exit code 2 and one sentence for what a person can mend; a fault of ours keeps its traceback."""
    try:
        app()
    except (UndertoneError, ConnectorError, EmbeddedError) as error:
        print(f"undertone: {error}", file=sys.stderr)
        sys.exit(2)
