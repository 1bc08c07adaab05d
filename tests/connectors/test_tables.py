"""Tables as people export them: what may not be lost, misread or end the process."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.cells import day_of, number_of
from connectors.errors import ConnectorError, Retriable
from connectors.tables import Column, UnreadableTable, blocks, read_rows
from connectors.text_files import UnreadableFile

COLUMNS = {"account": Column(("account", "customer"), required=True), "value": Column(("value", "count"), required=True), "note": Column(("note",))}
NAMES = ("account", "value", "note")


def rows(path, **options):
    return [(row.line, *row.values.values()) for row in read_rows(path, COLUMNS, **options) if not row.problem]


def problems(path, **options):
    return [(row.line, row.problem) for row in read_rows(path, COLUMNS, **options) if row.problem]


@pytest.fixture
def table(tmp_path):
    def write(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_a_stray_quote_costs_its_own_line_and_none_of_its_neighbours(table):
    lines = [f"acc{i},{i}" for i in range(500)]
    lines[200] = 'acc200,"200'
    path = table("account,value\n" + "\n".join(lines) + "\n")
    assert problems(path) == [(202, "a quotation mark is opened and not closed")]
    assert [r[1] for r in rows(path)] == [f"acc{i}" for i in range(500) if i != 200]


def test_two_stray_quotes_do_not_swallow_what_stands_between_them(table):
    path = table('account,value\nA,1\n"B,2\nC,3\nD,4\n"E,5\nF,6\n')
    assert [r[1] for r in rows(path)] == ["A", "C", "D", "F"]
    assert [line for line, _ in problems(path)] == [3, 6]


def test_two_stray_quotes_that_would_join_two_rows_to_a_short_one_are_seen(table):
    path = table('account,value,note\n"A,1,x\nB",2\nC,3,\n')
    assert [line for line, _ in problems(path)] == [2]
    assert [r[2] for r in rows(path)] == ["2", "3"]


def test_a_stray_quote_in_the_last_line_is_said_too(table):
    path = table('account,value\nA,1\nB,"2')
    assert [r[1] for r in rows(path)] == ["A"]
    assert [line for line, _ in problems(path)] == [3]


def test_a_quoted_line_break_stays_in_its_cell_and_lines_are_still_counted(table):
    path = table('account,value,note\nA,1,"first\nsecond ""quoted"", third"\nB,2,\n')
    assert rows(path) == [(2, "A", "1", 'first\nsecond "quoted", third'), (4, "B", "2", None)]


def test_a_row_that_stands_across_a_block_edge_is_whole(table):
    content = "account,value,note\n" + "".join(f'A{i},{i},"one\ntwo, {i}"\n' for i in range(40))
    assert rows(table(content), characters=50) == [(2 + 2 * i, f"A{i}", str(i), f"one\ntwo, {i}") for i in range(40)]


def test_an_unquoted_separator_in_a_cell_never_shifts_a_value_in(table):
    path = table("account,value\nA,1,234\nB,2\nC,3,\n")
    assert [r[1:3] for r in rows(path)] == [("B", "2"), ("C", "3")]
    [(line, problem)] = problems(path)
    assert line == 2
    assert "more cells" in problem


def test_bytes_of_another_code_page_late_in_the_file_spoil_nothing(table):
    content = b"account,value\n" + b"Plain,1\n" * 20_000 + "Müller,2\n".encode() + "Café,3\n".encode("cp1252")
    assert [r[1] for r in rows(table(content))][-2:] == ["Müller", "Café"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_spreadsheets_of_every_kind_are_read(table, encoding, end, separator):
    content = end.join(separator.join(cells) for cells in (("Account", "Value", "Note"), ("Zoë GmbH", "1", "ü"), ("B", "2", "")))
    assert rows(table(content.encode(encoding))) == [(2, "Zoë GmbH", "1", "ü"), (3, "B", "2", None)]


def test_nul_characters_never_come_through(table):
    path = table(b"acc\x00ount,value\nA\x00cme,\x001\n\x00,2\n")
    assert rows(path) == [(2, "Acme", "1", None), (3, None, "2", None)]


def test_lone_surrogates_of_json_never_come_through(table):
    path = table('{"account": "\\ud800A", "value": 1}\n', "t.ndjson")
    assert rows(path) == [(1, "?A", "1", None)]


def test_a_missing_column_is_said_in_one_sentence_with_file_column_and_what_was_found(table):
    with pytest.raises(UnreadableTable) as raised:
        rows(table("Customer,Quantity\x00\nA,1\n"))
    assert str(raised.value) == "t.csv has no column value. The first line must name account, value; it names Customer, Quantity."


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_names_nothing(table, content):
    with pytest.raises(UnreadableTable, match=r"t\.csv has no column account or value\..* names nothing"):
        rows(table(content))


def test_a_header_alone_is_no_error(table):
    assert rows(table("account,value")) == []


def test_a_workbook_is_named_as_such(table):
    with pytest.raises(UnreadableFile, match=r"t\.csv is a workbook or an archive, not text\. Save it as CSV"):
        rows(table(b"PK\x03\x04rest"))


def test_a_folder_or_nothing_in_place_of_a_file_is_said(tmp_path):
    for path in (tmp_path, tmp_path / "gone.csv"):
        with pytest.raises(ConnectorError, match="cannot be read"):
            rows(path)


def test_spellings_blank_lines_short_rows_and_the_hint_of_spreadsheets(table):
    path = table("sep=;\n\n CUSTOMER ;Count;Note\n\nA;1\n;;\nB;2;x\n")
    assert rows(path) == [(5, "A", "1", None), (7, "B", "2", "x")]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_gzip_is_known_by_its_content_whatever_the_name_says(table, name):
    content = b"account,value\nA,1\n"
    assert rows(table(gzip.compress(content), name)) == rows(table(content, name)) == [(2, "A", "1", None)]


def test_rows_before_the_break_of_compressed_data_are_kept_and_the_half_row_is_not(table):
    content = "account,value\n" + "".join(f"A{i},{i * 7919}\n" for i in range(30_000))
    whole = gzip.compress(content.encode())
    path = table(whole[: len(whole) // 2], "t.csv.gz")
    got = []
    with pytest.raises(Retriable, match=r"t\.csv\.gz ends within its compressed data"):
        got.extend((cells[0], cells[1]) for block in blocks(path, COLUMNS) for cells in zip(*block.columns, strict=True))
    assert len(got) > 10_000
    assert got == [(f"A{i}", str(i * 7919)) for i in range(len(got))]


def test_damaged_compressed_data_are_no_crash(table):
    whole = bytearray(gzip.compress(b"account,value\n" + b"A,1\n" * 1000))
    whole[20:30] = b"0123456789"
    with pytest.raises(ConnectorError):
        rows(table(bytes(whole), "t.csv.gz"))


def test_a_bomb_without_line_ends_fills_no_memory(table):
    content = b"account,value\nA,1\n" + b"x" * 5_000_000 + b",1\nB,2\n"
    path = table(gzip.compress(content), "t.csv.gz")
    tracemalloc.start()
    assert [r[1] for r in rows(path, characters=200_000)] == ["A", "B"]
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()
    [(line, problem)] = problems(path)
    assert (line, problem) == (3, "the line is longer than 100,000 characters")


def test_ten_thousand_columns_are_read_for_those_that_are_wanted(table):
    wide = ",".join(f"c{i}" for i in range(10_000))
    assert rows(table(f"account,value,{wide}\nA,1" + "," * 10_000 + "\n")) == [(2, "A", "1", None)]


def test_ndjson_keeps_the_good_objects_beside_the_bad_lines(table):
    lines = ['{"account": "A", "value": 1}', "[1]", "{oops", "[" * 50_000, "", '{"Customer": "B", "count": 2.5, "note": {"deep": 1}}', '{"account": null}']
    path = table("\n".join(lines), "t.jsonl")
    assert rows(path) == [(1, "A", "1", None), (6, "B", "2.5", None), (7, None, None, None)]
    assert problems(path) == [(n, "the line is no JSON object") for n in (2, 3, 4)]


@pytest.mark.parametrize(("content", "found"), [('{"tenant": "A", "value": 1}', "tenant, value"), ("", "nothing"), ("[]", "nothing")])
def test_ndjson_without_the_wanted_names_is_no_table(table, content, found):
    with pytest.raises(UnreadableTable, match=rf"t\.ndjson has no account.*the first has {found}\."):
        rows(table(content, "t.ndjson"))


CELLS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(10, 80))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, data, separator, end, quote_all, block):
    """Cells come back as written, whatever is in them."""
    if not quote_all:  # the module leaves a bare \r without quotes
        data = [tuple(cell.replace("\r", "") for cell in cells) for cells in data]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    writer.writerows([NAMES, *data])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_bytes(text.getvalue().encode())
    found = [tuple(r[1:]) for r in rows(path, characters=block) if any(r[1:])]
    assert found == [tuple(cell.strip() or None for cell in cells) for cells in data if any(cell.strip() for cell in cells)]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.text("ab -1", min_size=1, max_size=5), st.text("ab 1", max_size=3)), min_size=1, max_size=10), st.booleans())
def test_the_quick_way_and_the_careful_way_agree(tmp_path_factory, data, blank_line):
    folder = tmp_path_factory.mktemp("csv")
    (folder / "plain.csv").write_text("account,value\n" + "".join(f"{a},{b}\n" for a, b in data))
    (folder / "quoted.csv").write_text("account,value\n" + "".join(f'"{a}","{b}"\n' for a, b in data))
    assert rows(folder / "plain.csv") == rows(folder / "quoted.csv")


@settings(max_examples=150)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=300).map(str.encode), st.text('a,;\t"\n\r|1\x00', max_size=200).map(str.encode)), st.data())
def test_any_bytes_raise_nothing_but_what_is_documented(tmp_path_factory, raw, data):
    name = data.draw(st.sampled_from(["t.csv", "t.ndjson", "t.csv.gz"]))
    head = data.draw(st.sampled_from([b"", b"account,value\n", b"\x1f\x8b\x08", gzip.compress(b"account,value\nA,1\n")[:-4]]))
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(head + raw)
    try:
        for row in read_rows(path, COLUMNS):
            json.dumps(row.values, ensure_ascii=False).encode()
            assert not any("\x00" in (cell or "") for cell in row.values.values())
    except ConnectorError as error:
        assert path.name in str(error)
        assert str(error).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        *[(cell, "2026-03-31") for cell in ("2026-03-31", "2026/3/31", "20260331", "31.03.2026", "2026-03-31T23:59:59+02:00", "2026-03-31 10:00:00 UTC")],
        *[(cell, None) for cell in ("3/4/2026", "2026-02-30", "2026-03", "2026", "today", "now", "NaT", "", "99999-01-01", "١٢٣٤-١-١")],
    ],
)
def test_days_are_never_guessed(cell, day):
    found = day_of(cell)
    assert (found.isoformat() if found else None) == day


@pytest.mark.parametrize(
    ("cell", "decimals", "value"),
    [
        ("12500", "", 12500),
        ("12,500.00", "", 12500),
        ("12.500,00 €", "", 12500),
        ("EUR 12.500", "", 12500),
        ("$1,250,000", "", 1250000),
        ("1.250.000", "", 1250000),
        ("12'500", "", 12500),
        ("0.125", "", 0.125),
        ("12,5", ".", 12.5),
        ("1,234", ".", 1234),
        ("1,234", ",.", 1.234),
        ("1.234", ".", 1.234),
        ("12,34,567", "", 1234567),
        ("-5", "", -5),
        ("1e3", "", 1000),
        ("12k", "", None),
        ("1,2,3", "", None),
        ("1.2.3", "", None),
        ("1,234.56.7", "", None),
        ("Q3 12", "", None),
        ("", "", None),
        ("--", "", None),
    ],
)
def test_numbers_are_read_as_their_writer_meant_them(cell, decimals, value):
    assert number_of(cell, decimals) == value


@given(st.text(max_size=30))
def test_no_cell_is_too_strange(cell):
    number_of(cell)
    day_of(cell)
