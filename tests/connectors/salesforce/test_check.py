"""What a person is told before anything is read or written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from connectors.base import Finding
from connectors.salesforce.check import _WHY, findings
from connectors.salesforce.keys import Lack
from connectors.salesforce.schema import Schema
from connectors.salesforce.source import SalesforceSource
from connectors.sandbox import Fault
from tests.connectors.salesforce.conftest import NOW, Bench
from tests.connectors.salesforce.wire import TOKEN, Reply, Said, described, rows, wire


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


def test_every_part_of_an_org_is_looked_at(bench: Bench) -> None:
    bench.email()
    about = [f.about for f in bench.source.check(NOW)]
    tables = ["User", "Account", "Contact", "Opportunity", "EmailMessage", "Task", "Event", "OpportunityContactRole"]
    assert {"Salesforce", "clock", "API version", *tables, "writing tasks", "Task.Undertone_Key__c", "rows", "renewals", "Account.Seats__c"} <= set(about)


def test_what_can_be_seen_is_counted(bench: Bench) -> None:
    bench.email()
    (finding,) = found(bench, "rows")
    assert finding.message == "the connected user sees: Account 1, Contact 1, Opportunity 1, Task 0, Event 0"


def test_a_user_who_sees_no_account_is_told(bench: Bench) -> None:
    bench.sandbox.org.options = replace(bench.sandbox.org.options, empty=frozenset({"Account"}))
    (finding,) = found(bench, "rows")
    assert finding.level == "warning"
    assert "View All" in finding.message


@pytest.mark.parametrize(("minutes", "words"), [(3, "3 minutes behind the org's"), (-10, "10 minutes ahead of the org's")])
def test_a_clock_that_is_wrong_is_said(bench: Bench, minutes: int, words: str) -> None:
    findings = {f.about: f for f in bench.source.check(NOW - timedelta(minutes=minutes))}
    assert findings["clock"].level == "warning"
    assert words in findings["clock"].message


@pytest.mark.parametrize(
    ("version", "day", "level", "words"),
    [
        ("64.0", NOW, "ok", "supported"),
        ("52.0", NOW.replace(year=2030), "ok", "supported"),
        ("40.0", NOW, "ok", "supported"),
        ("40.0", NOW.replace(year=2026, month=12, day=3), "warning", "will not support API version 40.0 from Summer '27"),
        ("31.0", NOW.replace(year=2027, month=7), "warning", "does not support API version 31.0 from Summer '27"),
        ("28.0", NOW, "warning", "from Summer '25"),
    ],
)
def test_the_end_of_an_api_version_is_said_half_a_year_before(version: str, day: datetime, level: str, words: str) -> None:
    with wire(_an_org, api_version=version) as w:
        findings = {f.about: f for f in SalesforceSource(w.client, w.config).check(day)}
    assert findings["API version"].level == level
    assert words in findings["API version"].message


def test_an_api_version_that_the_org_does_not_offer_is_said_once() -> None:
    with wire(_an_org, api_version="99.0") as w:
        last = SalesforceSource(w.client, w.config).check(NOW)[-1]
    assert last.level == "error"
    assert "offers 28.0 to 64.0" in last.message


def _an_org(said: Said) -> Reply:
    if "oauth2" in said.path:
        return 200, TOKEN
    if said.path.endswith("/limits"):
        return 200, {"DailyApiRequests": {"Max": 100, "Remaining": 99}}
    if said.path == "/services/data":
        return 200, [{"version": f"{n}.0"} for n in (28, 31, 40, 52, 64)]
    if "describe" in said.path:
        return 200, described("Name")
    return 200, rows(total=1)


def test_a_soap_login_is_warned_of_with_its_end(bench: Bench) -> None:
    known = bench.sandbox.credentials
    bench.settings = {"auth": "soap", "username": known.username}
    bench.secrets = {"password": known.password, "security_token": known.security_token}
    (finding,) = found(bench, "login")
    assert finding.level == "warning"
    assert all(words in finding.message for words in ("Summer '27", "65.0", "Winter '26", "External Client App"))
    bench.settings, bench.secrets = {}, {"consumer_secret": known.client_secret}
    assert found(bench, "login") == []


@pytest.mark.parametrize("field", ["Task.Subject", "Task.WhatId"])
def test_a_user_who_may_not_write_tasks_is_told(bench: Bench, field: str) -> None:
    bench.sandbox.org.options = replace(bench.sandbox.org.options, read_only=frozenset({field}))
    (finding,) = found(bench, "writing tasks")
    assert finding.level == "warning"
    assert field.removeprefix("Task.") in finding.message


def test_a_slow_org_is_not_waited_for_longer_than_a_person_would() -> None:
    def reply(said: Said) -> Reply:
        if "oauth2" in said.path:
            return 200, TOKEN
        time.sleep(0.06)
        return _an_org(said)

    with wire(reply) as w:
        found = findings(w.client, Schema(w.client), w.config, NOW, seconds=0.3)
    assert found[-1].level == "warning"
    assert "too slowly" in found[-1].message
    assert found[0].level == "ok"


def test_a_check_writes_nothing_and_costs_few_calls(bench: Bench) -> None:
    bench.email()
    bench.source.check(NOW)
    assert bench.sandbox.counters.calls["write"] == 0
    assert bench.sandbox.counters.used < 40
