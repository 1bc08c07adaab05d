"""The query language as text: what it does not know is refused, what is written reads back as itself."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_salesforce.format import format_soql

from connectors.sandbox.errors import Refusal
from connectors.sandbox.soql import Aggregate, Combination, Comparison, Condition, DateLiteral, Membership, Negation, Order, Query, SemiJoin, Value
from connectors.sandbox.soql_parser import parse

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
_days = st.one_of(
    st.builds(DateLiteral, st.sampled_from(["TODAY", "YESTERDAY", "TOMORROW"])),
    st.builds(DateLiteral, st.sampled_from(["LAST_N_DAYS", "NEXT_N_DAYS"]), st.integers(0, 99_999)),
)
_value: st.SearchStrategy[Value] = st.one_of(st.none(), st.booleans(), _number, _text, st.dates(min_value=date(1700, 1, 1)), _time, _days)
_pattern = st.lists(st.sampled_from(["a", "%", "_", r"\%", r"\_", r"\\", "'", "\n", "é"]), max_size=8).map("".join)
_comparison = st.one_of(
    st.builds(Comparison, _path, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), _value),
    st.builds(Comparison, _path, st.just("LIKE"), _pattern),
    st.builds(Membership, _path, st.booleans(), st.lists(_value, min_size=1, max_size=3).map(tuple)),
)
_semi_join = st.builds(SemiJoin, _name, st.booleans(), st.builds(Query, fields=st.tuples(_path), object=_name, where=st.none() | _comparison))
_condition: st.SearchStrategy[Condition] = st.recursive(
    _comparison,
    lambda inner: st.one_of(
        st.builds(Negation, inner),
        st.builds(Combination, st.just("AND"), st.lists(inner | _semi_join, min_size=2, max_size=3).map(tuple)),
        st.builds(Combination, st.just("OR"), st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
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
_aggregate = st.builds(Aggregate, st.sampled_from(["COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"]), _path, st.none())
_summary = st.builds(Query, fields=st.just(()), aggregates=st.tuples(_aggregate), object=_name, where=st.none() | _condition, group=st.none() | _path)
_wildcards = st.builds(Query, fields=st.just(()), wildcard=st.sampled_from(["ALL", "STANDARD", "CUSTOM"]), object=_name, limit=st.integers(0, 200))
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
        "SELECT FIELDS(ALL) FROM Account",
        "SELECT FIELDS(CUSTOM) FROM Account LIMIT 201",
        "SELECT FIELDS(MINE) FROM Account LIMIT 5",
        "SELECT Id, FIELDS(ALL) FROM Account LIMIT 5",
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT COUNT(Id), Name FROM Account",
        "SELECT COUNT(Id), Name FROM Account GROUP BY Industry",
        "SELECT COUNT(Id) FROM Account GROUP BY Name, Industry",
        "SELECT COUNT(Id) FROM Account GROUP BY Name HAVING COUNT(Id) > 1",
        "SELECT COUNT(Id) FROM Account LIMIT 1",
        "SELECT CALENDAR_YEAR(CreatedDate) FROM Account",
        "SELECT Name, COUNT() FROM Account",
        "SELECT Name FROM Account GROUP BY Name",
        "SELECT Id FROM Account a",
        "SELECT Id FROM Account, Contact",
        "SELECT Id FROM Account USING SCOPE mine",
        "SELECT Id FROM Account FOR UPDATE",
        "SELECT Id FROM Account WHERE",
        "SELECT Id FROM Account WHERE NOT Name = 'a' AND Name = 'b'",
        "SELECT Id FROM Account WHERE Name = 'b' AND NOT Name = 'a'",
        "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
        "SELECT Id FROM Account WHERE Name = 'a'; DROP TABLE Account",
        "SELECT Id FROM Account WHERE Name = 'it's'",
        "SELECT Id FROM Account WHERE Name = 'a\\q'",
        'SELECT Id FROM Account WHERE Name = "a"',
        "SELECT Id FROM Account WHERE Name <> 'a'",
        "SELECT Id FROM Account WHERE Name IN ()",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact LIMIT 5)",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId, Id FROM Contact)",
        "SELECT Id FROM Account WHERE Name = 'a' OR Id IN (SELECT AccountId FROM Contact)",
        "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Id IN (SELECT WhoId FROM Task))",
        "SELECT Id FROM Account WHERE CreatedDate = THIS_YEAR",
        "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS",
        "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS:x",
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


@settings(max_examples=80)
@given(st.one_of(_scraps, st.text(max_size=40)))
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    try:
        query = parse(text)
    except Refusal:
        return
    assert parse(str(query)) == query


@settings(max_examples=80)
@given(_query | _summary | _wildcards)
def test_a_written_query_reads_back_as_itself(query: Query) -> None:
    assert parse(str(query)) == query


@settings(max_examples=60)
@given(st.one_of(_text, st.booleans(), st.integers(-(10**9), 10**9), st.dates(min_value=date(1700, 1, 1)), _time.map(lambda t: t.replace(microsecond=0))))
def test_what_simple_salesforce_quotes_is_understood(value: Value) -> None:
    where = parse(format_soql("SELECT Id FROM Task WHERE X = {}", value)).where
    assert isinstance(where, Comparison)
    assert where.value == value
