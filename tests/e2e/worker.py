"""Workers in processes of their own that may be killed at a chosen moment: after so many requests, and so many milliseconds more.

Run as a program this is a server that has everything loaded and forks a worker for each line that it reads.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from connectors.errors import ConnectorError
from service.errors import Conflict, Refused, Unavailable
from service.pull import pull
from service.push import push
from tests.e2e import hurried

KILLED = -signal.SIGALRM
KillAt = tuple[int, float] | None
"""(n-th send to the CRM, seconds after it)."""


def work(workspace_id: UUID, connection_id: UUID, now: datetime) -> None:
    """Pull, then push, as a worker does."""
    with suppress(Conflict, Refused, Unavailable, ConnectorError):
        pull(workspace_id, connection_id, now)
    with suppress(Conflict, Refused, Unavailable, ConnectorError):
        push(workspace_id, connection_id)


@dataclass
class Workers:
    """The server, from the side of a test."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls) -> Workers:
        hurried.install()
        return cls(subprocess.Popen([sys.executable, "-m", "tests.e2e.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    def run(self, workspace_id: UUID, connection_id: UUID, now: datetime, kills: Sequence[KillAt]) -> list[int]:
        """One worker for each of `kills`, all at once. Returns how they ended: 0, KILLED, or something worse."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"ids": [str(workspace_id), str(connection_id)], "now": now.isoformat(), "kills": kills}) + "\n")
        self.process.stdin.flush()
        ends: list[int] = json.loads(self.process.stdout.readline())
        return ends

    def stop(self) -> None:
        self.process.communicate(timeout=20)


def _serve() -> None:
    for line in sys.stdin:
        task = json.loads(line)
        children = [_forked(task, kill_at) for kill_at in task["kills"]]
        sys.stdout.write(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]) + "\n")
        sys.stdout.flush()


def _forked(task: dict[str, Any], kill_at: KillAt) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        if kill_at is not None:
            _die(*kill_at)
        workspace_id, connection_id = map(UUID, task["ids"])
        work(workspace_id, connection_id, datetime.fromisoformat(task["now"]))
        status = 0
    except BaseException:  # noqa: BLE001 - told to whoever reads, and as the exit status
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        sys.stderr.flush()
        os._exit(status)


def _die(sends: int, seconds: float) -> None:
    """An alarm that nobody handles ends the process at once, without any clean-up: as kill -9 does, and on time."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    count = 0

    def hook(event: str, _: object) -> None:
        nonlocal count
        if event == "http.client.send":
            count += 1
            if count == sends:
                signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))

    sys.addaudithook(hook)


if __name__ == "__main__":
    _serve()
