"""review: drafts against the rules, from a file or a pipe to a file or a pipe."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.json_lines import PIPE, answer_lines
from service.critic.rows import review_lines


def register(app: typer.Typer) -> None:
    app.command("review")(review_drafts)


def review_drafts(
    file: Annotated[str, typer.Argument(help="JSON lines of {id, draft, channel, lang, evidence, recipient_name, am_name, situation}; - for a pipe.")],
    out: Annotated[str, typer.Option(help="Where the answers go, one JSON object a line; - for standard output.")] = PIPE,
) -> None:
    """Review drafts: which rules they break, where and why. One line in, one line out. Nothing is stored."""
    answer_lines(file, out, review_lines, "drafts reviewed", "reviewed")
