"""Account and contact files: one wrong cell may not cost an account, and nobody is put at an account by guessing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.account_files import CONNECTOR
from connectors.base import Cursor
from connectors.context import alone
from connectors.errors import ConnectorError, Misconfigured, StreamUnavailable
from connectors.records import Account, Contact, Opportunity, User

NOW = datetime(2026, 3, 31, tzinfo=UTC)


@pytest.fixture
def files(tmp_path):
    def write(accounts, contacts=None):
        for name, content in (("accounts.csv", accounts), ("contacts.csv", contacts)):
            if content is not None:
                (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        config = {"accounts": str(tmp_path / "accounts.csv"), "contacts": str(tmp_path / "contacts.csv") if contacts is not None else None}
        return CONNECTOR.source(alone(config))

    return write


def page(source, stream="accounts"):
    [only] = source.read(stream, Cursor(), NOW)
    return only


def of(page, kind):
    return [r for r in page.records if isinstance(r, kind)]


def reasons(page):
    return {r.source_key: r.reason for r in page.rejected}


BAD_CELLS = {
    "arr": ("lots", "arr is not a number like 1200; the account is read without it"),
    "seats": ("9999999999", "seats must be between 0 and 2,147,483,647; the account is read without it"),
    "renewal_date": ("3/4/2026", "renewal_date is not a date like 2026-03-31; the account is read without it"),
    "currency": ("money", "currency is not a code like EUR; the account is read without it"),
    "timezone": ("Mars/Olympus", "timezone is not one like Europe/Berlin; the account is read without it"),
    "owner_email": ("Ann", "owner_email is no address like ann@vendor.example; the account is read without it"),
}


@pytest.mark.parametrize("column", BAD_CELLS)
def test_a_cell_that_cannot_be_read_costs_the_cell_and_not_the_account(files, column):
    cell, reason = BAD_CELLS[column]
    found = page(files(f"account,{column}\nA,{cell}\nB,\n"))
    assert [a.key for a in of(found, Account)] == ["A", "B"]
    assert [(a.arr, a.seats, a.currency, a.owner_key, a.timezone) for a in of(found, Account)] == [(None,) * 5] * 2
    assert reasons(found) == {"accounts.csv:2": reason}


@pytest.mark.parametrize("cell", ["-5", "nan", "inf", "1e300"])
def test_a_number_out_of_all_bounds_is_no_number(files, cell):
    found = page(files(f"account,arr,seats\nA,{cell},{cell}\n"))
    assert [(a.arr, a.seats) for a in of(found, Account)] == [(None, None)]
    assert list(reasons(found)) == ["accounts.csv:2"]


@pytest.mark.parametrize("day", ["1066-10-14", "2100-01-02", "9999-12-31"])
def test_a_renewal_beyond_what_the_store_takes_is_left_out(files, day):
    found = page(files(f"account,renewal_date\nA,{day}\n"))
    assert of(found, Opportunity) == []
    assert len(of(found, Account)) == len(found.rejected) == 1


def test_rows_without_an_account_or_with_one_twice_are_named_and_the_first_one_counts(files):
    found = page(files(f"account,name\nA,First\n,Nobody\n\x00,x\nA,Second\n{'k' * 300},Long\nB,B\n"))
    assert [(a.key, a.name) for a in of(found, Account)] == [("A", "First"), ("B", "B")]
    assert list(reasons(found)) == [f"accounts.csv:{line}" for line in (3, 4, 5, 6)]


def test_a_file_without_a_usable_account_stops_and_says_why(files):
    for content, why in (("account,name\n", "no rows below"), ("account,name\n,x\n", r"accounts\.csv, line 2: the account is missing")):
        with pytest.raises(Misconfigured, match=why):
            page(files(content))
    with pytest.raises(Misconfigured, match=r"accounts\.csv has no column account\..*it names kunde, ort"):
        page(files("kunde,ort\nA,B\n"))


def test_a_whole_account_with_owner_and_renewal(files):
    found = page(
        files(
            "Account ID;Account Name;Domain;Owner;Owner Email;ARR;Currency;Contract End;Country;Time zone;Licenses\n"
            "A-1;Zoë GmbH;zoe.example;Ann Lee;Ann@Ours.example;12.500,00 €;€;31.12.2026;DE;Europe/Berlin;1.200\n",
        )
    )
    assert of(found, Account) == [
        Account(
            key="A-1",
            name="Zoë GmbH",
            website="zoe.example",
            owner_key="ann@ours.example",
            region="DE",
            timezone="Europe/Berlin",
            seats=1200,
            arr=12500.0,
            currency="EUR",
        )
    ]
    assert of(found, User) == [User(key="ann@ours.example", name="Ann Lee", email="ann@ours.example")]
    [renewal] = of(found, Opportunity)
    assert (renewal.key, renewal.account_key, renewal.close_date, renewal.amount, renewal.is_closed) == (
        "renewal:A-1",
        "A-1",
        date(2026, 12, 31),
        12500.0,
        False,
    )


def test_names_alone_are_enough(files):
    found = page(files("name\nAcme\n"))
    assert [(a.key, a.name) for a in of(found, Account)] == [("Acme", "Acme")]


def test_a_contact_is_never_put_at_one_of_two_accounts_of_the_same_name(files):
    accounts = "account,name\nA-1,Acme\nA-2,Acme\nB-1,Beta\n"
    contacts = "email,account\nbo@acme.example,Acme\nbo@beta.example,beta\neve@acme.example,a-2\n"
    found = page(files(accounts, contacts), "contacts")
    assert {c.key: c.account_key for c in of(found, Contact)} == {"bo@beta.example": "B-1", "eve@acme.example": "A-2"}
    assert list(reasons(found)) == ["contacts.csv:2"]


def test_a_key_goes_before_a_name(files):
    found = page(files("account,name\nAcme,First\nx,Acme\n", "email,account\nbo@a.example,Acme\n"), "contacts")
    assert [c.account_key for c in of(found, Contact)] == ["Acme"]


def test_bad_contacts_are_named_and_cost_no_good_one(files):
    contacts = 'email,name,account\nbo@a.example,Bo,A\nnobody,No,A\nx@y.example,X,Elsewhere\nBO@a.example,Again,A\n"broken,X,A\neve@a.example,Eve,A\n'
    found = page(files("account\nA\n", contacts), "contacts")
    assert [(c.email, c.name) for c in of(found, Contact)] == [("bo@a.example", "Bo"), ("eve@a.example", "Eve")]
    assert list(reasons(found)) == [f"contacts.csv:{line}" for line in (3, 4, 5, 6)]


def test_check_reads_both_files_and_streams_are_those_that_are_there(files, tmp_path):
    source = files("account\nA\n", "mail\nx\n")
    assert {f.about: f.level for f in source.check(NOW)} == {"accounts.csv": "ok", "contacts.csv": "error"}
    assert [s.name for s in source.streams()] == ["accounts", "contacts"]
    only = files("account\nA\n")
    assert [s.name for s in only.streams()] == ["accounts"]
    with pytest.raises(StreamUnavailable, match="no stream contacts"):
        list(only.read("contacts", Cursor(), NOW))
    assert CONNECTOR.source(alone({"accounts": str(tmp_path / "gone.csv"), "contacts": None})).check(NOW)[0].level == "error"


@settings(max_examples=80)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_give_accounts_that_the_store_takes_or_a_documented_error(tmp_path_factory, raw, with_header):
    path = tmp_path_factory.mktemp("accounts") / "accounts.csv"
    path.write_bytes((b"account,name,arr,seats,renewal_date,currency,owner_name,owner_email\n" if with_header else b"") + raw)
    try:
        found = page(CONNECTOR.source(alone({"accounts": str(path), "contacts": None})))
    except ConnectorError as error:
        assert "accounts.csv" in str(error)
        return
    for account in of(found, Account):
        assert 0 < len(account.key) <= 200
        assert account.seats is None or 0 <= account.seats < 2**31
        assert account.arr is None or 0 <= account.arr <= 1e15
        assert "\x00" not in account.key + account.name
