"""My day: whose it is, what is in it and in which order, and what it never shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from connectors.records import Account, User
from service import feedback, people
from service.config import real_time
from service.console import session
from service.console.session import COOKIE, LASTS, Session
from service.errors import BadInput, Conflict, NotFound
from service.store import landing, linking, signals, suggestions, workspaces
from service.store import people as stored
from service.store.pool import transaction
from service.suggest import suggest
from tests import builders
from tests.builders import NOW
from tests.client import TestClient
from tests.filled import Filled, fill
from tests.service.inside import ADDRESS, OURS, Inside

PASSWORD = "four plain words here"
ANN = "ann@vendor.example"
Hold = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def on_the_day(hold_clock: Hold) -> None:
    hold_clock(NOW)


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


def signed_in(app: Any, workspace_id: UUID, email: str | None, role: str = "am") -> TestClient:
    people.add(workspace_id, "ann", role, PASSWORD, real_time())  # type: ignore[arg-type]
    people.set_email(workspace_id, "ann", email or "", real_time())
    _, person = people.sign_in(f"test {workspace_id}", "ann", PASSWORD, real_time())
    sealed = session.seal(Session(workspace_id, None, person), "console session", real_time() + LASTS)
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, cookies={COOKIE: sealed})


def more(whose: Filled, name: str, *, renewal: date | None, arr: float, owner: str = "U1", confidence: float = 0.8) -> UUID:
    """Another account of the same connection, with a suggestion."""
    with transaction(whose.workspace_id) as db:
        account_id = builders.account(db, whose.connection_id, key=name, name=name, renewal=renewal)
        landing.land(db, whose.connection_id, Account, [Account(key=name, name=name, owner_key=owner, arr=arr, currency="EUR")])
        linking.link_late_keys(db, whose.connection_id)
        signals.append(db, [builders.signal(account_id, confidence=confidence)], "test", workspaces.next_change(db))
    suggest(whose.workspace_id, NOW)
    with transaction(whose.workspace_id) as db:
        return next(s.suggestion_id for s in suggestions.open_suggestions(db) if s.account_id == account_id)


def shown(page: str) -> list[str]:
    return re.findall(r'<h2><a href="/console/accounts/[^"]+#suggestion">([^<]+)</a>', page)


# Whose it is


def test_somebody_elses_suggestions_are_not_in_my_day(app, ours):
    with transaction(ours.workspace_id) as db:
        landing.land(db, ours.connection_id, User, [User(key="U2", name="Cy Holt", email="cy@vendor.example")])
    more(ours, "Theirs", renewal=None, arr=1.0, owner="U2")
    assert shown(signed_in(app, ours.workspace_id, ANN).get("/console/day").text) == ["Ours"]


def test_who_is_no_user_of_the_crm_chooses_an_owner_and_sees_no_suggestion_before(app, ours):
    browser = signed_in(app, ours.workspace_id, "nobody@vendor.example")
    page = browser.get("/console/day").text
    assert shown(page) == []
    assert "<option>Ann Berg</option>" in page
    assert shown(browser.get("/console/day", params={"owner": "Ann Berg"}).text) == ["Ours"]
    assert "No user of the CRM has that name." in browser.get("/console/day", params={"owner": "Nobody"}).text
    assert shown(Inside(app, ours.workspace_id, "revops").get("/console/day").text) == []


def test_an_address_belongs_to_one_person_of_a_workspace_and_is_free_again_once_they_are_gone(workspace):
    elsewhere = builders.workspace()
    for where, name in ((workspace, "ann"), (workspace, "bo"), (elsewhere, "ann")):
        people.add(where, name, "am", PASSWORD, NOW)
    people.set_email(workspace, "ann", " Ann@Vendor.Example ", NOW)
    people.set_email(elsewhere, "ann", ANN, NOW)
    with pytest.raises(Conflict):
        people.set_email(workspace, "bo", ANN, NOW)
    with transaction(workspace) as db:
        assert [(p.name, p.email) for p in stored.listing(db)] == [("ann", ANN), ("bo", None)]
    people.remove(workspace, "ann", NOW)
    people.set_email(workspace, "bo", ANN, NOW)
    people.set_email(workspace, "bo", "", NOW)
    with pytest.raises(NotFound):
        people.set_email(workspace, "nobody", ANN, NOW)


@pytest.mark.parametrize("email", ["ann", "ann@", "@x", "a b@c", "a@b\x00", "a@" + "b" * 330, "ann@b@c", "änn@b"])
def test_what_is_no_mail_address_is_refused_and_changes_nothing(workspace, email):
    people.add(workspace, "ann", "am", PASSWORD, NOW)
    people.set_email(workspace, "ann", ANN, NOW)
    with pytest.raises(BadInput):
        people.set_email(workspace, "ann", email, NOW)
    with transaction(workspace) as db:
        assert [p.email for p in stored.listing(db)] == [ANN]


# What is in it


def test_a_renewal_that_is_near_comes_first_then_value_then_how_sure_we_are(app, ours):
    near, far = NOW.date() + timedelta(days=20), NOW.date() + timedelta(days=200)
    for name, renewal, arr, sure in (
        ("Small near", near, 10.0, 0.7),
        ("Large far", far, 900_000.0, 0.9),
        ("Same, surer", far, 500.0, 0.9),
        ("Same", far, 500.0, 0.7),
    ):
        more(ours, name, renewal=renewal, arr=arr, confidence=sure)
    assert shown(Inside(app, ours.workspace_id, "am").get("/console/day?owner=Ann Berg").text) == ["Ours", "Small near", "Large far", "Same, surer", "Same"]


def test_each_is_told_with_what_changed_whose_words_and_how_sure(app, ours):
    page = signed_in(app, ours.workspace_id, ANN).get("/console/day").text
    for part in ("We had to explain the new price", "Bo Lind, 2 Mar 2026", "Quite sure", "renewal 1 May 2026, in 2 months", "12,000 EUR", "Due in"):
        assert part in page, part
    assert f'href="/console/accounts/{ours.account_id}#suggestion"' in page


def test_what_is_put_off_is_folded_away_with_day_and_reason_until_that_day(app, ours, hold_clock: Hold):
    until = NOW.date() + timedelta(days=9)
    feedback.give(ours.workspace_id, ours.suggestion_id, "not_now", "console", NOW.date(), note="Their audit ends first.", until=until)
    browser = signed_in(app, ours.workspace_id, ANN)
    page = browser.get("/console/day").text
    assert shown(page) == []
    folded = page.partition("<summary>Put off</summary>")[2]
    assert "Not now, until 11 Mar 2026" in folded
    assert "Their audit ends first." in folded
    hold_clock(NOW + timedelta(days=9))
    assert shown(browser.get("/console/day").text) == ["Ours"]


def test_what_was_answered_waits_no_longer_and_one_more_than_five_is_said(app, ours):
    browser = signed_in(app, ours.workspace_id, ANN)
    feedback.give(ours.workspace_id, ours.suggestion_id, "used", "console", NOW.date())
    page = browser.get("/console/day").text
    assert shown(page) == []
    assert "Answered; the task is still open in the CRM" in page
    with transaction(ours.workspace_id) as db:
        landing.land(db, ours.connection_id, User, [User(key="U2", name="Cy Holt", email="cy@vendor.example")])
    for n in range(6):
        more(ours, f"Handed over {n}", renewal=None, arr=float(n), owner="U2" if n > 3 else "U1")
    with transaction(ours.workspace_id) as db:  # as after a hand-over of accounts
        db.execute("UPDATE account SET owner_key = 'U1'")
    page = browser.get("/console/day").text
    assert len(shown(page)) == 5
    assert "And 1 more that is open" in page


# The way there


@pytest.mark.parametrize(
    ("role", "back", "to"), [("am", "/console", "/console/day"), ("am", "/console/connections", "/console/connections"), ("analyst", "/console", "/console")]
)
def test_an_account_manager_lands_on_their_day_unless_they_wanted_something_else(app, workspace, role, back, to):
    people.add(workspace, "ann", role, PASSWORD, NOW)
    browser = TestClient(app, base_url=ADDRESS, follow_redirects=False)
    found = re.search(r'name="token" value="([^"]+)"', browser.get("/console/sign-in").text)
    assert found
    form = {"workspace": f"test {workspace}", "name": "ann", "password": PASSWORD, "token": found[1], "next": back}
    assert browser.post("/console/sign-in/password", data=form, headers=OURS).headers["location"] == to
