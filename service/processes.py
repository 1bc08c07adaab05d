"""Child processes of `serve` and `demo`: API, worker, beat. They stop with their parent, however it dies."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import FrameType

from service.config import settings
from service.errors import Unavailable
from service.lifeline import die_with_parent

log = logging.getLogger(__name__)

STOP_WAIT = 20.0
MOST_ENDS = 5
ENDS_WITHIN = 60.0
FIRST_SWEEP = timedelta(minutes=15)
_ENDS = ("--timeout-graceful-shutdown", "10")
"""Seconds after which an answer is cut that has no end of its own: the events of a job, while somebody watches."""


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    argv: tuple[str, ...]


def api() -> Child:
    return Child(
        "api", (sys.executable, "-m", "uvicorn", "service.api:create_app", "--factory", *_where(), *_ENDS, "--no-server-header", "--log-level", "warning")
    )


def worker(concurrency: int = 2) -> Child:
    argv = (sys.executable, "-m", "celery", "--quiet", "-A", "workers.app", "worker", "-P", "prefork", "-c", str(concurrency))
    return Child("worker", (*argv, "--without-gossip", "--without-mingle", "--loglevel", "WARNING"))


def beat() -> Child:
    schedule = settings().home / "beat"
    settings().home.mkdir(parents=True, exist_ok=True)
    return Child("beat", (sys.executable, "-m", "celery", "--quiet", "-A", "workers.app", "beat", "--schedule", str(schedule), "--loglevel", "WARNING"))


@dataclass(slots=True)
class Family:
    """Children that run. `mend` starts again what ended by itself, for instance a worker whose broker died under it."""

    log_dir: Path | None = None
    members: dict[Child, subprocess.Popen[bytes]] = field(default_factory=dict)
    ends: dict[Child, list[float]] = field(default_factory=dict)

    def start(self, child: Child) -> None:
        self.members[child] = _start(child, self.log_dir)

    def mend(self, now: float) -> None:
        """`now` is a monotonic time. Raises Unavailable if a child ended MOST_ENDS times within ENDS_WITHIN seconds: it will not stay up."""
        for child, process in list(self.members.items()):
            if process.poll() is None:
                continue
            recent = [at for at in self.ends.get(child, []) if now - at < ENDS_WITHIN] + [now]
            self.ends[child] = recent
            if len(recent) >= MOST_ENDS:
                where = f"its log is {self.log_dir / child.name}.log" if self.log_dir else "its log above says why"
                raise Unavailable(f"The {child.name} process ended {MOST_ENDS} times within {ENDS_WITHIN:.0f} seconds; {where}. The others were stopped.")
            log.warning("process ended by itself, started again", extra={"child": child.name, "exit_code": process.returncode})
            self.start(child)

    def stop(self) -> None:
        """A polite signal to all of them first, SIGKILL after STOP_WAIT seconds."""
        for process in self.members.values():
            if process.poll() is None:
                process.terminate()
        _wait_for(list(self.members.values()))


@contextmanager
def started(children: Sequence[Child], log_dir: Path | None = None) -> Iterator[Family]:
    """Stops all of them at the end of the block."""
    family = Family(log_dir)
    try:
        for child in children:
            family.start(child)
        yield family
    finally:
        family.stop()


def run_until_stopped(children: Sequence[Child], welcome: Callable[[], None] | None = None) -> None:
    """Until SIGINT or SIGTERM, or until a child will not stay up. `welcome` is called once, as soon as the API answers."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        with started(children) as family:
            while True:
                family.mend(time.monotonic())
                if welcome is not None and _listens():
                    welcome()
                    welcome = None
                time.sleep(0.2)
    except KeyboardInterrupt:
        return


def _start(child: Child, log_dir: Path | None) -> subprocess.Popen[bytes]:
    if log_dir is None:
        return subprocess.Popen(child.argv, preexec_fn=_apart)  # noqa: PLW1509 - a prctl and a setpgrp, no lock is taken
    log_dir.mkdir(parents=True, exist_ok=True)
    with (log_dir / f"{child.name}.log").open("ab") as file:
        return subprocess.Popen(child.argv, preexec_fn=_apart, stdout=file, stderr=file)  # noqa: PLW1509


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


def _listens() -> bool:
    with socket.socket(socket.AF_INET6 if ":" in settings().host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((settings().host, settings().port)) == 0


def _where() -> tuple[str, ...]:
    return ("--host", settings().host, "--port", str(settings().port))
