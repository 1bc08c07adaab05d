"""Start an org and stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.sandbox.auth import Credentials, Seconds, Tokens
from connectors.sandbox.clock import Now
from connectors.sandbox.counters import Counters
from connectors.sandbox.faults import Faults
from connectors.sandbox.org import Org
from connectors.sandbox.schema import Options
from connectors.sandbox.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A running org. `url` is plain http; the https addresses that a Salesforce client forms must be led there."""

    url: str
    credentials: Credentials
    org: Org
    server: Server

    @property
    def tokens(self) -> Tokens:
        return self.org.tokens

    @property
    def counters(self) -> Counters:
        return self.org.counters

    @property
    def faults(self) -> Faults:
        return self.org.faults

    @property
    def domain(self) -> str:
        """What simple-salesforce calls domain: the host is `{domain}.salesforce.com`."""
        return self.org.options.domain


@contextmanager
def running(
    story: Path,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    now: datetime | Now | None = None,
    seconds: Seconds = time.time,
    options: Options | None = None,
    credentials: Credentials | None = None,
    state: Path | None = None,
) -> Iterator[Sandbox]:
    """Serves `story` until the block ends; port 0 takes a free one. `now` is the org's time (the real one if None), `seconds` that of its tokens.

    Raises StoryError for a folder or state file that cannot be served, OSError for a port that is taken.
    """
    accepted = credentials or Credentials()
    org = Org(story, now=now or _real_time, options=options, state=state, tokens=Tokens(accepted, seconds))
    try:
        with Server((host, port), org) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            try:
                yield Sandbox(url=f"http://{host}:{server.server_address[1]}", credentials=accepted, org=org, server=server)
            finally:
                server.shutdown()
                thread.join()
    finally:
        org.close()


def _real_time() -> datetime:
    return datetime.now(UTC)
