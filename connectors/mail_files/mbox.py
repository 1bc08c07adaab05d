"""Messages of a file, one at a time: a whole .eml, or an .mbox of any size read line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 25_000_000
"""A message's attachments are of no use here; what is beyond this is not read."""

_FROM_LINE = re.compile(rb"From (\S+@\S+|MAILER-DAEMON|-|\S+)\s+.*\d{4}")
_STUFFED = re.compile(rb"^>+From ")


def messages(path: Path) -> Iterator[tuple[int, bytes]]:
    """(byte offset, raw message). Raises OSError."""
    with path.open("rb") as file:
        first = file.readline(1000)
        file.seek(0)
        if not _FROM_LINE.match(first):
            yield 0, file.read(MAX_BYTES)
            return
        yield from _split(file)


def _split(file: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """A "From " line begins a message only after an empty one; inside bodies it is stuffed with ">"."""
    lines: list[bytes] = []
    start, position, size, after_blank = 0, 0, 0, True
    for line in file:
        if after_blank and _FROM_LINE.match(line):
            if lines:
                yield start, b"".join(lines)
            lines, start, size = [], position, 0
        elif size < MAX_BYTES:
            lines.append(line[1:] if _STUFFED.match(line) else line)
            size += len(line)
        position += len(line)
        after_blank = line in (b"\n", b"\r\n")
    if lines:
        yield start, b"".join(lines)
