"""A process that pulls many mails out of an org: its last word is its peak memory in bytes."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLIENT_ID, CLIENT_SECRET = "bench", "known to nobody else"
"""The org's own are not imported: its code would be counted with ours."""


def peak_of_a_pull(mails: int, characters: int) -> int:
    """Bytes. The org runs in a process of its own; each of its mails has a body of so many characters."""
    from service import servers
    from service.connect import connect
    from service.pull import pull
    from service.store import workspaces
    from service.store.pool import transaction

    argv = [sys.executable, "-m", "connectors.sandbox", "--add-emails", str(mails), "--add-characters", str(characters), "--now", NOW.isoformat()]
    argv += ["--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET]
    with servers.throwaway(), subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as org:
        servers.migrate()
        workspace_id = uuid4()
        with transaction(workspace_id) as db:
            workspaces.create(db, workspace_id, "bench")
        assert org.stdout is not None
        config = {"domain": "undertone-sandbox.my", "consumer_key": CLIENT_ID, "endpoint": org.stdout.readline().split(" answers at ")[1].split(";")[0]}
        connection_id = connect(workspace_id, "salesforce", "crm", config, {"consumer_secret": CLIENT_SECRET})
        landed = 0
        while landed < mails:  # a turn is bounded, and the next one goes on where it ended
            report = pull(workspace_id, connection_id, NOW)
            assert report.landed, report
            landed += report.landed
        org.terminate()
    return _peak()


def _peak() -> int:
    """From the kernel's account of this program; getrusage would carry the parent's peak over."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    sys.stdout.write(f"{peak_of_a_pull(int(sys.argv[1]), int(sys.argv[2]))}\n")
