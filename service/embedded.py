"""Real Postgres and Valkey from their wheels, for a machine that has none: on loopback, with passwords, in a state directory
that survives a restart. One process starts and watches them; others that name the same directory share them.

No server outlives its starter: the kernel signals them when it dies (Linux), and a watchdog on a pipe does so everywhere.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

import psycopg

from service import embedded_binaries as binaries
from service.errors import UndertoneError
from service.lifeline import die_with_parent

START_WAIT = 30.0
STOP_WAIT = 20.0
LOOK_EVERY = 0.3


class EmbeddedError(UndertoneError):
    title = "The embedded servers cannot run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    database_url: str
    database_owner_url: str
    redis_url: str


@contextmanager
def attach_or_start(state_dir: Path, *, durable: bool = True) -> Iterator[Urls]:
    """Servers on `state_dir` for the block: shared where another process runs them, else started and stopped here.

    `durable=False` trades safety against power loss for speed; a killed process loses nothing either way.
    """
    _make_state_dir(state_dir)
    with (state_dir / "lock").open("w") as lock:
        shared = _lock_or_share(state_dir, lock.fileno())
        if shared:
            yield shared
            return
        _stop_cleanly_on_sigterm()
        servers = _Servers(state_dir, durable=durable)
        try:
            yield servers.start()
        finally:
            servers.stop()


class _Servers:
    """Both servers of one state directory, brought back by a watcher if one of them dies."""

    def __init__(self, state_dir: Path, *, durable: bool) -> None:
        self.state_dir = state_dir
        self.durable = durable
        self.as_user = binaries.server_user()
        self.passwords = _passwords(state_dir)
        self.ports = {"postgres": free_port(), "valkey": free_port()}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.watchdogs: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = threading.Event()
        self.watcher = threading.Thread(target=self._watch, name="embedded-servers", daemon=True)

    @property
    def urls(self) -> Urls:
        postgres = f"127.0.0.1:{self.ports['postgres']}/undertone"
        return Urls(
            database_url=f"postgresql://undertone_app:{self.passwords['app']}@{postgres}",
            database_owner_url=f"postgresql://undertone_owner:{self.passwords['owner']}@{postgres}",
            redis_url=f"redis://:{self.passwords['redis']}@127.0.0.1:{self.ports['valkey']}/0",
        )

    def start(self) -> Urls:
        self._initialise()
        # From the watcher's thread: the kernel ties "signal me when my parent dies" to the thread that forked.
        self.watcher.start()
        self._wait_until_ready()
        _write_private(self.state_dir / "urls.json", json.dumps(asdict(self.urls)))
        return self.urls

    def stop(self) -> None:
        (self.state_dir / "urls.json").unlink(missing_ok=True)
        self.stopping.set()
        if self.watcher.ident is not None:
            self.watcher.join(STOP_WAIT + 5)

    def _watch(self) -> None:
        while not self.stopping.is_set():
            for name in ("postgres", "valkey"):
                if name not in self.running or self.running[name].poll() is not None:
                    self._launch(name)
            self.stopping.wait(LOOK_EVERY)
        for name, process in self.running.items():
            process.send_signal(_POLITE[name])
        for name, process in self.running.items():
            _reap(process)
            _reap(self.watchdogs[name])

    def _launch(self, name: str) -> None:
        if name in self.watchdogs:
            _reap(self.watchdogs[name])
        with (self.state_dir / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self._argv(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for us, not for the servers
                preexec_fn=lambda: die_with_parent(_POLITE[name]),  # noqa: PLW1509 - only a prctl, no lock is taken
                **self.as_user,
            )
        self.watchdogs[name] = _watchdog(self.running[name].pid, _POLITE[name])

    def _argv(self, name: str) -> list[str]:
        port = str(self.ports[name])
        if name == "postgres":
            options = {**_POSTGRES, **({} if self.durable else _POSTGRES_FAST)}
            flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
            return [str(binaries.postgres() / "bin" / "postgres"), "-D", str(self.state_dir / "postgres"), "-p", port, *flags]
        return [str(binaries.valkey()), str(self.state_dir / "valkey.conf"), "--port", port]

    def _initialise(self) -> None:
        data = self.state_dir / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        config = self.state_dir / "valkey.conf"
        lines = {**_VALKEY, "dir": str(data), "requirepass": self.passwords["redis"]}
        _write_private(config, "".join(f"{key} {value}\n" for key, value in lines.items()))
        binaries.give_to_server_user(data, config)
        if not (self.state_dir / "postgres" / "PG_VERSION").exists():
            _initdb(self.state_dir, self.passwords["owner"], self.as_user)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_WAIT
        admin = self.urls.database_owner_url.removesuffix("undertone") + "postgres"
        while True:
            try:
                _make_database(admin)
                _knock(self.ports["valkey"])
                return  # noqa: TRY300 - both answered
            except (psycopg.OperationalError, OSError):
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"Postgres or Valkey did not come up within {START_WAIT:.0f} s. Their logs stand in {self.state_dir}; "
                        "or set DATABASE_URL and REDIS_URL to servers of your own."
                    ) from None
                time.sleep(0.05)


_POLITE = {"postgres": signal.SIGINT, "valkey": signal.SIGTERM}
"""SIGINT is Postgres' fast shutdown; its SIGTERM would wait for every client."""

