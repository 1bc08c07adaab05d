"""The console: who may not look, what a hostile name can do (nothing), and that a session ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given, settings, strategies

from connectors.records import Contact
from service import keys
from service.config import real_time
from service.console import overview, session
from service.console.session import COOKIE, Session
from service.errors import Unauthenticated
from service.store import connections, landing, signals, workspaces
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.chromium import NARROW, chromium
from tests.client import TestClient
from tests.filled import Filled, fill, outlook

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
ADDRESS = "http://testserver"
SELF = {"Origin": ADDRESS}


@pytest.fixture
def browser(app: Any) -> TestClient:
    return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture(scope="module")
def ours(servers: str) -> Filled:
    return fill(builders.workspace(), HOSTILE, words=f"We are done with this. {HOSTILE}")


@pytest.fixture(scope="module")
def theirs(servers: str) -> Filled:
    return fill(builders.workspace(), "CANARYtheirs")


def made_key(workspace_id: UUID, *scopes: str, valid: timedelta | None = None) -> str:
    return keys.create(workspace_id, "test", scopes or ["read"], real_time(), valid)


def token(browser: TestClient) -> str:
    found = re.search(r'name="token" value="([^"]+)"', browser.get("/console/sign-in").text)
    assert found
    return found[1]


def sign_in(browser: TestClient, key: str, **form: str) -> Any:
    return browser.post("/console/sign-in", data={"key": key, "token": token(browser), **form}, headers=SELF)


@pytest.fixture
def inside(browser: TestClient, ours: Filled) -> TestClient:
    assert sign_in(browser, made_key(ours.workspace_id)).headers["location"] == "/console"
    return browser


# Who may not


def pages_of(whose: Filled) -> tuple[str, ...]:
    return ("/console", "/console/", f"/console/accounts/{whose.account_id}", f"/console/suggestions/{whose.suggestion_id}")


@pytest.mark.parametrize("cookie", [None, "", "x", "local.", "local.AAAA", "other.AAAA", "\u00e9.\u00e9", "local." + "A" * 500])
def test_no_page_is_shown_without_a_session(browser, ours, cookie):
    for path in pages_of(ours):
        headers = {"Cookie": f"{COOKIE}={cookie}".encode("latin-1")} if cookie is not None else {}
        answer = browser.get(path, headers=headers)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/sign-in")
        assert "alert" not in answer.text


def test_a_stranger_finds_no_account_and_no_suggestion_of_another_workspace(inside, theirs):
    for path in pages_of(theirs)[2:]:
        answer = inside.get(path)
        assert answer.status_code == 404
        assert theirs.mark not in answer.text
    assert theirs.mark not in inside.get("/console").text
    assert theirs.mark not in inside.get("/console", params={"search": "CANARY"}).text


def test_an_api_key_in_the_cookie_or_header_is_no_session(browser, ours):
    key = made_key(ours.workspace_id)
    assert browser.get("/console", headers={"Authorization": f"Bearer {key}"}).status_code == 303
    assert browser.get("/console", headers={"Cookie": f"{COOKIE}={key}"}).status_code == 303


@pytest.mark.parametrize("key", ["", "wrongkey", "ut_00000000_" + "a" * 43, "ut_\x00_x", "\u00e9" * 60, "ut_12345678_" + "\ud7ff" * 43, "a" * 201])
def test_no_wrong_key_signs_in(browser, key):
    answer = sign_in(browser, key)
    assert answer.status_code in (401, 422)
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert not key or key not in answer.text


def test_a_key_that_may_not_read_does_not_sign_in(browser, ours):
    answer = sign_in(browser, made_key(ours.workspace_id, "push", "feedback"))
    assert answer.status_code == 403
    assert COOKIE not in answer.headers.get("set-cookie", "")


def test_a_revoked_key_ends_its_sessions_at_once(browser, ours):
    key = made_key(ours.workspace_id)
    sign_in(browser, key)
    assert browser.get("/console").status_code == 200
    keys.revoke(ours.workspace_id, key, real_time())
    assert browser.get("/console").status_code == 303


def test_an_expired_key_ends_its_sessions_at_once(browser, ours):
    key = made_key(ours.workspace_id, valid=timedelta(hours=1))
    sign_in(browser, key)
    with transaction(ours.workspace_id) as db:
        db.execute("UPDATE api_key SET expires_at = now() - interval '1 second' WHERE prefix = %s", [key[3:11]])
    assert browser.get("/console").status_code == 303


# The session


def test_a_session_is_good_for_its_purpose_and_time_alone(servers, ours):
    at = real_time()
    found = Session(ours.workspace_id, None)
    link = session.seal(found, "console link", at + timedelta(minutes=10))
    assert session.unseal(link, "console link", at) == found
    for text, purpose, when in (
        (link, "console session", at),
        (link, "console link", at + timedelta(minutes=10)),
        (link[:-2], "console link", at),
        (link.replace("local.", "x."), "console link", at),
    ):
        with pytest.raises(Unauthenticated):
            session.unseal(text, purpose, when)


@given(strategies.integers(min_value=0), strategies.integers(min_value=1, max_value=255))
@settings(max_examples=60, deadline=None)
def test_one_changed_byte_breaks_the_seal(servers, place, flip):
    sealed = session.seal(Session(UUID(int=7), None), "console session", real_time() + timedelta(hours=1))
    key_id, _, encoded = sealed.partition(".")
    place %= len(encoded) - 1  # the last character may hold bits that mean nothing
    changed = encoded[:place] + ("A" if encoded[place] != "A" else chr(66 + flip % 20)) + encoded[place + 1 :]
    with pytest.raises(Unauthenticated):
        session.unseal(f"{key_id}.{changed}", "console session", real_time())


def test_a_session_tells_nothing_to_whoever_holds_the_cookie(inside, ours):
    cookie = inside.cookies[COOKIE]
    assert str(ours.workspace_id) not in cookie
    assert "workspace" not in cookie


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser, ours):
    set_cookie = sign_in(browser, made_key(ours.workspace_id)).headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/console", "max-age=43200"} <= {part.strip() for part in set_cookie.split(";")}


def test_a_link_signs_in_once_its_time_has_not_run_out(browser, ours):
    path = session.sign_in_link(ours.workspace_id, real_time()).partition("8321")[2]
    assert browser.get(path).headers["location"] == "/console"
    assert browser.get("/console").status_code == 200


@pytest.mark.parametrize("age", [timedelta(minutes=10), timedelta(days=400)])
def test_an_old_link_shows_the_sign_in_page_and_says_why(browser, ours, age):
    path = session.sign_in_link(ours.workspace_id, real_time() - age).partition("8321")[2]
    answer = browser.get(path)
    assert answer.status_code == 401
    assert "has ended" in answer.text
    assert COOKIE not in browser.cookies


def test_a_session_cookie_is_no_sign_in_link(browser, inside):
    assert browser.get("/console/enter", params={"code": inside.cookies[COOKIE]}).status_code == 401


def test_signing_out_takes_the_cookie_away(inside):
    assert inside.post("/console/sign-out", headers=SELF).headers["location"] == "/console/sign-in"
    assert inside.get("/console").status_code == 303


# Forms of other sites


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
def test_another_site_can_neither_sign_somebody_in_nor_out(browser, inside, ours, headers):
    form = {"key": made_key(ours.workspace_id), "token": token(browser)}
    answer = browser.post("/console/sign-in", data=form, headers=headers)
    assert answer.status_code == 403
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert inside.post("/console/sign-out", headers=headers).status_code == 403


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": "guess"}, {"token": "\u00e9"}])
def test_a_form_without_the_pages_token_is_refused(browser, ours, form):
    token(browser)
    answer = browser.post("/console/sign-in", data={"key": made_key(ours.workspace_id), **form}, headers=SELF)
    assert answer.status_code == 403
    browser.cookies.clear()
    assert browser.post("/console/sign-in", data={"key": made_key(ours.workspace_id), "token": ""}, headers=SELF).status_code == 403


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/console/../v1", "/console\n", "javascript:alert(1)", "/console/accounts/x", "\\\\evil"]
)
def test_signing_in_never_leads_to_another_address(browser, ours, back):
    assert sign_in(browser, made_key(ours.workspace_id), next=back).headers["location"] == "/console"
    assert "evil" not in browser.get("/console/sign-in", params={"next": back}).text


def test_a_tasks_link_leads_on_to_its_suggestion_after_signing_in(browser, ours):
    first = browser.get(f"/console/suggestions/{ours.suggestion_id}")
    page = browser.get(first.headers["location"])
    back = re.search(r'name="next" value="([^"]+)"', page.text)
    assert back
    second = sign_in(browser, made_key(ours.workspace_id), next=back[1])
    third = browser.get(second.headers["location"])
    assert third.headers["location"] == f"/console/accounts/{ours.account_id}#suggestion"


# What a hostile text can do


def test_no_text_of_outside_becomes_markup_or_template(inside, ours):
    with transaction(ours.workspace_id) as db:
        landing.land(db, ours.connection_id, Contact, [Contact(key="C-evil", account_key=None, name=HOSTILE, email=None, title=HOSTILE)])
        db.execute("UPDATE contact SET account_id = %s, name = %s, title = %s", [ours.account_id, HOSTILE, HOSTILE])
        db.execute("UPDATE crm_user SET name = %s", [HOSTILE])
        connections.set_status(db, ours.connection_id, "misconfigured", HOSTILE)
    for path in ("/console", f"/console/accounts/{ours.account_id}"):
        text = inside.get(path).text
        assert text.count("alert(1)") >= 3
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "49" not in re.findall(r"onerror=alert\(2\)[^{]{0,10}(.{2})", text)
        assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r'"[^"]*"', '""', text))


def test_the_numbers_of_the_charts_are_no_page_to_any_browser(inside, ours):
    answer = inside.get(f"/console/accounts/{ours.account_id}/charts.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["mood"]["at"]


def test_a_hostile_search_comes_back_as_text(inside):
    text = inside.get("/console", params={"search": HOSTILE}).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    "path",
    [
        "/console?search=%00",
        "/console?level=x",
        "/console?page=0",
        "/console?page=" + "9" * 5000,
        "/console?search=" + "x" * 300,
        "/console/accounts/x",
        "/console/accounts/%00",
        "/console/suggestions/" + "9" * 500,
        "/console/assets/%00.css",
        "/console/assets/..%2fapp.py",
        "/console/assets/plotly-0.js",
        "/console/assets/console.css/x",
        "/console/enter?code=%00",
        "/console/enter?code=" + "x" * 2000,
        "/console/nowhere",
    ],
)
def test_a_bad_address_is_a_page_in_words_and_never_a_fault(inside, path):
    answer = inside.get(path)
    assert answer.status_code in (400, 401, 404, 422)
    assert answer.headers["content-type"].startswith("text/html")


def test_a_form_without_a_key_is_a_page_in_words(browser):
    answer = browser.post("/console/sign-in", data={}, headers=SELF)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")


def test_every_page_runs_only_our_scripts_and_is_not_kept(inside, ours):
    for path in (*pages_of(ours), "/console/sign-in", "/console/nowhere", "/console/accounts/x"):
        answer = inside.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "unsafe-inline" not in policy
        assert "script-src 'self';" in policy or answer.status_code == 303
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_page_holds_a_script_of_its_own_or_of_another_host(inside, ours):
    for path in ("/console", f"/console/accounts/{ours.account_id}", "/console/sign-in"):
        text = inside.get(path).text
        assert not re.findall(r"<script(?![^>]*(src=\"/console/assets/|type=\"application/json\"))", text)
        assert not re.search(r"""(src|href|action)=["']?(https?:)?//""", text)


