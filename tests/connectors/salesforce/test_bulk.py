"""Large windows by jobs: no row is lost, none is taken for all, and what the org loses is begun again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Cursor, Page
from connectors.context import alone
from connectors.errors import Parked, Retriable, StreamUnavailable
from connectors.salesforce.bulk import MOST_JOBS, Note
from connectors.salesforce.bulk_rows import BulkRows, Damaged
from connectors.salesforce.client import Client
from connectors.salesforce.readings import READINGS, selection
from connectors.salesforce.source import SalesforceSource
from tests.connectors.salesforce.conftest import NOW
from tests.connectors.salesforce.jobs import CONTACT, Jobs, csv_of, event, packed, row
from tests.connectors.salesforce.test_config import config
from tests.connectors.salesforce.wire import SECRET, Reply, Said, Wire, described

ALL = [event(n) for n in range(900)]
"""Five pages of events, which are read by 200."""
ALL_IDS = [row["Id"] for row in ALL]


def read(w: Wire, after: Cursor | None = None, until: datetime = NOW, stream: str = "events") -> Iterator[Page]:
    return SalesforceSource(w.client, w.config).read(stream, after or Cursor(), until)


def keys(pages: list[Page]) -> list[str]:
    return [r.key for page in pages for r in page.records]  # type: ignore[union-attr]


def test_the_cursor_moves_when_all_rows_have_come_and_then_to_the_end_of_the_window() -> None:
    random.Random(5).shuffle(mixed := list(ALL))
    with Jobs(mixed, states=("UploadComplete", "InProgress"), set_size=400).running() as w:
        pages = list(read(w))
    assert sorted(keys(pages)) == sorted(ALL_IDS)
    assert {(p.cursor.at, bool(p.cursor.resume)) for p in pages[:-1] if p.cursor} == {(None, True)}
    assert pages[-1].cursor == Cursor(at=NOW)


def test_the_job_asks_for_deleted_rows_in_no_order() -> None:
    jobs = Jobs(ALL)
    with jobs.running() as w:
        list(read(w, Cursor(at=NOW - timedelta(days=1), key="00U5gS000000001ABA")))
    (asked,) = jobs.asked
    assert asked["operation"] == "queryAll"
    assert "ORDER BY" not in asked["query"]
    assert "SystemModstamp <= 2026-03-02T09:00:00.000Z" in asked["query"]
    assert "SystemModstamp >= 2026-03-01T09:00:00.000Z" in asked["query"]


def test_a_small_window_is_read_without_a_job() -> None:
    jobs = Jobs(ALL[:1])
    with jobs.running() as w:
        assert keys(list(read(w))) == ALL_IDS[:1]
    assert jobs.asked == []


def test_a_count_that_takes_too_long_means_a_job() -> None:
    too_long: Reply = (400, [{"errorCode": "QUERY_TIMEOUT", "message": "too long"}])
    jobs = Jobs(ALL, trouble=lambda said: too_long if "COUNT" in said.path else None)
    with jobs.running() as w:
        assert keys(list(read(w))) == ALL_IDS


def test_each_poll_is_a_page_at_which_a_run_may_end_and_the_pauses_grow() -> None:
    jobs = Jobs(ALL, states=["InProgress"] * 10)
    with jobs.running() as w:
        pages = list(read(w))
    assert [len(p.records) for p in pages] == [0] * 11 + [900]
    assert w.pauses == [1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 30.0, 30.0]


@pytest.mark.parametrize("deaths", range(1, 9))
def test_a_run_that_dies_at_any_page_goes_on_from_the_same_set_of_the_same_job(deaths: int) -> None:
    jobs = Jobs(ALL, states=("InProgress", "InProgress"), set_size=400)
    with jobs.running() as w:
        landed = list(islice(read(w), deaths))
        cursor = [p.cursor for p in landed if p.cursor][-1]
        rest = list(read(w, cursor)) if cursor.resume else []
    assert keys(landed + rest) == ALL_IDS
    assert len(jobs.asked) == 1


def test_a_job_of_an_earlier_run_ends_at_its_own_bound_and_what_is_newer_is_read_after_it() -> None:
    counts = iter([900, 0])
    jobs = Jobs(ALL)
    jobs.trouble = lambda said: (200, {"totalSize": next(counts), "done": True, "records": []}) if "COUNT" in said.path else None
    with jobs.running() as w:
        begun = next(read(w)).cursor
        assert begun is not None
        pages = list(read(w, begun, NOW + timedelta(hours=1)))
    assert pages[-1].cursor == Cursor(at=NOW)
    counts_asked = [s.path for s in w.heard if "COUNT" in s.path]
    assert len(counts_asked) == 2
    assert "SystemModstamp+%3E%3D+2026-03-02T09%3A00%3A00.000Z" in counts_asked[1]


def test_a_token_that_dies_within_a_job_costs_one_login_and_no_row() -> None:
    calls = iter(range(1000))
    dead: Reply = (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
    jobs = Jobs(ALL, set_size=400)
    jobs.trouble = lambda said: dead if "/results" in said.path and next(calls) == 1 else None
    with jobs.running() as w:
        assert keys(list(read(w))) == ALL_IDS
        assert w.tokens == 2
    assert jobs.results == ["0", "400", "800"]


def test_a_result_that_is_cut_is_asked_for_again_and_goes_on_behind_what_has_landed() -> None:
    cut = iter([True, True])
    jobs = Jobs(ALL)

    def trouble(said: Said) -> Reply | None:
        if "/results" not in said.path or not next(cut, False):
            return None
        return 200, csv_of(ALL[:450], jobs.names).encode(), {"Content-Length": "999999", "Sforce-NumberOfRecords": "900"}

    jobs.trouble = trouble
    with jobs.running() as w:
        assert keys(list(read(w))) == ALL_IDS


@pytest.mark.parametrize("status", [{"Content-Length": "999999"}, {"Sforce-NumberOfRecords": "901"}])
def test_a_result_that_is_never_whole_ends_the_run_without_moving_the_cursor(status: dict[str, str]) -> None:
    jobs = Jobs(ALL)
    answer = csv_of(ALL, jobs.names).encode()
    jobs.trouble = lambda said: (200, answer, {"Sforce-NumberOfRecords": "900", **status}) if "/results" in said.path else None
    landed: list[Page] = []
    with jobs.running() as w, pytest.raises(Retriable, match="cannot be read to its end"):
        landed += read(w)
    assert all(p.cursor is None or p.cursor.at is None for p in landed)
    note = Note.read(landed[-1].cursor.resume) if landed[-1].cursor else None
    assert (note is None) == ("Sforce-NumberOfRecords" in status), "a result that stays wrong is given up, one that is cut is gone on with"


def test_fewer_rows_than_the_job_announced_are_not_taken_for_all() -> None:
    landed: list[Page] = []
    with Jobs(ALL, processed=901).running() as w, pytest.raises(Retriable, match="announced 901 rows and gave 900"):
        landed += read(w)
    assert keys(landed) == ALL_IDS
    assert landed[-1].cursor == Cursor()


@pytest.mark.parametrize("state", ["Failed:QUERY_TIMEOUT: too long", "Aborted:", "Failed:"])
def test_a_job_that_comes_to_nothing_is_made_again_at_most_a_few_times(state: str) -> None:
    jobs = Jobs(ALL, states=[state])
    landed: list[Page] = []
    with jobs.running() as w, pytest.raises(Retriable, match="came to nothing"):
        landed += read(w)
    assert len(jobs.asked) == MOST_JOBS
    assert landed[-1].cursor == Cursor()


def test_a_machine_whose_clock_is_ahead_does_not_take_the_future_for_read() -> None:
    future = NOW + timedelta(days=40_000)
    with Jobs(ALL).running() as w:
        pages = list(read(w, until=future))
    assert keys(pages) == ALL_IDS
    assert pages[-1].cursor is not None
    assert pages[-1].cursor.at is not None
    assert pages[-1].cursor.at < future - timedelta(days=1)


def test_a_job_that_the_org_forgot_is_made_again_over_the_same_window() -> None:
    jobs = Jobs(ALL)
    held = Cursor(at=NOW - timedelta(days=3), resume=str(Note(job="7505gS000000099AAA", version="64.0", upto=NOW - timedelta(days=1))))
    with jobs.running() as w:
        pages = list(read(w, held))
    assert keys(pages) == ALL_IDS
    assert "SystemModstamp >= 2026-02-27T09:00:00.000Z" in jobs.asked[0]["query"]
    assert pages[-1].cursor == Cursor(at=NOW)


def test_a_job_that_is_forgotten_between_two_sets_is_made_again_and_no_row_is_missing() -> None:
    jobs = Jobs(ALL, set_size=400)

    def trouble(said: Said) -> Reply | None:
        if len(jobs.results) == 2 and len(jobs.asked) == 1:
            jobs.known.clear()
        return None

    jobs.trouble = trouble
    with jobs.running() as w:
        assert set(keys(list(read(w)))) == set(ALL_IDS)
    assert len(jobs.asked) == 2


def test_a_job_is_asked_for_by_the_version_that_made_it() -> None:
    jobs = Jobs(ALL)
    with jobs.running(api_version="63.0") as w:
        begun = next(read(w)).cursor
        assert begun is not None
        newer = w.config.model_copy(update={"api_version": "67.0"})
        source = SalesforceSource(Client(newer, alone({}, {"consumer_secret": SECRET})), newer)
        assert keys(list(source.read("events", begun, NOW))) == ALL_IDS
    assert {s.path.split("/")[3] for s in w.heard if "/jobs/query/" in s.path} == {"v63.0"}


@pytest.mark.parametrize(
    "refusal",
    [
        (400, [{"errorCode": "INVALIDENTITY", "message": "Entity 'Event' is not supported by the Bulk API."}]),
        (400, [{"errorCode": "FUNCTIONALITY_NOT_ENABLED", "message": "Selecting compound data not supported in Bulk Query"}]),
        (404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]),
        (400, [{"errorCode": "EXCEEDEDQUOTA", "message": "too many jobs today"}]),
    ],
)
def test_what_cannot_be_read_by_a_job_is_read_by_queries(refusal: Reply) -> None:
    jobs = Jobs(ALL, trouble=lambda said: refusal if said.method == "POST" and "/jobs/" in said.path else None)
    with jobs.running() as w:
        pages = list(read(w))
    assert keys(pages) == ALL_IDS
    assert pages[-1].cursor == Cursor(at=datetime(2026, 3, 2, 8, 14, 59, tzinfo=UTC), key=ALL_IDS[-1])


def test_a_job_that_fails_because_its_object_is_not_read_that_way_is_not_tried_again() -> None:
    jobs = Jobs(ALL, states=["Failed:FUNCTIONALITY_NOT_ENABLED: Selecting compound data not supported in Bulk Query"])
    with jobs.running() as w:
        assert keys(list(read(w))) == ALL_IDS
    assert len(jobs.asked) == 1


def test_a_used_up_limit_parks_and_keeps_the_job() -> None:
    jobs = Jobs(ALL, set_size=400)
    full: Reply = (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])
    jobs.trouble = lambda said: full if "/results" in said.path and len(jobs.results) == 1 else None
    landed: list[Page] = []
    with jobs.running() as w, pytest.raises(Parked):
        landed += read(w)
    cursor = landed[-1].cursor
    assert cursor is not None
    note = Note.read(cursor.resume)
    assert note is not None
    assert (note.locator, note.rows) == ("400", 400)


def test_a_finished_job_is_deleted_after_its_last_page_and_not_before() -> None:
    jobs = Jobs(ALL)
    with jobs.running() as w:
        for page in read(w):
            if page.records:
                assert jobs.deleted == []
        assert jobs.deleted == list(jobs.known)


def test_a_job_that_cannot_be_deleted_takes_nothing_back() -> None:
    jobs = Jobs(ALL, trouble=lambda said: (500, "<html>") if said.method == "DELETE" else None)
    with jobs.running() as w:
        assert list(read(w))[-1].cursor == Cursor(at=NOW)


def test_a_field_that_is_hidden_before_the_job_is_left_out_and_what_was_stored_stays() -> None:
    jobs = Jobs([{k: v for k, v in one.items() if k != "Subject"} for one in ALL])
    refused: Reply = (400, [{"errorCode": "INVALID_FIELD", "message": "No such column 'Subject' on entity 'Event'"}])
    jobs.trouble = lambda said: refused if said.method == "POST" and "Subject" in said.body else None
    with jobs.running() as w:
        pages = [p for p in read(w) if p.records]
    assert keys(pages) == ALL_IDS
    assert "subject" in pages[0].unread


def test_a_field_that_the_job_was_made_without_stays_as_it_was() -> None:
    with Jobs(ALL).running() as w:
        pages = [p for p in read(w) if p.records]
    assert {"body", "account_key"} <= pages[0].unread
    assert "subject" not in pages[0].unread


def test_compound_fields_are_left_out() -> None:
    jobs = Jobs(ALL, describe={"fields": [*described(StartDateTime="datetime")["fields"], {"name": "Subject", "type": "address"}]})
    with jobs.running() as w:
        list(read(w))
    assert "Subject" not in jobs.asked[0]["query"]


def test_an_object_that_cannot_be_seen_is_unavailable_as_ever() -> None:
    jobs = Jobs(ALL, trouble=lambda said: (404, [{"errorCode": "NOT_FOUND", "message": "no"}]) if "describe" in said.path else None)
    with jobs.running() as w, pytest.raises(StreamUnavailable):
        list(read(w))


def test_an_empty_result_ends_the_window() -> None:
    with Jobs([], counted=5).running() as w:
        assert list(read(w))[-1].cursor == Cursor(at=NOW)


def test_flags_times_and_empty_cells_mean_what_they_mean_in_a_query() -> None:
    one = row("003", 1, IsDeleted=True, Name="Bo", HasOptedOutOfEmail=True, Title=None, Email="", AccountId="0015gS000000001AAA", MasterRecordId=None)
    plain = {**one, "SystemModstamp": one["SystemModstamp"].replace("Z", "+0000")}
    with Jobs([one], counted=2, describe=CONTACT).running() as w:
        by_job = [r for p in read(w, stream="contacts") for r in p.records]
    with Jobs([plain], counted=1, describe=CONTACT).running() as w:
        by_query = [r for p in read(w, stream="contacts") for r in p.records]
    assert by_job == by_query
    assert by_job[0].deleted  # type: ignore[union-attr]


def test_a_note_is_short_enough_for_a_cursor_and_anything_else_is_none() -> None:
    note = Note(job="7505gS000000099AAA", version="64.0", upto=NOW, locator="x" * 500, rows=10**9, skip=10**6, polls=2_999)
    assert Note.read(str(note)) == note
    assert len(str(note)) <= 1_000
    assert [Note.read(text) for text in ("", "{}", "[]", "null", '{"job": 1}', "x", '{"upto": "soon"}')] == [None] * 7


def test_a_mark_that_is_too_long_to_keep_leaves_the_cursor_where_it_was() -> None:
    jobs = Jobs(ALL, set_size=400)
    long = "z" * 990

    def trouble(said: Said) -> Reply | None:
        if "/results" not in said.path:
            return None
        if long in said.path:
            return jobs._results(replace(said, path=said.path.replace(long, "400")))
        if "locator" in said.path:
            return None
        return 200, *packed(csv_of(ALL[:400], jobs.names), {"Sforce-Locator": long, "Sforce-NumberOfRecords": "400"})

    jobs.trouble = trouble
    with jobs.running() as w:
        pages = list(read(w))
    assert keys(pages) == ALL_IDS
    assert all(p.cursor is None or len(p.cursor.resume) <= 1_000 for p in pages)
    assert any(p.cursor is None for p in pages)


CELLS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\x00\r\n",😀ש'), max_size=40)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6), cut=st.integers(1, 50))
def test_whatever_a_cell_holds_arrives_however_the_answer_is_split(rows: list[list[str]], cut: int) -> None:
    names = ["Id", "Name", "Parent.Title"]
    held = [dict(zip(names, row, strict=True)) for row in rows]
    data = csv_of(held, names).encode()
    pieces = [data[i : i + cut] for i in range(0, len(data), cut)]
    found = list(BulkRows(pieces, names, ()))
    assert [(r["Id"] or "", r["Name"] or "", (r["Parent"] or {}).get("Title", "")) for r in found] == [tuple(row) for row in rows]


def test_a_text_that_ends_inside_a_row_is_damaged() -> None:
    for text in ('"Id","Name"\n"1","a', '"Id","Name"\n"1"\n', '"Id","Name"\n"1","2","3"\n'):
        with pytest.raises(Damaged):
            list(BulkRows([text.encode()], ["Id", "Name"], ()))


def test_an_empty_cell_is_no_value() -> None:
    assert list(BulkRows([b'"Id","Name","Parent.Name"\n"1","",""\n'], ["Id", "Name", "Parent.Name"], ())) == [{"Id": "1", "Name": None, "Parent": None}]


def test_the_names_of_an_answer_may_be_spelled_in_another_case() -> None:
    assert list(BulkRows([b'"ID","isdeleted"\n"1","true"\n'], ["Id", "IsDeleted"], ["IsDeleted"])) == [{"Id": "1", "IsDeleted": True}]


def test_long_bodies_come_in_pages_that_fit_into_memory() -> None:
    emails = [
        {
            **{"Id": f"02s5gS{n:09}AAA", "SystemModstamp": "2026-03-02T08:00:00.000Z", "IsDeleted": False, "FromAddress": "bo@acme.example"},
            **{"ToAddress": "ann@vendor.example", "Incoming": True, "MessageDate": "2026-03-02T08:00:00.000Z", "TextBody": "x" * 131_072},
        }
        for n in range(150)
    ]
    describe = described("FromAddress", "ToAddress", "TextBody", Incoming="boolean", MessageDate="datetime")
    users: Reply = (200, {"totalSize": 1, "done": True, "records": [{"Email": "ann@vendor.example"}]})
    jobs = Jobs(emails, describe=describe, trouble=lambda said: users if "FROM+User" in said.path else None)
    with jobs.running() as w:
        sizes = [len(p.records) for p in read(w, stream="emails") if p.records]
    assert sum(sizes) == 150
    assert max(sizes) * 131_072 < 9_000_000


def test_selections_of_a_job_know_what_it_was_made_without() -> None:
    chosen = selection(READINGS["contacts"], config(), _Described())  # type: ignore[arg-type]
    assert "name" in chosen.among(["Id", "SystemModstamp"]).unread


class _Described:
    def table(self, name: str) -> Any:
        from connectors.salesforce.schema import Table, _column

        columns = [_column(f) for f in described("Name", "MasterRecordId")["fields"]]
        return Table(name, {c.name.lower(): c for c in columns})

    def readable(self, table: Any, path: str) -> str | None:
        return table.readable(path)  # type: ignore[no-any-return]
