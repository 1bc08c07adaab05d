"""What was said, on the account's page: who may correct it, whose words become markup (nobody's), and what is shown."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from service import keys
from service.config import real_time
from service.console import session as sessions
from service.console.session import Session
from service.messages import own_texts
from service.store import corrections
from service.store.corrections import CorrectionRow
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.chromium import NARROW, chromium
from tests.client import TestClient
from tests.filled import Filled, fill, read_again

ADDRESS = "http://testserver"
SELF = {"Origin": ADDRESS}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


@pytest.fixture
def browser(app: Any) -> TestClient:
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


@pytest.fixture(scope="module")
def theirs(servers: str) -> Filled:
    return fill(builders.workspace(), "CANARYtheirs")


def made(whose: Filled) -> list[CorrectionRow]:
    with transaction(whose.workspace_id) as db:
        return corrections.current(db, [whose.interaction_id]).get(whose.interaction_id, [])


def sign_in(browser: TestClient, workspace_id: UUID, *scopes: str) -> None:
    found = re.search(r'name="token" value="([^"]+)"', browser.get("/console/sign-in").text)
    assert found
    made_key = keys.create(workspace_id, "test", scopes or ["read", "feedback"], real_time(), None)
    assert browser.post("/console/sign-in", data={"key": made_key, "token": found[1]}, headers=SELF).status_code == 303


def form_of(browser: TestClient, whose: Filled) -> dict[str, str]:
    """The hidden fields of the message's form."""
    text = browser.get(f"/console/accounts/{whose.account_id}").text
    return dict(re.findall(r'type="hidden" name="(token|version)" value="([^"]+)"', text))


def post(browser: TestClient, whose: Filled, form: dict[str, str], **headers: str) -> Any:
    return browser.post(f"/console/messages/{whose.interaction_id}/sentiment", data=form, headers={**SELF, **headers})


def test_nobody_corrects_without_a_session(browser, ours):
    assert post(browser, ours, {"value": "0.5", "version": "test", "token": "x"}).headers["location"].startswith("/console/sign-in")
    assert made(ours) == []


def test_a_session_whose_key_may_only_read_is_shown_no_form_and_corrects_nothing(browser, ours):
    sign_in(browser, ours.workspace_id, "read")
    text = browser.get(f"/console/accounts/{ours.account_id}").text
    assert "What was said" in text
    assert "Not right?" not in text
    answer = post(browser, ours, {"value": "0.5", "version": "test", "token": _sealed(ours.workspace_id, browser)})
    assert answer.status_code == 403
    assert "--scope feedback" in answer.text
    assert made(ours) == []


def _sealed(workspace_id: UUID, browser: TestClient) -> str:
    """A token of ours for the session that the browser has."""
    found = sessions.unseal(browser.cookies[sessions.COOKIE], "console session", real_time())
    assert found.workspace_id == workspace_id
    return sessions.seal(found, "console form", real_time() + timedelta(hours=1))


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://testserver.evil.example"}])
def test_a_form_that_another_site_has_filled_in_corrects_nothing(browser, ours, headers):
    sign_in(browser, ours.workspace_id)
    assert post(browser, ours, {**form_of(browser, ours), "value": "0.5"}, **headers).status_code == 403
    assert made(ours) == []


def test_a_form_without_the_token_of_this_session_corrects_nothing(browser, ours, theirs):
    sign_in(browser, ours.workspace_id)
    form = {**form_of(browser, ours), "value": "0.5"}
    later = real_time() + timedelta(hours=1)
    wrong = [
        *("", "x", browser.cookies[sessions.COOKIE], form["token"][:-3] + "AAA"),
        sessions.seal(Session(ours.workspace_id, None), "console form", later),
        sessions.seal(Session(theirs.workspace_id, None), "console form", later),
        sessions.seal(Session(ours.workspace_id, None), "console link", later),
    ]
    for token in wrong:
        assert post(browser, ours, {**form, "token": token}).status_code == 403
    assert made(ours) == []
    assert post(browser, ours, form).status_code == 303


def test_a_form_for_a_message_of_another_workspace_is_a_404(browser, ours, theirs):
    sign_in(browser, ours.workspace_id)
    answer = post(browser, theirs, {**form_of(browser, ours), "value": "0.5"})
    assert answer.status_code == 404
    assert theirs.mark not in answer.text
    assert made(theirs) == []


