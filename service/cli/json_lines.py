"""From a file or a pipe of JSON lines to another: one line in, one line out."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from service.errors import BadInput, Unavailable
from service.json_lines import BadLine

LONGEST_LINE = 64 << 20
"""Bytes. A file without line breaks must not fill the memory."""
PIPE = "-"
Answering = Callable[[Iterable[bytes]], Iterator[list[Any]]]
"""Lines to answers in batches: dataclasses, of which a BadLine says why there is none."""


def answer_lines(file: str, out: str, answering: Answering, what: str, done: str) -> None:
    """`what` is counted while it runs ("messages read"); `done` says what befell them. Raises BadInput where some could not be."""
    with ExitStack() as stack:
        source = sys.stdin.buffer if file == PIPE else stack.enter_context(_opened(Path(file)))
        _check_target(source, out)
        target = sys.stdout.buffer if out == PIPE else stack.enter_context(moved_in_place(Path(out).resolve()))
        rows, bad = _write(answering(_lines_of(source)), target, stack.enter_context(_progress(what)))
    if bad:
        others = rows - bad
        rest = f" The other {others:,} {'was' if others == 1 else 'were'} {done}." if others else ""
        message = f"{bad:,} of {rows:,} lines could not be {done}; the answer to each says why.{rest}"
        raise BadInput(message)


def _write(batches: Iterable[list[Any]], target: BinaryIO, told: Callable[[int], None]) -> tuple[int, int]:
    """(rows, how many of them were bad)."""
    rows = bad = 0
    for batch in batches:
        target.write(b"".join(map(_line, batch)))
        target.flush()
        rows += len(batch)
        bad += sum(isinstance(row, BadLine) for row in batch)
        told(rows)
    return rows, bad


def _line(row: Any) -> bytes:
    """Half of a surrogate pair, which UTF-8 cannot hold, goes out as the JSON escape it came in as."""
    return json.dumps(asdict(row), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _lines_of(source: BinaryIO) -> Iterator[bytes]:
    """Of a line that is too long the beginning, which is no JSON."""
    while line := source.readline(LONGEST_LINE):
        yield line
        while not line.endswith(b"\n") and (line := source.readline(LONGEST_LINE)):
            pass


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as problem:
        message = f"The file {path} cannot be opened ({problem.strerror}). Check the path."
        raise BadInput(message) from None


def _check_target(source: BinaryIO, out: str) -> None:
    if out != PIPE and not Path(out).exists():
        return
    found = os.fstat(sys.stdout.fileno()) if out == PIPE else Path(out).stat()
    is_file = stat.S_ISREG(found.st_mode)
    if is_file and os.path.samestat(os.fstat(source.fileno()), found):
        message = "The answers would overwrite the messages they are read from. Give --out another file."
        raise BadInput(message)
    if out != PIPE and not is_file:
        message = f"{out} is no ordinary file, and would be replaced by one. Give --out a file, or - and redirect it."
        raise BadInput(message)


@contextmanager
def moved_in_place(path: Path) -> Iterator[BinaryIO]:
    """A file that appears whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("xb") as stream:
            yield stream
        partial.replace(path)
    except OSError as problem:
        message = f"{path} could not be written ({problem.strerror}). Nothing of it was kept."
        raise Unavailable(message) from None
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    columns = (SpinnerColumn(), TextColumn(f"{{task.completed:,}} {what}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), redirect_stdout=False, transient=True) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda rows: bars.update(bar, completed=rows)
