"""Signing in by an OIDC provider: nobody whom it does not vouch for, nobody who was not added before, and no way to end up elsewhere."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
import requests

from service import config, invitations, oidc, people
from service.api import create_app
from service.config import real_time
from service.console.provider import COOKIE as WAY_COOKIE
from service.console.session import COOKIE, invitation_link
from service.errors import BadInput, Conflict, Unauthenticated, Unavailable
from service.store import audit_log
from service.store.pool import transaction
from tests import builders
from tests import provider as local
from tests.client import TestClient
from tests.provider import CLIENT, SECOND, SECRET, SWAPPED, Provider

ADDRESS = "http://testserver"
BACK = f"{ADDRESS}/console/sign-in/oidc/callback"


@pytest.fixture
def provider(servers: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Set up here, for one test."""
    with local.running() as found:
        for name, value in {"ISSUER": found.issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET}.items():
            monkeypatch.setenv(f"UNDERTONE_OIDC_{name}", value)
        monkeypatch.setenv("UNDERTONE_PUBLIC_URL", ADDRESS)
        config.settings.cache_clear()
        yield found
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def subject() -> str:
    """Known to no other test."""
    return f"subject-{uuid4()}"


@pytest.fixture
def ann(provider: Provider, workspace: UUID, subject: str) -> UUID:
    """Her workspace. The provider signs her in."""
    people.add_by_subject(workspace, "ann", "am", provider.issuer, subject, real_time())
    provider.subject = subject
    return workspace


app = cache(create_app)


def a_browser() -> TestClient:
    """From an address of its own: each may try so many times."""
    return TestClient(app(), base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, client=(str(uuid4()), 1))


@pytest.fixture
def browser(servers: str) -> TestClient:
    return a_browser()


def go(browser: TestClient, **asked: str) -> str:
    """To the provider and signed in there; returns the address that the browser is sent back to."""
    answer = browser.get("/console/sign-in/oidc", params=asked)
    assert answer.status_code == 303, answer.text
    return requests.get(answer.headers["location"], allow_redirects=False, timeout=5).headers["location"]


def assert_outside(browser: TestClient, answer: Any, status: int = 401) -> str:
    """Returns what the page says."""
    assert answer.status_code == status, answer.text
    assert COOKIE not in answer.headers.get("set-cookie", "")
    assert browser.get("/console").status_code == 303
    told = re.search(r'role="alert">([^<]*)<', answer.text)
    assert told
    return told[1]


# What a token may not be


def lie(**claims: Any) -> Callable[[Provider], None]:
    return lambda provider: provider.claims.update(claims)


def put(name: str, value: Any) -> Callable[[Provider], None]:
    return lambda provider: setattr(provider, name, value)


NOW = int(time.time())
LIES: dict[str, Callable[[Provider], None]] = {
    "another nonce": lie(nonce="n" * 43),
    "no nonce": lie(nonce=None),
    "for another client": lie(aud="another-client"),
    "for another client, by our leave": lie(aud="another-client", azp=CLIENT),
    "for nobody": lie(aud=None),
    "for us and, as it says, another": lie(aud=[CLIENT, "another-client"], azp="another-client"),
    "for us among others, by nobody's leave": lie(aud=[CLIENT, "another-client"]),
    "by another issuer": lie(iss="https://login.example.com"),
    "by no issuer": lie(iss=None),
    "over": lie(exp=NOW - 120, iat=NOW - 600),
    "without end": lie(exp=None),
    "ends in words": lie(exp="tomorrow"),
    "from the future": lie(iat=NOW + 3600),
    "not valid yet": lie(nbf=NOW + 3600),
    "of nobody": lie(sub=None),
    "of a number": lie(sub=7),
    "of a list": lie(sub=["a"]),
    "with the hash of another access token": lie(at_hash="A" * 22),
    "unsigned": put("sign", "none"),
    "signed with our own secret": put("sign", "HS256"),
    "signed with a swapped key": put("key", SWAPPED),
    "signed with a key that is not published": put("key", SECOND),
    "no token at all": put("answer", {"access_token": "x", "token_type": "Bearer"}),
    "a token that is none": put("answer", {"access_token": "x", "token_type": "Bearer", "id_token": "a.b.c"}),
    "a token that is a number": put("answer", {"access_token": "x", "token_type": "Bearer", "id_token": 7}),
    "an answer without meaning": put("answer", {}),
    "a refusal": put("answer", {"error": "server_error"}),
}


