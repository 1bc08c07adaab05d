"""The query language: what it does not know is refused, what it knows is answered as SOQL means it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_salesforce.exceptions import SalesforceMalformedRequest
from simple_salesforce.format import format_soql

from connectors.sandbox import Options, Sandbox, admin, running
from connectors.sandbox.errors import Refusal
from connectors.sandbox.org import Org
from connectors.sandbox.soql import Combination, Comparison, Condition, Membership, Order, Query, Value
from connectors.sandbox.soql_parser import parse
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client

_WORDS = frozenset(
    "AND ASC DESC EXCLUDES FIRST FROM GROUP HAVING IN INCLUDES LAST LIKE LIMIT NOT NULL NULLS OFFSET OR ORDER SELECT TYPEOF USING WHERE WITH".split()
)
_name = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda n: n.upper() not in _WORDS)
_path = st.one_of(_name, st.builds("{}.{}".format, _name, _name))
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_time = st.datetimes(min_value=datetime(1700, 1, 2), max_value=datetime(3999, 1, 1), timezones=st.just(UTC)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)
)
_number = st.one_of(st.integers(-(10**18), 10**18), st.floats(-1e18, 1e18))
_value: st.SearchStrategy[Value] = st.one_of(st.none(), st.booleans(), _number, _text, st.dates(min_value=date(1700, 1, 1)), _time)
_pattern = st.lists(st.sampled_from(["a", "%", "_", r"\%", r"\_", r"\\", "'", "\n", "é"]), max_size=8).map("".join)
_comparison = st.one_of(
    st.builds(Comparison, _path, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), _value),
    st.builds(Comparison, _path, st.just("LIKE"), _pattern),
    st.builds(Membership, _path, st.booleans(), st.lists(_value, min_size=1, max_size=3).map(tuple)),
)
_condition: st.SearchStrategy[Condition] = st.recursive(
    _comparison, lambda inner: st.builds(Combination, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3).map(tuple)), max_leaves=6
)
_query = st.builds(
    Query,
    fields=st.lists(_path, max_size=4, unique_by=str.lower).map(tuple),
    object=_name,
    where=st.none() | _condition,
    order=st.lists(st.builds(Order, _path, st.booleans(), st.booleans()), max_size=2).map(tuple),
    limit=st.none() | st.integers(0, 10**9),
    offset=st.none() | st.integers(0, 2000),
)
_scraps = st.lists(
    st.sampled_from(
        "SELECT FROM WHERE Id Name Task ( ) , = != < LIKE IN NOT AND OR null 'a' '\\' \\x 5 2026-01-01 TODAY ORDER BY LIMIT COUNT . ; -- ' é".split(" ")
    ),
    max_size=14,
).map(" ".join)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT FROM Account",
        "SELECT Id Account",
        "SELECT * FROM Account",
        "SELECT FIELDS(ALL) FROM Account LIMIT 200",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT COUNT(Id) FROM Account",
        "SELECT Name, COUNT() FROM Account",
        "SELECT Name FROM Account GROUP BY Name",
        "SELECT Id FROM Account a",
        "SELECT Id FROM Account, Contact",
        "SELECT Id FROM Account USING SCOPE mine",
        "SELECT Id FROM Account FOR UPDATE",
        "SELECT Id FROM Account WHERE",
        "SELECT Id FROM Account WHERE NOT Name = 'a'",
        "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
        "SELECT Id FROM Account WHERE Name = 'a'; DROP TABLE Account",
        "SELECT Id FROM Account WHERE Name = 'it's'",
        "SELECT Id FROM Account WHERE Name = 'a\\q'",
        'SELECT Id FROM Account WHERE Name = "a"',
        "SELECT Id FROM Account WHERE Name <> 'a'",
        "SELECT Id FROM Account WHERE Name IN ()",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)",
        "SELECT Id FROM Account WHERE CreatedDate > LAST_N_DAYS:30",
        "SELECT Id FROM Account WHERE CreatedDate = TODAY",
        "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00",
        "SELECT Id FROM Account WHERE CreatedDate > 2026-01-01T00:00:00 00:00",
        "SELECT Id FROM Account WHERE CreatedDate > 2026-13-01T00:00:00Z",
        "SELECT Id FROM Account WHERE Seats__c = 1e999",
        "SELECT Id FROM Account LIMIT -1",
        "SELECT Id FROM Account LIMIT 1.5",
        "SELECT Id FROM Account OFFSET 2001",
        "SELECT Id FROM Account LIMIT 1 WHERE Name = 'a'",
        "SELECT Id, id FROM Account",
        "SELECT Owner.Manager.Name FROM Account",
        f"SELECT Id FROM Account WHERE {'(' * 60}Name = 'a'{')' * 60}",
    ],
)
def test_what_the_parser_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as raised:
        parse(text)
    assert raised.value.code in ("MALFORMED_QUERY", "NUMBER_OUTSIDE_VALID_RANGE")
    assert raised.value.status == 400


@settings(max_examples=150)
@given(st.one_of(_scraps, st.text(max_size=40)))
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    try:
        query = parse(text)
    except Refusal:
        return
    assert parse(str(query)) == query


@settings(max_examples=150)
@given(_query)
def test_a_written_query_reads_back_as_itself(query: Query) -> None:
    assert parse(str(query)) == query


@settings(max_examples=60)
@given(st.one_of(_text, st.booleans(), st.integers(-(10**9), 10**9), st.dates(min_value=date(1700, 1, 1)), _time.map(lambda t: t.replace(microsecond=0))))
def test_what_simple_salesforce_quotes_is_understood(value: Value) -> None:
    where = parse(format_soql("SELECT Id FROM Task WHERE X = {}", value)).where
    assert isinstance(where, Comparison)
    assert where.value == value


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
def test_fields_objects_and_types_are_checked(sf: Client, text: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as raised:
        sf.query(text)
    assert orgs.code(raised) == code


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
    lambda inner: st.builds(Combination, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(_mail_condition)
def test_a_query_finds_what_its_condition_says(org: Org, condition: Condition) -> None:
    query = Query(fields=("Subject",), object="EmailMessage", where=condition)
    found = {row["Subject"] for row in org.query(str(query), deleted=False, version="64.0")["records"]}
    assert found == {f"Mail {n}" for n in range(orgs.MAILS) if _holds(condition, n)}


def _holds(condition: Condition, n: int) -> bool:
    if isinstance(condition, Combination):
        return (all if condition.word == "AND" else any)(_holds(part, n) for part in condition.parts)
    value = {"Subject": f"mail {n}", "MessageDate": _sent(n), "ReplyToEmailMessageId": "id" if n else None}[condition.field]
    if isinstance(condition, Membership):
        return (value in [_lower(v) for v in condition.values]) != condition.negated
    other = _lower(condition.value)
    compare: dict[str, Any] = {"=": lambda: value == other, "!=": lambda: value != other, "<": lambda: value < other, "<=": lambda: value <= other}
    compare |= {">": lambda: value > other, ">=": lambda: value >= other}
    return bool(compare[condition.operator]())


def _lower(value: Value) -> Any:
    return value.lower() if isinstance(value, str) else value
