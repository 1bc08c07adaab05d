"""Exports: nothing foreign, no formula, no half a file; then the same rows in every form, and increments that miss nothing."""

from __future__ import annotations

import csv
import io
import json
import sys
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies

from connectors.records import Account
from service import feedback
from service.api import create_app
from service.errors import Unavailable
from service.store import exports, landing, workspaces
from service.store import signals as stored
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.client import TestClient, assert_problem, key
from tests.command import undertone
from tests.filled import Filled, fill

WHATS = tuple(exports.SOURCES)
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_names = count(1)


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def ours(servers: str) -> Filled:
    found = fill(builders.workspace(), "Ours")
    feedback.give(found.workspace_id, found.suggestion_id, "wrong_reading", "console", NOW.date())
    return found


@pytest.fixture(scope="module")
def theirs(servers: str) -> Filled:
    return fill(builders.workspace(), "CANARYtheirs")


def exported(workspace_id: UUID, what: exports.What, form: exports.Format = "ndjson", **filters: Any) -> bytes:
    return b"".join(exports.stream(workspace_id, what, form, filters, exports.through(workspace_id, what, filters)))


def rows_of(workspace_id: UUID, what: exports.What, **filters: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(workspace_id, what, **filters).decode().split("\n") if line]


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


# What never gets out


@pytest.mark.parametrize("form", exports.FORMATS)
@pytest.mark.parametrize("what", WHATS)
def test_no_byte_of_another_workspace_is_in_a_file(api, ours, theirs, what, form):
    answer = api.get(f"/v1/export/{what}", params={"format": form}, headers=key(ours.workspace_id, "read"))
    assert answer.status_code == 200
    for foreign in (theirs.mark, *theirs.ids):
        assert foreign.encode() not in answer.content


@pytest.mark.parametrize("what", WHATS)
def test_no_word_of_a_buyer_is_in_a_file(ours, what):
    assert b"board twice" not in exported(ours.workspace_id, what)


def renamed(whose: Filled, name: str) -> None:
    with transaction(whose.workspace_id) as db:
        landing.land(db, whose.connection_id, Account, [Account(key="A-Ours", name=name, owner_key="U1", arr=12000.0, currency="EUR")])


TEXTS = strategies.text(strategies.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), min_size=1, max_size=30)


@given(text=TEXTS, lead=strategies.sampled_from((*FORMULAS, "", '"', ",", "\n", "\\", "\\N", "'")))
@example(text="cmd|' /C calc'!A0\"", lead="=")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_cell_begins_a_formula_and_each_text_comes_back(ours, text, lead):
    name = lead + text
    renamed(ours, name)
    rows = list(csv.reader(io.StringIO(exported(ours.workspace_id, "signals", "csv").decode(), newline="")))
    place = rows[0].index("account")
    assert rows[1:]
    for row in rows[1:]:
        assert row[place] == (f"'{name}" if name.startswith(FORMULAS) else name)
        assert not [cell for cell in row if cell.startswith(FORMULAS)]
    assert {row["account"] for row in rows_of(ours.workspace_id, "signals")} == {name}


def test_a_number_below_zero_stays_a_number(ours):
    assert exports._cell("v.value", "number") == "v.value"