@pytest.mark.parametrize("name", LIES)
def test_nobody_comes_in_by_a_token_that_is(provider, ann, browser, name):
    LIES[name](provider)
    told = assert_outside(browser, browser.get(go(browser)))
    assert told.startswith("The provider&#39;s answer cannot be used")


def test_an_address_says_nothing_of_who_somebody_is(provider, ann, browser):
    """Not even one that the provider calls verified: it may be given to somebody else tomorrow, and at some providers anybody may enter any."""
    for verified in (False, True):
        provider.subject, provider.claims = (
            f"other-{uuid4()}",
            {"email": "ann@vendor.example", "email_verified": verified, "name": "ann", "preferred_username": "ann"},
        )
        assert "nobody has added you" in assert_outside(browser, browser.get(go(browser)))


def test_who_is_removed_or_never_was_added_stays_outside(provider, ann, browser):
    people.add(ann, "bo", "admin", "four plain words here", real_time())
    people.remove(ann, "ann", real_time())
    assert "nobody has added you" in assert_outside(browser, browser.get(go(browser)))


def test_the_same_subject_of_another_issuer_is_somebody_else(provider, workspace, subject, browser):
    people.add_by_subject(workspace, "ann", "am", "https://login.example.com", subject, real_time())
    provider.subject = subject
    assert_outside(browser, browser.get(go(browser)))


# The way there and back


@pytest.mark.parametrize("change", [lambda q: {**q, "state": "s" * 43}, lambda q: {**q, "state": ""}, lambda q: {k: v for k, v in q.items() if k != "state"}])
def test_an_answer_with_another_state_or_none_is_refused_before_its_code_is_used(provider, ann, browser, change):
    query = {name: values[0] for name, values in parse_qs(urlsplit(go(browser)).query).items()}
    assert_outside(browser, browser.get(BACK, params=change(query)))
    assert query["code"] in provider.asked


@pytest.mark.parametrize("change", [{"iss": "https://login.example.com"}, {"code": ""}, {"code": "guess"}, {"code": "\x00".replace("\x00", "%00")}])
def test_an_answer_of_another_provider_or_with_a_guessed_code_is_refused(provider, ann, browser, change):
    query = {name: values[0] for name, values in parse_qs(urlsplit(go(browser)).query).items()}
    assert_outside(browser, browser.get(BACK, params=query | change))


def test_a_refusal_of_the_provider_is_said_in_words_and_not_in_its_own(provider, ann, browser):
    state = parse_qs(urlsplit(go(browser)).query)["state"][0]
    answer = browser.get(BACK, params={"error": "access_denied", "error_description": "<b>hello", "state": state})
    assert_outside(browser, answer)
    assert "hello" not in answer.text


def test_no_answer_is_taken_in_a_browser_that_did_not_ask(provider, ann, browser):
    """Else somebody could be signed in as a stranger by a link."""
    address = go(browser)
    victim = a_browser()
    assert_outside(victim, victim.get(address))
    go(victim)
    assert_outside(victim, victim.get(address))


def test_an_answer_is_good_once(provider, ann, browser):
    address, way = go(browser), browser.cookies[WAY_COOKIE]
    assert browser.get(address).status_code == 303
    assert WAY_COOKIE not in browser.cookies
    thief = a_browser()
    assert_outside(thief, thief.get(address, headers={"Cookie": f"{WAY_COOKIE}={way}"}))