# What it shows


def test_an_account_shows_each_moment_with_its_evidence_and_the_suggestion(inside, ours):
    text = inside.get(f"/console/accounts/{ours.account_id}").text
    assert f'id="{ours.signal_id}"' in text
    assert "We are done with this." in text
    assert "Bo Lind" in text or "alert(1)" in text
    assert "What else it could mean" in text
    assert 'id="mood"' in text
    assert 'id="usage"' in text


def test_erased_words_are_gone_from_the_page(browser, workspace):
    found = fill(workspace, "Erased", words="A sentence that was erased later.")
    sign_in(browser, made_key(workspace))
    assert "erased later" in browser.get(f"/console/accounts/{found.account_id}").text
    with transaction(workspace) as db:
        db.execute("DELETE FROM message_text")
    answer = browser.get(f"/console/accounts/{found.account_id}")
    assert answer.status_code == 200
    assert "erased later" not in answer.text


def test_the_list_puts_an_open_suggestion_first_and_counts_every_account(browser, workspace):
    with transaction(workspace) as db:
        connection_id = builders.connection(db)
        for n in range(overview.PAGE + 5):
            builders.account(db, connection_id, key=f"K{n}", name=f"Account {n:03}", renewal=None)
        pressed = builders.account(db, connection_id, key="K0", name="Account 000", renewal=NOW.date())
        signals.append_outlooks(db, [outlook(pressed, "Account 000")], "test", workspaces.next_change(db))
    fill(workspace, "Zz last by name")
    sign_in(browser, made_key(workspace))
    first = browser.get("/console").text
    names = re.findall(r'<a href="/console/accounts/[^"]+">([^<]+)</a>', first)
    assert names[:2] == ["Zz last by name", "Account 000"]
    assert f"1 to {overview.PAGE} of {overview.PAGE + 6}" in first
    second = browser.get("/console", params={"page": 2}).text
    names += re.findall(r'<a href="/console/accounts/[^"]+">([^<]+)</a>', second)
    assert len(names) == len(set(names)) == overview.PAGE + 6


