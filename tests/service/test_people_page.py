"""People and keys on the console: who may not, what a link is good for, that somebody always can let others in, and that every change is on record."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from service import invitations, keys, limits, people
from service.api import create_app
from service.config import real_time
from service.console.session import COOKIE, LASTS, Session, form_token, invitation_link, seal
from service.console.sign_in import PER_ADDRESS
from service.errors import Conflict, Unauthenticated
from service.store import audit_log
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.client import TestClient

ADDRESS = "http://testserver"
OURS = {"Origin": ADDRESS}
ISSUER = "https://login.example.com"
PASSWORD = "four plain words here"
app = cache(create_app)


def a_browser(held: Session | None = None, address: str | None = None) -> TestClient:
    cookies = {COOKIE: seal(held, "console session", real_time() + LASTS)} if held else {}
    client = (address or str(uuid4()), 1)
    return TestClient(app(), base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, cookies=cookies, client=client)


@pytest.fixture
def admin(servers: str, workspace: UUID) -> Session:
    """Ann's, whom a provider vouches for: that takes no time to hash."""
    return begun(workspace, "ann")


def begun(workspace: UUID, name: str) -> Session:
    """Of a new admin."""
    subject = str(uuid4())
    people.add_by_subject(workspace, name, "admin", ISSUER, subject, real_time())
    return Session(workspace, None, people.sign_in_by_subject(ISSUER, subject, None, real_time())[1])


def send(held: Session, path: str, **form: str) -> Any:
    return a_browser(held).post(path, data={**form, "token": form_token(held)}, headers=OURS)


def id_of(workspace: UUID, name: str) -> UUID:
    return next(p.person_id for p in people.listing(workspace) if p.name == name)


def log(workspace: UUID) -> list[tuple[str, str, str]]:
    with transaction(workspace) as db:
        return [(e.changed_by, e.action, e.subject) for e in reversed(audit_log.listing(db, 50))]


