"""Each operation that the OpenAPI document names: no key, a key of the wrong scope, a key of another workspace. One added later is walked, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from fastapi.routing import iter_route_contexts

from service import keys
from service.api import create_app
from tests import builders, walk
from tests.client import TestClient, assert_problem, key
from tests.filled import Filled, fill
from tests.walk import Operation, Rows

PUBLIC = {"GET /v1/health"}
"""All that answers without a key. It shows no data."""

OPERATIONS = walk.operations()
GUARDED = [o for o in OPERATIONS if str(o) not in PUBLIC]


def each(operations: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=str)


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def owner(servers: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(servers, autocommit=True) as db:
        db.execute("SET row_security = off")
        yield db


@pytest.fixture(scope="module")
def theirs(servers: str, owner: psycopg.Connection[Any]) -> Filled:
    return walk.planted(owner)


@pytest.fixture(scope="module")
def ours(servers: str) -> Filled:
    return fill(builders.workspace(), "Ours")


@pytest.fixture(scope="module")
def rows(owner: psycopg.Connection[Any], theirs: Filled) -> Rows:
    return Rows(owner, theirs.workspace_id)


@pytest.fixture(scope="module")
def secret(rows: Rows, ours: Filled) -> set[str]:
    """Every id of theirs that is not by its making the same in every workspace."""
    return rows.ids() - Rows(rows.owner, ours.workspace_id).ids()


def ask(api: TestClient, operation: Operation, rows: Rows, headers: dict[str, str], **params: str) -> Any:
    return api.request(operation.method, walk.url(operation, rows), headers=headers, params=params, json=walk.body(operation, rows))


# Who may not


def without_a_key(operations: list[Operation]) -> set[str]:
    return {str(o) for o in operations if o.scopes is None}


def test_no_operation_answers_without_a_key_but_those_named_here():
    assert without_a_key(OPERATIONS) == PUBLIC


def test_an_operation_that_somebody_adds_without_a_key_is_found():
    app = create_app()

    @app.get("/v1/added")
    def added() -> dict[str, str]:
        return {}

    assert without_a_key(walk.operations(app.openapi())) == {*PUBLIC, "GET /v1/added"}


def test_every_operation_asks_for_one_scope_that_a_key_can_have():
    assert [str(o) for o in GUARDED if not (len(o.scopes or ()) == 1 and set(o.scopes or ()) <= set(keys.SCOPES))] == []


def test_no_route_hides_from_the_walk():
    """Outside the document are the console, which has a walk of its own, the page of a task's signed link, which has tests of its own (test_feedback_link),
    the document, and the way from / to the console."""
    routes = list(iter_route_contexts(create_app().routes))
    hidden = {r.path for r in routes if not r.include_in_schema and not str(r.path).startswith("/console")}
    assert hidden == {"/", "/openapi.json", "/feedback/{token}"}
    assert {f"{m} {r.path}" for r in routes for m in r.methods or () if r.include_in_schema} == {str(o) for o in OPERATIONS}


@each(GUARDED)
@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer ut_00000000_" + "a" * 43, "Basic dXQ6eA=="])
def test_nobody_gets_in_without_a_key(api, operation, rows, theirs, secret, header):
    answer = ask(api, operation, rows, {"Authorization": header} if header else {})
    assert_problem(answer, 401)
    assert walk.foreign(answer, theirs, secret) == []


@each(GUARDED)
def test_no_key_of_another_scope_gets_in_not_even_to_its_own_rows(api, operation, rows, theirs, secret):
    for scope in set(keys.SCOPES) - set(operation.scopes):
        answer = ask(api, operation, rows, key(theirs.workspace_id, scope))
        assert_problem(answer, 403)
        assert walk.foreign(answer, theirs, secret) == []


@each(GUARDED)
def test_a_key_of_another_workspace_gets_404_or_nothing_and_changes_nothing(api, operation, rows, theirs, ours, secret):
    before = rows.texts()
    for workspace_id in (ours.workspace_id, builders.workspace()):
        for params in ({}, walk.filters(operation, rows)):
            answer = ask(api, operation, rows, key(workspace_id), **params)
            assert walk.foreign(answer, theirs, secret) == []
            if operation.names_a_row:
                assert_problem(answer, 404)
            elif operation.writes:
                assert answer.status_code < 300, answer.text
            else:
                assert answer.status_code == 200 or (params and answer.status_code == 404), answer.text
                assert workspace_id == ours.workspace_id or '"items":' not in answer.text or answer.json()["items"] == []
    assert rows.texts() == before


@each([o for o in GUARDED if "cursor" in dict(o.named("query")) and not o.names_a_row])
def test_a_cursor_of_another_workspace_opens_nothing(api, operation, rows, theirs, ours, secret):
    cursor = ask(api, operation, rows, key(theirs.workspace_id), limit="1").json()["next"]
    assert cursor
    answer = ask(api, operation, rows, key(ours.workspace_id), cursor=cursor)
    assert answer.status_code in (200, 404, 422)
    assert walk.foreign(answer, theirs, secret) == []


# That the walk would see it


@each([o for o in GUARDED if not o.writes])
def test_the_walk_would_know_their_rows_if_it_were_shown_them(api, operation, rows, theirs, secret):
    answer = ask(api, operation, rows, key(theirs.workspace_id))
    assert answer.status_code == 200, answer.text
    assert walk.foreign(answer, theirs, secret), f"{operation} shows nothing that was planted: plant a row that it shows"
