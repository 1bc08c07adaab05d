"""The list of signals for analysts: only their workspace's, as it was believed on a day, and the same rows in the file it offers."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from service.api import create_app
from service.config import real_time
from service.console import signals as listing
from service.console.session import COOKIE, LASTS, Session, seal
from service.store import signals, workspaces
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.client import TestClient
from tests.filled import WORDS, Filled, fill

MANY = listing.PAGE + 7


@pytest.fixture(scope="module")
def ours(servers: str) -> Filled:
    """With so many signals that they take two pages."""
    found = fill(builders.workspace(), "Ours")
    with transaction(found.workspace_id) as db:
        more = [builders.signal(found.account_id, key=f"budget_cut:{n}", kind="budget_cut", detected_at=NOW.date() - timedelta(days=n)) for n in range(MANY)]
        signals.append(db, more, "test", workspaces.next_change(db))
    return found


@pytest.fixture(scope="module")
def visitor(servers: str, ours: Filled) -> TestClient:
    cookie = seal(Session(ours.workspace_id, None), "console session", real_time() + LASTS)
    return TestClient(create_app(), base_url="http://testserver", raise_server_exceptions=False, cookies={COOKIE: cookie})


def kinds(page: Any) -> list[str]:
    return re.findall(r'<td class="kind" title="([a-z_]+)">', page.text)


def test_a_filter_that_is_none_is_refused_in_words(visitor):
    for query in ("kind=nonsense", "since=yesterday", "state=x", "as_of=1066-10-14", "day=0001-01-01"):
        answer = visitor.get(f"/console/signals?{query}")
        assert answer.status_code == 422, query
        assert "<h1>" in answer.text


def test_empty_fields_of_the_form_ask_for_nothing(visitor):
    assert len(kinds(visitor.get("/console/signals?kind=&state=&since=&until=&as_of="))) == listing.PAGE


def test_the_pages_together_hold_every_signal_once_the_newest_first(visitor):
    seen, path = [], "/console/signals?kind=budget_cut"
    days: list[date] = []
    while path:
        page = visitor.get(path)
        days += [datetime.strptime(f"{day} +0000", "%d %b %Y %z").date() for day in re.findall(r'<td class="day">([^<]+)</td>', page.text)]
        seen += re.findall(r'/console/accounts/[0-9a-f-]{36}#([0-9a-f-]{36})"', page.text)
        older = re.search(r'href="([^"]+)">Older<', page.text)
        path = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == MANY
    assert days == sorted(days, reverse=True)


def test_the_file_holds_the_rows_of_the_list_and_no_others(visitor, ours):
    since = (NOW - timedelta(days=9)).date().isoformat()
    page = visitor.get(f"/console/signals?kind=budget_cut&since={since}")
    link = re.search(r'href="([^"]+export[^"]+format=csv[^"]*)"', page.text)
    assert link
    answer = visitor.get(link[1].replace("&amp;", "&"))
    assert answer.headers["content-disposition"] == 'attachment; filename="signals.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["kind"] for row in rows} == set(kinds(page)) == {"budget_cut"}
    assert len(rows) == len(kinds(page)) == 10


def test_what_was_not_yet_known_on_a_day_is_not_in_its_list(visitor):
    assert kinds(visitor.get("/console/signals?as_of=2000-01-01")) == []


def test_one_account_is_found_by_a_part_of_its_name_and_its_file_holds_no_other(visitor, ours):
    with transaction(ours.workspace_id) as db:
        other = builders.account(db, ours.connection_id, key="A-other", name="Birch & Row")
        signals.append(db, [builders.signal(other, kind="confusion")], "test", workspaces.next_change(db))
    page = visitor.get("/console/signals?account=birch+%26")
    assert kinds(page) == ["confusion"]
    assert 'value="birch &amp;"' in page.text
    link = re.search(r'href="([^"]+export[^"]+format=ndjson[^"]*)"', page.text)
    assert link
    assert visitor.get(link[1].replace("&amp;", "&")).text.count("\n") == 1
    assert kinds(visitor.get("/console/signals?account=nobody+at+all")) == []
    assert len(kinds(visitor.get("/console/signals?account=+"))) == listing.PAGE


def test_a_signal_shows_its_owner_and_the_newest_words_it_rests_on_and_none_once_they_are_erased(visitor, ours):
    path = "/console/signals?kind=price_objection"
    page = visitor.get(path).text
    assert "Ann Berg" in page
    assert "<q " in page
    assert WORDS in page
    with transaction(ours.workspace_id) as db:
        db.execute("DELETE FROM message_text")
    page = visitor.get(path).text
    assert "<q " not in page
    assert WORDS not in page