def token(page: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def here(link: str) -> str:
    """The link without the host that is set up."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def accept(browser: TestClient, link: str, password: str = PASSWORD, code: str | None = None) -> Any:
    page = browser.get(here(link))
    given = parse_qs(urlsplit(link).query)["code"][0]
    return browser.post("/console/sign-in/invitation", data={"code": code or given, "password": password, "token": token(page)}, headers=OURS)


# Who may not


@pytest.mark.parametrize("role", ["am", "analyst", "revops"])
def test_nobody_but_an_admin_sees_or_changes_who_may_come_in(admin, role):
    workspace = admin.workspace_id
    begun(workspace, "bo")
    people.set_role(workspace, "ann", role, real_time())
    before, known = people.listing(workspace), id_of(workspace, "bo")
    assert a_browser(admin).get("/console/people").status_code == 403
    assert "/console/people" not in a_browser(admin).get("/console").text
    for path in (
        "people",
        f"people/{known}/role",
        f"people/{known}/email",
        f"people/{known}/invitation",
        f"people/{known}/sign-out",
        f"people/{known}/remove",
        "keys",
    ):
        answer = send(admin, f"/console/{path}", name="cy", role="admin", days="30")
        assert answer.status_code == 403
        assert "Sign in as admin" in answer.text
    assert people.listing(workspace) == before


def test_nobody_of_another_workspace_is_named_or_changed(admin):
    other = builders.workspace()
    theirs = invitations.add(other, "theirs", "admin", "password", real_time())
    person_id = id_of(other, "theirs")
    keys.create(other, "their key", ["read"], real_time(), None)
    page = a_browser(admin).get("/console/people").text
    assert "theirs" not in page
    assert "their key" not in page
    for path in ("role", "invitation", "sign-out", "remove"):
        assert send(admin, f"/console/people/{person_id}/{path}", role="am").status_code == 404
    assert invitations.who(other, theirs.invitation_id, real_time()).role == "admin"


def test_the_last_admin_who_can_sign_in_stays_one(admin):
    """An admin who has not used their link yet lets nobody in."""
    workspace, me = admin.workspace_id, id_of(admin.workspace_id, "ann")
    invitations.add(workspace, "bo", "admin", "password", real_time())
    for path, form in (("remove", {}), ("role", {"role": "am"})):
        answer = send(admin, f"/console/people/{me}/{path}", **form)
        assert answer.status_code == 409
        assert "the last admin" in answer.text
    with pytest.raises(Conflict):
        people.remove(workspace, "ann", real_time())
    begun(workspace, "cy")
    assert send(admin, f"/console/people/{me}/remove").status_code == 303
    assert a_browser(admin).get("/console/people").status_code == 303


def test_a_name_is_text_wherever_it_is_shown(admin):
    hostile = '<script>alert(1)</script>"onx='
    answer = send(admin, "/console/people", name=hostile, role="am")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script>alert" not in a_browser().get(here(re.search(r"<code>([^<]+)</code>", answer.text)[1])).text


@pytest.mark.parametrize(
    "form", [{"name": "", "role": "am"}, {"name": "a\nb", "role": "am"}, {"name": "bo", "role": "boss"}, {"name": "bo", "role": "am", "sign_in": "x"}]
)
def test_what_makes_nobody_is_refused_in_words(admin, form):
    answer = send(admin, "/console/people", **form)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert [p.name for p in people.listing(admin.workspace_id)] == ["ann"]


# Links


def test_a_link_sets_a_password_once_and_signs_in(admin):
    answer = send(admin, "/console/people", name="bo", role="revops")
    link = re.search(r"<code>([^<]+)</code>", answer.text)
    assert link
    assert "code=" not in a_browser(admin).get("/console/people").text
    bo = a_browser()
    assert f"the workspace <strong>test {admin.workspace_id}</strong>" in bo.get(here(link[1])).text
    assert accept(bo, link[1]).headers["location"] == "/console"
    assert bo.get("/console").status_code == 200
    assert people.sign_in(f"test {admin.workspace_id}", "bo", PASSWORD, real_time())
    assert a_browser().get(here(link[1])).status_code == 401
    assert log(admin.workspace_id)[-2:] == [("ann", "invite person", "bo"), ("bo", "set password", "bo")]


def test_a_password_that_is_refused_leaves_the_link_good(admin):
    link, bo = invitation_link(invitations.add(admin.workspace_id, "bo", "am", "password", real_time())), a_browser()
    answer = accept(bo, link, "tooshort")
    assert (answer.status_code, "12 to 200 characters" in answer.text, "tooshort" in answer.text) == (422, True, False)
    assert accept(bo, link).status_code == 303


def test_whoever_is_added_can_have_their_address_of_the_crm_at_once(admin):
    made = send(admin, "/console/people", name="bo", role="am", email="Bo@Ours.example")
    assert 'class="card notice done shown"' in made.text
    assert next(p.email for p in people.listing(admin.workspace_id) if p.name == "bo") == "bo@ours.example"
    taken = send(admin, "/console/people", name="cy", role="am", email="bo@ours.example")
    assert "code=" in taken.text, "the link is not lost"
    assert "The mail address was not taken: Somebody else" in taken.text


def test_a_newer_link_a_removal_and_three_days_end_a_link(admin):
    workspace = admin.workspace_id
    first = invitations.add(workspace, "bo", "am", "password", NOW)
    invitations.who(workspace, first.invitation_id, NOW + invitations.GOOD_FOR - timedelta(seconds=1))
    over = NOW + invitations.GOOD_FOR
    second = invitations.renew(workspace, "bo", NOW)
    for invitation, at in ((first, NOW), (second, over)):
        with pytest.raises(Unauthenticated):
            invitations.accept_password(workspace, invitation.invitation_id, PASSWORD, at)
    people.remove(workspace, "bo", NOW)
    with pytest.raises(Unauthenticated):
        invitations.accept_password(workspace, second.invitation_id, PASSWORD, NOW)


def test_no_link_is_made_of_what_the_database_holds_or_of_another_sealed_text(admin):
    browser = a_browser()
    link = invitation_link(invitations.add(admin.workspace_id, "bo", "am", "password", real_time()))
    other = seal(admin, "console session", real_time() + LASTS)
    for code in ("", "x", str(uuid4()), other, link.partition("code=")[2][:-2] + "AA"):
        assert accept(browser, link, code=code or "-").status_code == 401
    assert browser.get("/console/sign-in/invitation", params={"code": "\x00"}).status_code in (401, 422)
    assert COOKIE not in browser.cookies


def test_a_new_password_by_a_link_ends_the_sessions_that_there_were(admin):
    workspace = admin.workspace_id
    people.add(workspace, "bo", "am", PASSWORD, real_time())
    theirs = Session(workspace, None, people.sign_in(f"test {workspace}", "bo", PASSWORD, real_time())[1])
    link = invitation_link(invitations.renew(workspace, "bo", real_time()))
    assert a_browser(theirs).get("/console").status_code == 200
    assert accept(a_browser(), link, "another four plain words").status_code == 303
    assert a_browser(theirs).get("/console").status_code == 303


# What an admin does


def test_the_address_by_which_the_crm_knows_somebody_is_set_and_taken_out_and_belongs_to_one(admin):
    workspace = admin.workspace_id
    begun(workspace, "bo")
    bo, ann = id_of(workspace, "bo"), id_of(workspace, "ann")
    assert send(admin, f"/console/people/{bo}/email", email=" Bo@Ours.example ").status_code == 303
    assert 'value="bo@ours.example"' in a_browser(admin).get("/console/people").text
    assert send(admin, f"/console/people/{ann}/email", email="bo@ours.example").status_code == 409
    assert send(admin, f"/console/people/{ann}/email", email="no address").status_code == 422
    assert send(admin, f"/console/people/{bo}/email").status_code == 303
    assert [p.email for p in people.listing(workspace)] == [None, None]
    assert "ours.example" not in str(log(workspace))


def test_a_new_role_counts_from_the_next_page_on_and_signing_out_from_the_same_moment(admin):
    workspace = admin.workspace_id
    theirs = begun(workspace, "bo")
    known = id_of(workspace, "bo")
    assert a_browser(theirs).get("/console/people").status_code == 200
    assert send(admin, f"/console/people/{known}/role", role="analyst").status_code == 303
    assert a_browser(theirs).get("/console/people").status_code == 403
    assert send(admin, f"/console/people/{known}/sign-out").status_code == 303
    assert a_browser(theirs).get("/console").status_code == 303
    assert send(admin, f"/console/people/{known}/remove").status_code == 303
    done = [("ann", "change role", "bo"), ("ann", "sign out everywhere", "bo"), ("ann", "remove person", "bo")]
    assert log(workspace) == [("command line", "add person", "ann"), ("command line", "add person", "bo"), *done]


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(admin):
    answer = send(admin, "/console/keys", name="weekly report", role="analyst", days="30")
    key = re.search(r"<code>(ut_[0-9a-f]{8}_[^<]{43})</code>", answer.text)
    assert key
    assert keys.authenticate(key[1], real_time()).scopes == {"read"}
    page = a_browser(admin).get("/console/people").text
    assert key[1] not in page
    assert key[1][:11] in page
    [path] = re.findall(r'action="(/console/keys/[0-9a-f-]{36}/revoke)"', page)
    assert send(admin, path).status_code == 303
    assert send(admin, path).status_code == 404
    with pytest.raises(Unauthenticated):
        keys.authenticate(key[1], real_time())
    assert log(admin.workspace_id)[-2:] == [("ann", "create key", "weekly report"), ("ann", "revoke key", "weekly report")]
    with transaction(admin.workspace_id) as db:
        kept = str([(e.before, e.after) for e in audit_log.listing(db, 10)])
    assert key[1][12:] not in kept
    assert PASSWORD not in kept


# From one address


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/sign-in/password"])
def test_after_so_many_attempts_from_one_address_not_even_the_right_password_is_looked_at(admin, path):
    """An address of IPv6 counts by its first 64 bits: whoever has one has all of them."""
    people.add(admin.workspace_id, "bo", "am", PASSWORD, real_time())
    key = keys.create(admin.workspace_id, "key", ["read"], real_time(), None)
    network = f"2001:db8:{admin.workspace_id.hex[:4]}:{admin.workspace_id.hex[4:8]}"

    def attempt(address: str) -> Any:
        browser = a_browser(address=address)
        fields = {"workspace": f"test {admin.workspace_id}", "name": "bo", "password": PASSWORD, "key": key, "token": token(browser.get("/console/sign-in"))}
        return browser.post(path, data=fields, headers=OURS)

    assert attempt(f"{network}::1").status_code == 303
    name = f"sign-in:{ip_network(f'{network}::/64')}"
    while limits.take(name, PER_ADDRESS, real_time() + timedelta(hours=1)).granted:  # by a clock that is ahead, so that nothing drips in meanwhile
        pass
    refused = attempt(f"{network}::2")
    assert refused.status_code == 429
    assert COOKIE not in refused.headers.get("set-cookie", "")
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many attempts from your address" in refused.text
    assert attempt(str(uuid4())).status_code == 303
