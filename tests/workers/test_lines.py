"""What worker and scheduler write when all goes well: one line each, and none that somebody has to read past."""

from __future__ import annotations

import json
import time
from pathlib import Path

from service import processes, servers

PATIENCE = 40.0


def test_a_worker_and_a_scheduler_write_nothing_but_that_they_are_there(tmp_path: Path):
    """On servers of its own, where nobody has left anything to do."""
    with servers.throwaway():
        servers.migrate()
        with processes.started([processes.worker(), processes.beat()], log_dir=tmp_path):
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline and not all("info" in (tmp_path / f"{n}.log").read_text() for n in ("worker", "beat")):
                time.sleep(0.2)
            time.sleep(6)  # longer than a sweep's pause
    said = {name: (tmp_path / f"{name}.log").read_text() for name in ("worker", "beat")}
    assert [json.loads(line)["message"] for line in said["beat"].splitlines()] == ["scheduler started"]
    lines = [line for line in said["worker"].splitlines() if line and not line.startswith("worker: ")]  # what celery says when it is told to stop
    assert [json.loads(line)["message"] for line in lines] == ["worker ready"]
