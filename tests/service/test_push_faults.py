"""Whatever goes wrong at whatever moment: no task lost, none twice, none wrong, none stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from itertools import count

import pytest

from connectors.sandbox import Fault, Sandbox
from service.store import outbox
from service.store.pool import transaction
from service.task import key_of
from tests.service.push_world import Mode, World, org

MODES: tuple[Mode, ...] = ("keyed", "searched", "described")
CALLS = (
    "cut_before_commit",
    "cut_after_commit",
    "cut_mid_body",
    "unavailable",
    "html_ok",
    "expired_session",
    "limit_exceeded",
    "concurrent_limit",
    "too_many_requests",
    "unknown_error",
    "slow",
)
POSITIONS = ("before", "during", "after")
Org = Callable[[Mode, str], Sandbox]


@pytest.fixture(scope="module")
def orgs(servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    """One for each mode and position, so that the three positions go wrong side by side."""
    with ExitStack() as stack:
        running = {(m, p): stack.enter_context(org(tmp_path_factory.mktemp(m), m)) for m in MODES for p in POSITIONS}
        yield lambda mode, position: running[mode, position]


@pytest.fixture(params=MODES)
def world(request: pytest.FixtureRequest, orgs: Org) -> World:
    return World(orgs(request.param, "during"), request.param)


def fault(world: World, kind: str, position: str) -> Fault:
    """Before: the look-up. During: the write. After: the next call that follows a write; keyed, the look-up of a later run."""
    write = "collection_upsert" if world.mode == "keyed" else "create"
    look = "query_all"
    on, skip = {"before": (look, 0), "during": (write, 0 if world.mode == "keyed" else 1), "after": (look, 0 if world.mode == "keyed" else 3)}[position]
    return Fault(kind=kind, on=on, skip=skip, seconds=0.05)


def ends_well(world: World, kind: str, position: str) -> dict[str, object]:
    world.suggest()
    if position == "after" and world.mode == "keyed":
        world.push()
        for made in world.made:
            world.change(made, why_now="Something new was said.")
    world.sandbox.faults.add(fault(world, kind, position))
    world.push()
    missed = world.sandbox.faults.waiting()
    world.settle()
    return world.wrong() | ({"the fault never came": missed} if missed else {})


@pytest.mark.parametrize("mode", ["keyed", "described"])
@pytest.mark.parametrize("kind", CALLS)
def test_every_fault_before_during_and_after_a_write_ends_with_each_task_once(orgs: Org, kind: str, mode: Mode) -> None:
    worlds = {position: World(orgs(mode, position), mode) for position in POSITIONS}
    with ThreadPoolExecutor(len(worlds)) as side_by_side:
        found = side_by_side.map(lambda position: (position, ends_well(worlds[position], kind, position)), POSITIONS)
    assert {position: wrong for position, wrong in found if wrong} == {}


@pytest.mark.parametrize("kind", ["row_locked", "several", "duplicate_rule"])
def test_a_refused_row_waits_or_is_shown_to_a_person_and_holds_up_no_other(orgs: Org, kind: str) -> None:
    world = World(orgs("keyed", "during"), "keyed")
    refused, *others = world.suggest()
    world.sandbox.faults.add(Fault(kind=kind, key=key_of(world.workspace, refused)))
    world.push()
    assert all(world.task(other) for other in others)
    world.settle()
    assert world.wrong() == {}


@pytest.mark.parametrize("mode", ["keyed", "described"])
@pytest.mark.parametrize("after", [False, True], ids=["before a request", "after a request"])
def test_a_worker_killed_at_any_request_leaves_nothing_undone_and_nothing_twice(orgs: Org, mode: Mode, after: bool) -> None:
    world = World(orgs(mode, "during"), mode)
    for at in count(1):
        world.suggest(2 if mode == "described" else 1)
        killed = world.killed(at, after=after)
        world.settle()
        assert world.wrong() == {}, f"killed at request {at}"
        if not killed:
            break
    assert at > 5


def test_two_workers_at_once_write_each_task_once(world: World) -> None:
    world.suggest(60)
    workers = [threading.Thread(target=world.push) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    world.settle()
    assert world.wrong() == {}


def test_a_late_worker_whose_lease_has_run_out_may_write_nothing(world: World) -> None:
    world.suggest(2)
    with transaction(world.workspace) as db:
        late = outbox.lease(db, world.crm, 2, timedelta(seconds=-1))
        assert {i.fence for i in outbox.lease(db, world.crm, 2, timedelta(minutes=1))} == {2}
        marks = [outbox.Sending(suggestion_id=i.suggestion_id, fence=i.fence, key=f"ut-{i.suggestion_id}", sha256=b"") for i in late]
        assert outbox.mark_sending(db, world.crm, marks, timedelta(minutes=1)) == set()
