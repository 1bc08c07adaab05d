"""draft: drafts from evidence, from a file or a pipe to a file or a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from service.cli.reading import PIPE, check_target, lines_of, moved_in_place, opened, progress
from service.errors import BadInput


def register(app: typer.Typer) -> None:
    app.command("draft")(write_drafts)


def write_drafts(
    file: Annotated[str, typer.Argument(help="JSON lines of {id, channel, lang, am_name, recipient_name, evidence}; - for a pipe.")],
    out: Annotated[str, typer.Option(help="Where the drafts go, one JSON object a line; - for standard output.")] = PIPE,
) -> None:
    """Write drafts from evidence, each with its plan, two others and the critic's report. One line in, one line out. Nothing is stored or sent."""
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
    for batch in draft_lines(lines_of(source)):
        target.write(b"".join(json.dumps(asdict(row), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n" for row in batch))
        target.flush()
        rows += len(batch)
        bad += sum(isinstance(row, BadLine) for row in batch)
        told(rows)
    return rows, bad
