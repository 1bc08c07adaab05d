"""What a push asks and sends: few calls, each row by itself, and what can be mended is mended at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import Misconfigured, Retriable
from connectors.salesforce.sink import SalesforceSink
from connectors.sandbox import Fault, admin
from tests.connectors.salesforce.conftest import Bench
from tests.connectors.salesforce.wire import TOKEN, wire


def calls(bench: Bench, path_class: str) -> int:
    return bench.sandbox.counters.by_class[path_class]


def plan(bench: Bench, *tasks: Any) -> tuple[Any, list[Any]]:
    sink = bench.sink
    return sink, list(sink.plan(tasks, sink.lookup([t.key for t in tasks])))


def queue(bench: Bench) -> str:
    return bench.insert("Group", Name="Account management", Type="Queue")


# what must not happen


def test_a_look_up_is_no_write_whatever_it_is_sent_by(bench: Bench) -> None:
    bench.sink.lookup([f"ut-{n:0>26}" for n in range(1_000)])
    assert calls(bench, "composite") == 1
    assert bench.sandbox.counters.calls["write"] == bench.sandbox.counters.writes == 0


def test_what_was_written_is_told_although_the_org_refuses_everything_after_it(bench: Bench) -> None:
    sink, changes = plan(bench, *(bench.task(f"ut-{n}") for n in range(600)))
    bench.sandbox.faults.add(Fault(kind="limit_exceeded", on="collection_upsert", skip=1))
    outcomes = sink.apply(changes)
    assert [o.status for o in outcomes] == ["ok"] * 200 + ["retry"] * 400
    assert {o.wait for o in outcomes[200:]} == {timedelta(hours=1)}
    assert calls(bench, "collection_upsert") == 2


def test_a_task_that_was_purged_between_look_and_write_is_looked_up_again_and_no_case_for_a_person(bench: Bench) -> None:
    bench.push(bench.task())
    sink, changes = plan(bench, bench.task(subject="Late"))
    admin.purge(bench.sandbox.org, "Task", bench.tasks()[0]["Id"])
    assert [(o.status, o.created) for o in sink.apply(changes)] == [("retry", False)]
    assert bench.tasks() == []


def test_a_key_held_by_a_task_that_is_not_shown_to_us_is_said_once(bench: Bench) -> None:
    bench.push(bench.task())
    sink = bench.sink
    (change,) = sink.plan([bench.task()], {})
    admin.unshare(bench.sandbox.org, "Task", [bench.tasks()[0]["Id"]])
    (outcome,) = sink.apply([change])
    assert outcome.status == "permanent"
    assert "cannot see" in outcome.message


def test_a_person_known_by_address_alone_is_not_taken_for_a_contact(bench: Bench) -> None:
    assert [o.status for o in bench.push(bench.task(contact_key="address:bo@acme.example"))] == ["ok"]
    assert bench.tasks()[0]["WhoId"] is None


def test_several_tasks_of_one_key_need_a_person_and_hold_up_nobody(bench: Bench) -> None:
    bench.sandbox.faults.add(Fault(kind="several", key="ut-1"))
    outcomes = bench.push(bench.task("ut-1"), bench.task("ut-2"))
    assert [o.status for o in outcomes] == ["permanent", "ok"]
    assert "several tasks carry the same key" in outcomes[0].message


def test_a_rule_against_duplicates_is_obeyed_and_named(bench: Bench) -> None:
    bench.sandbox.faults.add(Fault(kind="duplicate_rule", key="ut-1", alert=True))
    outcomes = bench.push(bench.task("ut-1"), bench.task("ut-2"))
    assert [o.status for o in outcomes] == ["permanent", "ok"]
    assert "duplicate rule" in outcomes[0].message


def test_a_field_that_the_org_requires_is_named(bench: Bench) -> None:
    admin.add_field(bench.sandbox.org, "Task", "Region__c", required=True)
    (outcome,) = bench.push(bench.task())
    assert outcome.status == "permanent"
    assert "[Region__c]" in outcome.message


def test_a_rule_of_the_org_is_obeyed_and_its_text_not_repeated(bench: Bench) -> None:
    admin.add_validation_rule(bench.sandbox.org, "Task", "Priority", "High", "Ask Bo what changed")
    (outcome,) = bench.push(bench.task())
    assert outcome.status == "permanent"
    assert "validation rule" in outcome.message
    assert "Bo" not in outcome.message


def test_a_priority_that_the_org_has_taken_out_is_left_to_its_default(bench: Bench) -> None:
    admin.remove_choice(bench.sandbox.org, "Task", "Priority", "High")
    assert [o.status for o in bench.push(bench.task())] == ["ok"]
    assert bench.tasks()[0]["Priority"] == "Normal"


# owners


def test_an_owner_who_leaves_between_look_and_write_hands_on_at_once(bench: Bench) -> None:
    sink, changes = plan(bench, bench.task("ut-1"), bench.task("ut-2", owner_keys=(bench.id_of("User", "mo"),)))
    admin.deactivate_user(bench.sandbox.org, bench.id_of("User", "ann"))
    assert [(o.status, o.created) for o in sink.apply(changes)] == [("ok", True), ("ok", True)]
    assert bench.tasks("ut-1")[0]["OwnerId"] == bench.id_of("User", "mo")
    assert calls(bench, "collection_upsert") == 2
    assert bench.pauses == []


def test_the_queue_gets_it_when_everybody_has_left_meanwhile(bench: Bench) -> None:
    bench.settings = {"fallback_owner": queue(bench)}
    sink, changes = plan(bench, bench.task())
    for name in ("ann", "mo"):
        admin.deactivate_user(bench.sandbox.org, bench.id_of("User", name))
    assert [o.status for o in sink.apply(changes)] == ["ok"]
    assert bench.tasks()[0]["OwnerId"] == bench.settings["fallback_owner"]


def test_a_task_that_nobody_could_own_is_not_even_sent(bench: Bench) -> None:
    for name in ("ann", "mo"):
        admin.deactivate_user(bench.sandbox.org, bench.id_of("User", name))
    _, (change,) = plan(bench, bench.task())
    assert "OwnerId" not in change.fields
    assert "fallback_owner" in change.reason
    assert [o.status for o in bench.push(bench.task())] == ["permanent"]
    assert bench.sandbox.counters.calls["write"] == 0


# calls


def test_eighteen_hundred_keys_are_looked_up_in_one_call(bench: Bench) -> None:
    bench.push(bench.task())
    before = bench.sandbox.counters.used
    sink = bench.sink
    found = sink.lookup([*(f"ut-{n:0>26}" for n in range(1_799)), "ut-abc"])
    assert bench.sandbox.counters.used - before == 2  # describe, look up
    assert [key for key, state in found.items() if state] == ["ut-abc"]


def test_a_look_up_among_several_is_read_to_its_last_page(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(page_size=2)
    keys = [f"ut-{n}" for n in range(5)]
    bench.push(*(bench.task(key) for key in keys))
    found = bench.sink.lookup([*keys, *(f"ut-{n:0>26}" for n in range(1_000))])
    assert [key for key, state in found.items() if state] == keys
    assert (calls(bench, "composite"), calls(bench, "query_more")) == (1, 2)


def test_where_queries_cannot_go_together_each_goes_by_itself(bench: Bench) -> None:
    bench.push(bench.task())
    bench.sandbox.faults.add(Fault(kind="unknown_error", on="composite", code="FUNCTIONALITY_NOT_ENABLED", amount=403, times=9))
    found = bench.sink.lookup([*(f"ut-{n:0>26}" for n in range(999)), "ut-abc"])
    assert found["ut-abc"] is not None
    assert (calls(bench, "composite"), calls(bench, "query_all")) == (1, 4)


def test_a_look_up_whose_answer_is_cut_is_asked_again(bench: Bench) -> None:
    bench.push(bench.task())
    bench.sandbox.faults.add(Fault(kind="cut_mid_body", on="composite"))
    assert bench.sink.lookup([*(f"ut-{n:0>26}" for n in range(999)), "ut-abc"])["ut-abc"] is not None
    assert calls(bench, "composite") == 2


def test_a_refused_part_of_a_look_up_refuses_it_all(bench: Bench) -> None:
    sink = bench.sink
    assert sink.guarded is False
    admin.hide_field(bench.sandbox.org, "Task", "Undertone_Key__c")
    with pytest.raises(Misconfigured, match="a field does not exist"):
        sink.lookup([f"ut-{n:0>26}" for n in range(999)])


def test_a_hundred_tasks_follow_their_accounts_into_merges_by_two_queries(bench: Bench) -> None:
    into = bench.insert("Account", Name="Acme Group")
    bench.change("Account", bench.id_of("Account", "acme"), IsDeleted=True, MasterRecordId=into)
    sink, changes = plan(bench, *(bench.task(f"ut-{n}", contact_key=None) for n in range(100)))
    before = calls(bench, "query_all")
    assert {(o.status, o.created) for o in sink.apply(changes)} == {("ok", True)}
    assert calls(bench, "query_all") - before == 2  # the account, and the one it was merged into
    assert calls(bench, "collection_upsert") == 2


def test_an_account_that_is_merged_into_one_that_is_gone_needs_a_person(bench: Bench) -> None:
    into = bench.insert("Account", Name="Acme Group", IsDeleted=True)
    bench.change("Account", bench.id_of("Account", "acme"), IsDeleted=True, MasterRecordId=into)
    assert [o.status for o in bench.push(bench.task())] == ["permanent"]


@pytest.mark.parametrize(("alert", "outcome"), [(True, "ok"), (False, "permanent")])
def test_a_rule_that_only_alerts_is_passed_where_the_settings_say_so_and_one_that_blocks_never(bench: Bench, alert: bool, outcome: str) -> None:
    bench.settings["duplicate_rules"] = "save"
    bench.sandbox.faults.add(Fault(kind="duplicate_rule", key="ut-abc", alert=alert))
    assert [o.status for o in bench.push(bench.task())] == [outcome]
    assert len(bench.tasks()) == (1 if alert else 0)


def test_texts_are_cut_as_salesforce_counts_them(bench: Bench) -> None:
    assert [o.status for o in bench.push(bench.task(subject="\U0001f642" * 200))] == ["ok"]
    subject = str(bench.tasks()[0]["Subject"])
    assert len(subject.encode("utf-16-le")) // 2 <= 255
    assert subject.endswith("…")


@pytest.mark.parametrize(("identity", "known"), [("https://login.salesforce.com/id/00Dxx/0055gS000000003ABA", "0055gS000000003ABA"), (None, None)])
def test_the_user_that_we_write_as_is_asked_for_once_and_may_stay_unknown(identity: str | None, known: str | None) -> None:
    with wire(lambda said: (200, TOKEN if "oauth2" in said.path else {"identity": identity})) as org:
        sink = SalesforceSink(org.client, org.config)
        assert [sink.user_key, sink.user_key] == [known, known]
        assert len(org.heard) - org.tokens == 1


def test_a_person_who_changed_a_task_is_told_from_us(bench: Bench) -> None:
    bench.push(bench.task())
    admin.edit(bench.sandbox.org, "Task", bench.tasks()[0]["Id"], {"Status": "In Progress"}, by=bench.id_of("User", "ann"))
    state = bench.sink.lookup(["ut-abc"])["ut-abc"]
    assert state is not None
    assert (state.edited_by_key, state.owner_key) == (bench.id_of("User", "ann"), bench.id_of("User", "ann"))


def test_an_org_that_cannot_answer_before_anything_is_written_raises(bench: Bench) -> None:
    sink, changes = plan(bench, bench.task())
    bench.sandbox.faults.add(Fault(kind="too_many_requests", on="collection_upsert", times=9))
    with pytest.raises(Retriable):
        sink.apply(changes)
    assert bench.tasks() == []
