"""review: drafts against the rules, from a file or a pipe to a file or a pipe."""

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
from service.critic import Review
from service.critic.rows import BadLine, review_lines
from service.errors import BadInput


def register(app: typer.Typer) -> None:
    app.command("review")(review_drafts)


def review_drafts(
    file: Annotated[str, typer.Argument(help="JSON lines of {id, draft, channel, lang, evidence, recipient_name, am_name, situation}; - for a pipe.")],
    out: Annotated[str, typer.Option(help="Where the answers go, one JSON object a line; - for standard output.")] = PIPE,
) -> None:
    """Review drafts: which rules they break, where and why. One line in, one line out. Nothing is stored."""
    with ExitStack() as stack:
        source = sys.stdin.buffer if file == PIPE else stack.enter_context(opened(Path(file)))
        check_target(source, out)
        target = sys.stdout.buffer if out == PIPE else stack.enter_context(moved_in_place(Path(out).resolve()))
        rows, bad = _write(source, target, stack.enter_context(progress("drafts reviewed")))
    if bad:
        message = f"{bad:,} of {rows:,} lines could not be reviewed; the answer to each says why. The other {rows - bad:,} were reviewed."
        raise BadInput(message)


def _write(source: BinaryIO, target: BinaryIO, told: Callable[[int], None]) -> tuple[int, int]:
    """(rows, how many of them could not be reviewed)."""
    rows = bad = 0
    for batch in review_lines(lines_of(source)):
        target.write(b"".join(map(_line, batch)))
        target.flush()
        rows += len(batch)
        bad += sum(isinstance(row, BadLine) for row in batch)
        told(rows)
    return rows, bad


def _line(row: Review | BadLine) -> bytes:
    """Half of a surrogate pair, which UTF-8 cannot hold, goes out as the JSON escape it came in as."""
    return json.dumps(asdict(row), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
