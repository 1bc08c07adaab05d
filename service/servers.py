"""Where Postgres and Redis are: named by the environment, already running for this machine, or started here. The rest of the
program only ever sees the two URLs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from service import jobs
from service.config import settings
from service.errors import SettingError
from service.store import migrate as migrations
from service.store import pool


@contextmanager
def running(state_dir: Path | None = None, *, durable: bool = True) -> Iterator[None]:
    """Servers for the block. Those that this block started stop with it; those of another process are shared."""
    with ExitStack() as stack:
        if settings().database_url is None or settings().redis_url is None:
            stack.enter_context(_embedded(state_dir or settings().home, durable=durable))
        yield


def migrate() -> list[str]:
    """Raises SettingError when nobody may change the schema."""
    owner, app = settings().database_owner_url, settings().database_url
    if owner is None or app is None:
        message = "DATABASE_OWNER_URL is not set: name the login that owns the schema, beside DATABASE_URL for the app's own login."
        raise SettingError(message)
    return migrations.migrate(owner, app)


@contextmanager
def throwaway(**environment: str) -> Iterator[Path]:
    """Servers and a home folder of the block's own, whatever the environment names; gone with all their data afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="undertone-"))
    folder.chmod(0o711)  # the servers may run as another user
    try:
        with _embedded(folder, durable=False, over={"UNDERTONE_HOME": str(folder), **environment}):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _embedded(state_dir: Path, *, durable: bool, over: Mapping[str, str] | None = None) -> Iterator[None]:
    """`over`: settings for the block; with them its servers win over those that the environment names."""
    from service import embedded  # starting servers is not on the path of a machine that has its own

    with embedded.attach_or_start(state_dir, durable=durable) as urls:
        before = dict(os.environ)
        found = {"DATABASE_URL": urls.database_url, "DATABASE_OWNER_URL": urls.database_owner_url, "REDIS_URL": urls.redis_url}
        os.environ.update({**before, **found, **over} if over is not None else {**found, **before})
        _read_again()
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            _read_again()


def _read_again() -> None:
    pool.close()
    settings.cache_clear()
    jobs.celery.cache_clear()
