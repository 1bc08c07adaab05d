"""The strip on every page of the console: who does not see it, what it may not do, and that it leads to what helps."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from connectors.records import Rejected
from service.config import real_time
from service.console import session
from service.console.session import COOKIE, Session
from service.score import score
from service.store import accounts, connections, quarantine
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.chromium import chromium
from tests.client import TestClient
from tests.filled import Filled, fill

HOSTILE = "<script>alert(1)</script>`<img src=x onerror=alert(2)>"


def visit(app: Any, workspace_id: UUID) -> TestClient:
    browser = TestClient(app, base_url="http://testserver", raise_server_exceptions=False, follow_redirects=False)
    browser.cookies.set(COOKIE, session.seal(Session(workspace_id, None), "console session", real_time() + timedelta(hours=1)), path="/console")
    return browser


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


def stop(whose: Filled, status: connections.Status = "auth_failed", reason: str = "The login was refused.") -> None:
    with transaction(whose.workspace_id) as db:
        connections.set_status(db, whose.connection_id, status, reason)


def pages_of(whose: Filled) -> tuple[str, ...]:
    return ("/console", "/console?search=nobody", f"/console/accounts/{whose.account_id}", "/console/connections", f"/console/accounts/{uuid4()}")


def strip(text: str) -> str:
    found = re.search(r'<aside class="strip.*?</aside>', text, re.S)
    return found[0] if found else ""


def test_where_all_is_well_no_page_has_a_strip(app, ours):
    browser = visit(app, ours.workspace_id)
    assert [strip(browser.get(path).text) for path in pages_of(ours)] == [""] * 5


def test_nobody_sees_another_workspaces_trouble_nor_any_before_signing_in(app, ours):
    stop(ours)
    stranger = visit(app, builders.workspace())
    assert strip(stranger.get("/console").text) == ""
    assert "refused" not in stranger.get("/console/connections").text
    assert strip(TestClient(app).get("/console/sign-in").text) == ""


@pytest.mark.parametrize("status", ["auth_failed", "misconfigured", "paused"])
def test_every_page_says_that_a_connection_stands_still_and_leads_to_what_helps(app, ours, status):
    stop(ours, status)
    browser = visit(app, ours.workspace_id)
    for path in pages_of(ours):
        shown = strip(browser.get(path).text)
        assert 'role="status"' in shown, path
        assert "crm Ours: " in shown
        assert "What rests on it is unknown until that is mended." in shown
        assert f'href="/console/connections#c-{ours.connection_id}"' in shown
    page = browser.get("/console/connections").text
    assert f'id="c-{ours.connection_id}"' in page
    assert "The login was refused." in page
    assert "<code>undertone " in page


def test_what_waits_by_itself_is_said_without_alarm_and_what_is_a_note_not_on_every_page(app, ours):
    with transaction(ours.workspace_id) as db:
        connections.park(db, ours.connection_id, timedelta(hours=3), "Most of today's calls are used.")
        quarantine.add(db, ours.connection_id, "emails", [Rejected(source_key="x", reason="no date")])
    browser = visit(app, ours.workspace_id)
    shown = strip(browser.get("/console").text)
    assert "waits until" in shown
    assert "unknown" not in shown
    assert "quarantine" not in shown
    assert "1 row of crm Ours" in browser.get("/console/connections").text


def test_a_task_that_could_not_be_written_makes_nothing_unknown(app, ours):
    with transaction(ours.workspace_id) as db:
        db.execute("UPDATE outbox SET state = 'dead', error = 'The owner is inactive'")
    shown = strip(visit(app, ours.workspace_id).get("/console").text)
    assert "tasks could not be written" in shown
    assert "unknown" not in shown


def test_many_troubles_stay_one_line(app, ours):
    with transaction(ours.workspace_id) as db:
        for n in range(6):
            connections.set_status(db, builders.connection(db, name=f"crm {n}"), "misconfigured", "No.")
    shown = strip(visit(app, ours.workspace_id).get("/console").text)
    assert shown.count("<a ") == 4
    assert "and 3 more" in shown


def test_no_reason_or_name_of_outside_becomes_markup(app, ours):
    with transaction(ours.workspace_id) as db:
        db.execute("UPDATE connection SET name = %s", [HOSTILE])
        db.execute(
            "INSERT INTO stream (workspace_id, connection_id, name, error, missing) VALUES (%s, %s, %s, %s, %s)",
            [ours.workspace_id, ours.connection_id, HOSTILE, HOSTILE, [HOSTILE]],
        )
    browser = visit(app, ours.workspace_id)
    for path in pages_of(ours):
        text = browser.get(path).text
        assert "<script>alert" not in text
        assert "<img" not in text
    assert "&lt;script&gt;" in browser.get("/console/connections").text


def test_the_page_of_an_account_whose_mail_cannot_be_read_says_that_its_mood_is_not_known(app, ours):
    with transaction(ours.workspace_id) as db:
        old = NOW - timedelta(days=9)
        read_on = [ours.workspace_id, ours.connection_id, old]
        db.execute("INSERT INTO stream (workspace_id, connection_id, name, succeeded_at) VALUES (%s, %s, 'emails', %s)", read_on)
        accounts.mark_all_due(db)
    score(ours.workspace_id, NOW)
    page = visit(app, ours.workspace_id).get(f"/console/accounts/{ours.account_id}").text
    assert re.search(r"Not known: mood[,.]", page)
    assert "out of date since" in strip(page)


# In a real browser


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_strip_and_connections_fit_the_screen_and_can_be_read(served, ours, width, scheme):
    long = "The connected user cannot see this object. " * 6
    stop(ours, "misconfigured", long)
    with transaction(ours.workspace_id) as db:
        other = builders.connection(db, name="a second connection with quite a long name")
        for name, error in (("emails", None), ("opportunities", long), ("tasks", None)):
            db.execute(
                "INSERT INTO stream (workspace_id, connection_id, name, error, landed, calls, missing) VALUES (%s, %s, %s, %s, 1234567, 890, %s)",
                [ours.workspace_id, other, name, error, ["A_quite_long_field_name__c"]],
            )
    with chromium() as opened:
        tab = opened.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=served)
        tab.goto(f"/console/enter?code={session.sign_in_link(ours.workspace_id, real_time()).partition('code=')[2]}")
        for path in ("/console", "/console/connections"):
            tab.goto(path)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
            colours = tab.evaluate(
                "(() => { const s = document.querySelector('.strip'), c = getComputedStyle(s), a = getComputedStyle(s.querySelector('a'));"
                " return [c.backgroundColor, a.color].map(v => v.match(/[0-9.]+/g).slice(0, 3).map(Number)); })()"
            )
            assert _contrast(*colours) >= 4.5
        tab.get_by_role("status").get_by_role("link").first.click()
        assert tab.url.endswith(f"/console/connections#c-{ours.connection_id}")


def _contrast(first: list[float], second: list[float]) -> float:
    """Of two colours, by the rule that accessibility guidelines use."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: list[float]) -> float:
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
