"""Queries over rows: fields and types are checked, and what is known is answered as SOQL means it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_salesforce.exceptions import SalesforceMalformedRequest

from connectors.sandbox import Options, Sandbox, admin, running
from connectors.sandbox.errors import Refusal
from connectors.sandbox.org import Org
from connectors.sandbox.soql import Combination, Comparison, Condition, Membership, Negation, Query, Value
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id FROM Name", "INVALID_TYPE"),
        ("SELECT Secret__c FROM Account", "INVALID_FIELD"),
        ("SELECT _number FROM Account", "MALFORMED_QUERY"),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Owner.Secret__c FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE Description = 'a'", "INVALID_FIELD"),
        ("SELECT Id FROM Task ORDER BY Description", "MALFORMED_QUERY"),
        ("SELECT Id FROM Task WHERE ActivityDate > 2026-01-01T00:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE CreatedDate > 2026-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE IsClosed = 'false'", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE IsClosed > false", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Task WHERE Subject = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Task WHERE Id LIKE '00T%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE Seats__c > null", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)
def test_fields_objects_and_types_are_checked(org: Org, text: str, code: str) -> None:
    with pytest.raises(Refusal) as raised:
        org.query(text, deleted=False, version="64.0")
    assert raised.value.code == code


def test_text_is_compared_and_sorted_without_case_and_nothing_is_unequal_to_everything(sandbox: Sandbox, sf: Client) -> None:
    admin.edit(sandbox.org, "Account", sandbox.org.id_of("Account", "a3"), {"Seats__c": None, "Website": None})
    assert orgs.names(sf, "ORDER BY Name") == ["Acme", "acre", "Zeta"]
    assert orgs.names(sf, "WHERE Name = 'ACME'") == ["Acme"]
    assert orgs.names(sf, "WHERE Name LIKE 'ac%' ORDER BY Name DESC") == ["acre", "Acme"]
    assert orgs.names(sf, r"WHERE Name LIKE 'ac\%'") == []
    assert orgs.names(sf, "WHERE Seats__c != 50") == ["Zeta"]
    assert orgs.names(sf, "WHERE Seats__c NOT IN (50, 51)") == ["Zeta"]
    assert orgs.names(sf, "WHERE Seats__c < 100 ORDER BY Name LIMIT 1 OFFSET 1") == ["acre"]
    assert orgs.names(sf, "WHERE Website IN ('none', null)") == ["Zeta"]
    assert orgs.names(sf, "ORDER BY Seats__c NULLS LAST, Name DESC") == ["acre", "Acme", "Zeta"]
    assert orgs.names(sf, "WHERE (Name = 'Zeta' OR Owner.Email = 'ann@us.example') AND Seats__c != null ORDER BY Name") == ["Acme", "acre"]


def test_a_time_zone_is_honoured_and_ids_are_found_by_either_length(sandbox: Sandbox, sf: Client) -> None:
    start = datetime(2026, 1, 2, 10, tzinfo=UTC)
    paris = (start + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+01:00")
    assert sf.query(f"SELECT COUNT() FROM EmailMessage WHERE MessageDate <= {paris}")["totalSize"] == 1
    row_id = sandbox.org.id_of("EmailMessage", "m3")
    for written in (row_id, row_id[:15]):
        assert sf.query(f"SELECT Id FROM EmailMessage WHERE Id = '{written}'")["records"][0]["Id"] == row_id


def _all(sf: Client, text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = sf.query(text)["records"]
    return [{name: value for name, value in row.items() if name != "attributes"} for row in rows]


def test_aggregates_are_named_by_place_or_alias(sandbox: Sandbox, sf: Client) -> None:
    answer = sf.query("SELECT COUNT(Id), MIN(MessageDate) began, MAX(SystemModstamp) FROM EmailMessage")
    assert (answer["totalSize"], answer["records"][0]["attributes"]) == (1, {"type": "AggregateResult"})
    times = {"began": "2026-01-02T10:00:00.000+0000", "expr2": "2026-01-02T10:00:24.000+0000"}
    assert _all(sf, "SELECT COUNT(Id), MIN(MessageDate) began, MAX(SystemModstamp) FROM EmailMessage") == [{"expr0": orgs.MAILS, **times}]
    admin.edit(sandbox.org, "Account", sandbox.org.id_of("Account", "a3"), {"Seats__c": None, "Industry": "Retail"})
    summed = "SELECT COUNT(Seats__c) n, SUM(Seats__c) s, AVG(Seats__c) a, COUNT_DISTINCT(Seats__c) d FROM Account"
    assert _all(sf, summed) == [{"n": 2, "s": 100, "a": 50, "d": 1}]
    assert _all(sf, f"{summed} WHERE Name = 'nobody'") == [{"n": 0, "s": None, "a": None, "d": 0}]
    groups = _all(sf, "SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry")
    assert sorted(groups, key=str) == [{"Industry": "Retail", "n": 1}, {"Industry": None, "n": 2}]
    assert _all(sf, "SELECT Owner.Name, COUNT(Id) n FROM Account GROUP BY Owner.Name") == [{"Name": "Ann Berg", "n": 3}]
    assert len(_all(sf, "SELECT COUNT(Id) FROM Account GROUP BY Name LIMIT 2")) == 2
    sandbox.org.options = Options(empty=frozenset({"Account"}))
    assert _all(sf, "SELECT COUNT(Id) FROM Account") == [{"expr0": 0}]


def test_a_wildcard_selects_what_the_user_sees(sandbox: Sandbox, sf: Client) -> None:
    sandbox.org.options = Options(hidden=frozenset({"Account.ARR__c"}))
    assert _all(sf, "SELECT FIELDS(CUSTOM) FROM Account LIMIT 1") == [{"Seats__c": 50}]
    standard, every = (_all(sf, f"SELECT FIELDS({which}) FROM Account LIMIT 1")[0] for which in ("STANDARD", "ALL"))
    assert every.keys() - standard.keys() == {"Seats__c"}


def test_days_are_counted_from_the_orgs_own_today(sandbox: Sandbox, sf: Client) -> None:
    def subjects(condition: str) -> list[str]:
        return [row["Subject"] for row in _all(sf, f"SELECT Subject FROM Task WHERE {condition} ORDER BY Subject")]

    sf.Task.delete(sandbox.org.id_of("Task", "t1"))
    for day in (1, 2, 3, 12):
        sf.Task.create({"Subject": f"{day:02d}", "ActivityDate": f"2026-03-{day:02d}"})
    assert subjects("ActivityDate = TODAY") == ["02"]
    assert subjects("ActivityDate != TODAY") == ["01", "03", "12"]
    assert subjects("ActivityDate < TODAY") == subjects("ActivityDate = YESTERDAY") == ["01"]
    assert subjects("ActivityDate > TODAY") == ["03", "12"]
    assert subjects("ActivityDate <= tomorrow") == ["01", "02", "03"]
    assert subjects("ActivityDate = LAST_N_DAYS:1") == ["01", "02"]
    assert subjects("ActivityDate = NEXT_N_DAYS:10") == ["03", "12"]
    assert subjects("ActivityDate >= LAST_N_DAYS:0") == ["02", "03", "12"]
    assert subjects("CreatedDate = TODAY") == subjects("CreatedDate >= LAST_N_DAYS:7") == ["01", "02", "03", "12"]
    assert subjects("CreatedDate < TODAY") == []
    for condition in ("Subject = TODAY", "CreatedDate > LAST_N_DAYS:7", "ActivityDate IN (TODAY)"):
        with pytest.raises(SalesforceMalformedRequest):
            subjects(condition)


def test_not_turns_a_condition_round_and_includes_what_is_empty(sandbox: Sandbox, sf: Client) -> None:
    admin.edit(sandbox.org, "Account", sandbox.org.id_of("Account", "a3"), {"Website": None})
    assert orgs.names(sf, "WHERE NOT Name LIKE 'ac%'") == ["Zeta"]
    assert orgs.names(sf, "WHERE NOT Website = 'x.example'") == ["Zeta"]
    assert orgs.names(sf, "WHERE (NOT (Name = 'Acme' OR Name = 'Zeta')) AND Seats__c > 0") == ["acre"]


def test_ids_among_those_of_another_query(sandbox: Sandbox, sf: Client) -> None:
    assert orgs.names(sf, "WHERE Id IN (SELECT AccountId FROM Contact WHERE Email LIKE 'bo@%')") == ["Acme"]
    assert orgs.names(sf, "WHERE Id NOT IN (SELECT AccountId FROM Contact) AND Name != 'Zeta'") == ["acre"]
    assert orgs.names(sf, "WHERE (Name = 'Acme' OR Name = 'Zeta') AND Id IN (SELECT AccountId FROM Task WHERE Owner.Name = 'Ann Berg')") == ["Acme"]
    admin.bin_row(sandbox.org, "Contact", sandbox.org.id_of("Contact", "c1"))
    assert orgs.names(sf, "WHERE Id IN (SELECT AccountId FROM Contact)") == []
    for text in ("Id IN (SELECT Name FROM Contact)", "Name IN (SELECT Id FROM Contact)", "Id IN (SELECT Id FROM Nothing)"):
        with pytest.raises(SalesforceMalformedRequest):
            orgs.names(sf, f"WHERE {text}")


@pytest.fixture(scope="module")
def org(story: Path) -> Iterator[Org]:
    with running(story, now=orgs.NOW, options=Options(page_size=2_000)) as sandbox:
        yield sandbox.org


def _sent(n: int) -> datetime:
    return datetime(2026, 1, 2, 10, 0, n, tzinfo=UTC)


_subjects = st.sampled_from(["Mail 3", "mail 12", "MAIL 24", "x", None])
_mail_condition = st.recursive(
    st.one_of(
        st.builds(Comparison, st.just("Subject"), st.sampled_from(["=", "!="]), _subjects),
        st.builds(Comparison, st.just("MessageDate"), st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), st.integers(0, 24).map(_sent)),
        st.builds(Membership, st.just("Subject"), st.booleans(), st.lists(_subjects, min_size=1, max_size=3).map(tuple)),
        st.builds(Comparison, st.just("ReplyToEmailMessageId"), st.sampled_from(["=", "!="]), st.none()),
    ),
    lambda inner: st.builds(Negation, inner) | st.builds(Combination, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(_mail_condition)
def test_a_query_finds_what_its_condition_says(org: Org, condition: Condition) -> None:
    query = Query(fields=("Subject",), object="EmailMessage", where=condition)
    found = {row["Subject"] for row in org.query(str(query), deleted=False, version="64.0")["records"]}
    assert found == {f"Mail {n}" for n in range(orgs.MAILS) if _holds(condition, n)}


def _holds(condition: Condition, n: int) -> bool:
    if isinstance(condition, Combination):
        return (all if condition.word == "AND" else any)(_holds(part, n) for part in condition.parts)
    if isinstance(condition, Negation):
        return not _holds(condition.part, n)
    assert isinstance(condition, Comparison | Membership)
    value = {"Subject": f"mail {n}", "MessageDate": _sent(n), "ReplyToEmailMessageId": "id" if n else None}[condition.field]
    if isinstance(condition, Membership):
        return (value in [_lower(v) for v in condition.values]) != condition.negated
    other = _lower(condition.value)
    compare: dict[str, Any] = {"=": lambda: value == other, "!=": lambda: value != other, "<": lambda: value < other, "<=": lambda: value <= other}
    compare |= {">": lambda: value > other, ">=": lambda: value >= other}
    return bool(compare[condition.operator]())


def _lower(value: Value) -> Any:
    return value.lower() if isinstance(value, str) else value
