"""A worker in a process of its own that may be killed at a chosen moment: after so many requests, and so many milliseconds more."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from datetime import datetime
from uuid import UUID

# Loaded once in the server that workers are forked from: a connector loads its client library only when it is first used.
import connectors.salesforce.sink
import connectors.salesforce.source  # noqa: F401
from connectors.errors import ConnectorError
from service.errors import Conflict, Refused, Unavailable
from service.pull import pull
from service.push import push


def work(workspace_id: UUID, connection_id: UUID, now: datetime, kill_at: tuple[int, float] | None) -> None:
    """Pull, then push, as a worker does. `kill_at`: (n-th send to the CRM, seconds after it)."""
    if kill_at is not None:
        _die(*kill_at)
    with suppress(Conflict, Refused, Unavailable, ConnectorError):
        pull(workspace_id, connection_id, now)
    with suppress(Conflict, Refused, Unavailable, ConnectorError):
        push(workspace_id, connection_id)


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