def test_what_the_browser_keeps_on_the_way_is_sealed_and_of_no_other_use(provider, ann, browser):
    go(browser)
    kept = browser.cookies[WAY_COOKIE]
    assert "state" not in kept
    assert browser.get("/console", headers={"Cookie": f"{COOKIE}={kept}"}).status_code == 303
    assert_outside(browser, a_browser().get(BACK, params={"code": "x", "state": ""}, headers={"Cookie": f"{WAY_COOKIE}={kept[:-2]}AA"}))


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/console/../v1", "javascript:alert(1)"])
def test_the_way_back_never_leads_to_another_address(provider, ann, browser, back):
    assert browser.get(go(browser, next=back)).headers["location"] == "/console"


def test_the_way_back_leads_on_to_the_page_that_was_asked_for(provider, ann, browser):
    page = browser.get("/console/connections")
    form = browser.get(page.headers["location"])
    link = re.search(r'href="(/console/sign-in/oidc\?next=[^"]+)"', form.text)
    assert link
    asked = parse_qs(urlsplit(link[1]).query)
    assert browser.get(go(browser, next=asked["next"][0])).headers["location"] == "/console/connections"


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://login.example.com"},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
    ],
    ids=str,
)
def test_a_provider_that_describes_itself_wrongly_is_not_gone_to(provider, browser, said):
    provider.metadata = said
    answer = browser.get("/console/sign-in/oidc")
    assert answer.status_code == 503
    assert "cannot be used right now" in answer.text


def test_a_provider_that_is_away_is_not_asked_again_at_once_and_then_is(provider):
    given = oidc.Provider(issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET)
    provider.metadata, now = {"issuer": "gone"}, real_time()
    for _ in range(2):
        with pytest.raises(Unavailable):
            oidc.begin(given, BACK, now)
        provider.metadata = {}
    assert oidc.begin(given, BACK, now + timedelta(seconds=6))


def test_keys_that_the_provider_has_changed_are_read_anew_but_not_at_every_knock(provider):
    given = oidc.Provider(issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET)
    now = real_time()

    def come(at: Any) -> str:
        address, going = oidc.begin(given, BACK, at)
        back = requests.get(address, allow_redirects=False, timeout=5).headers["location"]
        return oidc.finish(given, BACK, going, {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}, at)

    assert come(now) == provider.subject
    provider.key, provider.published = SECOND, (SECOND,)
    with pytest.raises(Unauthenticated):
        come(now + timedelta(seconds=30))
    provider.claims = {"exp": int(now.timestamp()) + 600}
    assert come(now + timedelta(seconds=61)) == provider.subject


def test_without_a_provider_there_is_no_such_way_in(servers):
    browser = a_browser()
    assert "oidc" not in browser.get("/console/sign-in").text
    assert browser.get("/console/sign-in/oidc").status_code == browser.get(BACK).status_code == 404


def test_no_secret_and_nothing_that_was_sent_is_logged(provider, ann, browser, caplog):
    caplog.set_level(logging.DEBUG, "undertone")
    provider.claims = {"nonce": "a-nonce-that-was-sent"}
    browser.get(go(browser))
    told = "".join(str(r.__dict__) for r in caplog.records if r.name.startswith("undertone"))
    assert "claim nonce" in told
    assert not [text for text in (SECRET, "a-nonce-that-was-sent", provider.subject) if text in told]


# Who comes in


def test_who_was_added_comes_in_with_their_role_and_workspace_and_goes_again(provider, ann, browser):
    asked = parse_qs(urlsplit(browser.get("/console/sign-in/oidc").headers["location"]).query)
    assert (asked["scope"], asked["code_challenge_method"], asked["redirect_uri"], asked["response_type"]) == (["openid"], ["S256"], [BACK], ["code"])
    assert browser.get(go(browser)).headers["location"] == "/console"
    assert browser.get("/console").status_code == 200
    assert browser.get("/console/people").status_code == 403
    cookie = browser.cookies[COOKIE]
    browser.post("/console/sign-out", headers={"Origin": ADDRESS})
    assert browser.get("/console", headers={"Cookie": f"{COOKIE}={cookie}"}).status_code == 303


