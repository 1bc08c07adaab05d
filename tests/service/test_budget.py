"""Whose calls are left: what is never used up, with Redis and without it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from connectors.errors import Misconfigured, Parked
from service import jobs
from service.budget import LOOK_AGAIN, STALE, SharedBudget, Shares, Spent, shares_of, spent
from service.config import settings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def budget(connection: UUID, *, api: float | None = None, run: float | None = None, now: datetime = NOW, of: str = "pull") -> SharedBudget:
    return SharedBudget(UUID(int=1), connection, Shares(api=api, run=run), now, run=of)


def calls_until_parked(mine: SharedBudget, most: int = 1000) -> tuple[int, Parked | None]:
    for n in range(most):
        try:
            mine.take()
        except Parked as parked:
            return n, parked
    return most, None


@pytest.fixture
def connection(servers: str) -> UUID:
    return uuid4()


def test_no_more_than_the_share_of_the_total_is_used_whoever_used_it(connection: UUID) -> None:
    mine = budget(connection, api=0.8)
    mine.take()
    mine.seen(760, 1000)
    made, parked = calls_until_parked(mine)
    assert made == 40
    assert parked is not None
    assert parked.wait == LOOK_AGAIN
    assert "800 of the 1,000 calls" in str(parked)
    assert "80% (api_share)" in str(parked)


def test_workers_count_together(connection: UUID) -> None:
    workers = [budget(connection, api=0.8) for _ in range(8)]
    workers[0].seen(760, 1000)
    made = 0
    for n in range(100):
        try:
            workers[n % 8].take()
        except Parked:
            break
        made += 1
    assert made == 40


def test_what_the_other_side_says_is_right_whatever_was_counted(connection: UUID) -> None:
    mine = budget(connection, api=0.5)
    mine.seen(499, 1000)
    mine.take()
    with pytest.raises(Parked):
        mine.take()
    mine.seen(100, 1000)
    assert calls_until_parked(mine)[0] == 400


def test_one_run_uses_no_more_than_its_share_over_all_its_turns_and_workers(connection: UUID) -> None:
    first = budget(connection, run=0.25)
    first.seen(0, 1000)
    assert calls_until_parked(first, most=150) == (150, None)
    second = budget(connection, run=0.25)
    made, parked = calls_until_parked(second)
    assert made == 100
    assert parked is not None
    assert parked.wait == timedelta(hours=15), "until midnight"
    assert "250 calls" in str(parked)
    assert calls_until_parked(budget(connection, run=0.25, now=NOW + timedelta(days=1)))[0] == 250


def test_a_run_that_came_to_its_end_leaves_the_next_one_its_whole_share(connection: UUID) -> None:
    first = budget(connection, run=0.25)
    first.seen(0, 1000)
    calls_until_parked(first, most=200)
    first.end_run()
    assert calls_until_parked(budget(connection, run=0.25))[0] == 250


def test_a_push_is_no_part_of_the_run_that_reads(connection: UUID) -> None:
    reading = budget(connection, run=0.25)
    reading.seen(0, 1000)
    calls_until_parked(reading)
    budget(connection, run=0.25, of="push").take()


def test_after_waiting_one_call_goes_through_to_learn_how_things_stand(connection: UUID) -> None:
    """What was said an hour ago is forgotten by then, or nobody would ever ask again."""
    mine = budget(connection, api=0.8)
    mine.seen(900, 1000)
    with pytest.raises(Parked):
        mine.take()
    [key] = list(jobs.redis().scan_iter(f"*{connection}"))
    assert 0 < jobs.redis().ttl(key) <= STALE.total_seconds() < LOOK_AGAIN.total_seconds()
    jobs.redis().delete(key)
    later = budget(connection, api=0.8)
    later.take()
    later.seen(901, 1000)
    with pytest.raises(Parked):
        later.take()


def test_redis_emptied_meanwhile_changes_nothing_for_who_has_seen_the_figures(connection: UUID) -> None:
    mine = budget(connection, api=0.8, run=0.25)
    mine.seen(600, 1000)
    calls_until_parked(mine, most=100)
    for key in jobs.redis().scan_iter(f"*{connection}*"):
        jobs.redis().delete(key)
    assert calls_until_parked(mine)[0] == 100
    other = budget(connection, run=0.25)
    assert calls_until_parked(other)[0] == 250 - 200, "others go by what the first has put back"
    other.seen(0, 10_000)
    assert calls_until_parked(other, most=10_000)[0] == 2500 - 250


def test_without_redis_a_process_goes_by_what_it_has_seen(connection: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    try:
        mine = budget(connection, api=0.8, run=0.5)
        mine.take()
        mine.seen(700, 1000)
        assert calls_until_parked(mine)[0] == 100
        assert mine.calls == 101
        mine.end_run()
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_how_much_is_used_is_known_of_those_that_were_asked_lately_and_of_no_other_workspace(connection: UUID) -> None:
    never, unsaid = uuid4(), uuid4()
    budget(unsaid).take()
    mine = budget(connection)
    mine.seen(700, 1000)
    mine.take()
    assert spent(UUID(int=1), [never, unsaid, connection]) == {connection: Spent(used=701, allowed=1000)}
    assert spent(UUID(int=2), [connection]) == {}


def test_without_redis_nothing_is_said_of_calls(connection: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    try:
        assert spent(UUID(int=1), [connection]) == {}
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_without_a_total_nothing_is_bounded(connection: UUID) -> None:
    mine = budget(connection, api=0.1, run=0.1)
    assert calls_until_parked(mine, most=300) == (300, None)
    mine.seen(5, 0)
    mine.take()


@pytest.mark.parametrize("value", [0, -1, 1.01, "0.8", True, float("nan")])
def test_a_share_that_is_none_is_refused_by_name(value: object) -> None:
    with pytest.raises(Misconfigured, match="api_share"):
        shares_of({"api_share": value})


def test_connectors_without_shares_are_not_bounded() -> None:
    assert shares_of({"path": "/srv/mail"}) == Shares()
    assert shares_of({"api_share": 0.8, "run_share": 0.25}) == Shares(api=0.8, run=0.25)
