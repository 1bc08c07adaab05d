"""An org without a unique key field: tasks are still made once, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import Misconfigured, Retriable
from connectors.records import TaskState
from connectors.salesforce.interactions import KEY_LINE
from connectors.salesforce.sink import SalesforceSink
from connectors.salesforce.writes import INSERT_WITHIN
from connectors.sandbox import Fault
from connectors.sandbox.objects import SCHEMA
from tests.connectors.salesforce.conftest import NOW, Bench

TASK = SCHEMA["task"]


def writes(bench: Bench) -> int:
    return bench.sandbox.counters.calls["write"]


def every_task(bench: Bench) -> list[dict[str, Any]]:
    ids = bench.sandbox.org.tables.fetch('SELECT Id FROM "Task"')
    return [row for (row_id,) in ids if (row := bench.sandbox.org.tables.get(TASK, row_id))]


@pytest.fixture(params=["external", "missing"])
def loose(request: pytest.FixtureRequest, bench_with: Callable[..., Bench]) -> Bench:
    """An org that would take two tasks with one key: the field is not unique, or there is none."""
    return bench_with(key_field=request.param)


def test_without_a_unique_field_a_task_is_still_made_once(loose: Bench) -> None:
    assert loose.sink.guarded
    assert [(o.status, o.created) for o in loose.push(loose.task())] == [("ok", True)]
    before = writes(loose)
    assert loose.push(loose.task()) == []
    assert (writes(loose), len(every_task(loose))) == (before, 1)


def test_without_a_unique_field_each_create_looks_again_first(loose: Bench) -> None:
    first, second = loose.sink, loose.sink
    plans = [sink.plan([loose.task()], sink.lookup(["ut-abc"])) for sink in (first, second)]
    outcomes = [*first.apply(plans[0]), *second.apply(plans[1])]
    assert [(o.status, o.created) for o in outcomes] == [("ok", True), ("ok", False)]
    assert len(every_task(loose)) == 1


def test_without_a_unique_field_a_cut_answer_is_read_back(loose: Bench) -> None:
    loose.sandbox.faults.add(Fault(kind="cut_after_commit", on="create"))
    assert [o.status for o in loose.push(loose.task())] == ["unknown"]
    assert loose.push(loose.task()) == []
    assert len(every_task(loose)) == 1


def test_without_a_unique_field_one_bad_task_does_not_hold_back_the_next(loose: Bench) -> None:
    outcomes = loose.push(loose.task("ut-1", account_key=loose.id_of("User", "mo")), loose.task("ut-2"))
    assert [o.status for o in outcomes] == ["permanent", "ok"]


def test_without_a_unique_field_texts_are_updated_and_the_key_stays(loose: Bench) -> None:
    loose.push(loose.task())
    assert [o.status for o in loose.push(loose.task(description="New " + "d" * 40_000))] == ["ok"]
    (page,) = loose.read("tasks", until=NOW + timedelta(minutes=1))
    assert [r.key for r in page.records if isinstance(r, TaskState)] == ["ut-abc"]
    assert len(every_task(loose)[0]["Description"]) == 32_000


def test_where_there_is_no_field_the_key_is_the_last_line(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(key_field="missing")
    bench.push(bench.task())
    assert every_task(bench)[0]["Description"].endswith(f"\n\n{KEY_LINE}ut-abc")


def test_without_a_unique_field_a_task_costs_a_search_and_a_write(loose: Bench) -> None:
    sink = loose.sink
    changes = sink.plan([loose.task(f"ut-{n}") for n in range(5)], sink.lookup([f"ut-{n}" for n in range(5)]))
    before = loose.sandbox.counters.used
    assert {o.status for o in sink.apply(changes)} == {"ok"}
    assert loose.sandbox.counters.used - before == 10


def test_a_writer_that_was_held_up_by_the_search_does_not_write(loose: Bench) -> None:
    sink = loose.sink
    changes = sink.plan([loose.task()], sink.lookup(["ut-abc"]))
    clock = iter([0.0, INSERT_WITHIN + 1]).__next__
    late = SalesforceSink(loose.client, loose.config, pause=loose.pauses.append, clock=clock)
    with pytest.raises(Retriable, match="slow to say"):
        late.apply(changes)
    assert every_task(loose) == []


def test_an_org_that_refuses_all_writes_is_asked_once_and_not_for_each_task(loose: Bench) -> None:
    sink = loose.sink
    changes = sink.plan([loose.task(f"ut-{n}") for n in range(5)], {})
    loose.sandbox.faults.add(Fault(kind="unknown_error", on="create", code="API_CURRENTLY_DISABLED", amount=403, times=9))
    with pytest.raises(Misconfigured, match="Tasks cannot be written"):
        sink.apply(changes)
    assert writes(loose) == 1


def test_a_task_about_no_account_is_looked_for_as_well(loose: Bench) -> None:
    nowhere = loose.task(account_key=None)
    assert [o.created for o in loose.push(nowhere)] == [True]
    first, second = loose.sink, loose.sink
    plans = [sink.plan([loose.task("ut-2", account_key=None)], {}) for sink in (first, second)]
    assert [o.created for o in (*first.apply(plans[0]), *second.apply(plans[1]))] == [True, False]
