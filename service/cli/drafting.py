"""draft: drafts from evidence, from a file or a pipe to a file or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from service.cli.reading import PIPE, check_target, lines_of, moved_in_place, opened, progress
from service.config import settings
from service.errors import BadInput

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
    with ExitStack() as stack:
        source = sys.stdin.buffer if file == PIPE else stack.enter_context(opened(Path(file)))
        check_target(source, out)
        target = sys.stdout.buffer if out == PIPE else stack.enter_context(moved_in_place(Path(out).resolve()))
        rows, bad = _write(source, target, stack.enter_context(progress("drafts written")))
    if bad:
        message = f"{bad:,} of {rows:,} lines could not be read; the answer to each says why. The other {rows - bad:,} were."
        raise BadInput(message)


def _write(source: BinaryIO, target: BinaryIO, told: Callable[[int], None]) -> tuple[int, int]:
    """(rows, how many of them could not be read)."""
    from service.critic.rows import BadLine
    from service.drafting.rows import draft_lines

    rows = bad = 0
    for batch in draft_lines(lines_of(source), _rewrite()):
        target.write(b"".join(json.dumps(asdict(row), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n" for row in batch))
        target.flush()
        rows += len(batch)
        bad += sum(isinstance(row, BadLine) for row in batch)
        told(rows)
    return rows, bad


def _rewrite() -> Rewrite | None:
    """None while no language model is set."""
    if settings().model_url is None:
        return None
    from service.drafting.rewriting import rewrite
    from service.rewriter import asker, endpoint

    to = endpoint(settings())
    return partial(rewrite, ask=asker(to), model=to.model) if to else None
