"""Usage files: which values may not get in, and which may not get lost on the way."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.base import Cursor
from connectors.context import alone
from connectors.errors import Misconfigured
from connectors.records import UsageRows
from connectors.usage_files import CONNECTOR
from connectors.usage_files.hours import Sums
from connectors.usage_files.source import Config

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
HEADER = "account,metric,day,value\n"


def source(path):
    return CONNECTOR.source(alone({"path": str(path)}))


def read(path, after=Cursor()):  # noqa: B008 - frozen
    return list(source(path).read("usage", after, NOW))


def rows_of(pages):
    return [
        row
        for page in pages
        for rows in page.records
        for row in zip(rows.accounts, rows.metrics, rows.days.astype(str).tolist(), rows.values.tolist(), strict=True)
    ]


def reasons(pages):
    return {r.source_key: r.reason for page in pages for r in page.rejected}


@pytest.fixture
def usage(tmp_path):
    def write(content, name="u.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


BAD = {
    ",logins,2026-03-01,5": "the account is missing",
    "\x00 ,logins,2026-03-01,5": "the account is missing",
    "A,,2026-03-01,5": "the metric is missing",
    f"{'A' * 201},logins,2026-03-01,5": "the account or the metric has more than 200 characters",
    f"A,{'m' * 5000},2026-03-01,5": "the account or the metric has more than 200 characters",
    "A,logins,,5": "the day is missing or not a date like 2026-03-31",
    "A,logins,NaT,5": "the day is missing or not a date like 2026-03-31",
    "A,logins,today,5": "the day is missing or not a date like 2026-03-31",
    "A,logins,2026-03,5": "the day is missing or not a date like 2026-03-31",
    "A,logins,2026-02-30,5": "the day is missing or not a date like 2026-03-31",
    "A,logins,1989-12-31,5": "the day lies in the future or before 1990",
    "A,logins,2026-04-02,5": "the day lies in the future or before 1990",
    "A,logins,9999-12-31,5": "the day lies in the future or before 1990",
    "A,logins,2026-03-01,": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01,NaN": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01,-inf": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01,1e999": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01,many": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01,=1+1": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01,-5": "the value is negative or above 10^15",
    "A,logins,2026-03-01,1e16": "the value is negative or above 10^15",
    'A,"logins,2026-03-01,5': "a quotation mark is opened and not closed",
}


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad[:30]))
def test_a_bad_row_is_named_by_its_line_and_costs_no_good_row(usage, bad):
    pages = read(usage(f"{HEADER}A,logins,2026-03-01,1\n{bad}\nA,logins,2026-03-02,2\n"))
    assert rows_of(pages) == [("A", "logins", "2026-03-01", 1.0), ("A", "logins", "2026-03-02", 2.0)]
    assert reasons(pages) == {"u.csv:3": BAD[bad]}


def test_every_bad_row_is_counted_once_at_its_own_line(usage):
    pages = read(usage(HEADER + "\n".join(BAD) + "\n"))
    assert rows_of(pages) == []
    assert reasons(pages) == {f"u.csv:{line}": reason for line, reason in enumerate(BAD.values(), 2)}


def test_a_bad_row_far_down_is_found_at_its_line_even_behind_quoted_line_breaks(usage):
    lines = [f"A{i},logins,2026-03-01,{i}" for i in range(100_000)]
    lines[10] = '"B\nB",logins,2026-03-01,10'
    lines[99_000] = "A99000,logins,2026-03-01,oops"
    pages = read(usage(HEADER + "\n".join(lines) + "\n"))
    assert reasons(pages) == {"u.csv:99003": BAD["A,logins,2026-03-01,many"]}
    assert [row[3] for row in rows_of(pages)] == [float(i) for i in range(100_000) if i != 99_000]


def test_names_that_differ_in_blanks_and_nul_alone_are_one(usage):
    pages = read(usage(HEADER + "A,logins,2026-03-01,1\n A\x00 ,log\x00ins,2026-03-01,2\n"))
    assert rows_of(pages) == [("A", "logins", "2026-03-01", 2.0)]
    assert list(reasons(pages)) == ["u.csv:2"]


def test_a_contradicted_row_gives_way_to_the_later_one_and_is_said(usage):
    pages = read(usage(HEADER + "A,logins,2026-03-01,1\nA,seats,2026-03-01,9\nA,logins,2026-03-01,2\nA,logins,2026-03-01,2\nB,logins,2026-03-01,3\n"))
    assert rows_of(pages)[-1] == ("B", "logins", "2026-03-01", 3.0)
    assert ("A", "logins", "2026-03-01", 1.0) not in rows_of(pages)
    assert ("A", "logins", "2026-03-01", 2.0) in rows_of(pages)
    [(key, reason)] = reasons(pages).items()
    assert key == "u.csv:2"
    assert "the later one counts" in reason


@pytest.mark.parametrize("day", ["2026-03-31", "2026/03/31", "31.03.2026", "20260331", "2026-03-31T23:30:00-08:00", "2026-03-31 00:00:00+00"])
def test_a_day_is_the_one_that_was_written_whatever_its_zone(usage, day):
    assert rows_of(read(usage(f"{HEADER}A,logins,{day},1\n"))) == [("A", "logins", "2026-03-31", 1.0)]


def test_decimal_commas_of_a_semicolon_file_and_thousands_of_a_comma_file(usage):
    german = "account;metric;day;value\nA;hours;2026-03-01;1,234\n"
    english = HEADER + 'A,hours,2026-03-01,"1,234"\n'
    assert rows_of(read(usage(german)))[0][3] == 1.234
    assert rows_of(read(usage(english)))[0][3] == 1234.0


def test_a_file_without_a_column_spoils_no_other_file(usage, tmp_path):
    usage("account,metric,value\nA,logins,1\n", "bad.csv")
    usage(HEADER + "A,logins,2026-03-01,1\n", "good.csv")
    pages = read(tmp_path)
    assert len(rows_of(pages)) == 1
    assert reasons(pages) == {"bad.csv": "bad.csv has no column day. The first line must name account, metric, day, value; it names account, metric, value."}


def test_a_cut_gzip_keeps_what_came_whole_and_is_read_again_when_it_is_complete(usage, tmp_path):
    lines = [f"A{i},logins,2026-03-01,{i * 7919}" for i in range(20_000)]
    whole = gzip.compress((HEADER + "\n".join(lines)).encode())
    pages = read(usage(whole[: len(whole) // 2], "u.csv.gz"))
    got = rows_of(pages)
    assert 0 < len(got) < 20_000
    assert [row[3] for row in got] == [float(i * 7919) for i in range(len(got))]
    assert list(reasons(pages)) == ["u.csv.gz"]
    usage(whole, "u.csv.gz")
    assert len(rows_of(read(tmp_path, pages[-1].cursor))) == 20_000


def test_an_old_file_that_arrives_late_is_not_passed_over(usage, tmp_path):
    usage(HEADER + "A,logins,2026-03-01,1\n", "new.csv")
    cursor = read(tmp_path)[-1].cursor
    late = usage(HEADER + "B,logins,2020-03-01,1\n", "archive/late.csv")
    os.utime(late, (0, 0))
    assert "B" in {row[0] for row in rows_of(read(tmp_path, cursor))}


def test_the_cursor_moves_only_when_a_file_has_been_read_to_its_end(usage):
    pages = read(usage(HEADER + "A,logins,2026-03-01,1\n" * 200_000))
    assert len(pages) > 2
    assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]


def test_files_of_one_name_in_two_folders_are_told_apart(usage, tmp_path):
    for folder in ("x", "y"):
        usage(HEADER + "A,logins,never,1\n", f"{folder}/u.csv")
    assert sorted(reasons(read(tmp_path))) == ["x/u.csv:2", "y/u.csv:2"]


def test_ndjson_and_gzip_give_the_same_rows_as_csv(usage):
    json_lines = '{"tenant": "A", "event": "logins", "ds": "2026-03-01", "count": 3}\n'
    expected = [("A", "logins", "2026-03-01", 3.0)]
    assert rows_of(read(usage(json_lines, "u.jsonl"))) == expected
    assert rows_of(read(usage(gzip.compress(json_lines.encode()), "u.ndjson.gz"))) == expected
    assert rows_of(read(usage("tenant\tevent\tds\tcount\nA\tlogins\t2026-03-01\t3", "u.tsv"))) == expected


@pytest.mark.parametrize("content", ["", HEADER])
def test_an_empty_file_or_a_header_alone_lands_nothing(usage, content):
    pages = read(usage(content))
    assert rows_of(pages) == []
    assert pages[-1].cursor is not None


def test_check_says_what_is_wrong_before_anything_is_read(usage, tmp_path):
    assert [f.level for f in source(tmp_path / "gone").check(NOW)] == ["error"]
    assert [f.level for f in source(tmp_path).check(NOW)] == ["warning"]
    usage(HEADER, "a.csv")
    usage("account,metric\n", "b.csv")
    assert {f.about: f.level for f in source(tmp_path).check(NOW)} == {"a.csv": "ok", "b.csv": "error"}
    with pytest.raises(Misconfigured, match="There is no file or folder"):
        read(tmp_path / "gone")


def test_settings_that_do_not_exist_are_refused():
    with pytest.raises(ValidationError):
        Config.model_validate({"path": "x", "pth": "y"})


ROWS = st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["logins", "seats"]), st.integers(1, 3), st.integers(0, 3)), max_size=12)


@settings(max_examples=60)
@given(ROWS, st.booleans())
def test_duplicates_and_late_rows_leave_what_the_last_of_them_says(tmp_path_factory, data, quoted):
    path = tmp_path_factory.mktemp("usage") / "u.csv"
    quote = '"' if quoted else ""
    path.write_text(HEADER + "".join(f"{quote}{a}{quote},{m},2026-03-0{d},{v}\n" for a, m, d, v in data))
    pages = read(path)
    landed = {(a, m, day): v for a, m, day, v in rows_of(pages)}
    assert landed == {(a, m, f"2026-03-0{d}"): float(v) for a, m, d, v in data}
    assert len(rows_of(pages)) + len(reasons(pages)) == len(data)
    assert {(a, m, day): v for a, m, day, v in reversed(rows_of(pages))} == landed


@settings(max_examples=80)
@given(
    st.lists(
        st.lists(st.text(max_size=10) | st.sampled_from(["A", "2026-03-01", "2026-03-01T10:00:00Z", "5", "-1", "1e400", '"', "\x00"]), max_size=6), max_size=6
    )
)
def test_no_text_gets_past_the_checks(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("usage") / "u.csv"
    path.write_text(HEADER + "\n".join(",".join(cells) for cells in table), "utf-8", "replace")
    path.with_name("t.csv").write_text(TIMED + "\n".join(",".join(cells) for cells in table), "utf-8", "replace")
    for page in [*read(path), *read(path.with_name("t.csv"))]:
        for rows in page.records:
            when = rows.days if isinstance(rows, UsageRows) else rows.at
            assert all(0 < len(name) <= 200 and "\x00" not in name for name in rows.accounts + rows.metrics)
            assert not np.isnat(when).any()
            assert ((rows.values >= 0) & (rows.values <= 1e15)).all()
            assert len(rows.accounts) == len(rows.metrics) == len(when) == len(rows.values)


TIMED = "account,metric,at,value\n"


def hours_of(pages):
    return [
        row
        for page in pages
        for rows in page.records
        for row in zip(rows.accounts, rows.metrics, rows.at.astype(str).tolist(), rows.values.tolist(), strict=True)
    ]


BAD_TIMES = {
    "A,logins,,5": "the time is missing or not one with Z or an offset, like 2026-03-31T14:00:00Z",
    "A,logins,2026-03-01T10:00:00,5": "the time is missing or not one with Z or an offset, like 2026-03-31T14:00:00Z",
    "A,logins,2026-03-01,5": "the time is missing or not one with Z or an offset, like 2026-03-31T14:00:00Z",
    "A,logins,NaT,5": "the time is missing or not one with Z or an offset, like 2026-03-31T14:00:00Z",
    "A,logins,0001-01-01T00:00:00+14:00,5": "the time is missing or not one with Z or an offset, like 2026-03-31T14:00:00Z",
    "A,logins,2026-02-30T10:00:00Z,5": "the time is missing or not one with Z or an offset, like 2026-03-31T14:00:00Z",
    "A,logins,1989-12-31T23:00:00Z,5": "the time lies in the future or before 1990",
    "A,logins,2026-04-01T01:00:00Z,5": "the time lies in the future or before 1990",
    "A,logins,2026-03-01T10:00:00Z,NaN": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01T10:00:00Z,1e999": "the value is missing or not a number like 12.5",
    "A,logins,2026-03-01T10:00:00Z,-1": "the value is negative or above 10^12",
    "A,logins,2026-03-01T10:00:00Z,1e13": "the value is negative or above 10^12",
    ",logins,2026-03-01T10:00:00Z,5": "the account is missing",
}


@pytest.mark.parametrize("bad", BAD_TIMES, ids=lambda bad: repr(bad[:40]))
def test_a_bad_row_with_a_time_is_named_by_its_line_and_costs_no_good_row(usage, bad):
    pages = read(usage(f"{TIMED}A,logins,2026-03-01T10:00:00Z,1\n{bad}\nA,logins,2026-03-01T10:10:00Z,2\n"))
    assert hours_of(pages) == [("A", "logins", "2026-03-01T10:00:00", 3.0)]
    assert reasons(pages) == {"u.csv:3": BAD_TIMES[bad]}


@pytest.mark.parametrize(
    "at", ["2026-03-01T10:05:00Z", "2026-03-01 10:05:00+00", "2026-03-01T15:50:00+05:45", "2026-03-01T10Z", "2026-03-01 10:05:00 UTC", "20260301T100500Z"]
)
def test_a_time_is_read_in_every_form_of_iso_8601_that_says_when_it_was(usage, at):
    assert hours_of(read(usage(f"{TIMED}A,logins,{at},1\n"))) == [("A", "logins", "2026-03-01T10:00:00", 1.0)]


@pytest.mark.parametrize("name", ["at", "timestamp", "Hour"])
def test_a_column_of_times_goes_by_several_names_and_days_come_first(usage, name):
    assert hours_of(read(usage(f"account,metric,{name},value\nA,logins,2026-03-01T10:00:00Z,1\n")))
    both = read(usage(f"account,metric,{name},day,value\nA,logins,2026-03-01T10:00:00Z,2026-03-02,1\n"))
    assert rows_of(both) == [("A", "logins", "2026-03-02", 1.0)]


def test_rows_of_a_quarter_of_an_hour_are_added_up_over_the_whole_file(usage):
    """Far apart as they may stand: a page of its own for each block would replace what the one before gave."""
    lines = [f"A{i % 100},logins,2026-03-01T{i % 24:02d}:{i % 60:02d}:00Z,1" for i in range(120_000)]
    pages = read(usage(TIMED + "\n".join(lines) + "\n"))
    found = hours_of(pages)
    assert len({row[:3] for row in found}) == len(found)
    assert sum(row[3] for row in found) == 120_000
    assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]


def test_sums_come_in_pages_and_those_beyond_all_bounds_are_left_out_and_said(usage):
    many = "\n".join(f"A{i},logins,2026-03-01T10:00:00Z,1" for i in range(60_000))
    pages = read(usage(f"{TIMED}B,m,2026-03-01T10:00:00Z,9e11\nB,m,2026-03-01T10:01:00Z,9e11\n{many}\n"))
    assert [len(rows.accounts) for page in pages for rows in page.records] == [49_999, 10_001]
    assert "B" not in {row[0] for row in hours_of(pages)}
    assert "add up to more than 10^12" in reasons(pages)["u.csv"]


def test_more_hours_than_can_be_added_up_are_refused_and_the_same_ones_again_are_not_more():
    sums = Sums("u.csv", most=10)
    at, value, place = np.array(["2026-03-01T10:00:00"] * 8, dtype="datetime64[s]"), np.ones(8), np.arange(8)
    names = np.array([f"A{n}" for n in range(80)], dtype=object)
    for _ in range(10):
        sums.add(names, names[:1], place, np.zeros(8, dtype=np.int64), at, value)
    assert [(len(rows.accounts), rows.values.sum(), left_out) for rows, left_out in sums.rows()] == [(8, 80.0, 0)]
    with pytest.raises(Misconfigured, match="Split it"):
        for n in range(1, 10):
            sums.add(names, names[:1], place + 8 * n, np.zeros(8, dtype=np.int64), at, value)


def test_a_cut_gzip_of_times_keeps_what_came_whole(usage):
    lines = [f"A{i * 7919},logins,2026-03-01T10:00:00Z,{i}" for i in range(20_000)]
    whole = gzip.compress((TIMED + "\n".join(lines)).encode())
    pages = read(usage(whole[: len(whole) // 2], "u.csv.gz"))
    assert 0 < len(hours_of(pages)) < 20_000
    assert list(reasons(pages)) == ["u.csv.gz"]


def test_a_file_with_neither_days_nor_times_says_which_columns_it_needs(usage, tmp_path):
    usage("account,metric,when,value\n", "a.csv")
    usage(TIMED, "b.csv")
    usage('{"account": "A", "metric": "m", "at": "2026-03-01T10:00:00Z", "value": 1}\n', "c.ndjson")
    assert {f.about: f.level for f in source(tmp_path).check(NOW)} == {"a.csv": "error", "b.csv": "ok", "c.ndjson": "ok"}
    pages = read(tmp_path)
    assert reasons(pages) == {"a.csv": "a.csv has no column day. The first line must name account, metric, day, value; it names account, metric, when, value."}
    assert hours_of(pages) == [("A", "m", "2026-03-01T10:00:00", 1.0)]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 95), st.integers(0, 14), st.integers(0, 5)), max_size=20))
def test_the_order_of_events_does_not_matter_and_none_is_lost(tmp_path_factory, events):
    path = tmp_path_factory.mktemp("usage") / "u.csv"
    path.write_text(TIMED + "".join(f"{a},m,2026-03-01T{q // 4:02d}:{q % 4 * 15 + minute:02d}:00Z,{v}\n" for a, q, minute, v in events))
    expected = {}
    for a, q, _, v in events:
        key = (a, "m", f"2026-03-01T{q // 4:02d}:{q % 4 * 15:02d}:00")
        expected[key] = expected.get(key, 0) + v
    assert {row[:3]: row[3] for row in hours_of(read(path))} == expected
