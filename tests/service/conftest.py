from __future__ import annotations

import os
from uuid import UUID

import pytest

from service.config import settings
from service.store.migrate import migrate
from tests import builders


@pytest.fixture(scope="session")
def servers():
    os.environ.setdefault("DATABASE_URL", "postgresql://undertone_app:x@127.0.0.1:55432/undertone")
    os.environ.setdefault("DATABASE_OWNER_URL", "postgresql://undertone_owner@127.0.0.1:55432/undertone")
    settings.cache_clear()
    migrate(os.environ["DATABASE_OWNER_URL"], os.environ["DATABASE_URL"])
    return os.environ["DATABASE_OWNER_URL"]


@pytest.fixture
def workspace(servers: str) -> UUID:  # noqa: ARG001
    """A workspace of the test's own; row-level security keeps it apart, so nothing needs cleaning up."""
    return builders.workspace()
