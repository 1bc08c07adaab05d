"""Who gets in, and who does not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from connectors.sandbox import Credentials, Fault, Options, Sandbox, admin, running
from connectors.sandbox.auth import JWT_BEARER, ORG_ID
from tests.connectors.sandbox.orgs import NOW, Client, client, session


def test_wrong_credentials_get_no_token_and_a_dead_token_no_row(sandbox: Sandbox) -> None:
    for name, secret, error in (("nobody", "x", "invalid_client_id"), (sandbox.credentials.client_id, "x", "invalid_client")):
        with pytest.raises(SalesforceAuthenticationFailed) as raised:
            Salesforce(consumer_key=name, consumer_secret=secret, domain=sandbox.domain, session=session(sandbox))
        assert raised.value.code == error
    answer = requests.get(f"{sandbox.url}/services/data/v64.0/sobjects", headers={"Authorization": "Bearer x"}, timeout=5)
    assert answer.status_code == 401
    assert answer.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_an_expired_session_is_renewed_by_the_client_and_a_revoked_one_is_not(sandbox: Sandbox, sf: Client) -> None:
    sandbox.tokens.expire()
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == 3
    sandbox.tokens.revoke()
    with pytest.raises((SalesforceAuthenticationFailed, SalesforceExpiredSession)):
        sf.query("SELECT COUNT() FROM Account")


def test_a_token_ends_when_its_time_is_over(story: Path) -> None:
    clock = [1_000.0]
    with running(story, now=NOW, seconds=lambda: clock[0], options=Options(token_seconds=60)) as sandbox:
        sf = client(sandbox)
        clock[0] += 61
        sf.query("SELECT Id FROM Account")
        assert sandbox.counters.calls["token"] == 2


def test_an_assertion_counts_only_if_signed_by_the_registered_key_for_this_org_and_user(story: Path) -> None:
    good, other = (rsa.generate_private_key(public_exponent=65_537, key_size=2_048) for _ in range(2))
    public = good.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    with running(story, now=NOW, credentials=Credentials(public_key=public)) as sandbox:
        claims: dict[str, Any] = {"iss": sandbox.credentials.client_id, "sub": sandbox.credentials.username, "aud": "https://login.salesforce.com"}
        claims["exp"] = int(time.time()) + 120
        wrong = [(claims, other), *((claims | change, good) for change in ({"aud": "https://x.example"}, {"exp": 1}, {"sub": "x"}, {"iss": "x"}))]
        tried = [(jwt.encode(body, key, algorithm="RS256"), 400) for body, key in wrong] + [(jwt.encode(claims, "k" * 32, algorithm="HS256"), 400)]
        for assertion, status in [*tried, (jwt.encode(claims, good, algorithm="RS256"), 200)]:
            form = {"grant_type": JWT_BEARER, "assertion": assertion}
            assert requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=5).status_code == status
        pem = good.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        sf = Salesforce(username=claims["sub"], consumer_key=claims["iss"], privatekey=pem, session=session(sandbox), version="64.0")
        assert sf.query("SELECT Id FROM Account")["totalSize"] == 3


def test_a_rotated_refresh_token_works_once(story: Path) -> None:
    with running(story, now=NOW, options=Options(rotate_refresh_token=True)) as sandbox:
        known = sandbox.credentials
        form = {"grant_type": "refresh_token", "client_id": known.client_id, "client_secret": known.client_secret, "refresh_token": known.refresh_token}
        first = requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=5)
        again = requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=5)
        fresh = requests.post(f"{sandbox.url}/services/oauth2/token", data=form | {"refresh_token": first.json()["refresh_token"]}, timeout=5)
        assert [a.status_code for a in (first, again, fresh)] == [200, 400, 200]
        assert again.json()["error"] == "invalid_grant"


def test_an_assertion_that_is_good_for_long_or_by_another_clock_is_refused(story: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    with running(story, now=NOW, seconds=lambda: 1_000_000.0, credentials=Credentials(public_key=public)) as sandbox:
        known = {"iss": sandbox.credentials.client_id, "sub": sandbox.credentials.username, "aud": "https://test.salesforce.com"}

        def status(exp: Any) -> int:
            assertion = jwt.encode({**known, "exp": exp}, key, algorithm="RS256")
            return requests.post(f"{sandbox.url}/services/oauth2/token", data={"grant_type": JWT_BEARER, "assertion": assertion}).status_code

        assert [status(1_000_000 + seconds) for seconds in (180, 0, -1, 301)] == [200, 400, 400, 400]
        assert [status(exp) for exp in ("1000180", "soon", None)] == [200, 400, 400]
        sandbox.faults.add(Fault(kind="clock_skew", seconds=3_600))
        assert [status(1_000_180), status(1_003_780)] == [400, 200]


def test_user_name_and_password_are_no_way_in_by_oauth(sandbox: Sandbox) -> None:
    known = sandbox.credentials
    form = {"grant_type": "password", "client_id": known.client_id, "client_secret": known.client_secret}
    answer = requests.post(f"{sandbox.url}/services/oauth2/token", data=form | {"username": known.username, "password": known.password})
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert "blocked" in answer.json()["error_description"]


_ENVELOPE = (
    '{}<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    '<login xmlns="urn:partner.soap.sforce.com"><username>{}</username><password>{}</password></login></e:Body></e:Envelope>'
)


def _soap(sandbox: Sandbox, body: str, version: str = "64.0") -> str:
    answer = requests.post(f"{sandbox.url}/services/Soap/u/{version}", data=body.encode(), headers={"Content-Type": "text/xml", "SOAPAction": "login"})
    assert answer.status_code == (200 if "<sessionId>" in answer.text else 500)
    return answer.text


def test_the_soap_login_is_refused_where_it_is_wrong_off_or_over(sandbox: Sandbox) -> None:
    known = sandbox.credentials
    right = _ENVELOPE.format("", known.username, known.password + known.security_token)
    assert "<sessionId>00D" in _soap(sandbox, right)
    for user, password in ((known.username, known.password), (known.username, "x"), ("nobody", known.password + known.security_token)):
        assert "<sf:exceptionCode>INVALID_LOGIN<" in _soap(sandbox, _ENVELOPE.format("", user, password))
    assert "<sf:exceptionCode>UNSUPPORTED_API_VERSION<" in _soap(sandbox, right, version="65.0")
    sandbox.org.options = Options(soap_login=False)
    assert "<sf:exceptionCode>INVALID_OPERATION<" in _soap(sandbox, right)


def test_no_envelope_names_a_file_or_makes_the_org_fail(sandbox: Sandbox) -> None:
    known = sandbox.credentials
    entity = f'<!DOCTYPE x [<!ENTITY p "{known.password}{known.security_token}"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    right = _ENVELOPE.format("<!DOCTYPE x>", known.username, known.password + known.security_token)
    for body in (right, _ENVELOPE.format(entity, known.username, "&p;"), _ENVELOPE.format(entity, "&f;", "x"), "", "<a>", "<a/>", _ENVELOPE.format("", "", "")):
        assert "<sf:exceptionCode>UNKNOWN_EXCEPTION<" in _soap(sandbox, body)


def test_a_token_can_be_inspected_and_given_back(sandbox: Sandbox) -> None:
    known, site = sandbox.credentials, f"{sandbox.url}/services/oauth2"
    form = {"grant_type": "refresh_token", "client_id": known.client_id, "client_secret": known.client_secret, "refresh_token": known.refresh_token}
    token = requests.post(f"{site}/token", data=form).json()["access_token"]
    asked = {"token": token, "client_id": known.client_id, "client_secret": known.client_secret}
    assert requests.post(f"{site}/introspect", data=asked).json()["active"] is True
    assert requests.post(f"{site}/introspect", data={**asked, "client_secret": "x"}).status_code == 401
    assert [requests.post(f"{site}/revoke", data={"token": token}).status_code for _ in range(2)] == [200, 400]
    assert requests.post(f"{site}/introspect", data=asked).json() == {"active": False}
    for path in (f"{site}/userinfo", f"{sandbox.url}/id/{ORG_ID}/{sandbox.org.user_id}"):
        answer = requests.get(path, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.text) == (403, "Bad_OAuth_Token")
    assert requests.post(f"{site}/revoke", data={"token": known.refresh_token}).status_code == 200
    assert requests.post(f"{site}/token", data=form).json()["error"] == "invalid_grant"


def test_only_the_connected_user_of_this_org_has_an_identity(sandbox: Sandbox) -> None:
    token = sandbox.tokens.new_token(sandbox.org.options)
    for ids, status in (
        (f"{ORG_ID}/{sandbox.org.user_id}", 200),
        (f"{ORG_ID[:15]}/{sandbox.org.user_id[:15]}", 200),
        (f"{ORG_ID}/{sandbox.org.id_of('User', 'u1')}", 404),
        (f"{sandbox.org.user_id}/{ORG_ID}", 404),
    ):
        assert requests.get(f"{sandbox.url}/id/{ids}", headers={"Authorization": f"Bearer {token}"}).status_code == status


def test_a_rotated_refresh_token_replaces_the_one_that_was_stored(sandbox: Sandbox) -> None:
    known = sandbox.credentials
    form = {"grant_type": "refresh_token", "client_id": known.client_id, "client_secret": known.client_secret}
    fresh = admin.rotate(sandbox.org)
    for token, status in ((known.refresh_token, 400), (fresh, 200)):
        assert requests.post(f"{sandbox.url}/services/oauth2/token", data={**form, "refresh_token": token}).status_code == status
