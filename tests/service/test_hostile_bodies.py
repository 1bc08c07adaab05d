"""Hostile bodies for every writing operation that the OpenAPI document names: no 5xx, and no row from what was refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from service import config
from service.api import create_app
from service.api.boundary import MOST_BODY
from tests import builders, walk
from tests.client import TestClient, key
from tests.filled import fill
from tests.walk import Operation, Rows

WRITING = [o for o in walk.operations() if o.writes]
SURROGATE, NUL = "\ud800", "a\x00b"


def with_leaves(value: Any, leaf: Any) -> list[Any]:
    """The same with another leaf everywhere, and with another leaf in one place after the other: what is refused for one field may pass in another."""
    return [_with(value, leaf, None), *(_with(value, leaf, [n]) for n in range(_count(value)))]


def _with(value: Any, leaf: Any, left: list[int] | None) -> Any:
    """`left`: how many leaves come before the one that is meant; None for all."""
    if isinstance(value, dict):
        return {name: _with(inner, leaf, left) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with(inner, leaf, left) for inner in value]
    if left is None:
        return leaf
    left[0] -= 1
    return leaf if left[0] == -1 else value


def _count(value: Any) -> int:
    if isinstance(value, dict | list):
        return sum(map(_count, value.values() if isinstance(value, dict) else value))
    return 1


def leaves(leaf: Any) -> Callable[[Any], list[bytes]]:
    return lambda value: [json.dumps(spoilt).encode()[: MOST_BODY - 100] for spoilt in with_leaves(value, leaf)]


def leaf_texts(text: str) -> Callable[[Any], list[bytes]]:
    """As leaves(), for what json.dumps would not write."""
    return lambda value: [json.dumps(spoilt).replace('"LEAF"', text).encode() for spoilt in with_leaves(value, "LEAF")]


def once(body: Callable[[Any], bytes]) -> Callable[[Any], list[bytes]]:
    return lambda value: [body(value)]


def twice(value: Any) -> bytes:
    """Each field given twice, the second time as something else."""
    fields = [f"{json.dumps(name)}: {json.dumps(inner)}, {json.dumps(name)}: [[]]" for name, inner in (value or {"a": 1}).items()]
    return f"{{{', '.join(fields)}}}".encode()


def plus(value: Any, name: str, inner: Any) -> bytes:
    return json.dumps({**(value or {}), name: inner}).encode()


BODIES: dict[str, Callable[[Any], list[bytes]]] = {
    "nothing": once(lambda _: b""),
    "cut off": once(lambda v: json.dumps(v).encode()[:-1] or b"{"),
    "null": once(lambda _: b"null"),
    "a list": once(lambda v: json.dumps([v]).encode()),
    "a text": once(lambda _: b'"x"'),
    "deep lists": once(lambda _: b"[" * 60_000),
    "deep objects": once(lambda _: b'{"a":' * 12_000 + b"1" + b"}" * 12_000),
    "deep inside a field": leaf_texts("[" * 900 + "]" * 900),
    "a huge whole number": leaf_texts("9" * 6000),
    "a number beyond 64 bits": leaf_texts("18446744073709551617"),
    "infinity by its size": leaf_texts("1e999"),
    "not a number": leaf_texts("NaN"),
    "NUL, escaped": leaves(NUL),
    "NUL, raw": once(lambda v: json.dumps(v).encode() + b"\x00"),
    "half a surrogate pair": leaves(SURROGATE),
    "a field named by half a pair": once(lambda v: plus(v, SURROGATE, 1)),
    "a field named NUL": once(lambda v: plus(v, NUL, 1)),
    "true everywhere": leaves(True),
    "objects everywhere": leaves({"$gt": ""}),
    "duplicate fields": once(twice),
    "a huge list": leaf_texts(f"[{','.join('0' * 9_000)}]"),
    "a long text": leaves("x" * 20_000),
    "another workspace": once(lambda v: plus(v, "workspace_id", str(builders.workspace()))),
    "SQL": leaves("'); DROP TABLE feedback; --"),
    "a byte order mark": once(lambda v: b"\xef\xbb\xbf" + json.dumps(v).encode()),
    "UTF-16": once(lambda v: json.dumps(v).encode("utf-16")),
    "no UTF-8": once(lambda v: json.dumps(v).encode() + b"\xff\xfe\xc3"),
    "two documents": once(lambda v: json.dumps(v).encode() * 2),
    "too large": once(lambda v: json.dumps(v).encode() + b" " * MOST_BODY),
}


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def rows(servers: str) -> Iterator[Rows]:
    """On a day on which the suggestion is not stale yet, so that what is good about a body is taken."""
    with psycopg.connect(servers, autocommit=True) as db, pytest.MonkeyPatch.context() as environ:
        environ.setenv("UNDERTONE_NOW", builders.NOW.isoformat())
        config.settings.cache_clear()
        db.execute("SET row_security = off")
        yield Rows(db, fill(builders.workspace(), "Ours").workspace_id)
    config.settings.cache_clear()


def stored(rows: Rows) -> dict[str, str]:
    """But for the keys, which note that they were used, and for the note that one was made."""
    return {table: text for table, text in rows.texts().items() if table not in ("api_key", "audit_log")}


def check(answer: Any, rows: Rows, before: dict[str, str]) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.text) < 1000
    assert stored(rows) == before


@pytest.mark.parametrize("operation", WRITING, ids=str)
@pytest.mark.parametrize("kind", BODIES)
def test_a_hostile_body_breaks_nothing_and_leaves_no_row_where_it_is_refused(api, rows, operation: Operation, kind):
    headers = {**key(rows.workspace_id), "Content-Type": "application/json"}
    bodies = BODIES[kind](walk.full_body(operation, rows))
    for content in bodies:
        before = stored(rows)
        answer = api.request(operation.method, walk.url(operation, rows), content=content, headers=headers)
        check(answer, rows, before)
        if operation.body is not None and kind not in MAY_BE_MEANT and content is bodies[0]:
            assert 400 <= answer.status_code < 500, f"{kind}: {answer.text}"


MAY_BE_MEANT = {
    "a number beyond 64 bits",
    "true everywhere",
    "SQL",
    "a long text",
    "a byte order mark",
    "UTF-16",
    "a huge whole number",
    "half a surrogate pair",
}
"""What some operation may take for what it is: a text that looks like SQL is a text, and one that is read and not stored may hold anything."""


@pytest.mark.parametrize("operation", [o for o in WRITING if o.body is not None], ids=str)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json\xff", ""])
def test_a_body_of_another_kind_is_refused_and_leaves_no_row(api, rows, operation: Operation, kind):
    before = stored(rows)
    headers = {**key(rows.workspace_id), "Content-Type": kind.encode("latin-1")}
    answer = api.request(operation.method, walk.url(operation, rows), content=json.dumps(walk.body(operation, rows)), headers=headers)
    check(answer, rows, before)
    assert answer.status_code == 415 or not kind


@pytest.mark.parametrize("operation", [o for o in WRITING if o.body is not None], ids=str)
def test_a_body_without_an_end_is_cut_off_at_the_limit(rows, operation: Operation):
    before = stored(rows)
    taken: list[int] = []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, object]:
        taken.append(1000)
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    path = walk.url(operation, rows)
    headers = [(b"content-type", b"application/json"), *((n.lower().encode(), v.encode()) for n, v in key(rows.workspace_id).items())]
    scope = {"type": "http", "method": operation.method.upper(), "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    asyncio.run(create_app()({**scope, "http_version": "1.1"}, receive, send))
    assert sent[0]["status"] == 413
    assert sum(taken) <= MOST_BODY + 1000
    assert stored(rows) == before


def test_at_least_twenty_bodies_and_every_writing_operation_are_asked():
    assert len(BODIES) >= 20
    assert {str(o) for o in WRITING} >= {"POST /v1/suggestions/{suggestion_id}/feedback", "PUT /v1/contacts/{contact_id}/preferences"}
