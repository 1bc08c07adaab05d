"""Own text under a time bound: a long-lived child process parses, so that no body, however hostile, stops the worker.

A plain child process rather than multiprocessing: Celery's prefork workers are daemonic and may not have children of that kind.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import selectors
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import IO, Any

from ml.text import FAILED, MAX_CHARS, OwnText, own_text
from service.errors import Unavailable

CPU_SECONDS = 2.0
"""Of one message. The child's own timer ends it, even inside a regular expression; a busy machine costs no honest message its text."""
WALL_SECONDS = 30.0
"""Without an answer the child is taken for stuck; also how long it may take to start."""
_log = logging.getLogger(__name__)
_CHILD = (sys.executable, "-m", "service.own_text")
_LENGTH = struct.Struct(">I")


class Reader:
    """One child, started at first use and again after it was ended. Safe to share between threads and across a fork."""

    def __init__(self, child: Sequence[str] = _CHILD, wall_seconds: float = WALL_SECONDS) -> None:
        self._command = tuple(child)
        self._wall_seconds = wall_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = Lock()

    def read(self, bodies: Sequence[str]) -> list[OwnText]:
        """One for each body, in order. A body whose parsing takes too long is `failed`; the others are not touched by it."""
        found: list[OwnText] = []
        with self._lock:
            while len(found) < len(bodies):
                found.extend(self._read_until_failure(bodies[len(found) :]))
        return found

    def close(self) -> None:
        if self._child is not None and self._owner == os.getpid():
            _end(self._child)
        self._child = None

    def _read_until_failure(self, bodies: Sequence[str]) -> list[OwnText]:
        child = self._running()
        found: list[OwnText] = []
        try:
            _send(child.stdin, [body[: MAX_CHARS + 1] for body in bodies])
            for body in bodies:  # one by one: what was answered before a failure counts
                found.append(_own_text(body, _answer(child, self._wall_seconds)))  # noqa: PERF401
        except (EOFError, TimeoutError, BrokenPipeError):
            _log.warning("One message was given up: its quotes and signature could not be told apart in time. It is not scored.")
            self.close()
            found.append(FAILED)
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._owner != os.getpid() or self._child.poll() is not None:
            self._child = self._started()
            self._owner = os.getpid()
        return self._child

    def _started(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            _answer(child, WALL_SECONDS)
        except (EOFError, TimeoutError):
            _end(child)
            message = f"The process that reads mail bodies did not start ({' '.join(self._command[:3])}). Its message is above; mail waits until it runs."
            raise Unavailable(message) from None
        return child


_reader = Reader()
atexit.register(_reader.close)


def read_own_text(bodies: Sequence[str]) -> list[OwnText]:
    """ml.text.own_text of each body, within CPU_SECONDS each."""
    return _reader.read(bodies)


def serve(parse: Callable[[str], OwnText] = own_text) -> None:
    """The child: a frame of bodies in, a frame per body out, until the parent is gone. SIGPROF's default action ends the process."""
    out = sys.stdout.buffer
    _send(out, "ready")
    while header := sys.stdin.buffer.read(_LENGTH.size):
        for body in json.loads(sys.stdin.buffer.read(*_LENGTH.unpack(header))):
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
            found = parse(body)
            signal.setitimer(signal.ITIMER_PROF, 0)
            _send(out, [found.spans, found.quote_strip])


def _own_text(body: str, answer: Any) -> OwnText:
    spans = tuple((start, end) for start, end in answer[0])
    return OwnText("\n".join(body[start:end] for start, end in spans), spans, answer[1])


def _send(pipe: IO[bytes] | None, content: Any) -> None:
    assert pipe is not None
    frame = json.dumps(content).encode()
    pipe.write(_LENGTH.pack(len(frame)) + frame)
    pipe.flush()


def _answer(child: subprocess.Popen[bytes], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_exactly(child, _LENGTH.size, deadline))
    return json.loads(_exactly(child, length, deadline))


def _exactly(child: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
    assert child.stdout is not None
    pipe, content = child.stdout.fileno(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(content) < size:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            piece = os.read(pipe, size - len(content))
            if not piece:
                raise EOFError
            content += piece
    return content


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):  # a frame half written to a dead child cannot be flushed
                pipe.close()


if __name__ == "__main__":
    serve()
