"""People who sign in with a password: who may not, how guessing ends, and that a session is over when it is ended."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from service import people
from service.api import create_app
from service.config import real_time
from service.console.session import COOKIE
from service.errors import BadInput, Conflict, NotFound, Unauthenticated
from service.keys import ROLES
from service.people import ATTEMPTS, LOCK
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.client import TestClient
from tests.filled import fill

PASSWORD = "four plain words here"


def name_of(workspace_id: UUID) -> str:
    return f"test {workspace_id}"


def sign_in(workspace_id: UUID, name: str = "ann", password: str = PASSWORD, now: Any = NOW) -> UUID:
    return people.sign_in(name_of(workspace_id), name, password, now)[1]


def refused(*arguments: Any, **more: Any) -> str:
    with pytest.raises(Unauthenticated) as caught:
        sign_in(*arguments, **more)
    return str(caught.value)


@pytest.fixture
def ann(workspace: UUID) -> UUID:
    people.add(workspace, "ann", "am", PASSWORD, NOW)
    return workspace


# Who may not


def test_no_password_can_be_read_out_of_the_database(servers, ann):
    people.add(ann, "bo", "am", PASSWORD, NOW)
    with psycopg.connect(servers) as owner:
        owner.execute("SET row_security = off")
        hashes = [row[0] for row in owner.execute("SELECT password FROM person WHERE workspace_id = %s", [ann])]
        rows = [row[0] for row in owner.execute("SELECT to_jsonb(p)::text FROM person p")]
    assert len(set(hashes)) == 2
    assert all(h.startswith("$argon2id$v=19$m=65536,t=3,p=4$") for h in hashes)
    assert not [r for r in rows if PASSWORD in r]


def test_whatever_is_wrong_the_refusal_says_the_same(ann):
    other = builders.workspace()
    people.add(other, "cy", "am", "another password", NOW)
    said = {
        refused(ann, password=PASSWORD + "x"),
        refused(ann, password=""),
        refused(ann, password="\ud800"),
        refused(ann, password="a\x00b"),
        refused(ann, password="x" * 5000),
        refused(ann, "nobody"),
        refused(ann, "an\x00n"),
        refused(ann, "\ud800"),
        refused("\ud800"),
        refused(ann, "cy", "another password"),
        refused(other),
        refused(uuid4()),
    }
    assert len(said) == 1
    assert PASSWORD not in said.pop()


def test_after_five_wrong_attempts_the_right_password_is_refused_for_a_quarter_of_an_hour(ann):
    for _ in range(ATTEMPTS):
        refused(ann, password="a wrong password")
    refused(ann)
    refused(ann, now=NOW + LOCK - timedelta(seconds=1))
    assert sign_in(ann, now=NOW + LOCK)


def test_a_lock_that_has_ended_gives_five_attempts_and_not_one_more(ann):
    for at in (NOW, NOW + LOCK):
        for _ in range(ATTEMPTS):
            refused(ann, password="a wrong password", now=at)
        refused(ann, now=at)


def test_the_fifth_attempt_may_still_be_right_and_forgets_the_others(ann):
    for _ in range(2):
        for _ in range(ATTEMPTS - 1):
            refused(ann, password="a wrong password")
        assert sign_in(ann)


def test_attempts_at_the_same_time_are_all_counted(ann):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: refused(ann, password="a wrong password"), range(ATTEMPTS)))
    refused(ann)


def test_a_lock_of_one_is_no_lock_of_another(ann):
    people.add(ann, "bo", "am", PASSWORD, NOW)
    for _ in range(ATTEMPTS):
        refused(ann, password="a wrong password")
    assert sign_in(ann, "bo")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 201, "a\x00bbbbbbbbbbbb", "\ud800" * 12])
def test_a_password_that_can_be_guessed_or_not_be_typed_makes_nobody(workspace, password):
    with pytest.raises(BadInput, match="A password has 12 to 200 characters"):
        people.add(workspace, "ann", "am", password, NOW)
    refused(workspace, password=password)


@pytest.mark.parametrize("name", ["", " ann", "a\nb", "\x00", "\ud800", "x" * 101])
def test_a_name_that_cannot_be_typed_makes_nobody(workspace, name):
    with pytest.raises(BadInput, match="A name has"):
        people.add(workspace, name, "am", PASSWORD, NOW)


def test_a_name_is_given_once_until_it_is_free_again(ann):
    with pytest.raises(Conflict, match="has that name"):
        people.add(ann, "ann", "admin", "another password", NOW)
    people.remove(ann, "ann", NOW)
    refused(ann)
    people.add(ann, "ann", "analyst", "another password", NOW)
    assert sign_in(ann, password="another password")
    refused(ann)


def test_nobody_of_another_workspace_is_changed(ann):
    other = builders.workspace()
    held = sign_in(ann)
    for change in (
        lambda: people.remove(other, "ann", NOW),
        lambda: people.set_password(other, "ann", PASSWORD, NOW),
        lambda: people.sign_out(other, "ann", NOW),
    ):
        with pytest.raises(NotFound):
            change()
    people.end_session(other, held, NOW)
    assert people.scopes_of(ann, held, NOW)
    assert people.scopes_of(other, held, NOW) == set()


# Sessions


def test_a_session_may_what_the_role_may_and_ends_in_time(ann):
    held = sign_in(ann)
    assert people.scopes_of(ann, held, NOW) == ROLES["am"]
    assert people.scopes_of(ann, held, NOW + people.LASTS) == set()
    assert people.scopes_of(ann, uuid4(), NOW) == set()


@pytest.mark.parametrize("end", ["sign_out", "remove", "set_password"])
def test_all_sessions_of_somebody_end_at_once_and_nobody_elses(ann, end):
    people.add(ann, "bo", "am", PASSWORD, NOW)
    first, second, of_bo = sign_in(ann), sign_in(ann), sign_in(ann, "bo")
    arguments = ("ann", "a new password", NOW) if end == "set_password" else ("ann", NOW)
    getattr(people, end)(ann, *arguments)
    assert [bool(people.scopes_of(ann, held, NOW)) for held in (first, second, of_bo)] == [False, False, True]


def test_a_new_password_ends_a_lock(ann):
    for _ in range(ATTEMPTS):
        refused(ann, password="a wrong password")
    people.set_password(ann, "ann", "a new password", NOW)
    assert sign_in(ann, password="a new password")


# On the console


@pytest.fixture
def browser(servers: str) -> TestClient:
    return TestClient(create_app(), base_url="http://testserver", raise_server_exceptions=False, follow_redirects=False)


def send(browser: TestClient, workspace_id: UUID, **form: str) -> Any:
    token = re.search(r'name="token" value="([^"]+)"', browser.get("/console/sign-in").text)
    assert token
    fields = {"workspace": name_of(workspace_id), "name": "ann", "password": PASSWORD, "token": token[1], **form}
    return browser.post("/console/sign-in/password", data=fields, headers={"Origin": "http://testserver"})


def test_a_wrong_password_shows_the_form_again_and_repeats_nothing(browser, ann):
    answer = send(browser, ann, password="a wrong password")
    assert answer.status_code == 401
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert "a wrong password" not in answer.text


def test_a_person_signs_in_and_out_and_the_cookie_they_had_opens_nothing_more(browser, ann):
    assert send(browser, ann).headers["location"] == "/console/day"
    cookie = browser.cookies[COOKIE]
    assert browser.get("/console").status_code == 200
    browser.post("/console/sign-out", headers={"Origin": "http://testserver"})
    assert browser.get("/console", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 303


def test_a_person_who_is_signed_out_on_the_machine_is_out_at_the_next_page(browser, ann):
    send(browser, ann)
    people.sign_out(ann, "ann", real_time())
    assert browser.get("/console").status_code == 303


@pytest.mark.parametrize(("role", "judges"), [("am", True), ("admin", True), ("analyst", False), ("revops", False)])
def test_a_role_sees_the_forms_that_it_may_send_and_no_other(browser, workspace, role, judges):
    found = fill(workspace, "Ours")
    people.add(workspace, "ann", role, PASSWORD, NOW)
    send(browser, workspace)
    page = browser.get(f"/console/accounts/{found.account_id}")
    assert page.status_code == 200
    assert ("/sentiment" in page.text) is judges


def test_a_fault_while_signing_in_leaves_no_session(ann):
    with transaction(ann) as db:
        assert db.execute("SELECT count(*) FROM person_session").fetchone() == (0,)
    refused(ann, password="a wrong password")
    with transaction(ann) as db:
        assert db.execute("SELECT count(*) FROM person_session").fetchone() == (0,)