@pytest.mark.parametrize(
    ("what", "parameters"),
    [
        ("usage", {"changed_after": 3}),
        ("usage", {"as_of": "2026-03-03"}),
        ("signals", {"format": "xlsx"}),
        ("signals", {"since": "never"}),
        ("signals", {"changed_after": -1}),
        ("signals", {"changed_after": 2**63}),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(api, ours, what, parameters):
    assert_problem(api.get(f"/v1/export/{what}", params=parameters, headers=key(ours.workspace_id, "read")), 422)


def test_parquet_without_its_extra_is_refused_in_words(api, ours, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = api.get("/v1/export/signals", params={"format": "parquet"}, headers=key(ours.workspace_id, "read"))
    assert "not available: needs the extra parquet" in assert_problem(answer, 422)


def test_more_exports_than_there_are_places_for_are_refused_and_a_place_comes_free(api, ours):
    started = [exports.stream(ours.workspace_id, "usage", "ndjson", {}, None) for _ in range(exports.MOST_AT_ONCE)]
    for one in started:
        next(one)
    answer = api.get("/v1/export/usage", headers=key(ours.workspace_id, "read"))
    assert "Try again" in assert_problem(answer, 503)
    with pytest.raises(Unavailable):
        exported(ours.workspace_id, "usage")
    for one in started:
        one.close()
    assert api.get("/v1/export/usage", headers=key(ours.workspace_id, "read")).status_code == 200


def test_an_export_that_breaks_off_is_no_whole_answer(servers, ours, monkeypatch):
    """The server ends the connection in the middle: the rest is an error and no end."""
    monkeypatch.setattr(exports, "BLOCK", 100)
    parts = exports.stream(ours.workspace_id, "usage", "ndjson", {}, None)
    next(parts)
    with psycopg.connect(servers, autocommit=True) as owner:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'undertone_app' AND query LIKE 'COPY%'"
        assert owner.execute(query).fetchall()
    with pytest.raises(Unavailable):
        for _ in range(10**6):
            next(parts)


# What is in it


@pytest.mark.parametrize("what", WHATS)
def test_every_form_holds_the_rows_that_the_view_has(servers, ours, what):
    import pyarrow.parquet as pq

    rows = rows_of(ours.workspace_id, what)
    with transaction(ours.workspace_id) as db:
        db.execute("SET LOCAL TimeZone = 'UTC'")
        view = {"usage": "usage_days"}.get(what, what)
        in_sql = [row for (row,) in db.execute(f"SELECT row_to_json(v) FROM analytics.{view} v")]
    assert rows
    beside = exports.SOURCES[what].beside
    assert in_order([{name: value for name, value in row.items() if name not in beside} for row in rows]) == in_order(in_sql)
    table = list(csv.DictReader(io.StringIO(exported(ours.workspace_id, what, "csv").decode(), newline="")))
    assert list(table[0]) == list(exports.SOURCES[what].columns)
    assert len(table) == len(rows)
    parquet = pq.read_table(io.BytesIO(exported(ours.workspace_id, what, "parquet"))).to_pylist()
    numbers = [name for name, kind in exports.SOURCES[what].columns.items() if kind in ("whole", "number")]
    for name in numbers:
        assert sorted(float(row[name]) for row in table) == sorted(row[name] for row in rows) == sorted(row[name] for row in parquet), name
    assert [f.name for f in pq.read_schema(io.BytesIO(exported(ours.workspace_id, what, "parquet")))] == list(table[0])


def test_an_increment_is_what_changed_since_the_number_that_came_with_the_file(api, workspace):
    whose = fill(workspace, "Moving")
    headers = key(workspace, "read")
    first = api.get("/v1/export/signals?format=ndjson", headers=headers)
    bookmark = int(first.headers["undertone-change"])
    with transaction(workspace) as db:
        [row] = [r for r in stored.current(db) if r.signal.id == whose.signal_id]
        stored.append(db, [stored.ended(row.signal, NOW.date())], "later", workspaces.next_change(db))
    more = api.get("/v1/export/signals", params={"format": "ndjson", "changed_after": bookmark}, headers=headers)
    held = {r["signal_id"]: r for text in (first.text, more.text) for r in map(json.loads, filter(None, text.split("\n")))}
    assert len(more.text.split("\n")) == 2
    assert in_order(list(held.values())) == in_order(rows_of(workspace, "signals"))


def test_what_is_written_while_an_export_begins_comes_with_the_next_one_and_not_never(workspace):
    fill(workspace, "Late")
    bookmark = exports.through(workspace, "signals", {})
    with transaction(workspace) as db:
        for row in stored.current(db):
            stored.append(db, [stored.ended(row.signal, NOW.date())], "later", workspaces.next_change(db))
    held = b"".join(exports.stream(workspace, "signals", "ndjson", {}, bookmark)) + exported(workspace, "signals", changed_after=bookmark)
    latest = {r["signal_id"]: r for r in (json.loads(line) for line in held.decode().split("\n") if line)}
    assert in_order(list(latest.values())) == in_order(rows_of(workspace, "signals"))


def test_what_people_say_and_who_owns_the_account_stand_in_every_form(ours):
    import pyarrow.parquet as pq

    rows = rows_of(ours.workspace_id, "signals")
    assert {row["owner"] for row in rows} == {"Ann Berg"}
    said = {row["signal_id"]: row["confirmed"] for row in rows}
    assert sorted(said.values(), key=str) == [False, None]
    table = csv.DictReader(io.StringIO(exported(ours.workspace_id, "signals", "csv").decode(), newline=""))
    assert {row["signal_id"]: row["confirmed"] for row in table} == {i: "" if v is None else str(v).lower() for i, v in said.items()}
    parquet = pq.read_table(io.BytesIO(exported(ours.workspace_id, "signals", "parquet"))).to_pylist()
    assert {row["signal_id"]: row["confirmed"] for row in parquet} == said
    assert rows_of(ours.workspace_id, "signals", as_of="2020-01-01") == []


def test_a_word_that_came_later_is_not_in_what_was_believed_before(workspace):
    whose = fill(workspace, "Then")
    with transaction(workspace) as db:
        [(day,)] = db.execute("SELECT (min(recorded_at) AT TIME ZONE 'UTC')::date FROM signal").fetchall()
    assert {row["confirmed"] for row in rows_of(workspace, "signals", as_of=day)} == {None}
    feedback.give(workspace, whose.suggestion_id, "used", "console", NOW.date())
    assert {row["confirmed"] for row in rows_of(workspace, "signals")} == {True, None}
    assert {row["confirmed"] for row in rows_of(workspace, "signals", as_of="2020-01-01")} == set()


def test_an_export_of_one_account_holds_no_other(api, workspace):
    one = fill(workspace, "Alder Mills")
    with transaction(workspace) as db:
        other = builders.account(db, one.connection_id, key="A-other", name="Birch Row")
        stored.append(db, [builders.signal(other)], "test", workspaces.next_change(db))
    headers = key(workspace, "read")
    for asked in ({"account": "alder"}, {"account_id": str(one.account_id)}):
        answer = api.get("/v1/export/signals", params={"format": "ndjson", **asked}, headers=headers)
        assert {json.loads(line)["account"] for line in answer.text.splitlines()} == {"Alder Mills"}, asked
    assert {i["account"] for i in api.get("/v1/signals?account=ROW", headers=headers).json()["items"]} == {"Birch Row"}
    assert api.get("/v1/export/usage?account=birch&format=ndjson", headers=headers).text == ""
    assert api.get("/v1/export/signals?account=%25&format=ndjson", headers=headers).text == ""


def test_days_and_the_as_of_day_choose_rows(ours):
    assert {r["day"] for r in rows_of(ours.workspace_id, "usage", since="2026-02-15", until="2026-02-16")} == {"2026-02-15", "2026-02-16"}
    assert exported(ours.workspace_id, "signals", as_of="2020-01-01") == b""
    assert exported(ours.workspace_id, "signals", "csv", as_of="2020-01-01").count(b"\n") == 1


# The command


@pytest.fixture
def named(servers: str) -> tuple[str, Filled]:
    workspace_id, name = builders.workspace(), f"export {next(_names)}"
    with transaction(workspace_id) as db:
        db.execute("UPDATE workspace SET name = %s", [name])
    return name, fill(workspace_id, "Filed")


def test_a_file_is_written_whole_and_says_where_to_go_on(named, tmp_path: Path):
    name, whose = named
    done = undertone("export", "signals", "--format", "ndjson", "--to", str(tmp_path / "s.ndjson"), "--workspace", name)
    assert (done.returncode, done.stdout) == (0, b"")
    assert in_order([json.loads(line) for line in (tmp_path / "s.ndjson").read_text().splitlines()]) == in_order(rows_of(whose.workspace_id, "signals"))
    bookmark = done.stderr.split()[-1].decode()
    again = undertone("export", "signals", "--changed-after", bookmark, "--workspace", name)
    assert again.stdout.count(b"\n") == 1
    assert undertone("export", "signals", "--account", "nobody", "--workspace", name).stdout.count(b"\n") == 1
    assert undertone("export", "signals", "--account", "FILED", "--workspace", name).stdout.count(b"\n") == 3
    assert [p.name for p in tmp_path.iterdir()] == ["s.ndjson"]


def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing(named, tmp_path: Path):
    done = undertone("export", "usage", "--to", str(tmp_path / "absent" / "u.csv"), "--workspace", named[0])
    assert done.returncode == 2
    assert b"cannot be written" in done.stderr
    assert list(tmp_path.iterdir()) == []
