"""What a push may write, checked again at the moment of writing: people's edits, endings, merges, opt-outs, pauses; and how little it asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from connectors.base import Change
from connectors.records import Account, Contact, TaskState
from connectors.sandbox import Fault, Sandbox, admin
from service.errors import NotFound
from service.push import preview, push, retry
from service.push_plan import step
from service.signals import Segment
from service.store import connections, outbox, task_states
from service.store.pool import transaction
from service.task import NOBODY_TO_WRITE_TO, Prepared, key_of
from tests import builders
from tests.service.landed import due, nothing_due
from tests.service.push_world import ACCOUNTS, NOW, World, org

DRAFT = (Segment(move="GREET", parts=("Hello Bo, a private hello.",), evidence_ids=()),)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def sandbox(servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with org(tmp_path_factory.mktemp("keyed"), "keyed") as running:
        yield running


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    return World(sandbox, "keyed")


def writes(world: World) -> int:
    return world.sandbox.counters.calls["write"]


def edit(world: World, task_id: object, **fields: object) -> None:
    admin.edit(world.sandbox.org, "Task", str(task_id), fields)


# what a person did


def test_a_purged_task_is_never_made_again(world: World) -> None:
    (made,) = world.suggest(1)
    world.push()
    admin.purge(world.sandbox.org, "Task", str(world.task(made)["Id"]))
    world.change(made, why_now="Something new was said.")
    world.push()
    assert world.tasks(made, deleted=True) == []
    assert world.states() == {"done": 1}


def test_words_that_a_person_put_there_before_we_learnt_of_our_own_write_stay(world: World) -> None:
    (made,) = world.suggest(1)
    world.sandbox.faults.add(Fault(kind="cut_after_commit", on="collection_upsert"))
    world.push()
    edit(world, world.task(made)["Id"], Description="Called her.")
    world.change(made, why_now="Something new was said.")
    world.settle()
    assert world.task(made)["Description"] == "Called her."


@pytest.mark.parametrize("kind", ["cut_after_commit", "cut_before_commit"])
def test_a_text_whose_answer_was_cut_is_not_taken_for_a_persons(world: World, kind: str) -> None:
    (made,) = world.suggest(1)
    world.push()
    world.sandbox.faults.add(Fault(kind=kind, on="collection_update"))
    for words in ("A second thing was said.", "A third thing was said."):
        world.change(made, why_now=words)
        world.time_passes()
        world.push()
    assert "A third thing" in str(world.task(made)["Description"])


@pytest.mark.parametrize(("edited_by", "we", "then"), [("005A", "005US", "done"), ("005US", None, "done"), (None, None, "done"), ("005US", "005US", "write")])
def test_where_the_ledger_is_lost_only_what_we_changed_last_is_written_over(edited_by: str | None, we: str | None, then: str) -> None:
    item = outbox.Item(
        **{"suggestion_id": uuid4(), "fence": 1, "attempts": 0, "failing_for": timedelta(0), "absent": False, "status": None, "version": 0},
        **{"payload_sha256": None, "sending_sha256": None, "remote_id": None},
    )
    shown = TaskState(key="ut-a", remote_id="00T", status="Open", is_closed=False, subject="Old", description="Words", edited_by_key=edited_by)
    change = Change(key="ut-a", action="update", remote_id="00T", fields={"Subject": "New", "Description": "Words"})
    assert step(item, change, Prepared(version=1), shown, we).then == then


# what ended meanwhile


def test_a_suggestion_that_ends_before_its_task_is_made_makes_none(world: World) -> None:
    (made,) = world.suggest(1)
    world.change(made, state="closed", close_reason="contradicted")
    before = writes(world)
    world.push()
    assert (world.tasks(made), writes(world), world.states()) == ([], before, {"done": 1})


def test_a_suggestion_that_ends_while_its_answer_is_missing_says_so_on_the_task(world: World) -> None:
    (made,) = world.suggest(1)
    world.sandbox.faults.add(Fault(kind="cut_after_commit", on="collection_upsert"))
    world.push()
    world.change(made, state="closed", close_reason="contradicted")
    world.settle()
    assert str(world.task(made)["Description"]).startswith("NO LONGER CURRENT")


def test_a_suggestion_that_ends_after_a_write_that_came_to_nothing_makes_no_task(world: World) -> None:
    (made,) = world.suggest(1)
    world.sandbox.faults.add(Fault(kind="cut_before_commit", on="collection_upsert"))
    world.push()
    world.change(made, state="closed", close_reason="contradicted")
    world.settle()
    assert world.tasks(made) == []
    assert world.statuses() == {"withdrawn": 1}


def test_a_change_that_comes_while_a_task_is_being_written_is_pushed_after_it(world: World) -> None:
    (made,) = world.suggest(1)
    with transaction(world.workspace) as db:
        (item,) = outbox.lease(db, world.crm, 1, HOUR)
        mark = outbox.Sending(suggestion_id=made, fence=item.fence, key=key_of(world.workspace, made), sha256=b"x")
        assert outbox.mark_sending(db, world.crm, [mark], HOUR) == {made}
    world.change(made, due=False, state="closed", close_reason="expired")
    with transaction(world.workspace) as db:
        sent = outbox.Result(suggestion_id=made, fence=item.fence, key=mark.key, status="sent", version=1, seen=1, remote_id="00T")
        assert outbox.record(db, world.crm, [sent]) == 1
    assert world.states() == {"ready": 1}


# where it goes


def test_a_task_goes_to_the_account_that_its_own_was_merged_into(world: World) -> None:
    made = world.suggest(2)
    winner = world.account(1)
    world.land(Account, world.account(0, deleted=True, merged_into_key=winner.key))
    world.push()
    assert {world.task(s)["WhatId"] for s in made} == {winner.key}


def test_a_task_waits_for_an_account_that_has_not_been_read_yet(world: World) -> None:
    made, _ = world.suggest(2)
    world.land(Account, world.account(0, deleted=True, merged_into_key=world.account(5).key.replace("001", "00X")))
    report = world.push()
    assert (report.created, report.waiting, world.tasks(made)) == (1, 1, [])
    world.land(Account, world.account(0))
    world.settle()
    assert world.wrong() == {}


def test_no_task_is_made_for_an_account_that_is_gone(world: World) -> None:
    made, other = world.suggest(2)
    world.land(Account, world.account(0, deleted=True))
    world.push()
    assert world.tasks(made) == []
    assert world.task(other)
    assert world.states() == {"done": 2}


@pytest.mark.parametrize("gone", [{"opted_out": True}, {"deleted": True}], ids=["opted out", "deleted"])
def test_a_person_who_may_not_be_written_to_is_neither_linked_nor_addressed(world: World, gone: dict[str, bool]) -> None:
    made, other = world.suggest(2, draft=DRAFT, no_draft_reason=None)
    world.land(Contact, world.contact(0, **gone))
    world.push()
    assert world.task(made)["WhoId"] is None
    assert "private hello" not in str(world.task(made)["Description"])
    assert NOBODY_TO_WRITE_TO in str(world.task(made)["Description"])
    assert world.task(other)["WhoId"] == world.contact(1).key
    assert "private hello" in str(world.task(other)["Description"])


def test_a_connection_of_another_workspace_is_not_there(world: World) -> None:
    world.suggest(1)
    with pytest.raises(NotFound):
        push(builders.workspace(), world.crm)
    assert world.states() == {"ready": 1}


# when it waits


def test_a_connection_that_is_paused_in_the_middle_gets_no_further_batch(world: World) -> None:
    world.suggest(1)
    with transaction(world.workspace) as db:
        connections.set_status(db, world.crm, "paused", "by hand")
        assert outbox.lease(db, world.crm, 10, HOUR) == []


def test_a_parked_connection_writes_nothing_and_goes_on_by_itself(world: World) -> None:
    world.suggest(2)
    with transaction(world.workspace) as db:
        connections.park(db, world.crm, HOUR, "the day's requests are used up")
    before = world.sandbox.counters.used
    report = world.push()
    assert "goes on by itself" in report.messages[0]
    assert world.sandbox.counters.used == before
    with transaction(world.workspace) as db:
        connections.unpark(db, world.crm)
    assert world.push().created == 2


def test_a_day_that_is_used_up_parks_the_connection_and_costs_no_row_a_try(world: World) -> None:
    world.suggest(3)
    world.sandbox.faults.add(Fault(kind="limit_exceeded", on="collection_upsert"))
    world.push()
    with transaction(world.workspace) as db:
        assert connections.parked(db, world.crm) is not None
        connections.unpark(db, world.crm)
        assert {(i.attempts, i.status) for i in outbox.waiting_items(db, world.crm)} == {(0, "sending")}
    assert world.push().created == 3
    assert world.wrong() == {}


def test_a_push_that_began_before_somebody_connected_again_does_not_stop_the_new_connection(world: World) -> None:
    world.suggest(201)

    def connected_again(done: int) -> None:
        if done == 200:
            world.connect()
            world.sandbox.faults.add(Fault(kind="expired_session", on="collection_upsert", times=9))

    push(world.workspace, world.crm, connected_again)
    assert world.connection().status == "active"


def test_an_org_that_refuses_each_new_token_stops_the_connection_and_is_asked_for_no_more(world: World) -> None:
    world.suggest(1)
    with transaction(world.workspace) as db:
        nothing_due(db)
    world.sandbox.faults.add(Fault(kind="expired_session", on="collection_upsert", times=99))
    report = world.push()
    assert (world.connection().status, [world.connection().status_reason]) == ("auth_failed", report.messages)
    with transaction(world.workspace) as db:
        assert len(due(db)) == ACCOUNTS, "what rests on it is unknown from now on"
        connections.set_status(db, world.crm, "active", None)
    tokens = world.sandbox.counters.calls["token"]
    world.push()
    assert world.sandbox.counters.calls["token"] == tokens
    world.connect()
    world.sandbox.faults.clear()
    assert world.push().created == 1


def test_an_org_that_cannot_be_asked_ends_the_run_with_its_first_batch(world: World) -> None:
    world.suggest(450)
    world.sandbox.faults.add(Fault(kind="unknown_error", on="query_all", code="QUERY_TIMEOUT", times=99), Fault(kind="unknown_error", on="composite", times=99))
    report = world.push()
    assert (report.created, report.waiting) == (0, 200)
    assert world.states() == {"ready": 450}
    world.sandbox.faults.clear()


def test_what_failed_for_days_is_given_up_and_a_person_may_have_it_tried_again(world: World) -> None:
    (made,) = world.suggest(1)
    world.sandbox.faults.add(Fault(kind="row_locked", key=key_of(world.workspace, made), times=3))
    with transaction(world.workspace) as db:
        db.execute("UPDATE outbox SET failing_since = now() - interval '4 days', attempts = 90")
    report = world.push()
    assert (report.failed, world.states()) == (1, {"dead": 1})
    assert "given up after 4 days" in report.messages[0]
    assert retry(world.workspace, world.crm) == 1
    assert world.push().created == 1


# read back


def state(world: World, suggestion_id: object, **fields: object) -> TaskState:
    row = next(r for s, r in world.ledger().items() if s == suggestion_id)
    plain = TaskState(key=row.key, remote_id=str(row.remote_id), status="Not Started", is_closed=False, owner_key="005A", modified_at=NOW)
    return replace(plain, **fields)  # type: ignore[arg-type]


def land(world: World, *states: TaskState) -> int:
    with transaction(world.workspace) as db:
        return task_states.land(db, world.crm, states, NOW)


def test_what_a_person_did_to_a_task_is_told_from_what_we_did(world: World) -> None:
    (made,) = world.suggest(1)
    world.push()
    with transaction(world.workspace) as db:
        outbox.acts_as(db, world.crm, "005US")
    land(world, state(world, made, edited_by_key="005US"))
    assert (world.ledger()[made].remote_owner_key, world.ledger()[made].edited_by_person) == ("005A", False)
    land(world, state(world, made, edited_by_key="005B", owner_key="005B", status="Completed", is_closed=True, modified_at=NOW + HOUR))
    row = world.ledger()[made]
    assert (row.remote_owner_key, row.remote_edited_by_key, row.edited_by_person, row.remote_closed) == ("005B", "005B", True, True)


def test_an_older_state_changes_nothing(world: World) -> None:
    (made,) = world.suggest(1)
    world.push()
    land(world, state(world, made, status="Completed", is_closed=True))
    assert land(world, state(world, made, modified_at=NOW - HOUR)) == 0
    assert world.ledger()[made].remote_closed


def test_a_copy_that_a_person_made_and_deleted_does_not_end_the_suggestion(world: World) -> None:
    (made,) = world.suggest(1)
    world.push()
    ours = world.ledger()[made].remote_id
    land(world, state(world, made, remote_id="00Tcopy", deleted=True, modified_at=NOW + HOUR), state(world, made))
    row = world.ledger()[made]
    assert (row.remote_id, row.remote_deleted) == (ours, False)


# the dry run, and what it all costs


def test_a_dry_run_shows_every_create_update_and_skip_and_writes_nothing(world: World) -> None:
    updated, closed, edited, unchanged = world.suggest(4)
    world.push()
    created, ended = world.suggest(2)
    for made in (updated, closed, edited):
        world.change(made, why_now="Something new was said.")
    world.change(ended, state="closed", close_reason="expired")
    edit(world, world.task(closed)["Id"], Status="Completed")
    edit(world, world.task(edited)["Id"], Description="Mine.")
    with transaction(world.workspace) as db:
        outbox.add(db, [unchanged], world.crm)
    before, tasks = writes(world), world.every_task()
    changes = {c.key: c for c in preview(world.workspace, world.crm)}
    assert (writes(world), world.every_task()) == (before, tasks)
    shown = {
        name: changes[key_of(world.workspace, s)] for name, s in locals().items() if name in {"created", "updated", "closed", "edited", "ended", "unchanged"}
    }
    assert {name: c.action for name, c in shown.items()} == {
        **{"created": "create", "updated": "update"},
        **dict.fromkeys(("closed", "edited", "ended", "unchanged"), "skip"),
    }
    assert set(shown["updated"].fields) == {"Subject", "Description"}
    assert all(c.reason for name, c in shown.items() if c.action == "skip")
    report = world.push()
    assert (report.created, report.updated, report.skipped) == (1, 1, 4)
    row = world.task(created)
    assert {name: row[name] for name in shown["created"].fields} == dict(shown["created"].fields)


def test_six_hundred_new_tasks_take_three_writes_and_four_reads_and_the_second_run_no_write(world: World) -> None:
    world.suggest(600)
    before = world.sandbox.counters.used
    assert world.push().created == 600
    assert world.sandbox.counters.used - before <= 3 + 4
    world.again()
    reads, written = world.sandbox.counters.used, writes(world)
    assert world.push().skipped == 600
    assert (world.sandbox.counters.used - reads, writes(world) - written) == (2, 0)


def test_what_was_looked_up_ahead_is_not_believed_of_a_row_that_somebody_has_taken(world: World) -> None:
    world.suggest(2)
    with transaction(world.workspace) as db:
        at, following = outbox.ahead(db, world.crm, 10)
        outbox.note_absent(db, world.crm, following, at)
        assert [i.absent for i in outbox.lease(db, world.crm, 1, timedelta(seconds=-1))] == [True]
        assert sorted(i.absent for i in outbox.lease(db, world.crm, 2, HOUR)) == [False, True]


def test_what_was_looked_up_ahead_is_forgotten_after_a_short_time(world: World) -> None:
    world.suggest(1)
    with transaction(world.workspace) as db:
        at, following = outbox.ahead(db, world.crm, 10)
        outbox.note_absent(db, world.crm, following, at - outbox.BELIEVED)
        assert [i.absent for i in outbox.lease(db, world.crm, 1, HOUR)] == [False]


def test_a_guarded_writer_that_lost_its_claim_makes_no_further_task(servers: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with org(tmp_path_factory.mktemp("described"), "described") as sandbox:
        world = World(sandbox, "described")
        world.suggest(4)
        sandbox.faults.add(Fault(kind="slow", on="create", seconds=1.0))
        late = threading.Thread(target=world.push)
        late.start()
        while not sandbox.counters.by_class["create"]:
            threading.Event().wait(0.02)
        with transaction(world.workspace) as db:
            db.execute("UPDATE stream SET fence = fence + 1 WHERE name = 'push'")
        late.join()
        assert sandbox.counters.rows["Task.created"] == 1
        world.settle()
        assert world.wrong() == {}
