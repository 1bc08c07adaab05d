"""No row is lost and none comes twice, whatever the stamps, the page sizes and the moment at which a run dies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Cursor, Stream
from connectors.salesforce import soql
from connectors.sandbox.objects import SCHEMA
from tests.connectors.salesforce.conftest import NOW, Bench, bench_of

CONTACTS = SCHEMA["contact"]
FEW = settings(max_examples=15, deadline=None)


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield stack.enter_context(bench_of(tmp_path_factory.mktemp("org")))


def emptied(org: Bench, page_size: int, *, uneven: bool = False) -> Bench:
    for (row_id,) in org.sandbox.org.tables.fetch('SELECT Id FROM "Contact"'):
        org.sandbox.org.tables.remove(CONTACTS, row_id)
    org.sandbox.org.options = replace(org.sandbox.org.options, page_size=page_size, uneven_pages=uneven)
    return org


def add(org: Bench, at: datetime) -> str:
    return org.insert("Contact", at, LastName="Lind", Name="Bo Lind")


def run(org: Bench, cursor: Cursor, until: datetime, *, pages: int | None = None) -> tuple[list[str], Cursor]:
    """The keys of one run that dies after so many pages, and the cursor that landed with the last of them."""
    keys: list[str] = []
    for page in islice(org.source.read("contacts", cursor, until), pages):
        keys += [r.key for r in page.records]  # type: ignore[union-attr]
        cursor = page.cursor or cursor
    return keys, cursor


@FEW
@given(
    stamps=st.lists(st.integers(0, 6), max_size=30),
    page_size=st.integers(1, 7),
    uneven=st.booleans(),
    deaths=st.lists(st.integers(1, 3), max_size=4),
)
def test_a_run_that_dies_anywhere_is_picked_up_without_loss(org: Bench, stamps: list[int], page_size: int, *, uneven: bool, deaths: list[int]) -> None:
    emptied(org, page_size, uneven=uneven)
    rows = [add(org, NOW - timedelta(seconds=s)) for s in stamps]
    seen: list[str] = []
    cursor = Cursor()
    for pages in (*deaths, None):
        keys, cursor = run(org, cursor, NOW, pages=pages)
        seen += keys
    assert set(seen) == set(rows)
    # Each new start reads the cursor's own row again, and nothing before it.
    assert len(seen) - len(rows) <= len(deaths)


@FEW
@given(
    rows=st.lists(st.tuples(st.integers(0, 3_600), st.integers(0, 600)), min_size=1, max_size=15),
    gaps=st.lists(st.integers(1, 1_200), min_size=1, max_size=5),
    page_size=st.integers(1, 4),
)
def test_a_row_that_becomes_visible_ten_minutes_late_arrives(org: Bench, rows: list[tuple[int, int]], gaps: list[int], page_size: int) -> None:
    emptied(org, page_size)
    stream = next(s for s in org.source.streams() if s.name == "contacts")
    waiting = sorted((stamp + delay, stamp) for stamp, delay in rows)
    seen: set[str] = set()
    cursor, at, added = Cursor(), 0, 0
    for gap in (*gaps, 6_000):
        at += gap
        while waiting and waiting[0][0] <= at:
            add(org, NOW + timedelta(seconds=waiting.pop(0)[1]))
            added += 1
        keys, cursor = run(org, overlapped(cursor, stream), NOW + timedelta(seconds=at) - stream.lag)
        seen |= set(keys)
    assert len(seen) == added == len(rows)


def overlapped(cursor: Cursor, stream: Stream) -> Cursor:
    """As the pull step hands a cursor over."""
    return Cursor(at=cursor.at - stream.overlap) if cursor.at else cursor


def test_a_row_beyond_the_window_is_left_for_the_next_one(org: Bench) -> None:
    emptied(org, 10)
    inside, beyond = add(org, NOW), add(org, NOW + timedelta(seconds=1))
    keys, cursor = run(org, Cursor(), NOW)
    assert keys == [inside]
    assert run(org, cursor, NOW + timedelta(seconds=5))[0] == [inside, beyond]


def test_five_thousand_rows_of_one_moment_survive_a_death_on_the_third_page(org: Bench) -> None:
    emptied(org, 200)
    org.sandbox.org.tables._db.execute("BEGIN")
    rows = {add(org, NOW) for _ in range(5_000)}
    org.sandbox.org.tables._db.execute("COMMIT")
    first, cursor = run(org, Cursor(), NOW, pages=3)
    rest, _ = run(org, cursor, NOW)
    assert Counter(first + rest).most_common(1)[0][1] <= 2
    assert set(first + rest) == rows
    assert len(first + rest) == 5_001


def test_a_query_that_the_org_forgot_goes_on_from_the_last_page(org: Bench) -> None:
    emptied(org, 3)
    rows = [add(org, NOW - timedelta(minutes=10 - n)) for n in range(10)]
    pages = org.source.read("contacts", Cursor(), NOW)
    seen = [r.key for r in next(pages).records]  # type: ignore[union-attr]
    org.sandbox.org.forget_cursors()
    seen += [r.key for page in pages for r in page.records]  # type: ignore[union-attr]
    assert list(dict.fromkeys(seen)) == rows
    assert len(seen) == 11


def test_a_window_keeps_milliseconds_and_escapes_the_key() -> None:
    at = NOW.replace(microsecond=734_000)
    text = soql.window(Cursor(at=at, key="x' OR Id != '"), NOW + timedelta(days=1))
    assert "SystemModstamp >= 2026-03-02T09:00:00.734Z" in text
    assert r"Id >= 'x\' OR Id != \''" in text


@given(st.lists(st.from_regex(r"[a-zA-Z0-9'%& é-]{1,40}", fullmatch=True), max_size=60), st.integers(100, 400))
def test_lists_hold_every_value_once_and_fit_into_a_url(values: list[str], room: int) -> None:
    found = list(soql.lists(values, room))
    assert "".join(found).count(",") + len(found) >= len(set(values))
    assert all(len(quote(part, safe="")) <= room + 6 for part in found)
    written = "".join(found)
    assert all(soql.literal(v) in written for v in values)
