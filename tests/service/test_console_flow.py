"""The suggestion on the account's page: the pause before everything else, how the draft was checked, until when it is good, what they asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from service import feedback, preferences
from service.api import create_app
from service.playbook.pause import ANGRY, CARD
from service.signals import Preference
from service.store.readings import Emotion
from service.suggest import suggest
from tests.builders import NOW
from tests.client import TestClient, key
from tests.filled import Filled, fill, read_again

ADDRESS = "http://testserver"
Hold = Callable[[datetime], None]


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


@pytest.fixture
def page(servers: str, ours: Filled) -> Callable[[], str]:
    """Reads the account's page as somebody who is signed in."""
    browser = TestClient(create_app(), base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False)
    found = re.search(r'name="token" value="([^"]+)"', browser.get("/console/sign-in").text)
    assert found
    secret = key(ours.workspace_id, "read")["Authorization"].removeprefix("Bearer ")
    form = {"key": secret, "token": found[1]}
    assert browser.post("/console/sign-in", data=form, headers={"Origin": ADDRESS}).status_code == 303
    return lambda: browser.get(f"/console/accounts/{ours.account_id}").text.partition("<h1>")[2]


def test_a_fresh_draft_is_not_called_stale_and_an_old_one_is(page, hold_clock: Hold):
    hold_clock(NOW)
    assert "Stale:" not in page()
    assert "Good until 9 March, or until they write again." in page()
    assert re.search(r"Checked against \d+ rules; none that would block it is broken\.", page())
    hold_clock(NOW + timedelta(days=8))
    assert "<strong>Stale:</strong> it was good until 9 March." in page()


def test_an_angry_message_puts_the_pause_before_the_suggestion(page, ours, hold_clock: Hold):
    hold_clock(NOW)
    assert CARD[0] not in page()
    read_again(ours, "test-2", emotions=(Emotion(name="anger", confidence=ANGRY, alternative="reported_not_felt"),))
    suggest(ours.workspace_id, NOW)
    text = page()
    assert text.index(CARD[0]) < text.index(CARD[2]) < text.index("What we see:")


def test_the_draft_of_what_we_read_wrong_is_folded_away(page, ours, hold_clock: Hold):
    hold_clock(NOW)
    assert "wrong reading: the draft" not in page()
    feedback.give(ours.workspace_id, ours.suggestion_id, "wrong_reading", "console", NOW.date())
    assert re.search(r"<details class=\"folded\"><summary>Said to be a wrong reading: the draft</summary>\s*<form class=\"write\"", page())


def test_what_a_contact_asked_for_stands_beside_their_name(page, ours, hold_clock: Hold):
    hold_clock(NOW)
    preferences.state(ours.workspace_id, ours.contact_id, Preference(channel="chat", opted_out=True, stated_at=NOW), "api")
    suggest(ours.workspace_id, NOW)
    assert "; do not contact" in page()
    assert "To be reached in the chat." in page()
    assert "No draft: they asked not to be written to" in page()
