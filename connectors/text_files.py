"""Text files of unknown encoding, compressed or not, as blocks of whole lines: memory holds one block of a file of any size."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from connectors.characters import OR_WINDOWS, UTF_8
from connectors.errors import Misconfigured, Retriable

MAX_LINE = 100_000
"""Of a longer line only the beginning is kept, one character more than this."""

_GZIP = b"\x1f\x8b"
_NO_TEXT = {b"PK\x03\x04": "a workbook or an archive", b"\xd0\xcf\x11\xe0": "a workbook", b"PAR1": "a Parquet file"}


class UnreadableFile(Misconfigured):
    """A file that cannot be opened, or is no text."""


class _Unzipped(io.RawIOBase):
    """Ends where the compressed data break off; `cut` says that they did. What was good before is kept."""

    def __init__(self, file: BinaryIO) -> None:
        self._data = gzip.GzipFile(fileobj=file, mode="rb")
        self.cut = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        try:
            data = self._data.read1(len(view))
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.cut = True
            return 0
        view[: len(data)] = data
        return len(data)


class TextFile:
    """UTF-8 with or without a mark, with bytes of the Windows code page in it or throughout; UTF-16 with a mark."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._unzipped = _Unzipped(file) if _head(file).startswith(_GZIP) else None
        data = io.BufferedReader(self._unzipped, 1 << 16) if self._unzipped else cast("io.BufferedReader", file)
        head = _head(data)
        for mark, kind in _NO_TEXT.items():
            if head.startswith(mark):
                raise UnreadableFile(f"{path.name} is {kind}, not text. Save it as CSV (UTF-8) and give that file.")
        wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
        self._text = io.TextIOWrapper(data, encoding="utf-16" if wide else f"{UTF_8}-sig", errors="replace" if wide else OR_WINDOWS, newline="")

    def readline(self) -> str:
        return self._text.readline(MAX_LINE)

    def blocks(self, characters: int) -> Iterator[tuple[list[str], bool]]:
        """(lines with their ends, no more follow), about so many characters at a time.

        Raises Retriable after the last whole line of compressed data that break off.
        """
        rest = ""
        while chunk := self._text.read(characters):
            lines = list(io.StringIO(rest + chunk, newline=""))
            # A line that ends in \r may go on with \n.
            rest = "" if lines[-1].endswith("\n") else lines.pop()[: MAX_LINE + 1]
            yield lines, False
        if not self._is_cut():
            yield [rest] if rest else [], True
            return
        yield [], True
        raise Retriable(f"{self._path.name} ends within its compressed data. It may still be being written; if it stays like that, export it anew.")

    def _is_cut(self) -> bool:
        return self._unzipped is not None and self._unzipped.cut


@contextmanager
def opened(path: Path) -> Iterator[TextFile]:
    """Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            yield TextFile(path, file)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read ({error.strerror}). Check the path and its permissions.") from None


def _head(file: BinaryIO | io.BufferedReader) -> bytes:
    return cast("io.BufferedReader", file).peek(4)[:4]
