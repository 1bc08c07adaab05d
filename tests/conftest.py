"""Real servers for every test that wants them: the embedded Postgres and Valkey, or those the environment names."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import hypothesis
import pytest

from service import servers as running_servers
from service.config import settings
from tests import builders

# On a busy machine drawing an example may take long; that says nothing about the code. The long counts are ./dev prove's.
hypothesis.settings.register_profile("suite", max_examples=30, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def state_dir() -> Iterator[Path]:
    """Outside pytest's own folder, which is closed to the user that Postgres runs as under root."""
    folder = Path(tempfile.mkdtemp(prefix="undertone-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def servers(state_dir: Path) -> Iterator[str]:
    """The schema owner's URL, once Postgres and Valkey run and the schema is in place."""
    os.environ["UNDERTONE_HOME"] = str(state_dir)
    settings.cache_clear()
    with running_servers.running(state_dir, durable=False):
        running_servers.migrate()
        yield str(settings().database_owner_url)


@pytest.fixture
def workspace(servers: str) -> UUID:
    """A workspace of the test's own; row-level security keeps it apart, so nothing needs cleaning up."""
    return builders.workspace()


@pytest.fixture
def hold_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[datetime], None]]:
    """Holds the product's clock still at a time, until the test is over."""

    def hold(at: datetime) -> None:
        monkeypatch.setenv("UNDERTONE_NOW", at.isoformat())
        settings.cache_clear()

    yield hold
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of outside data."""
    folder = os.environ.get("UNDERTONE_DATA")
    if not folder:
        skip_or_fail("not run: needs UNDERTONE_DATA, the folder of labelled data")
    return Path(str(folder))


def skip_or_fail(sentence: str) -> None:
    """In CI nothing is skipped."""
    if os.environ.get("UNDERTONE_NO_SKIP"):
        pytest.fail(sentence)
    pytest.skip(sentence)
