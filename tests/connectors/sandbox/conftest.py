from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from connectors.sandbox import Sandbox, running
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return orgs.story(tmp_path_factory.mktemp("story"))


@pytest.fixture
def sandbox(story: Path) -> Iterator[Sandbox]:
    with running(story, now=orgs.NOW) as started:
        yield started


@pytest.fixture
def sf(sandbox: Sandbox) -> Client:
    return orgs.client(sandbox)


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with orgs.api(sandbox) as client:
        yield client
