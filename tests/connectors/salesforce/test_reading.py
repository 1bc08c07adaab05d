"""What comes out of an org, stream by stream, and what of it may not come out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.base import Cursor
from connectors.context import Unlimited
from connectors.errors import Misconfigured, Parked, Retriable, StreamUnavailable
from connectors.records import Account, Contact, Opportunity, User
from connectors.salesforce.source import SalesforceSource
from connectors.sandbox import Fault, admin
from tests.connectors.salesforce.conftest import NOW, Bench
from tests.connectors.salesforce.wire import TOKEN, Reply, Said, described, rows, wire


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
            names = ("Id", "Name", "AccountId", "Email", "Title", "HasOptedOutOfEmail", "MasterRecordId", "IsDeleted", "SystemModstamp")
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


class Shares:
    """A budget that lets so many calls through."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.said: list[tuple[int, int]] = []

    def take(self, calls: int = 1) -> None:
        if self.left < calls:
            message = "the share is used up"
            raise Parked(message, wait=timedelta(hours=1))
        self.left -= calls

    def seen(self, used: int, allowed: int) -> None:
        self.said.append((used, allowed))


def test_reading_waits_when_its_share_is_used_up_and_goes_on_where_it_stood(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(daily_limit=900, page_size=1)
    bench.budget = budget = Shares(20)
    for number in range(40):
        bench.insert("Contact", NOW - timedelta(minutes=60 - number), LastName="L", Name="L")
    landed, cursor = [], Cursor()
    with pytest.raises(Parked, match="share"):
        for page in bench.source.read("contacts", cursor, NOW):
            landed += page.records
            cursor = page.cursor or cursor
    assert len(landed) == 18
    assert bench.sandbox.counters.calls["read"] == 20
    assert budget.said[-1] == (20, 900)
    bench.budget = Unlimited()
    landed += [r for page in bench.source.read("contacts", cursor, NOW) for r in page.records]
    assert len({r.key for r in landed}) == 41  # type: ignore[union-attr]


def test_nothing_new_costs_one_call_a_stream_beside_the_describe(bench: Bench) -> None:
    source = bench.source
    list(source.read("contacts", Cursor(), NOW))
    before = dict(bench.sandbox.counters.by_class)
    assert list(source.read("contacts", Cursor(at=NOW), NOW)) == []
    after = bench.sandbox.counters.by_class
    assert {name: number - before.get(name, 0) for name, number in after.items() if number != before.get(name, 0)} == {"query_all": 1}


def test_a_used_up_limit_is_no_fault_of_the_connection(bench: Bench) -> None:
    source = bench.source
    bench.sandbox.faults.add(Fault(kind="limit_exceeded", on="query_all"))
    with pytest.raises(Parked, match=r"daily API requests are used up") as caught:
        list(source.read("contacts", Cursor(), NOW))
    assert caught.value.wait == timedelta(hours=1)


def test_twenty_thousand_rows_are_not_cut_at_ten(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(uneven_pages=True)
    bench.settings = {"bulk_from": 100_000}
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
        if "COUNT" in said.path:
            return 200, rows(total=3)
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
        if "/jobs/query" in said.path:
            return 404, [{"errorCode": "NOT_FOUND", "message": "no"}]
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


def test_a_contact_that_was_merged_says_into_which(bench: Bench) -> None:
    bo = bench.id_of("Contact", "bo")
    gone = bench.insert("Contact", LastName="Lind", Name="B Lind", IsDeleted=True, MasterRecordId=bo)
    merged = {c.key: c for c in bench.records("contacts")}
    assert (merged[gone].deleted, merged[gone].merged_into_key, merged[bo].merged_into_key) == (True, bo, None)


def test_a_deleted_contact_that_comes_back_is_seen_again(bench: Bench) -> None:
    bo = bench.id_of("Contact", "bo")
    for act, deleted in ((admin.bin_row, True), (admin.undelete, False)):
        act(bench.sandbox.org, "Contact", bo)
        pages = bench.read("contacts", until=NOW + timedelta(minutes=1))
        assert [c.deleted for page in pages for c in page.records] == [deleted]  # type: ignore[union-attr]


def test_mail_on_a_case_or_a_contract_belongs_to_its_account(bench: Bench) -> None:
    acme = bench.id_of("Account", "acme")
    case = bench.insert("Case", AccountId=acme, Subject="Help")
    contract = bench.insert("Contract", AccountId=acme, ContractNumber="1", Status="Activated")
    for values in ({"ParentId": case}, {"RelatedToId": case}, {"RelatedToId": contract}):
        bench.email(**values)
    assert [m.account_key for m in bench.records("emails")] == [acme] * 3


def test_the_accounts_of_what_mail_hangs_on_are_asked_for_once(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(page_size=2)
    case = bench.insert("Case", AccountId=bench.id_of("Account", "acme"), Subject="Help")
    for _ in range(8):
        bench.email(ParentId=case)
    source = bench.source
    assert len([r for page in source.read("emails", Cursor(), NOW) for r in page.records]) == 8
    users, cases = 1, 1
    assert bench.sandbox.counters.by_class["query"] + bench.sandbox.counters.by_class["query_all"] == 1 + 1 + users + cases


def test_the_task_that_stands_for_a_logged_mail_is_not_the_mail_again(bench: Bench) -> None:
    task = bench.insert("Task", Subject="Email: Rosters", TaskSubtype="Email", Status="Completed", IsClosed=True, Priority="Normal", Description="To: bo")
    bench.email(ActivityId=task, MessageIdentifier="<1@acme.example>")
    assert [m.message_id for m in bench.records("emails")] == ["<1@acme.example>"]
    assert bench.records("tasks") == []


def test_a_field_is_found_whatever_case_the_settings_have(bench: Bench) -> None:
    bench.settings = {"seats_field": "seats__C"}
    page = bench.read("accounts")[0]
    assert page.records[0].seats == 40  # type: ignore[union-attr]
    assert "seats" not in page.unread


def test_a_field_of_several_values_is_not_read_as_a_text() -> None:
    def reply(said: Said) -> Reply:
        if "describe" in said.path:
            return 200, described("Name", "MasterRecordId", BillingAddress="address")
        account = {"Id": "0015gS000000001AAA", "Name": "Acme", "SystemModstamp": "2026-03-02T08:00:00.000+0000"}
        return 200, rows({**account, "BillingAddress": {"city": "Berlin"}})

    with wire(lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said), region_field="BillingAddress") as w:
        page = next(p for p in SalesforceSource(w.client, w.config).read("accounts", Cursor(), NOW) if p.records)
    assert "region" in page.unread
    assert all("BillingAddress" not in s.path for s in w.heard)


def test_answers_that_are_too_big_are_asked_for_in_smaller_ones() -> None:
    every = [
        {
            "Id": f"00U5gS{n:09}AAA",
            "SystemModstamp": f"2026-03-02T08:{n:02}:00.000+0000",
            "StartDateTime": "2026-03-02T08:00:00.000+0000",
            "Subject": "x" * 30_000,
        }
        for n in range(25)
    ]

    def reply(said: Said) -> Reply:
        if "describe" in said.path:
            return 200, described("Subject", StartDateTime="datetime")
        if "COUNT" in said.path:
            return 200, rows(total=25)
        asked = parse_qs(urlsplit(said.path).query)["q"][0]
        since = re.search(r"Id >= '(\w+)'", asked)
        most = re.search(r"LIMIT (\d+)", asked)
        rest = [row for row in every if since is None or str(row["Id"]) >= since[1]]
        return 200, rows(*rest[: int(most[1]) if most else None])

    with wire(lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said), most_bytes=400_000) as w:
        pages = [p for p in SalesforceSource(w.client, w.config).read("events", Cursor(), NOW) if p.records]
    keys = [r.key for p in pages for r in p.records]  # type: ignore[union-attr]
    assert list(dict.fromkeys(keys)) == [row["Id"] for row in every]
    assert len(keys) <= 28
    assert pages[-1].cursor is not None
    assert pages[-1].cursor.key == every[-1]["Id"]


def test_a_single_row_that_is_too_big_ends_the_run_and_says_so() -> None:
    def reply(said: Said) -> Reply:
        if "describe" in said.path:
            return 200, described("Subject")
        return 200, rows({"Subject": "x" * 90_000}, total=1)

    with wire(lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said), most_bytes=50_000) as w, pytest.raises(Retriable, match="cannot be held"):
        list(SalesforceSource(w.client, w.config).read("events", Cursor(), NOW))


