"""The `undertone` command inside this process: it starts nothing anew, and whoever asks for descriptors gets those of real files."""

from __future__ import annotations

import sys
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from io import TextIOWrapper
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile

import pytest

from service.cli import main


def undertone(*arguments: str, given: bytes = b"", cwd: Path | None = None) -> CompletedProcess[bytes]:
    """From its arguments to its exit code. Raises whatever would have been shown as a traceback."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        source, out, err = (TextIOWrapper(stack.enter_context(TemporaryFile()), "utf-8", write_through=True) for _ in range(3))
        source.buffer.write(given)
        source.seek(0)
        patch.setattr(sys, "argv", ["undertone", *arguments])
        patch.setattr(sys, "stdin", source)
        with chdir(cwd or Path.cwd()), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return CompletedProcess(arguments, code if isinstance(code, int) else 0, *map(_written, (out, err)))


def _written(stream: TextIOWrapper) -> bytes:
    stream.flush()
    stream.buffer.seek(0)
    return stream.buffer.read()
