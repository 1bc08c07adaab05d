"""Every operation of the OpenAPI document under schemathesis: what it allows is taken, what it forbids is refused, and each answer is as documented."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from service.config import settings
from tests import schema_fuzz, walk
from tests.schema_fuzz import Found


@pytest.fixture(scope="module")
def found(servers: str) -> Iterator[Found]:
    with pytest.MonkeyPatch.context() as environ, psycopg.connect(servers, autocommit=True) as owner:
        for name, value in schema_fuzz.WITHOUT_LIMIT.items():
            environ.setenv(name, value)
        settings.cache_clear()
        owner.execute("SET row_security = off")
        yield schema_fuzz.run(owner, walk.planted(owner), examples=2, seed=1)
    settings.cache_clear()


def test_nothing_that_is_sent_makes_a_fault_of_ours(found):
    assert found.faults == 0


def test_every_answer_is_as_the_document_says(found):
    assert "\n\n".join(sorted(found.failures)) == ""


def test_it_has_tried_every_operation_with_what_is_allowed_and_what_is_not(found):
    """Else nothing above would mean anything."""
    assert found.errors == []
    assert found.operations == {str(o) for o in walk.operations()}
    assert min(found.requests[phase] for phase in ("coverage", "fuzzing", "stateful")) > 0
    assert {200, 401, 404, 405, 409, 413, 415, 422} <= set(found.statuses)