def test_every_run_describes_anew_and_a_renamed_field_leaves_the_stored_value(bench: Bench) -> None:
    bench.settings = {"seats_field": "Places__c"}
    admin.add_field(bench.sandbox.org, "Account", name="Places__c", type="double")
    assert "Places__c" in next(s for s in bench.source.discover() if s.stream == "accounts").fields
    admin.rename_field(bench.sandbox.org, "Account", "Places__c", "Sites__c")
    schema = next(s for s in bench.source.discover() if s.stream == "accounts")
    assert "Places__c" not in schema.fields
    assert schema.missing == ("Places__c",)
    assert "seats" in bench.read("accounts")[-1].unread


def test_an_object_that_cannot_be_read_is_discovered_as_a_problem(bench: Bench) -> None:
    hide(bench, "EmailMessage")
    problem = next(s for s in bench.source.discover() if s.stream == "emails").problem
    assert problem is not None
    assert "permission set" in problem


@pytest.mark.parametrize("retyped", ["string", "boolean"])
def test_a_field_that_changes_its_type_costs_no_row(bench: Bench, retyped: str) -> None:
    admin.add_field(bench.sandbox.org, "Account", name="Places__c", type="double")
    bench.settings = {"seats_field": "Places__c"}
    before = len(bench.records("accounts"))
    admin.change_field(bench.sandbox.org, "Account", "Places__c", type=retyped)
    pages = bench.read("accounts")
    assert sum(len(p.records) + len([r for r in p.rejected if "." not in r.source_key]) for p in pages) == before


def test_a_row_that_becomes_visible_three_minutes_late_arrives_by_the_next_run(bench: Bench) -> None:
    stream = next(s for s in bench.source.streams() if s.name == "contacts")
    early = bench.insert("Contact", NOW - timedelta(minutes=4), LastName="L", Name="Early")
    first = [page.cursor for page in bench.read("contacts", until=NOW - stream.lag + timedelta(minutes=2)) if page.cursor][-1]
    late = bench.insert("Contact", NOW - timedelta(minutes=6), LastName="L", Name="Late")
    assert first is not None
    assert first.at is not None
    again = bench.read("contacts", Cursor(at=first.at - stream.overlap), NOW - stream.lag + timedelta(minutes=3))
    assert {early, late} <= {r.key for page in again for r in page.records}  # type: ignore[union-attr]
