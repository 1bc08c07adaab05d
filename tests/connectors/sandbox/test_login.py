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

from connectors.sandbox import Credentials, Options, Sandbox, running
from connectors.sandbox.auth import JWT_BEARER
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
