"""What a person is told before anything is read or written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from connectors.base import Finding
from connectors.salesforce.check import _WHY
from connectors.salesforce.keys import Lack
from connectors.sandbox import Fault
from tests.connectors.salesforce.conftest import NOW, Bench


def found(bench: Bench, about: str) -> list[Finding]:
    return [f for f in bench.source.check(NOW) if f.about == about]


def hide(bench: Bench, *names: str) -> None:
    bench.sandbox.org.options = replace(bench.sandbox.org.options, hidden=frozenset(names))


def test_an_org_with_everything_in_place_has_nothing_to_mend(bench: Bench) -> None:
    bench.email()
    assert {f.level for f in bench.source.check(NOW)} == {"ok"}


def test_a_refused_login_is_the_only_thing_said(bench: Bench) -> None:
    bench.secrets = {"consumer_secret": "wrong"}
    (only,) = bench.source.check(NOW)
    assert (only.level, only.about) == ("error", "Salesforce")
    assert "consumer_secret" in only.message


def test_an_org_that_is_down_is_said_and_does_not_crash(bench: Bench) -> None:
    bench.sandbox.faults.add(Fault(kind="unavailable", times=99))
    (only,) = bench.source.check(NOW)
    assert only.level == "error"


@pytest.mark.parametrize(("table", "level"), [("Account", "error"), ("EmailMessage", "warning"), ("Event", "warning"), ("OpportunityContactRole", "warning")])
def test_an_object_that_cannot_be_seen_is_named(bench: Bench, table: str, level: str) -> None:
    hide(bench, table)
    (finding,) = found(bench, table)
    assert finding.level == level
    assert "Give" in finding.message


def test_fields_that_cannot_be_seen_are_named_together(bench: Bench) -> None:
    hide(bench, "Account.Website", "Account.ARR__c")
    (finding,) = found(bench, "Account")
    assert finding.level == "warning"
    assert "Website, ARR__c" in finding.message


@pytest.mark.parametrize(("key_field", "words"), [("missing", "does not exist, or is hidden"), ("external", "not marked Unique")])
def test_a_key_field_that_guards_nothing_is_said_in_plain_words(bench_with: Callable[..., Bench], key_field: str, words: str) -> None:
    (finding,) = found(bench_with(key_field=key_field), "Task.Undertone_Key__c")
    assert finding.level == "warning"
    assert words in finding.message
    assert "one at a time" in finding.message


def test_a_key_field_that_may_not_be_written_is_said(bench: Bench) -> None:
    bench.sandbox.org.options = replace(bench.sandbox.org.options, read_only=frozenset({"Task.Undertone_Key__c"}))
    assert "may not write the key field" in found(bench, "Task.Undertone_Key__c")[0].message
    assert bench.sink.guarded


def test_every_lack_of_a_key_field_has_its_words() -> None:
    assert set(_WHY) == set(get_args(Lack))


def test_no_mail_in_ninety_days_asks_for_activity_capture(bench: Bench) -> None:
    bench.email(at=NOW - timedelta(days=91))
    finding = found(bench, "EmailMessage")[-1]
    assert finding.level == "warning"
    assert "Einstein Activity Capture" in finding.message


@pytest.mark.parametrize(
    ("settings", "level", "words"),
    [
        ({}, "ok", "1 open opportunities are renewals"),
        ({"renewal_types": "Extension"}, "warning", "renewal_date_field"),
        ({"opportunity_type_field": ""}, "warning", "type of opportunities cannot be read"),
    ],
)
def test_where_renewal_dates_live_is_counted(bench: Bench, settings: dict[str, Any], level: str, words: str) -> None:
    bench.settings = settings
    (finding,) = found(bench, "renewals")
    assert finding.level == level
    assert words in finding.message


def test_a_nearly_used_limit_is_said(bench: Bench) -> None:
    bench.sandbox.counters.calls["read"] = 85_000
    (finding,) = found(bench, "Salesforce")
    assert finding.level == "warning"
    assert "85% of today's 100,000 API requests are used" in finding.message