def test_the_list_can_be_narrowed_to_one_owner(inside, ours):
    assert "No account matches" in inside.get("/console", params={"owner": "somebody else"}).text


def test_a_search_that_finds_nothing_leaves_every_owner_to_choose(inside, ours):
    owners = re.compile(r"<option(?: selected)?>([^<]+)</option>")
    every = owners.findall(inside.get("/console").text)
    assert every
    assert owners.findall(inside.get("/console", params={"search": "no such account"}).text) == every


def test_an_address_where_nothing_is_keeps_the_navigation_for_who_is_signed_in_alone(inside, app):
    lost = inside.get("/console/nowhere")
    assert lost.status_code == 404
    assert 'aria-label="Pages"' in lost.text
    assert "openapi" not in lost.text
    assert 'aria-label="Pages"' not in TestClient(app, base_url=ADDRESS).get("/console/nowhere").text


def test_lists_call_a_kind_what_the_page_of_the_account_calls_it(inside, ours):
    listed = inside.get("/console/signals").text
    assert '<td class="kind" title="price_objection">Price questioned<' in listed
    assert '<option value="cross_functional" title="cross_functional">Several departments have a say</option>' in listed
    assert '#suggestion">Price questioned</a>' in inside.get("/console").text


def test_a_gap_in_the_data_is_a_gap_in_the_line_and_a_lone_week_a_dot():
    assert overview.sparkline([1.0, 1.0, None, 1.0, 1.0]).count("M") == 2
    assert overview.sparkline([None, 1.0, None]).count("M") == 1
    assert overview.sparkline([None, None]) == ""
    assert "nan" not in overview.sparkline([0.0, 0.0])