def test_who_belongs_to_two_workspaces_says_which(provider, ann, subject, browser):
    other = builders.workspace()
    people.add_by_subject(other, "ann", "analyst", provider.issuer, subject, real_time())
    assert "You belong to 2 workspaces" in assert_outside(browser, browser.get(go(browser)))
    assert browser.get(go(browser, workspace=f"test {other}")).status_code == 303
    stranger = builders.workspace()
    assert_outside(a_browser(), a_browser().get(go(a_browser(), workspace=f"test {stranger}")))


@pytest.mark.parametrize("wrong", ["", "x" * 256, "a\nb", "\u00e9", "\x00"])
def test_a_subject_that_no_provider_gives_makes_nobody(workspace, wrong):
    with pytest.raises(BadInput, match="A subject has"):
        people.add_by_subject(workspace, "ann", "am", "https://login.example.com", wrong, real_time())


def test_who_signs_in_by_the_provider_has_no_password(provider, ann):
    """The provider's own rules, a second factor for one, would be gone round."""
    with pytest.raises(Conflict, match="has no password"):
        people.set_password(ann, "ann", "four plain words here", real_time())
    with pytest.raises(Unauthenticated):
        people.sign_in(f"test {ann}", "ann", "", real_time())


# By an invitation


def invited(workspace: UUID, name: str = "bo") -> str:
    """The link's address here."""
    return invitation_link(invitations.add(workspace, name, "revops", "oidc", real_time()))


def accept(browser: TestClient, link: str) -> Any:
    found = re.search(r'href="/console/sign-in/oidc\?([^"]+)"', browser.get(link).text)
    assert found
    asked = parse_qs(found[1].replace("&amp;", "&"))
    return browser.get(go(browser, invitation=asked["invitation"][0], token=asked["token"][0]))


def test_an_invitation_ties_the_account_of_the_provider_to_the_name_once(provider, workspace, subject, browser):
    provider.subject, link = subject, invited(workspace)
    assert accept(browser, link).headers["location"] == "/console"
    assert a_browser().get(link).status_code == 401
    again = a_browser()
    assert again.get(go(again)).status_code == 303
    with transaction(workspace) as db:
        assert [(e.action, e.subject) for e in audit_log.listing(db, 5)] == [("bind subject", "bo"), ("invite person", "bo")]


def test_no_link_that_somebody_is_sent_ties_their_account_to_a_strangers_name(provider, workspace, subject, browser):
    """It takes a click on our own page of the invitation."""
    code = parse_qs(urlsplit(invited(workspace)).query)["code"][0]
    browser.get("/console/sign-in")
    for token in ("", "t" * 43):
        assert_outside(browser, browser.get("/console/sign-in/oidc", params={"invitation": code, "token": token}), 403)


def test_nobody_becomes_two_people_of_a_workspace(provider, ann, browser):
    told = assert_outside(browser, accept(browser, invited(ann)), 409)
    assert "somebody else of this workspace" in told


def test_an_invitation_to_set_a_password_binds_no_account(provider, workspace, subject, browser):
    provider.subject = subject
    link = invitation_link(invitations.add(workspace, "cy", "am", "password", real_time()))
    browser.get("/console/sign-in")
    form = browser.get(link)
    token = re.search(r'name="token" value="([^"]+)"', form.text)
    assert token
    code = parse_qs(urlsplit(link).query)["code"][0]
    assert_outside(browser, browser.get(go(browser, invitation=code, token=token[1])))
    assert browser.get(link).status_code == 200


# Start-up


def test_nothing_of_it_is_loaded_before_somebody_goes_to_the_provider():
    script = "import sys\nfrom service.api import create_app\ncreate_app()\nprint(sorted({m.partition('.')[0] for m in sys.modules} & {'authlib', 'joserfc'}))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
