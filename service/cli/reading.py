"""read: what messages say, from a file or a pipe to a file or a pipe."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.json_lines import PIPE, answer_lines
from service.read import read_lines


def register(app: typer.Typer) -> None:
    app.command("read")(read_messages)


def read_messages(
    file: Annotated[str, typer.Argument(help="JSON lines of {id, text, channel, from_contact}; - for what comes in by a pipe.")],
    out: Annotated[str, typer.Option(help="Where the answers go, one JSON object a line; - for standard output.")] = PIPE,
) -> None:
    """Read messages: mood, situations, churn risk, and the words that carry them. One line in, one line out. Nothing is stored."""
    answer_lines(file, out, read_lines, "messages read", "read")
