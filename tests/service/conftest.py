"""What tests of pages and of the API begin with: the application, without a socket or in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.api import create_app
from tests.client import serving


@pytest.fixture(scope="module")
def app(servers: str) -> Any:
    return create_app()


@pytest.fixture(scope="module")
def served(servers: str) -> Iterator[str]:
    """The address."""
    with serving() as address:
        yield address
