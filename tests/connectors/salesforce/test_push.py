"""Tasks in the org: each exactly once, and never over what a person did with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import Misconfigured, Parked
from connectors.records import TaskState
from connectors.sandbox import Fault
from tests.connectors.salesforce.conftest import Bench


def hide(bench: Bench, *names: str) -> None:
    bench.sandbox.org.options = replace(bench.sandbox.org.options, hidden=frozenset(names))


def writes(bench: Bench) -> int:
    return bench.sandbox.counters.calls["write"]


def test_a_second_run_makes_no_write_call(bench: Bench) -> None:
    tasks = [bench.task(f"ut-{n}") for n in range(5)]
    assert {o.status for o in bench.push(*tasks)} == {"ok"}
    before = writes(bench)
    assert bench.push(*tasks) == []
    assert writes(bench) == before == 1


def test_planning_writes_nothing_and_names_every_field(bench: Bench) -> None:
    sink = bench.sink
    (change,) = sink.plan([bench.task()], sink.lookup(["ut-abc"]))
    assert writes(bench) == 0
    assert change.action == "create"
    assert change.fields == {
        "Subject": "Ask Bo what changed",
        "Description": "Two messages were cooler than usual.",
        "WhatId": bench.id_of("Account", "acme"),
        "WhoId": bench.id_of("Contact", "bo"),
        "OwnerId": bench.id_of("User", "ann"),
        "ActivityDate": "2026-03-04",
        "Priority": "High",
        "Undertone_Key__c": "ut-abc",
    }


def test_what_was_planned_is_what_stands_there(bench: Bench) -> None:
    sink = bench.sink
    (change,) = sink.plan([bench.task()], {})
    (outcome,) = sink.apply([change])
    (row,) = bench.tasks()
    assert {name: row[name] for name in change.fields} == dict(change.fields)
    assert (outcome.status, outcome.created, outcome.remote_id) == ("ok", True, row["Id"])


@pytest.mark.parametrize(
    "by_hand",
    [{"Status": "Completed"}, {"OwnerId": "mo"}, {"Priority": "Low"}, {"ActivityDate": "2026-04-01"}],
)
def test_an_update_leaves_alone_what_a_person_changed(bench: Bench, by_hand: dict[str, str]) -> None:
    bench.push(bench.task())
    values = {n: bench.id_of("User", v) if n == "OwnerId" else v for n, v in by_hand.items()}
    bench.change("Task", bench.tasks()[0]["Id"], **values)
    bench.push(bench.task(subject="A new subject"))
    (row,) = bench.tasks()
    assert {name: row[name] for name in values} == values
    assert row["Subject"] == "A new subject"


def test_a_changed_text_is_written_and_nothing_else(bench: Bench) -> None:
    bench.push(bench.task())
    sink = bench.sink
    (change,) = sink.plan([bench.task(description="New words", owner_keys=(bench.id_of("User", "mo"),))], sink.lookup(["ut-abc"]))
    assert change.action == "update"
    assert change.fields == {"Subject": "Ask Bo what changed", "Description": "New words"}
    assert [o.status for o in sink.apply([change])] == ["ok"]
    assert bench.tasks()[0]["Description"] == "New words"


@pytest.mark.parametrize("state", [{"IsClosed": True, "Status": "Completed"}, {"IsDeleted": True}])
def test_a_task_that_was_closed_or_deleted_is_never_touched_or_made_again(bench: Bench, state: dict[str, Any]) -> None:
    bench.push(bench.task())
    bench.change("Task", bench.tasks()[0]["Id"], **state)
    before = writes(bench)
    assert bench.push(bench.task(subject="Something else")) == []
    assert writes(bench) == before
    assert len(bench.tasks()) == 1


def test_a_task_that_is_deleted_between_look_and_write_is_not_made_anew(bench: Bench) -> None:
    bench.push(bench.task())
    sink = bench.sink
    changes = sink.plan([bench.task(subject="Late")], sink.lookup(["ut-abc"]))
    bench.change("Task", bench.tasks()[0]["Id"], IsDeleted=True)
    (outcome,) = sink.apply(changes)
    assert (outcome.status, len(bench.tasks())) == ("retry", 1)
    assert bench.push(bench.task(subject="Late")) == []


def test_line_ends_and_blanks_that_the_org_changes_are_no_difference(bench: Bench) -> None:
    bench.push(bench.task(description="One\nTwo  \nThree\n"))
    bench.change("Task", bench.tasks()[0]["Id"], Description="One\r\nTwo\r\nThree")
    assert bench.push(bench.task(description="One\nTwo  \nThree\n")) == []


def test_a_cut_answer_is_unknown_and_the_next_run_finds_exactly_one_task(bench: Bench) -> None:
    bench.sandbox.faults.add(Fault(kind="cut_after_commit", on="collection_upsert"))
    (outcome,) = bench.push(bench.task())
    assert (outcome.status, outcome.remote_id) == ("unknown", None)
    assert bench.push(bench.task()) == []
    assert len(bench.tasks()) == 1
    assert bench.sandbox.counters.rows["Task.created"] == 1


def test_a_cut_before_the_write_is_unknown_as_well_and_the_next_run_makes_the_task(bench: Bench) -> None:
    bench.sandbox.faults.add(Fault(kind="cut_before_commit", on="collection_upsert"))
    assert [o.status for o in bench.push(bench.task())] == ["unknown"]
    assert [o.created for o in bench.push(bench.task())] == [True]


def test_two_workers_at_once_make_one_task(bench: Bench) -> None:
    first, second = bench.sink, bench.sink
    plans = [sink.plan([bench.task()], sink.lookup(["ut-abc"])) for sink in (first, second)]
    outcomes = [*first.apply(plans[0]), *second.apply(plans[1])]
    assert [(o.status, o.created) for o in outcomes] == [("ok", True), ("ok", False)]
    assert len(bench.tasks()) == 1


def test_three_bad_rows_do_not_hold_back_the_other_197(bench: Bench) -> None:
    bad = {3, 77, 199}
    tasks = [bench.task(f"ut-{n}", **({"account_key": bench.id_of("User", "mo")} if n in bad else {})) for n in range(200)]
    outcomes = bench.push(*tasks)
    assert {n for n, o in enumerate(outcomes) if o.status != "ok"} == bad
    assert {outcomes[n].status for n in bad} == {"permanent"}
    assert bench.sandbox.counters.rows["Task.created"] == 197
    assert bench.sandbox.counters.by_class["collection_upsert"] == 1


def test_three_locked_rows_of_two_hundred_cost_six_more_submissions(bench: Bench) -> None:
    tasks = [bench.task(f"ut-{n}") for n in range(200)]
    bench.sandbox.faults.add(*(Fault(kind="row_locked", key=f"ut-{n}", times=2) for n in (1, 2, 3)))
    outcomes = bench.push(*tasks)
    assert {o.status for o in outcomes} == {"ok"}
    assert bench.sandbox.counters.refused["UNABLE_TO_LOCK_ROW"] == 6
    assert bench.sandbox.counters.by_class["collection_upsert"] == 3
    assert len(bench.pauses) == 2


def test_a_row_that_stays_locked_is_left_for_later(bench: Bench) -> None:
    bench.sandbox.faults.add(Fault(kind="row_locked", key="ut-abc", times=9))
    (outcome,) = bench.push(bench.task())
    assert outcome.status == "retry"
    assert outcome.wait is not None
    assert bench.sandbox.counters.refused["UNABLE_TO_LOCK_ROW"] == 3


def test_more_than_two_hundred_go_in_several_calls(bench: Bench) -> None:
    outcomes = bench.push(*(bench.task(f"ut-{n}") for n in range(450)))
    assert len(outcomes) == 450
    assert bench.sandbox.counters.by_class["collection_upsert"] == 3
    assert bench.push(*(bench.task(f"ut-{n}") for n in range(450))) == []


def test_a_key_twice_in_one_call_is_one_task_and_two_outcomes(bench: Bench) -> None:
    sink = bench.sink
    (change,) = sink.plan([bench.task()], {})
    assert [o.status for o in sink.apply([change, change])] == ["ok", "ok"]
    assert len(bench.tasks()) == 1


def test_a_thousand_keys_are_looked_up_within_the_length_of_an_address(bench: Bench) -> None:
    bench.push(bench.task())
    keys = [f"ut-{n:0>37}" for n in range(1_000)]
    found = bench.sink.lookup([*keys, "ut-abc"])
    assert isinstance(found["ut-abc"], TaskState)
    assert sum(state is None for state in found.values()) == 1_000


def test_an_inactive_owner_hands_on_to_the_next(bench: Bench) -> None:
    bench.change("User", bench.id_of("User", "ann"), IsActive=False)
    assert [o.status for o in bench.push(bench.task())] == ["ok"]
    assert bench.tasks()[0]["OwnerId"] == bench.id_of("User", "mo")


def test_if_all_owners_are_inactive_the_fallback_gets_it_or_a_person_is_told(bench: Bench) -> None:
    for name in ("ann", "mo"):
        bench.change("User", bench.id_of("User", name), IsActive=False)
    (outcome,) = bench.push(bench.task())
    assert outcome.status == "permanent"
    assert "owner is inactive" in outcome.message
    bench.settings = {"fallback_owner": bench.sandbox.org.user_id}
    assert [o.status for o in bench.push(bench.task())] == ["ok"]
    assert bench.tasks()[0]["OwnerId"] == bench.sandbox.org.user_id


def test_a_task_follows_its_account_and_contact_into_a_merge(bench: Bench) -> None:
    account = bench.insert("Account", Name="Acme Group")
    contact = bench.insert("Contact", Name="Bo Lind", LastName="Lind", AccountId=account)
    bench.change("Account", bench.id_of("Account", "acme"), IsDeleted=True, MasterRecordId=account)
    bench.change("Contact", bench.id_of("Contact", "bo"), IsDeleted=True, MasterRecordId=contact)
    assert [(o.status, o.created) for o in bench.push(bench.task())] == [("ok", True)]
    assert (bench.tasks()[0]["WhatId"], bench.tasks()[0]["WhoId"]) == (account, contact)


def test_a_task_goes_without_a_contact_who_is_gone(bench: Bench) -> None:
    bench.change("Contact", bench.id_of("Contact", "bo"), IsDeleted=True)
    assert [o.status for o in bench.push(bench.task())] == ["ok"]
    assert bench.tasks()[0]["WhoId"] is None


def test_an_account_that_is_gone_is_said_once_and_not_tried_again(bench: Bench) -> None:
    bench.change("Account", bench.id_of("Account", "acme"), IsDeleted=True)
    (outcome,) = bench.push(bench.task())
    assert outcome.status == "permanent"
    assert "deleted or merged away" in outcome.message


def test_long_texts_are_cut_by_what_the_org_holds(bench: Bench) -> None:
    assert [o.status for o in bench.push(bench.task(subject="s" * 400, description="d" * 40_000))] == ["ok"]
    (row,) = bench.tasks()
    assert (len(row["Subject"]), len(row["Description"])) == (255, 32_000)
    assert row["Subject"].endswith("…")
    assert bench.push(bench.task(subject="s" * 400, description="d" * 40_000)) == []


def test_a_refusal_never_repeats_what_was_written(bench: Bench) -> None:
    (outcome,) = bench.push(bench.task(account_key=bench.id_of("User", "mo"), subject="Private words", description="bo@acme.example"))
    assert outcome.message.startswith("Task ut-abc was not written")
    assert not any(word in outcome.message for word in ("Private", "bo@acme"))


def test_a_key_field_that_vanishes_in_the_middle_stops_with_a_sentence(bench: Bench) -> None:
    sink = bench.sink
    changes = sink.plan([bench.task()], sink.lookup(["ut-abc"]))
    hide(bench, "Task.Undertone_Key__c")
    with pytest.raises(Misconfigured, match="Tasks cannot be written"):
        sink.apply(changes)


def test_an_org_that_shows_no_tasks_says_what_to_do(bench: Bench) -> None:
    hide(bench, "Task")
    with pytest.raises(Misconfigured, match=r"No task can be written.*permission set"):
        bench.push(bench.task())


def test_a_day_whose_requests_are_used_up_parks_and_writes_nothing(bench: Bench) -> None:
    sink = bench.sink
    changes = sink.plan([bench.task()], sink.lookup(["ut-abc"]))
    bench.sandbox.faults.add(Fault(kind="limit_exceeded", on="collection_upsert"))
    with pytest.raises(Parked) as parked:
        sink.apply(changes)
    assert parked.value.wait == timedelta(hours=1)
    assert bench.tasks() == []


def test_what_a_person_did_comes_back_as_the_state_of_the_task(bench: Bench) -> None:
    bench.push(bench.task())
    bench.change("Task", bench.tasks()[0]["Id"], Status="Completed", IsClosed=True, Undertone_Feedback__c="used")
    (state,) = bench.records("tasks")
    assert isinstance(state, TaskState)
    assert (state.key, state.status, state.is_closed, state.feedback) == ("ut-abc", "Completed", True, "used")