def test_an_unknown_account_is_a_404(inside):
    assert inside.get(f"/console/accounts/{uuid4()}").status_code == 404


def test_the_front_door_leads_to_the_console(browser):
    assert browser.get("/").headers["location"] == "/console"


def test_days_are_said_in_the_unit_somebody_would_use():
    from service.console.pages import _distance

    today = datetime(2026, 3, 2).date()
    said = [_distance(today + timedelta(days=n), today) for n in (0, 1, 30, 61, -1, -90)]
    assert said == ["today", "in 1 day", "in 30 days", "in 2 months", "1 day ago", "3 months ago"]


# In a real browser


@pytest.fixture
def tab(served: str) -> Iterator[Any]:
    with chromium() as opened:
        yield opened.new_page(viewport=NARROW, base_url=served)


@pytest.mark.browser
def test_a_browser_signs_in_runs_no_foreign_script_and_never_scrolls_sideways(tab, workspace, servers):
    found = fill(workspace, HOSTILE)
    with transaction(workspace) as db:
        db.execute("UPDATE contact SET name = %s", [f'<a href="https://evil.example">x</a>{HOSTILE}'])
    with psycopg.connect(servers) as owner:
        owner.execute("UPDATE usage_series SET metric = %s WHERE workspace_id = %s", [f'<a href="https://evil.example">x</a>{HOSTILE}', workspace])
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: said.append(f"dialog {dialog.message}"))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(f"/console/accounts/{found.account_id}")
    tab.fill("#key", made_key(workspace))
    tab.press("#key", "Enter")
    tab.wait_for_selector("#mood .main-svg")
    tab.wait_for_selector("#usage .main-svg")
    assert tab.url.endswith(str(found.account_id))
    assert tab.eval_on_selector_all("#mood path.js-line, #usage path.js-line", "lines => lines.filter(l => l.getAttribute('d')).length") > 0
    assert tab.eval_on_selector_all(".chart a", "links => links.length") == 0
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    tab.goto("/console")
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    tab.click("header button")
    assert tab.url.endswith("/console/sign-in")
    assert said == []
    assert [url for url in asked if not url.startswith((tab.url.removesuffix("/console/sign-in"), "data:"))] == []


@pytest.mark.browser
def test_no_width_sets_the_header_or_a_name_one_piece_a_line(tab, workspace):
    name = "Pflegewerk Ahornhain"
    found = fill(workspace, name)
    tab.goto(f"/console/enter?code={session.sign_in_link(found.workspace_id, real_time()).partition('code=')[2]}")
    for width in (390, 800, 900, 1100, 1440):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto("/console")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, width
        assert tab.locator(".name a").bounding_box()["height"] < 60, width
        out, home = tab.locator("header form").bounding_box(), tab.locator("header > a").bounding_box()
        assert abs(out["y"] + out["height"] / 2 - home["y"] - home["height"] / 2) < 12, f"sign-out stands beside the name at {width}"
