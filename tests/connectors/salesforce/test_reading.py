"""What comes out of an org, stream by stream, and what of it may not come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.base import Cursor
from connectors.errors import Misconfigured, Retriable, StreamUnavailable
from connectors.records import Account, Contact, Opportunity, User
from connectors.salesforce.source import SalesforceSource
from connectors.sandbox import Fault
from tests.connectors.salesforce.conftest import NOW, Bench
from tests.connectors.salesforce.wire import TOKEN, Reply, Said, rows, wire


def hide(bench: Bench, *names: str) -> None:
    bench.sandbox.org.options = replace(bench.sandbox.org.options, hidden=frozenset(names))


def test_every_stream_is_read_with_the_lag_and_the_overlap_that_late_rows_need(bench: Bench) -> None:
    streams = bench.source.streams()
    assert [s.name for s in streams] == ["users", "accounts", "contacts", "opportunities", "emails", "tasks", "events"]
    assert all(s.lag == timedelta(minutes=5) and s.overlap >= timedelta(minutes=10) for s in streams)


def test_reading_writes_nothing(bench: Bench) -> None:
    for stream in bench.source.streams():
        bench.read(stream.name)
    bench.source.check(NOW)
    assert bench.sandbox.counters.calls["write"] == 0


def test_an_account_comes_with_what_the_org_calls_it(bench: Bench) -> None:
    assert bench.records("accounts") == [
        Account(
            key=bench.id_of("Account", "acme"),
            name="Acme",
            website="acme.example",
            owner_key=bench.id_of("User", "ann"),
            region="DE",
            seats=40,
            arr=12000.0,
            currency="EUR",
            modified_at=bench.records("accounts")[0].modified_at,
        )
    ]


def test_other_fields_can_be_mapped(bench: Bench) -> None:
    bench.settings = {"seats_field": "ARR__c", "arr_field": "Seats__c", "region_field": "Industry", "currency": "USD"}
    made = bench.records("accounts")[0]
    assert (made.seats, made.arr, made.region, made.currency) == (12000, 40.0, None, "EUR")


def test_a_single_currency_org_says_its_currency_in_the_settings(bench: Bench) -> None:
    hide(bench, "Account.CurrencyIsoCode")
    bench.settings = {"currency": "CHF"}
    page = bench.read("accounts")[0]
    assert page.records[0].currency == "CHF"  # type: ignore[union-attr]
    assert "currency" not in page.unread


def test_an_account_that_was_merged_says_into_which(bench: Bench) -> None:
    acme = bench.id_of("Account", "acme")
    gone = bench.insert("Account", Name="Acme Ltd", IsDeleted=True, MasterRecordId=acme)
    merged = next(a for a in bench.records("accounts") if a.key == gone)
    assert (merged.deleted, merged.merged_into_key) == (True, acme)


def test_a_deleted_contact_is_seen_and_marked(bench: Bench) -> None:
    bench.change("Contact", bench.id_of("Contact", "bo"), at=NOW - timedelta(minutes=1), IsDeleted=True)
    assert [c.deleted for c in bench.records("contacts")] == [True]


def test_an_opportunity_knows_its_primary_contact_and_its_closing_day(bench: Bench) -> None:
    (made,) = bench.records("opportunities")
    assert isinstance(made, Opportunity)
    assert made.primary_contact_key == bench.id_of("Contact", "bo")
    assert (made.type, made.close_date, made.is_closed) == ("Renewal", date(2026, 5, 1), False)


def test_the_orgs_own_word_for_a_renewal_becomes_ours(bench: Bench) -> None:
    bench.settings = {"renewal_types": ["Existing Business"]}
    bench.change("Opportunity", bench.id_of("Opportunity", "renewal"), at=NOW, Type="Existing Business")
    assert bench.records("opportunities")[0].type == "Renewal"


def test_a_renewal_date_on_the_account_is_a_renewal_of_it(bench: Bench) -> None:
    bench.settings = {"renewal_date_field": "Industry"}
    bench.change("Account", bench.id_of("Account", "acme"), at=NOW, Industry="2026-09-30")
    account, renewal = bench.records("accounts")
    assert (renewal.account_key, renewal.type, renewal.close_date, renewal.amount) == (account.key, "Renewal", date(2026, 9, 30), 12000.0)


def test_portal_users_are_customers_and_not_ours(bench: Bench) -> None:
    bench.insert("User", Name="Portal Pat", Email="pat@acme.example", UserType="CspLitePortal", IsActive=True)
    assert {u.name for u in bench.records("users")} == {"Ann Berg", "Mo Diaz"}
    assert all(isinstance(u, User) for u in bench.records("users"))


BAD: list[tuple[str, str, dict[str, Any], str]] = [
    ("opportunities", "Opportunity", {"Name": "X", "CloseDate": "4000-12-31"}, "CloseDate lies before 1990 or after 2100"),
    ("opportunities", "Opportunity", {"Name": "X", "CloseDate": "soon"}, "CloseDate holds something that is no date"),
    ("opportunities", "Opportunity", {"Name": "X", "Amount": "NaN"}, "Amount holds something that is no number"),
    ("opportunities", "Opportunity", {"Name": "X", "Amount": 1e300}, "Amount holds something that is no number"),
    ("accounts", "Account", {"Name": None}, "Name is empty"),
    ("accounts", "Account", {"Name": "X", "Seats__c": -1.0}, "seats is negative"),
    ("contacts", "Contact", {"Name": "X", "SystemModstamp": "1970-01-01T00:00:00.000+0000"}, "SystemModstamp lies before 1990"),
    ("emails", "EmailMessage", {"Subject": "x", "MessageDate": "2026-03-02T08:00:00.000+0000", "Incoming": True}, "no address"),
    ("emails", "EmailMessage", {"FromAddress": "nonsense", "MessageDate": "2026-03-02T08:00:00.000+0000", "Incoming": True}, "no address"),
    ("events", "Event", {"StartDateTime": "9999-01-01T00:00:00.000+0000"}, "StartDateTime lies before 1990 or after 2100"),
]


@pytest.mark.parametrize(("stream", "table", "values", "reason"), BAD, ids=lambda v: str(v)[:40])
def test_a_row_that_cannot_be_used_is_set_aside_and_the_good_one_beside_it_lands(
    bench: Bench, stream: str, table: str, values: dict[str, Any], reason: str
) -> None:
    before = len(bench.records(stream))
    bad = bench.insert(table, **{"SystemModstamp": None, **values} if "SystemModstamp" in values else values)
    pages = bench.read(stream)
    rejected = [r for page in pages for r in page.rejected]
    assert [r.source_key for r in rejected] == [bad]
    assert reason in rejected[0].reason
    assert sum(len(page.records) for page in pages) == before


def test_odd_rows_from_the_wire_do_not_stop_the_page() -> None:
    def reply(said: Said) -> Reply:
        if "describe" in said.path:
            names = ("Id", "Name", "AccountId", "Email", "Title", "HasOptedOutOfEmail", "IsDeleted", "SystemModstamp")
            return 200, {"fields": [{"name": n} for n in names]}
        stamp = {"SystemModstamp": "2026-03-02T08:00:00.000+0000"}
        good = {"Id": "0035gS000000001ABA", "Name": "Bo", **stamp}
        return 200, rows({"Id": None, **stamp}, {"Id": 7}, {}, {"Id": "0035gS000000002ABA", "SystemModstamp": "2026-03-02"}, good)

    with wire(lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said)) as w:
        (page,) = SalesforceSource(w.client, w.config).read("contacts", Cursor(), NOW)
    assert [r.key for r in page.records] == ["0035gS000000001ABA"]  # type: ignore[union-attr]
    assert len(page.rejected) == 4
    assert page.cursor is not None
    assert page.cursor.key == "0035gS000000001ABA"


def test_a_hidden_field_is_named_and_what_was_stored_of_it_is_not_overwritten(bench: Bench) -> None:
    hide(bench, "Account.Website", "Account.Seats__c", "Contact.Title")
    said, page = bench.read("accounts")
    assert [r.source_key for r in said.rejected] == ["Account.Website"]
    assert {"website", "seats"} <= page.unread
    assert page.unread.isdisjoint({"name", "arr", "region"})
    assert isinstance(page.records[0], Account)


def test_a_mapped_field_that_vanishes_is_said_in_every_run(bench: Bench) -> None:
    bench.settings = {"seats_field": "Number_of_seats__c"}
    said, page = bench.read("accounts")
    assert [r.source_key for r in said.rejected] == ["Account.Number_of_seats__c"]
    assert "seats" in page.unread


def test_a_field_that_is_hidden_between_describe_and_query_is_dropped(bench: Bench) -> None:
    source = bench.source
    list(source.read("contacts", Cursor(), NOW))
    hide(bench, "Contact.Title", "Contact.Email")
    (page,) = source.read("contacts", Cursor(), NOW)
    assert isinstance(page.records[0], Contact)
    assert {"title", "email"} <= page.unread


def test_a_field_that_appears_between_two_runs_is_in_the_second(bench: Bench) -> None:
    hide(bench, "Account.Website")
    bench.read("accounts")
    hide(bench)
    (page,) = bench.read("accounts")
    assert page.records[0].website == "acme.example"  # type: ignore[union-attr]


@pytest.mark.parametrize("hidden", ["EmailMessage", "EmailMessage.SystemModstamp", "EmailMessage.MessageDate", "EmailMessage.FromAddress"])
def test_a_stream_that_cannot_be_read_says_so_and_the_others_go_on(bench: Bench, hidden: str) -> None:
    hide(bench, hidden)
    with pytest.raises(StreamUnavailable, match=r"EmailMessage.*permission set"):
        bench.read("emails")
    assert bench.records("contacts")


def test_roles_that_cannot_be_seen_keep_the_primary_contact_as_it_is(bench: Bench) -> None:
    hide(bench, "OpportunityContactRole")
    (page,) = bench.read("opportunities")
    assert page.records[0].primary_contact_key is None  # type: ignore[union-attr]
    assert "primary_contact_key" in page.unread


def test_reading_waits_when_the_org_has_used_its_share(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(daily_limit=40, page_size=1)
    for number in range(40):
        bench.insert("Contact", NOW - timedelta(minutes=60 - number), LastName="L", Name="L")
    landed, cursor = [], Cursor()
    with pytest.raises(Retriable, match=r"32 of the org's 40 API requests.*goes on by itself") as parked:
        for page in bench.source.read("contacts", cursor, NOW):
            landed += page.records
            cursor = page.cursor or cursor
    assert parked.value.wait == timedelta(hours=1)
    bench.sandbox.counters.reset()
    bench.sandbox.org.options = replace(bench.sandbox.org.options, daily_limit=100_000)
    landed += [r for page in bench.source.read("contacts", cursor, NOW) for r in page.records]
    assert len({r.key for r in landed}) == 41  # type: ignore[union-attr]


def test_a_used_up_limit_is_no_fault_of_the_connection(bench: Bench) -> None:
    source = bench.source
    bench.sandbox.faults.add(Fault(kind="limit_exceeded", on="query_all"))
    with pytest.raises(Retriable, match=r"daily API requests are used up") as caught:
        list(source.read("contacts", Cursor(), NOW))
    assert caught.value.wait == timedelta(hours=1)


def test_twenty_thousand_rows_are_not_cut_at_ten(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(uneven_pages=True)
    db = bench.sandbox.org.tables._db
    db.execute("BEGIN")
    for number in range(10_001):
        bench.insert("Contact", NOW - timedelta(seconds=number // 7), LastName="L", Name="L")
    db.execute("COMMIT")
    assert sum(len(page.records) for page in bench.read("contacts")) == 10_002


def test_fewer_rows_than_announced_fail_the_run_and_the_last_page_is_read_again() -> None:
    def reply(said: Said) -> Reply:
        if "describe" in said.path:
            return 200, {"fields": [{"name": n} for n in ("Id", "Name", "IsDeleted", "SystemModstamp")]}
        return 200, rows({"Id": "0035gS000000001ABA", "Name": "Bo", "SystemModstamp": "2026-03-02T08:00:00.000+0000"}, total=2)

    with wire(lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said)) as w:
        pages = [p for p in _until_error(SalesforceSource(w.client, w.config)) if p.records]
    assert [p.cursor for p in pages] == [None]


def _until_error(source: SalesforceSource) -> list[Any]:
    pages = []
    with pytest.raises(Retriable, match="announced 2 rows and sent 1"):
        pages += source.read("contacts", Cursor(), NOW)
    return pages


def test_a_query_that_takes_too_long_is_asked_in_halves() -> None:
    asked: list[str] = []

    def reply(said: Said) -> Reply:
        if "describe" in said.path:
            return 200, {"fields": [{"name": n} for n in ("Id", "Name", "IsDeleted", "SystemModstamp")]}
        asked.append(said.path)
        too_long = len(asked) in (1, 2)
        return (400, [{"errorCode": "QUERY_TIMEOUT", "message": "too long"}]) if too_long else (200, rows())

    with wire(lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said)) as w:
        list(SalesforceSource(w.client, w.config).read("contacts", Cursor(at=NOW - timedelta(hours=4)), NOW))
    ends = [path.partition("SystemModstamp+%3C%3D+")[2][:16] for path in asked]
    assert ends == ["2026-03-02T09%3A", "2026-03-02T07%3A", "2026-03-02T06%3A", "2026-03-02T09%3A"]


def test_a_query_that_always_takes_too_long_ends() -> None:
    def reply(said: Said) -> Reply:
        if "describe" in said.path:
            return 200, {"fields": [{"name": n} for n in ("Id", "Name", "IsDeleted", "SystemModstamp")]}
        return 400, [{"errorCode": "QUERY_TIMEOUT", "message": "too long"}]

    with wire(lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said)) as w, pytest.raises(Retriable, match="too long"):
        list(SalesforceSource(w.client, w.config).read("contacts", Cursor(), NOW))
    assert len(w.heard) < 40


def test_a_refusal_that_lasts_pauses_the_connection() -> None:
    def reply(said: Said) -> Reply:
        return 403, [{"errorCode": "API_DISABLED_FOR_ORG", "message": "no"}]

    with wire(lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said)) as w, pytest.raises(Misconfigured, match="API is not enabled"):
        list(SalesforceSource(w.client, w.config).read("contacts", Cursor(), NOW))


def test_text_arrives_as_it_was_written(bench: Bench) -> None:
    body = 'a\x00b\r\n"quoted", emoji 😀 and שלום ' + "x" * 32_000
    bench.email(TextBody=body, Subject="日本 😀")
    (made,) = bench.records("emails")
    assert made.body == body
    assert made.subject == "日本 😀"


def test_a_row_from_1999_arrives_in_the_first_run(bench: Bench) -> None:
    old = bench.insert("Contact", NOW.replace(year=1999), LastName="Old", Name="Old")
    assert old in {c.key for c in bench.records("contacts")}
