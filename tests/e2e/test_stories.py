"""A scripted year, judged by its truth; `./dev prove` plays two more. Stories and truth were written before the detectors and without sight of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.store import accounts, outbox, suggestions
from service.store.pool import transaction
from tests.e2e import stories
from tests.e2e.stories import ALL_FOUND, Told

MOST_FALSE_ALARMS = 2


@pytest.fixture(scope="module", params=["tidewise"])
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    with stories.told(request.param) as made:
        yield made


def test_quiet_accounts_are_left_alone(told: Told):
    assert len(told.compared().false_alarms) <= MOST_FALSE_ALARMS


def test_every_tone_turn_silence_and_usage_drop_is_found_in_its_window(told: Told):
    comparison = told.compared()
    print({kind: f"{found} of {planted}" for kind, (found, planted) in sorted(comparison.per_kind.items())})
    assert [p for p in comparison.missed if p.kind in ALL_FOUND] == []


def test_a_second_run_pushes_nothing_and_writes_nothing(told: Told):
    before = (told.sandbox.counters.calls["write"], told.sandbox.counters.writes)
    report = told.run()
    assert (report.created, report.updated, report.failed) == (0, 0, 0)
    assert (told.sandbox.counters.calls["write"], told.sandbox.counters.writes) == before


def test_nobody_has_more_than_five_open_and_no_account_more_than_one(told: Told):
    with transaction(told.workspace_id) as db:
        opened = suggestions.open_suggestions(db)
    assert len({s.account_id for s in opened}) == len(opened)
    assert max(sum(s.owner_key == o.owner_key for s in opened) for o in opened) <= 5


def test_every_open_suggestion_is_one_task_and_says_nothing_of_the_buyer_in_its_title(told: Told):
    with transaction(told.workspace_id) as db:
        opened, ledger = suggestions.open_suggestions(db), outbox.ledger(db)
    assert {row.suggestion_id for row in ledger if row.status == "sent"} == {s.suggestion_id for s in opened}
    titles = [
        row["Subject"] for row in told.sandbox.org.query("SELECT Subject FROM Task WHERE Undertone_Key__c != null", deleted=False, version="64.0")["records"]
    ]
    assert len(titles) == len(opened)
    assert all(title.split(": ")[0] in {s.account_name for s in opened} for title in titles)


def test_a_feed_that_stopped_and_one_that_never_was_are_unknown_and_no_drop(told: Told):
    with transaction(told.workspace_id) as db:
        unknown = [a.name for a in accounts.listing(db, most=100) if "usage" in (a.unknown_parts or ())]
    assert len(unknown) == 2
