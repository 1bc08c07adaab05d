"""Calls of one key: never more than its bucket holds, in Redis as without it, whatever the clock does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings, strategies

from service import config, limits
from service.api import create_app
from service.limits import LOOK_AGAIN, MOST_KEPT, Own, Rate, Shared
from tests import builders
from tests.builders import NOW
from tests.client import TestClient, assert_problem, key

RATE = Rate(per_minute=60, burst=3)


@pytest.fixture
def environ(servers: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings for one test."""
    yield monkeypatch
    monkeypatch.undo()
    config.settings.cache_clear()


def set_to(environ: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        environ.setenv(name, value)
    config.settings.cache_clear()


def name() -> str:
    return f"test:{uuid4()}"


def later(seconds: float) -> object:
    return NOW + timedelta(seconds=seconds)


# What never gets through


def test_no_more_calls_are_granted_than_the_bucket_holds(servers):
    mine, other = name(), name()
    assert [limits.take(mine, RATE, NOW).granted for _ in range(5)] == [True, True, True, False, False]
    assert limits.take(other, RATE, NOW).granted


@pytest.mark.parametrize("shared", [True, False])
@given(steps=strategies.lists(strategies.floats(min_value=-20, max_value=20), min_size=1, max_size=40))
@settings(max_examples=15)
def test_no_clock_gives_more_than_the_burst_and_what_has_dripped_in(servers, shared, steps):
    """A clock that jumps back and forth counts by how far it has ever come."""
    bucket, mine = (Shared() if shared else Own()), name()
    clock, granted = 0.0, 0
    times = []
    for step in steps:
        clock += step
        times.append(clock)
        granted += bucket.take(mine, RATE, later(clock)).granted
    assert granted <= RATE.burst + (max(times) - times[0]) * RATE.per_second + 1e-6


@given(steps=strategies.lists(strategies.floats(min_value=-3, max_value=5), min_size=1, max_size=20))
@settings(max_examples=20)
def test_redis_and_a_process_by_itself_reckon_the_same(servers, steps):
    shared, own, mine = Shared(), Own(), name()
    clock = 0.0
    for step in steps:
        clock += step
        a, b = shared.take(mine, RATE, later(clock)), own.take(mine, RATE, later(clock))
        assert a.granted == b.granted
        assert a.level == pytest.approx(b.level, abs=1e-3)


def test_a_bucket_fills_again_and_never_above_its_size(servers):
    mine = name()
    for _ in range(4):
        last = limits.take(mine, RATE, NOW)
    assert (last.granted, last.wait) == (False, 1)
    assert not limits.take(mine, RATE, later(0.9)).granted
    assert limits.take(mine, RATE, later(1.0)).granted
    assert [limits.take(mine, RATE, later(1000)).granted for _ in range(4)] == [True, True, True, False]


# Without Redis


def test_without_redis_the_limit_holds_and_the_log_says_so_once(environ, caplog):
    set_to(environ, REDIS_URL="redis://127.0.0.1:9/0")
    bucket, mine = Shared(), name()
    with caplog.at_level(logging.WARNING):
        granted = [bucket.take(mine, RATE, NOW).granted for _ in range(5)]
        bucket.take(mine, RATE, NOW + LOOK_AGAIN)
    assert granted == [True, True, True, False, False]
    assert [r.getMessage() for r in caplog.records if r.name == "undertone.limits"] == ["redis out of reach, each process limits its calls by itself"]


def test_redis_counts_again_once_it_is_back(environ, caplog):
    bucket, mine = Shared(), name()
    set_to(environ, REDIS_URL="redis://127.0.0.1:9/0")
    assert bucket.take(mine, RATE, NOW).level == 2
    environ.undo()
    config.settings.cache_clear()
    assert bucket.take(mine, RATE, NOW + LOOK_AGAIN / 2).level == 3 - 1  # not asked yet; half of LOOK_AGAIN has filled it
    assert limits.take(mine, RATE, NOW + LOOK_AGAIN).level == 2  # nothing of that in Redis
    assert bucket.take(mine, RATE, NOW + LOOK_AGAIN).level == 1
    assert caplog.records[-1].getMessage() == "redis is back, calls are limited together again"


def test_a_process_keeps_no_more_buckets_than_it_has_room_for():
    bucket = Own()
    for n in range(MOST_KEPT + 50):
        bucket.take(str(n), RATE, NOW)
    assert len(bucket._kept) == MOST_KEPT


# Over HTTP


@pytest.fixture
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.mark.parametrize("redis", [True, False])
def test_a_key_that_calls_too_often_is_told_when_to_come_back_and_no_other_key_is(api, environ, workspace, redis):
    set_to(environ, UNDERTONE_REQUESTS_PER_MINUTE="1", UNDERTONE_REQUESTS_BURST="2", **({} if redis else {"REDIS_URL": "redis://127.0.0.1:9/0"}))
    mine = key(workspace, "read")
    first = api.get("/v1/accounts", headers=mine)
    assert (first.status_code, first.headers["ratelimit-policy"], first.headers["ratelimit"]) == (200, '"key";q=2;w=120', '"key";r=1;t=0')
    api.get("/v1/accounts", headers=mine)
    answer = api.get("/v1/accounts", headers=mine)
    assert "1 a minute, 2 at once" in assert_problem(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit"] == f'"key";r=0;t={answer.headers["retry-after"]}'
    assert api.get("/v1/accounts", headers=key(workspace, "read")).status_code == 200
    assert api.get("/v1/accounts", headers=key(builders.workspace(), "read")).status_code == 200


def test_calls_that_are_refused_for_their_scope_count(api, environ, workspace):
    set_to(environ, UNDERTONE_REQUESTS_PER_MINUTE="1", UNDERTONE_REQUESTS_BURST="2")
    mine = key(workspace, "push")
    assert [api.get("/v1/accounts", headers=mine).status_code for _ in range(3)] == [403, 403, 429]


def test_a_call_without_a_key_empties_no_bucket_and_is_told_of_none(api, environ):
    set_to(environ, UNDERTONE_REQUESTS_PER_MINUTE="1", UNDERTONE_REQUESTS_BURST="1")
    for _ in range(3):
        answer = api.get("/v1/accounts")
        assert answer.status_code == 401
        assert "ratelimit" not in answer.headers


def test_the_document_says_that_every_operation_with_a_key_may_be_too_often(api):
    for methods in api.get("/openapi.json").json()["paths"].values():
        for operation in methods.values():
            assert ("429" in operation["responses"]) is ("security" in operation)
