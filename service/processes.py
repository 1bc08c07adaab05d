"""Child processes of `serve` and `demo`: API, worker, beat. They stop with their parent, however it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType

from service.config import settings
from service.errors import Unavailable
from service.lifeline import die_with_parent

STOP_WAIT = 20.0
FIRST_SWEEP = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    argv: tuple[str, ...]


def api() -> Child:
    return Child("api", (sys.executable, "-m", "uvicorn", "service.api:create_app", "--factory", *_where(), "--no-server-header", "--log-level", "warning"))


def worker(concurrency: int = 2) -> Child:
    argv = (sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-P", "prefork", "-c", str(concurrency))
    return Child("worker", (*argv, "--without-gossip", "--without-mingle", "--loglevel", "WARNING"))


def beat() -> Child:
    schedule = settings().home / "beat"
    settings().home.mkdir(parents=True, exist_ok=True)
    return Child("beat", (sys.executable, "-m", "celery", "-A", "workers.app", "beat", "--schedule", str(schedule), "--loglevel", "WARNING"))


@contextmanager
def started(children: Sequence[Child], log_dir: Path | None = None) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Stops all of them at the end of the block: a polite signal first, SIGKILL after STOP_WAIT seconds."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        running.extend(start(child, log_dir) for child in children)
        yield running
    finally:
        for process in running:
            if process.poll() is None:
                process.terminate()
        _wait_for(running)


def run_until_stopped(children: Sequence[Child]) -> None:
    """Until SIGINT or SIGTERM. A child that ends by itself ends the others: a supervisor should see one honest exit."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        with started(children) as running:
            while all(p.poll() is None for p in running):
                time.sleep(0.2)
            ended = next(c.name for c, p in zip(children, running, strict=True) if p.poll() is not None)
            message = f"The {ended} process ended by itself; its log above says why. The others were stopped."
            raise Unavailable(message)
    except KeyboardInterrupt:
        return


def start(child: Child, log_dir: Path | None) -> subprocess.Popen[bytes]:
    if log_dir is None:
        return subprocess.Popen(child.argv, preexec_fn=_apart)  # noqa: PLW1509 - a prctl and a setpgrp, no lock is taken
    log_dir.mkdir(parents=True, exist_ok=True)
    with (log_dir / f"{child.name}.log").open("ab") as log:
        return subprocess.Popen(child.argv, preexec_fn=_apart, stdout=log, stderr=log)  # noqa: PLW1509


def _wait_for(running: Sequence[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + STOP_WAIT
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _apart() -> None:
    """Ctrl-C reaches the parent alone, which then stops its children in good order."""
    die_with_parent()
    os.setpgrp()


def _where() -> tuple[str, ...]:
    return ("--host", settings().host, "--port", str(settings().port))