@pytest.mark.parametrize("form", [{"value": "0.4"}, {"value": ""}, {"value": "0.5", "version": "\x00"}, {"value": "0.5", "version": "x" * 300}, {}])
def test_a_form_with_another_value_is_a_page_in_words(browser, ours, form):
    sign_in(browser, ours.workspace_id)
    answer = post(browser, ours, {**form_of(browser, ours), **form})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert made(ours) == []


def test_no_words_of_a_buyer_become_markup(browser, workspace):
    found = fill(workspace, "Hostile", words=f"We are done with this. {HOSTILE}")
    sign_in(browser, workspace)
    said = _section(browser, found)
    assert "We are done with this. &lt;script&gt;alert(1)" in said
    assert "<script" not in said
    assert "<img" not in said


def _section(browser: TestClient, whose: Filled) -> str:
    text = browser.get(f"/console/accounts/{whose.account_id}").text
    return text[text.index('id="said"') :].partition("</section>")[0]


def test_the_page_shows_the_words_the_verdict_and_what_else_it_could_be(browser, ours):
    sign_in(browser, ours.workspace_id)
    said = _section(browser, ours)
    assert "We had to explain the new price to our board twice" in said
    assert "Mood: <strong>negative, quite sure (0.90)</strong>" in said
    assert "Frustration (0.60); it may also be: They may only be reporting a fact, without being upset." in said
    assert "Price questioned (0.80)" in said
    assert "Risk of leaving: they doubt the matter itself" in said


def test_where_the_reader_abstained_the_page_says_unsure_and_names_no_feeling(browser, ours):
    read_again(ours, "later", abstained=True, confidence=0.4, churn_risk=1)
    sign_in(browser, ours.workspace_id)
    said = _section(browser, ours)
    assert "Mood: <strong>unsure</strong>" in said
    assert "Frustration" not in said
    assert "Risk of leaving" not in said


def test_a_correction_is_shown_beside_the_verdict(browser, ours):
    sign_in(browser, ours.workspace_id)
    answer = post(browser, ours, {**form_of(browser, ours), "value": "0.5"})
    assert answer.headers["location"] == f"/console/accounts/{ours.account_id}#message-{ours.interaction_id}"
    said = _section(browser, ours)
    assert "negative, quite sure (0.90)" in said
    assert "mood corrected to positive by you or a colleague, " in said
    assert [(c.label, c.predicted, c.corrected, c.source) for c in made(ours)] == [("sentiment", -0.6, 0.5, "console")]


def test_the_page_shows_the_newest_twelve_of_theirs_alone(browser, ours):
    with transaction(ours.workspace_id) as db:
        mails = [builders.email(account_key="A-Ours", occurred_at=NOW - timedelta(days=n), body=f"Letter {n} of many.") for n in range(1, 15)]
        others = [builders.email(account_key="A-Ours", body="Ours."), builders.email(account_key="A-Ours", body="Machine.")]
        builders.land_emails(db, ours.connection_id, [*mails, replace(others[0], direction="out"), replace(others[1], automatic=True)])
    own_texts(ours.workspace_id)
    sign_in(browser, ours.workspace_id)
    said = _section(browser, ours)
    assert said.count('id="message-') == 12
    assert "Letter 11 of many." in said
    assert "Letter 12 of many." not in said
    assert "Machine." not in said
    assert "not read yet" in said
    assert said.count("Not right?") == 1


# In a real browser


@pytest.mark.browser
def test_a_person_corrects_a_mood_with_one_click(served, ours):
    with chromium() as opened:
        tab = opened.new_page(viewport=NARROW, base_url=served)
        tab.goto(f"/console/accounts/{ours.account_id}")
        tab.fill("#key", keys.create(ours.workspace_id, "test", ["read", "feedback"], real_time(), None))
        tab.press("#key", "Enter")
        tab.click("form.correct button:text('neutral')")
        tab.wait_for_selector("#said .tag:has-text('mood corrected to neutral by you')")
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
    assert [(c.corrected, c.source) for c in made(ours)] == [(0.0, "console")]
