"""The signed link of a task: what it shows, what it does not, and that to open it changes nothing."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings, strategies

from service import feedback_link, vault
from service.console import link
from service.console.session import COOKIE
from service.errors import NotFound, Unauthenticated
from service.limits import Rate
from service.store import suggestions
from service.store.pool import transaction
from service.store.readings import Emotion
from service.suggest import suggest
from service.task import tasks_of
from tests import builders
from tests.builders import NOW
from tests.client import TestClient
from tests.filled import WORDS, Filled, fill, read_again

Hold = Callable[[datetime], None]
ADDRESS = "http://testserver"
OURS = {"Origin": ADDRESS}


@pytest.fixture(autouse=True)
def on_the_day(hold_clock: Hold) -> None:
    hold_clock(NOW)


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


@pytest.fixture
def browser(app: Any) -> TestClient:
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False)


def row_of(whose: Filled) -> suggestions.SuggestionRow:
    with transaction(whose.workspace_id) as db:
        found = suggestions.get(db, whose.suggestion_id)
    assert found is not None
    return found


def path_of(whose: Filled) -> str:
    return feedback_link.address(whose.workspace_id, whose.suggestion_id, row_of(whose).opened_at).partition("8321")[2]


def say(browser: TestClient, path: str, headers: dict[str, str] = OURS, **fields: str) -> Any:
    found = re.search(r'name="form_token" value="([^"]+)"', browser.get(path).text)
    return browser.post(path, data={"form_token": found[1] if found else "", **fields}, headers=headers)


# What is no link


def test_what_is_no_link_of_ours_is_one_page_that_says_so(browser, ours):
    path = path_of(ours)
    raw = base64.urlsafe_b64decode(path.removeprefix("/feedback/") + "==")
    other = uuid4().bytes + raw[16:]
    bent = [path[:-1], path + "A", path + "=", "/feedback/x", "/feedback/" + "A" * 5000, f"/feedback/{ours.suggestion_id}", "/feedback/é"]
    pages = [browser.get(p) for p in (*bent, f"/feedback/{base64.urlsafe_b64encode(other).decode().rstrip('=')}")]
    assert {p.status_code for p in pages} == {404}
    assert len({p.text for p in pages}) == 1
    assert "This link is not valid any more." in pages[0].text
    assert "Ours" not in pages[0].text
    assert {browser.post(p, data={"verdict": "used"}, headers=OURS).status_code for p in bent} == {404}


@given(strategies.integers(min_value=0, max_value=51), strategies.integers(min_value=1, max_value=255))
@settings(max_examples=80, deadline=None)
def test_one_changed_byte_breaks_the_link(servers, place, flip):
    token = feedback_link.address(UUID(int=1), UUID(int=2), NOW.date()).rpartition("/")[2]
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[place] ^= flip
    with pytest.raises(NotFound):
        feedback_link.opened(base64.urlsafe_b64encode(raw).decode().rstrip("="), NOW.date())


def test_a_link_is_good_for_30_days_and_not_a_day_longer(browser, ours, hold_clock: Hold):
    path = path_of(ours)
    hold_clock(NOW + timedelta(days=30))
    assert browser.get(path).status_code == 200
    hold_clock(NOW + timedelta(days=31))
    assert browser.get(path).status_code == 404
    assert say(browser, path, verdict="not_now").status_code == 404


def test_a_link_opens_nothing_else(browser, ours):
    """No session, no sign-in, no other workspace's row under its own signature."""
    from service.console.session import unseal

    token = path_of(ours).removeprefix("/feedback/")
    for purpose in ("console session", "console link", "console form"):
        with pytest.raises(Unauthenticated):
            unseal(token, purpose, NOW)
    assert browser.get("/console", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 303
    assert browser.get(f"/v1/suggestions/{ours.suggestion_id}", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    foreign = feedback_link.address(builders.workspace(), ours.suggestion_id, NOW.date()).partition("8321")[2]
    assert browser.get(foreign).status_code == 404


def test_a_link_that_an_earlier_key_signed_stays_good_and_one_of_a_stranger_is_none(browser, ours, monkeypatch):
    path = path_of(ours)
    monkeypatch.setenv("UNDERTONE_KEYS", f"new:{vault.new_key()}")
    feedback_link.settings.cache_clear()
    assert path_of(ours) != path
    assert browser.get(path).status_code == 200


# What it shows


def test_the_page_shows_which_suggestion_it_is_and_no_word_of_the_buyer(browser, ours):
    page = browser.get(path_of(ours)).text
    assert "Ours" in page
    assert "Price questioned" in page
    assert "2 Mar 2026" in page
    for words in (WORDS, "explain the new price", "Bo Lind", "Ann Berg", row_of(ours).why_now):
        assert words not in page
    assert "<script" not in page


def test_to_open_the_link_however_often_changes_nothing_and_asks_for_no_session(browser, ours):
    for _ in range(3):
        answer = browser.get(path_of(ours))
        assert answer.status_code == 200
        assert COOKIE not in answer.headers.get("set-cookie", "")
    assert browser.request("HEAD", path_of(ours)).status_code == 405
    assert row_of(ours).feedback is None


# What it does


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_no_form_of_another_site_says_anything(browser, ours, headers):
    assert say(browser, path_of(ours), headers, verdict="used").status_code == 403
    assert row_of(ours).feedback is None


@pytest.mark.parametrize("token", ["", "guess", "é"])
def test_no_form_without_the_pages_token_says_anything(browser, ours, token):
    browser.get(path_of(ours))
    assert browser.post(path_of(ours), data={"verdict": "used", "form_token": token}, headers=OURS).status_code == 403
    browser.cookies.clear()
    assert browser.post(path_of(ours), data={"verdict": "used", "form_token": ""}, headers=OURS).status_code == 403
    assert row_of(ours).feedback is None


@pytest.mark.parametrize("verdict", ["used", "edited", "not_now", "wrong_reading"])
def test_a_button_says_it_and_the_page_shows_what_was_said(browser, ours, verdict):
    answer = say(browser, path_of(ours), verdict=verdict)
    assert (answer.status_code, answer.headers["location"]) == (303, path_of(ours))
    with transaction(ours.workspace_id) as db:
        assert db.execute("SELECT verdict, source FROM feedback").fetchall() == [(verdict, "link")]
    assert "the last word counts" in browser.get(path_of(ours)).text


def test_a_snooze_and_a_note_are_kept_and_a_day_too_far_is_told_on_the_page(browser, ours):
    refused = say(browser, path_of(ours), verdict="not_now", until="2027-01-01")
    assert refused.status_code == 409
    assert "90 days" in refused.text
    assert say(browser, path_of(ours), verdict="not_now", until="2026-03-20", note="After their audit.").status_code == 303
    found = row_of(ours)
    assert (found.snoozed_until, found.said_why) == (datetime(2026, 3, 20).date(), "After their audit.")


def test_an_angry_message_wants_the_line_here_as_well(browser, ours):
    read_again(ours, "test-2", emotions=(Emotion(name="anger", confidence=0.9, alternative="reported_not_felt"),))
    suggest(ours.workspace_id, NOW)
    assert 'name="felt"' in browser.get(path_of(ours)).text
    assert say(browser, path_of(ours), verdict="used").status_code == 422
    assert say(browser, path_of(ours), verdict="used", felt="They feel alone.").status_code == 303


@pytest.mark.parametrize(
    "fields", [{}, {"verdict": "sent"}, {"verdict": "used", "note": "a\x00b"}, {"verdict": "not_now", "until": "soon"}, {"verdict": "used", "felt": "x" * 301}]
)
def test_what_is_no_answer_is_a_page_in_words_and_leaves_no_row(browser, ours, fields):
    answer = say(browser, path_of(ours), **fields)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert row_of(ours).feedback is None


def test_one_link_is_not_asked_for_without_end_and_the_others_are_not_held_up(browser, ours, monkeypatch):
    monkeypatch.setattr(link, "OF_A_LINK", Rate(per_minute=1, burst=2))
    other = fill(builders.workspace(), "Other")
    assert [browser.get(path_of(ours)).status_code for _ in range(3)] == [200, 200, 429]
    answer = browser.get(path_of(ours))
    assert int(answer.headers["retry-after"]) > 0
    assert browser.get(path_of(other)).status_code == 200


# In the task


def test_the_tasks_text_ends_with_the_link_and_stays_as_it_is_from_day_to_day(ours, hold_clock: Hold):
    first = tasks_of(ours.workspace_id, [ours.suggestion_id])[ours.suggestion_id].task
    assert first is not None
    assert first.description.endswith(f"Tell us in one click: {feedback_link.address(ours.workspace_id, ours.suggestion_id, NOW.date())}")
    hold_clock(NOW + timedelta(days=3))
    again = tasks_of(ours.workspace_id, [ours.suggestion_id])[ours.suggestion_id].task
    assert again is not None
    assert again.description == first.description
