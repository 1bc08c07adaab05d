"""draft: drafts from evidence, from a file or a pipe to a file or a pipe."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.json_lines import PIPE, answer_lines
from service.config import settings

if TYPE_CHECKING:
    from service.drafting.rows import Rewrite


def register(app: typer.Typer) -> None:
    app.command("draft")(write_drafts)


def write_drafts(
    file: Annotated[str, typer.Argument(help="JSON lines of {id, channel, lang, am_name, recipient_name, evidence}; - for a pipe.")],
    out: Annotated[str, typer.Option(help="Where the drafts go, one JSON object a line; - for standard output.")] = PIPE,
) -> None:
    """Write drafts from evidence, each with its plan, two others and the critic's report. One line in, one line out. Nothing is stored, and nothing is sent
    unless UNDERTONE_MODEL_URL names a language model: that one is asked to put each draft better.
    """
    from service.drafting.rows import draft_lines

    answer_lines(file, out, partial(draft_lines, rewrite=_rewrite()), "drafts written", "read")


def _rewrite() -> Rewrite | None:
    """None while no language model is set."""
    if settings().model_url is None:
        return None
    from service.rewriter import rewriting

    return rewriting(settings())
