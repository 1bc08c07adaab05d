"""Messages of a file, one at a time: a whole .eml, or an .mbox of any size read line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 25_000_000
"""A message's attachments are of no use here; what is beyond this is not read."""
_MAX_LINE = 1_000_000
"""A longer line is read in pieces, so that a file without line ends does not fill the memory."""

_FROM_LINE = re.compile(
    rb"From \S.{0,300}\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} \d\d:\d\d(?::\d\d)?\b.{0,20}?\b\d{4}\b[^a-z]{0,20}$", re.DOTALL
)
"""With a date as C's asctime writes it: a person's "From Monday 3 March 2025 on ..." must not cut their mail in two."""
_STUFFED = re.compile(rb">+From ")


def messages(path: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """(byte offset, raw message), from the message at offset `start` on. Raises OSError."""
    with path.open("rb") as file:
        is_mbox = file.readline(1000).startswith(b"From ")
        file.seek(start)
        if is_mbox:
            yield from _split(file, start)
        else:
            yield 0, file.read(MAX_BYTES)


def _split(file: BinaryIO, begin: int) -> Iterator[tuple[int, bytes]]:
    """A "From " line begins a message only after an empty one; inside bodies it is stuffed with ">"."""
    lines: list[bytes] = []
    start, position, size, after_blank = begin, begin, 0, True
    for line in iter(partial(file.readline, _MAX_LINE), b""):
        if position == begin or (after_blank and line.startswith(b"From ") and _FROM_LINE.match(line)):
            if lines:
                yield start, b"".join(lines)
            lines, start, size = [], position, 0
        elif size < MAX_BYTES:
            lines.append(line[1:] if line.startswith(b">") and _STUFFED.match(line) else line)
            size += len(line)
        position += len(line)
        after_blank = line in (b"\n", b"\r\n")
    if lines:
        yield start, b"".join(lines)
