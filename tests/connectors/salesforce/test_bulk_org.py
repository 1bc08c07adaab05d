"""Jobs of a whole org, with everything that goes wrong there: what comes by them is what comes by queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.base import Cursor
from connectors.errors import Retriable
from connectors.records import Interaction
from connectors.sandbox import Fault, admin
from tests.connectors.salesforce.conftest import NOW, Bench

HOSTILE = 'a\x00b\r\n"quoted", ""twice"", emoji 😀 and שלום\n' + "x" * 32_000


def filled(bench: Bench, mails: int) -> None:
    bench.sandbox.org.tables._db.execute("BEGIN")
    for number in range(mails):
        bench.email(at=NOW - timedelta(minutes=number % 50 + 1), MessageIdentifier=f"<{number}@acme.example>", TextBody=f"Mail {number}\n" * (number % 7 + 1))
    bench.sandbox.org.tables._db.execute("COMMIT")


def taken(bench: Bench, *, runs: int = 4) -> tuple[list[Interaction], int]:
    """What lands over some runs, each of which goes on from the last cursor; and how many runs it took."""
    landed: dict[str, Interaction] = {}
    cursor = Cursor()
    for run in range(1, runs + 1):
        try:
            for page in bench.source.read("emails", cursor, NOW):
                landed |= {r.key: r for r in page.records if isinstance(r, Interaction)}
                cursor = page.cursor or cursor
        except Retriable:
            continue
        return list(landed.values()), run
    raise AssertionError(f"not at the end after {runs} runs")


def by_key(found: list[Interaction]) -> list[Interaction]:
    return sorted(found, key=lambda r: r.key)


def test_text_arrives_alike_by_job_and_by_query(bench: Bench) -> None:
    bench.email(TextBody=HOSTILE, Subject="日本 😀", CcAddress="")
    bench.email(TextBody=None, HtmlBody="<p>We do not renew.</p>", IsDeleted=True)
    first = bench.email(MessageIdentifier="<1@acme.example>")
    bench.email(ReplyToEmailMessageId=first, RelatedToId=bench.id_of("Opportunity", "renewal"), Headers="Auto-Submitted: auto-replied\r\n")
    queried, _ = taken(bench)
    bench.settings = {"bulk_from": 1}
    assert by_key(taken(bench)[0]) == by_key(queried)
    assert bench.sandbox.counters.by_class["bulk_query_create"] == 1


@pytest.mark.parametrize("stream", ["users", "accounts", "contacts", "opportunities", "emails", "tasks", "events"])
def test_every_stream_can_come_by_a_job(bench: Bench, stream: str) -> None:
    bench.email()
    bench.push(bench.task())
    for number in range(2):
        bench.insert("Task", Subject="Call", TaskSubtype="Call", Status="Completed", IsClosed=True, Priority="Normal", Description=f"Call {number}")
        bench.insert("Event", Subject="Review", StartDateTime="2026-03-01T10:00:00.000+0000")
        bench.insert("Contact", LastName="L", Name=f"N{number}")
        bench.insert("Account", Name=f"A{number}", Seats__c=12.0)
        bench.insert("Opportunity", Name="O", StageName="Prospecting", CloseDate="2026-05-01", Amount=12.5)
        bench.email()
    until = NOW + timedelta(minutes=1)
    queried = [r for page in bench.read(stream, until=until) for r in page.records]
    bench.settings = {"bulk_from": 1}
    by_job = [r for page in bench.read(stream, until=until) for r in page.records]
    assert len(by_job) >= 2
    assert sorted(map(repr, by_job)) == sorted(map(repr, queried))
    assert bench.sandbox.counters.by_class["bulk_query_results"] == 1


@pytest.mark.parametrize(
    ("fault", "runs"),
    [
        (Fault(kind="job_failed"), 1),
        (Fault(kind="job_aborted", times=2), 1),
        (Fault(kind="job_failed", times=3), 2),
        (Fault(kind="job_forgotten", on="bulk_query_info", skip=1), 1),
        (Fault(kind="job_forgotten", on="bulk_query_results", skip=1), 1),
        (Fault(kind="expired_session", on="bulk_query_results", skip=1), 1),
        (Fault(kind="unavailable", on="bulk_query_results", times=2), 1),
        (Fault(kind="unavailable", on="bulk_query_results", times=5), 2),
        (Fault(kind="cut_mid_body", on="bulk_query_results", amount=40_000), 1),
        (Fault(kind="cut_mid_body", on="bulk_query_results", amount=10, times=3), 2),
        (Fault(kind="wrong_count", on="bulk_query_results"), 1),
        (Fault(kind="wrong_count", on="bulk_query_results", times=3), 2),
        (Fault(kind="short_page", on="bulk_query_results"), 1),
        (Fault(kind="cut_after_commit", on="bulk_query_create"), 1),
        (Fault(kind="html_ok", on="bulk_query_info"), 1),
        (Fault(kind="limit_exceeded", on="bulk_query_results"), 2),
        (Fault(kind="unavailable", on="bulk_query_delete", times=9), 1),
    ],
    ids=lambda v: f"{v.kind}-{v.on}-{v.times}" if isinstance(v, Fault) else str(v),
)
def test_whatever_goes_wrong_with_a_job_no_mail_is_lost(bench_with: Callable[..., Bench], fault: Fault, runs: int) -> None:
    bench = bench_with(bulk_page_rows=400, bulk_polls=2)
    bench.settings = {"bulk_from": 1}
    filled(bench, 1_000)
    bench.sandbox.faults.add(fault)
    found, took = taken(bench)
    assert len(found) == 1_000
    assert took <= runs


def test_a_machine_that_is_killed_after_every_page_reads_each_set_on_from_where_it_stood(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(bulk_page_rows=600)
    bench.settings = {"bulk_from": 1}
    filled(bench, 1_500)
    cursor, keys = Cursor(), []
    for _ in range(50):
        page = next((p for p in bench.source.read("emails", cursor, NOW) if p.records), None)
        if page is None:
            break
        keys += [r.key for r in page.records]  # type: ignore[union-attr]
        assert page.cursor is not None
        cursor = page.cursor
        if not cursor.resume:
            break
    assert len(keys) == len(set(keys)) == 1_500
    assert bench.sandbox.counters.by_class["bulk_query_create"] == 1


def test_jobs_that_are_forgotten_over_a_long_outage_are_begun_again(bench: Bench) -> None:
    bench.settings = {"bulk_from": 1}
    filled(bench, 300)
    cursor = next(iter(bench.source.read("emails", Cursor(), NOW))).cursor
    assert cursor is not None
    admin.forget_jobs(bench.sandbox.org)
    pages = list(bench.source.read("emails", cursor, NOW))
    assert sum(len(p.records) for p in pages) == 300
    assert pages[-1].cursor == Cursor(at=NOW)


def test_an_object_that_the_org_does_not_read_by_jobs_is_read_by_queries(bench: Bench) -> None:
    bench.settings = {"bulk_from": 1}
    filled(bench, 300)
    org = bench.sandbox.org
    org.alter(replace(org.everything["emailmessage"], bulk=False))
    assert len(taken(bench)[0]) == 300
    assert bench.sandbox.counters.by_class["bulk_query_results"] == 0


def test_more_rows_than_ten_thousand_come_by_one_job(bench: Bench) -> None:
    bench.sandbox.org.tables._db.execute("BEGIN")
    for number in range(10_500):
        bench.insert("Contact", NOW - timedelta(seconds=number // 9), LastName="L", Name="L")
    bench.sandbox.org.tables._db.execute("COMMIT")
    pages = bench.read("contacts")
    assert sum(len(p.records) for p in pages) == 10_501
    assert max(len(p.records) for p in pages) == 2_000
    assert bench.sandbox.counters.used < 20
