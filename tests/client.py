"""Clients of the whole HTTP application: one without a socket, one against a server of its own process."""

from __future__ import annotations

import socket
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.request import urlopen
from uuid import UUID

import pytest

from service import keys, processes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette prefers httpx2, which is not among the locked packages
    from starlette.testclient import TestClient

__all__ = ["TestClient", "assert_problem", "key", "serving", "wait_for"]

START_WAIT = 60.0


def key(workspace_id: UUID, *scopes: str) -> dict[str, str]:
    """The header of a new key; with every scope where none is named."""
    return {"Authorization": f"Bearer {keys.create(workspace_id, 'test', scopes or keys.SCOPES, datetime.now(UTC), None)}"}


def assert_problem(answer: Any, status: int) -> str:
    """Returns what it says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


@contextmanager
def serving(app: str = "service.api:create_app", environ: Mapping[str, str] | None = None, log: IO[bytes] | None = None) -> Iterator[str]:
    """The product's own API process on a free port; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [app if word == "service.api:create_app" else word for word in processes.api().argv]
    with subprocess.Popen([*argv, "--port", str(port)], cwd=Path(__file__).parents[1], env=environ, stdout=log, stderr=log) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/v1/health", lambda: server.poll() is None)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(url: str, is_alive: Callable[[], bool] = lambda: True) -> None:
    """Until it answers; fails where whoever should answer is no longer alive, or takes too long."""
    deadline = time.monotonic() + START_WAIT
    while is_alive() and time.monotonic() < deadline:
        try:
            urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{url} did not answer")
