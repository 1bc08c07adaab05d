"""Embedded servers: who may not reach them, and that none is left behind."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis

from service import embedded

HOLD = (
    "import signal, sys, time; from pathlib import Path; from service import embedded\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a run in the background hands down that it is ignored
    "with embedded.attach_or_start(Path(sys.argv[1]), durable=False):\n"
    "    print('up', flush=True); time.sleep(60)\n"
)


@pytest.fixture
def home(state_dir: Path) -> Path:
    folder = state_dir / f"own-{time.monotonic_ns()}"
    folder.mkdir(mode=0o711)
    return folder


@pytest.fixture
def holder(home: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts another process that runs the servers of `home`."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE))
        assert started[-1].stdout is not None
        assert started[-1].stdout.readline() == b"up\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
    _wait_until(lambda: not _servers_of(home))


def _servers_of(home: Path) -> list[psutil.Process]:
    """Whatever works inside the state directory: both servers and their children."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()).is_relative_to(home):
                found.append(process)
    return found


def _user_of(server: psutil.Process) -> int | None:
    """None for a child that has ended meanwhile, as Postgres' own helpers do at any moment."""
    with suppress(psutil.NoSuchProcess):
        return int(server.uids().real)
    return None


def _addresses_of(server: psutil.Process) -> set[str]:
    with suppress(psutil.NoSuchProcess):
        return {c.laddr.ip for c in server.net_connections() if c.status == psutil.CONN_LISTEN}
    return set()


def _wait_until(is_true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_true()


def test_nobody_enters_without_the_password_and_nobody_from_outside(home):
    with embedded.attach_or_start(home, durable=False) as urls:
        parts = urlsplit(urls.database_owner_url)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(f"postgresql://undertone_owner:guess@127.0.0.1:{parts.port}/undertone")
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis(port=urlsplit(urls.redis_url).port).ping()
        listening = {address for server in _servers_of(home) for address in _addresses_of(server)}
        assert listening == {"127.0.0.1"}


def test_no_other_user_can_read_the_passwords(home):
    with embedded.attach_or_start(home, durable=False):
        for name in ("passwords.json", "urls.json", "valkey.conf"):
            assert stat.S_IMODE((home / name).stat().st_mode) == 0o600, name
    assert not (home / "initdb.password").exists()


def test_postgres_never_runs_as_root(home):
    with embedded.attach_or_start(home, durable=False):
        users = [user for server in _servers_of(home) if (user := _user_of(server)) is not None]
        assert len(users) >= 2
        assert 0 not in users


def test_no_server_outlives_a_killed_parent(home, holder):
    parent = holder()
    assert len(_servers_of(home)) >= 2
    os.kill(parent.pid, signal.SIGKILL)
    _wait_until(lambda: not _servers_of(home))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_signal_stops_everything_cleanly(home, holder, number):
    parent = holder()
    parent.send_signal(number)
    parent.wait(30)
    assert not _servers_of(home)
    assert "database system is shut down" in (home / "postgres.log").read_text()


def test_data_survives_a_restart_and_a_kill(home, holder):
    with embedded.attach_or_start(home, durable=False) as urls, psycopg.connect(urls.database_owner_url) as db:
        db.execute("CREATE TABLE kept AS SELECT 7 AS n")
    parent = holder()
    parent.kill()
    parent.wait()
    with embedded.attach_or_start(home, durable=False) as urls, psycopg.connect(urls.database_owner_url) as db:
        assert db.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_second_process_shares_the_servers_and_does_not_stop_them(home, holder):
    holder()
    before = json.loads((home / "urls.json").read_text())
    with embedded.attach_or_start(home, durable=False) as urls:
        assert urls.database_url == before["database_url"]
    with psycopg.connect(before["database_owner_url"]) as db:
        assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_dies_is_brought_back(home):
    with embedded.attach_or_start(home, durable=False) as urls:
        for server in _servers_of(home):
            with suppress(psutil.NoSuchProcess):  # it went with the one before
                server.kill()

        def answers() -> bool:
            try:
                with psycopg.connect(urls.database_owner_url, connect_timeout=2):
                    return bool(redis.Redis.from_url(urls.redis_url).ping())
            except (psycopg.OperationalError, redis.exceptions.ConnectionError):
                return False

        _wait_until(answers)
