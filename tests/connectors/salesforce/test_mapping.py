"""Where the org keeps what: counted before anything is read, and proposed where the settings find nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from connectors.base import Finding
from connectors.salesforce.mapping import Candidate, Mapping
from connectors.sandbox import admin
from tests.connectors.salesforce.conftest import NOW, Bench

AHEAD = (NOW.date() + timedelta(days=100)).isoformat()
PAST = (NOW.date() - timedelta(days=1)).isoformat()


def renewals(bench: Bench) -> Finding:
    return next(f for f in bench.source.preview(NOW) if f.about == "renewals")


def accounts(bench: Bench, number: int, **values: Any) -> list[str]:
    return [bench.insert("Account", Name=f"Company {n}", OwnerId=bench.id_of("User", "ann"), **values) for n in range(number)]


def opportunity(bench: Bench, account: str, **values: Any) -> str:
    defaults = {"Name": "R", "Type": "Renewal", "StageName": "Prospecting", "CloseDate": AHEAD, "IsClosed": False, "IsWon": False}
    return bench.insert("Opportunity", AccountId=account, **{**defaults, **values})


def with_dates(bench: Bench) -> None:
    admin.add_field(bench.sandbox.org, "Account", name="Contract_End__c", type="date", label="Contract end")


def test_renewals_are_counted_by_account_wherever_they_live(bench: Bench) -> None:
    with_dates(bench)
    bench.settings = {"renewal_source": "opportunity, account, contract", "renewal_date_field": "Contract_End__c"}
    one, two, three, four = accounts(bench, 4)
    opportunity(bench, one)
    opportunity(bench, one)
    opportunity(bench, two, IsClosed=True)
    opportunity(bench, three, Type="New Business")
    bench.insert("Contract", AccountId=two, ContractNumber="1", Status="Activated", EndDate=AHEAD)
    bench.insert("Contract", AccountId=three, ContractNumber="2", Status="Draft", EndDate=AHEAD)
    bench.insert("Contract", AccountId=three, ContractNumber="3", Status="Activated", EndDate=PAST)
    bench.change("Account", two, Contract_End__c=AHEAD)
    bench.change("Account", four, Contract_End__c=PAST)
    found = renewals(bench)
    assert found.level == "ok"
    assert found.message.startswith("3 accounts have a renewal date, 2 have two or more, 2 none")
    assert (
        "3 open opportunities are renewals (Type: Renewal); 1 accounts have a Contract_End__c that lies ahead; 1 activated contracts end ahead" in found.message
    )


def test_no_renewal_at_all_proposes_the_fields_that_may_be_meant(bench: Bench) -> None:
    with_dates(bench)
    bench.settings = {"renewal_types": "Extension"}
    bench.change("Account", bench.id_of("Account", "acme"), Contract_End__c=AHEAD)
    found = renewals(bench)
    assert found.level == "warning"
    assert "renewal_source" in found.message
    assert "renewal_date_field=Contract_End__c (Contract end): filled for 1 of 1 accounts" in found.message


def test_each_mapped_field_says_how_many_accounts_have_it(bench: Bench) -> None:
    accounts(bench, 3, Seats__c=10.0)
    admin.add_field(bench.sandbox.org, "Account", name="Number_of_licenses__c", type="double")
    admin.add_field(bench.sandbox.org, "Account", name="Empty__c", type="double")
    bench.settings = {"seats_field": "Empty__c"}
    found = {f.about: f for f in bench.source.preview(NOW)}
    assert found["Account.ARR__c"].message == "1 of 4 accounts have one; read as arr_field"
    assert found["Account.Empty__c"].level == "warning"
    assert "seats_field=Seats__c (Seats): filled for 4 of 4 accounts" in found["Account.Empty__c"].message
    assert "Number_of_licenses__c" not in found["Account.Empty__c"].message


@pytest.mark.parametrize(
    ("setting", "name", "kind", "label", "meant"),
    [
        ("renewal_date_field", "A__c", "date", "Renewal date", True),
        ("renewal_date_field", "B__c", "date", "Contract End Date", True),
        ("renewal_date_field", "C__c", "date", "Vertragsende", True),
        ("renewal_date_field", "Next_Renewal__c", "date", "X", True),
        ("renewal_date_field", "D__c", "string", "Renewal date", False),
        ("renewal_date_field", "E__c", "date", "Birthday", False),
        ("seats_field", "F__c", "double", "Licensed users", True),
        ("seats_field", "G__c", "double", "Number of employees", False),
        ("arr_field", "H__c", "currency", "Annual recurring revenue", True),
        ("arr_field", "I__c", "currency", "Carry-over", False),
        ("region_field", "J__c", "picklist", "Sales Region", True),
        ("timezone_field", "K__c", "string", "Time zone", True),
    ],
)
def test_a_field_is_proposed_by_its_type_and_what_it_is_called(bench: Bench, setting: str, name: str, kind: Any, label: str, meant: bool) -> None:
    admin.add_field(bench.sandbox.org, "Account", name=name, type=kind, label=label)
    proposed = [c for c in bench.source.candidates() if c.setting == setting and c.field == name]
    assert proposed == ([Candidate(setting=setting, field=name, label=label, filled=0, total=1)] if meant else [])


def test_the_fullest_field_is_proposed_first(bench: Bench) -> None:
    for name in ("Users__c", "Licences__c"):
        admin.add_field(bench.sandbox.org, "Account", name=name, type="double")
    accounts(bench, 2, Licences__c=1.0)
    assert [c.field for c in bench.source.candidates() if c.setting == "seats_field"] == ["Licences__c", "Seats__c", "Users__c"]


def test_a_preview_names_no_account(bench: Bench) -> None:
    accounts(bench, 2)
    told = " ".join([f.message for f in bench.source.check(NOW)] + [str(c) for c in bench.source.candidates()])
    assert "Acme" not in told
    assert "Company" not in told


def test_a_hidden_source_of_renewals_is_said_and_the_others_count(bench: Bench) -> None:
    bench.settings = {"renewal_source": "opportunity, contract"}
    admin.set_options(bench.sandbox.org, hidden=["Contract"])
    assert "1 accounts have a renewal date" in renewals(bench).message
    assert "contract: cannot be read" in renewals(bench).message


def test_the_source_offers_its_mapping_to_whoever_asks(bench: Bench) -> None:
    assert isinstance(bench.source, Mapping)


def test_a_renewal_date_that_is_hidden_leaves_the_stored_one_alone(bench: Bench) -> None:
    with_dates(bench)
    bench.settings = {"renewal_date_field": "Contract_End__c"}
    bench.change("Account", bench.id_of("Account", "acme"), Contract_End__c="2026-09-30")
    assert bench.records("accounts")[1].close_date == date(2026, 9, 30)
    admin.hide_field(bench.sandbox.org, "Account", "Contract_End__c")
    page = bench.read("accounts")[-1]
    assert "close_date" in page.unread