_POSTGRES = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Containers give /dev/shm 64 MB, which shared memory by POSIX would overrun.
    "dynamic_shared_memory_type": "mmap",
    "shared_buffers": "128MB",
    "max_connections": "60",
    "log_min_messages": "warning",
    # A failing statement may hold somebody's words.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
_POSTGRES_FAST = {"fsync": "off", "full_page_writes": "off"}
"""Commits still reach the operating system one by one: only a crash of the machine can lose one."""
_VALKEY = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "loglevel": "warning",
}


def _make_state_dir(state_dir: Path) -> None:
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"{state_dir} cannot be made ({error.strerror}). Set UNDERTONE_HOME to a folder that you may write.") from None
    blocked = binaries.unreachable_by_server_user(state_dir)
    if blocked:
        raise EmbeddedError(f"Postgres will not run as root, and the user it runs as cannot enter {blocked}. Set UNDERTONE_HOME to a folder outside it.")


def _lock_or_share(state_dir: Path, lock: int) -> Urls | None:
    """None: the lock is ours. Otherwise the servers of whoever holds it, once they answer."""
    deadline = time.monotonic() + START_WAIT
    while time.monotonic() < deadline:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        with suppress(OSError, ValueError):
            urls = Urls(**json.loads((state_dir / "urls.json").read_text()))
            _knock(urlsplit(urls.redis_url).port or 0)
            return urls
        time.sleep(0.05)
    raise EmbeddedError(f"Another process holds {state_dir} and its servers do not answer. Stop it, or set UNDERTONE_HOME to another folder.")


def _knock(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return


def _stop_cleanly_on_sigterm() -> None:
    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, stop)


def _passwords(state_dir: Path) -> dict[str, str]:
    path = state_dir / "passwords.json"
    if not path.exists():
        _write_private(path, json.dumps({name: secrets.token_hex(24) for name in ("owner", "app", "redis")}))
    passwords: dict[str, str] = json.loads(path.read_text())
    return passwords


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def _initdb(state_dir: Path, password: str, as_user: binaries.AsUser) -> None:
    data, password_file = state_dir / "postgres", state_dir / "initdb.password"
    data.mkdir(mode=0o700, exist_ok=True)
    _write_private(password_file, password)
    binaries.give_to_server_user(data, password_file)
    argv = [str(binaries.postgres() / "bin" / "initdb"), "-D", str(data), "-U", "undertone_owner", f"--pwfile={password_file}", "-A", "scram-sha-256"]
    argv += ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions", "--wal-segsize=4", "--no-sync"]
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, **as_user)
    finally:
        password_file.unlink()
    if done.returncode:
        raise EmbeddedError(f"initdb could not make a database in {data}: {done.stderr.strip()[-300:]}")


def _make_database(admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True, connect_timeout=2) as db:
        if db.execute("SELECT FROM pg_database WHERE datname = 'undertone'").fetchone() is None:
            db.execute("CREATE DATABASE undertone")


def free_port() -> int:
    """A port of this machine that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _watchdog(pid: int, number: signal.Signals) -> subprocess.Popen[bytes]:
    """Waits on a pipe whose other end only we hold: when it breaks, we are gone."""
    script = f"read -r _; kill -{number.value} {pid} 2>/dev/null"
    return subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def _reap(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.kill()
        process.stdin.close()
    try:
        process.wait(STOP_WAIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
