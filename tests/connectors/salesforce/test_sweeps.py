"""What no cursor sees: vanished rows, missed rows, values that are computed; and rows by their keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import islice
from typing import Any, get_args

import pytest

from connectors.base import Cursor, Fetching, Page, Sweep, Sweeping
from connectors.records import Interaction, Opportunity, TaskState
from connectors.sandbox import Fault, admin
from tests.connectors.salesforce.conftest import NOW, Bench


def swept(bench: Bench, stream: str, sweep: Sweep = "ids", after: Cursor | None = None) -> list[Page]:
    return list(bench.source.sweep(stream, sweep, after or Cursor(), NOW))


def present(pages: list[Page]) -> list[str]:
    return [p.key for page in pages for p in page.present]


def fetched(bench: Bench, stream: str, *keys: str) -> list[Any]:
    return [r for page in bench.source.fetch(stream, keys) for r in page.records]


def contacts(bench: Bench, number: int) -> list[str]:
    return sorted([bench.id_of("Contact", "bo"), *(bench.insert("Contact", LastName="L", Name=f"N{n}") for n in range(number))])


def test_a_source_says_which_sweeps_it_has(bench: Bench) -> None:
    assert isinstance(bench.source, Sweeping)
    assert isinstance(bench.source, Fetching)
    sweeps = {s.name: dict(s.sweeps) for s in bench.source.streams()}
    assert {name for name, found in sweeps.items() if found.get("ids") == timedelta(days=7)} == set(sweeps) - {"users"}
    assert {name for name, found in sweeps.items() if "formulas" in found} == {"accounts", "opportunities"}
    assert {kind for found in sweeps.values() for kind in found} == set(get_args(Sweep))


def test_ids_come_in_their_order_with_their_stamps_and_none_from_the_recycle_bin(bench: Bench) -> None:
    keys = contacts(bench, 5)
    gone = bench.insert("Contact", LastName="L", Name="Gone", IsDeleted=True)
    pages = swept(bench, "contacts")
    assert present(pages) == keys
    assert gone not in present(pages)
    assert {p.modified_at for page in pages for p in page.present if p.key != bench.id_of("Contact", "bo")} == {NOW - timedelta(hours=1)}
    assert not any(page.records for page in pages)


def test_a_sweep_that_dies_anywhere_goes_on_behind_its_last_page(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(page_size=3)
    keys = contacts(bench, 10)
    for deaths in range(1, 5):
        begun = list(islice(bench.source.sweep("contacts", "ids", Cursor(), NOW), deaths))
        rest = swept(bench, "contacts", after=begun[-1].cursor)
        assert present(begun) + present(rest) == keys


def test_archived_tasks_and_meetings_have_not_vanished(bench: Bench) -> None:
    call = bench.insert("Task", Subject="Call", TaskSubtype="Call", Status="Completed", IsClosed=True, IsArchived=True, Priority="Normal")
    met = bench.insert("Event", Subject="Review", StartDateTime="2025-01-02T10:00:00.000+0000", IsArchived=True)
    assert present(swept(bench, "tasks")) == [call]
    assert present(swept(bench, "events")) == [met]


def test_what_never_becomes_a_record_is_not_said_to_be_there(bench: Bench) -> None:
    sent = bench.email()
    bench.email(Status="5")
    bench.email(IsPrivateDraft=True)
    ours = bench.insert("Task", Subject="Ask", Status="Not Started", IsClosed=False, Undertone_Key__c="ut-abc", Priority="Normal")
    bench.insert("Task", Subject="Email: hi", TaskSubtype="Email", Status="Completed", IsClosed=True, Priority="Normal")
    bench.insert("Task", Subject="To do", TaskSubtype="Task", Status="Not Started", IsClosed=False, Priority="Normal")
    bench.insert("Event", Subject="Series", StartDateTime="2026-01-02T10:00:00.000+0000", IsRecurrence=True)
    assert present(swept(bench, "emails")) == [sent]
    assert present(swept(bench, "tasks")) == [ours]
    assert present(swept(bench, "events")) == []


def test_a_renewal_that_stands_on_an_account_is_there_as_long_as_its_account(bench: Bench) -> None:
    admin.add_field(bench.sandbox.org, "Account", name="Renewal__c", type="date")
    bench.settings = {"renewal_date_field": "Renewal__c"}
    acme = bench.id_of("Account", "acme")
    bench.change("Account", acme, Renewal__c="2026-09-30")
    pages = swept(bench, "opportunities")
    assert present(pages) == [bench.id_of("Opportunity", "renewal"), f"{acme}:renewal"]
    assert present(swept(bench, "opportunities", after=pages[0].cursor)) == [f"{acme}:renewal"]
    (renewal,) = fetched(bench, "opportunities", f"{acme}:renewal")
    assert (renewal.key, renewal.close_date) == (f"{acme}:renewal", date(2026, 9, 30))


def test_a_formula_is_read_anew_though_its_row_has_not_moved(bench: Bench) -> None:
    admin.add_field(bench.sandbox.org, "Account", name="Base__c", type="double")
    admin.add_field(bench.sandbox.org, "Account", name="Licensed__c", type="double", formula="Base__c")
    bench.settings = {"seats_field": "Licensed__c"}
    acme = bench.id_of("Account", "acme")
    stamp = bench.records("accounts")[0].modified_at
    bench.sandbox.org.tables._db.execute('UPDATE "Account" SET "Base__c" = 77 WHERE Id = ?', [acme])
    assert bench.read("accounts", Cursor(at=NOW - timedelta(minutes=1))) == []
    (page,) = swept(bench, "accounts", "formulas")
    (account,) = page.records
    assert (account.seats, account.modified_at) == (77, stamp)  # type: ignore[union-attr]
    assert page.cursor == Cursor(key=acme, resume="Account")


def test_where_nothing_is_computed_nothing_is_asked(bench: Bench) -> None:
    source = bench.source
    source.discover()
    before = bench.sandbox.counters.used
    assert list(source.sweep("accounts", "formulas", Cursor(), NOW)) == []
    assert list(source.sweep("opportunities", "formulas", Cursor(), NOW)) == []
    assert bench.sandbox.counters.used == before


def test_rows_are_fetched_by_their_keys_deleted_ones_as_deleted(bench: Bench) -> None:
    bo = bench.id_of("Contact", "bo")
    bench.change("Contact", bo, IsDeleted=True)
    other = bench.insert("Contact", LastName="L", Name="N")
    found = fetched(bench, "contacts", bo, other, "0035gs999999999AAA", "0035gS999999999AAA", "row 3 of a page", "Contact.Title", "")
    assert {(c.key, c.deleted) for c in found} == {(bo, True), (other, False)}


def test_two_thousand_keys_fit_into_addresses(bench: Bench) -> None:
    keys = contacts(bench, 450)
    unknown = [f"0035gs{n:09}AAA" for n in range(5000, 6500)]
    assert sorted(c.key for c in fetched(bench, "contacts", *keys, *unknown)) == keys


def test_fetched_emails_are_as_complete_as_those_that_are_read(bench: Bench) -> None:
    sent = bench.email(TextBody=None, HtmlBody="<p>We do not renew.</p>", RelatedToId=bench.id_of("Opportunity", "renewal"))
    (mail,) = fetched(bench, "emails", sent)
    assert isinstance(mail, Interaction)
    assert (mail.body, mail.account_key) == ("We do not renew.", bench.id_of("Account", "acme"))
    assert [mail] == bench.records("emails")


def test_no_page_of_fetched_rows_moves_a_cursor(bench: Bench) -> None:
    assert [p.cursor for p in bench.source.fetch("contacts", [bench.id_of("Contact", "bo")])] == [None]


def test_a_task_of_ours_is_fetched_as_its_state(bench: Bench) -> None:
    bench.push(bench.task())
    (row,) = bench.tasks()
    (found,) = fetched(bench, "tasks", row["Id"])
    assert isinstance(found, TaskState)
    assert found.key == "ut-abc"


def test_an_activated_contract_is_a_renewal_and_a_draft_is_none(bench: Bench) -> None:
    bench.settings = {"renewal_source": "contract"}
    acme = bench.id_of("Account", "acme")
    live = bench.insert("Contract", AccountId=acme, ContractNumber="00000101", Status="Activated", EndDate="2026-10-31")
    draft = bench.insert("Contract", AccountId=acme, ContractNumber="00000102", Status="Draft", EndDate="2027-10-31")
    assert "contracts" in [s.name for s in bench.source.streams()]
    found = {r.key: r for r in bench.records("contracts")}
    assert found[live] == Opportunity(
        key=live,
        account_key=acme,
        name="Contract 00000101",
        type="Renewal",
        stage=None,
        amount=None,
        close_date=date(2026, 10, 31),
        is_closed=False,
        is_won=False,
        modified_at=NOW - timedelta(hours=1),
    )
    assert found[draft].deleted
    assert set(present(swept(bench, "opportunities"))) == {bench.id_of("Opportunity", "renewal"), live, draft}
    assert {r.key for r in fetched(bench, "opportunities", live, bench.id_of("Opportunity", "renewal"))} == {live, bench.id_of("Opportunity", "renewal")}


def test_a_sweep_whose_query_the_org_forgets_stops_and_can_go_on(bench_with: Callable[..., Bench]) -> None:
    from connectors.errors import Retriable

    bench = bench_with(page_size=3)
    keys = contacts(bench, 10)
    bench.sandbox.faults.add(Fault(kind="dead_cursor", on="query_more", skip=1))
    begun: list[Page] = []
    with pytest.raises(Retriable):
        begun += bench.source.sweep("contacts", "ids", Cursor(), NOW)
    assert present(begun) + present(swept(bench, "contacts", after=begun[-1].cursor)) == keys
