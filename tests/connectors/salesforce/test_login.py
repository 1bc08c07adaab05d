"""The ways to a token: what they ask for, what becomes of a refusal, and that a rotated secret is handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from connectors.context import PrivateTokens, Token
from connectors.errors import AuthFailed, Misconfigured, Retriable
from connectors.salesforce.client import Client
from connectors.salesforce.login import SECONDS, Login
from connectors.salesforce.transport import adapter, session
from tests.connectors.salesforce.conftest import Bench
from tests.connectors.salesforce.wire import TOKEN, Reply, Said, wire

REFRESH = {"refresh_token": "5Aep-old", "consumer_secret": "s3cret"}


def logged_in(bench: Bench) -> Token:
    transport = adapter(bench.config.endpoint)
    return Login(bench.config, session(transport), transport)(bench.secrets)


def soap_fault(code: str) -> str:
    fault = f"<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{code}: s3cret</sf:exceptionMessage>"
    envelope = 'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"'
    return f"<soapenv:Envelope {envelope}><soapenv:Body><soapenv:Fault>{fault}</soapenv:Fault></soapenv:Body></soapenv:Envelope>"


def test_a_rotated_refresh_token_is_handed_over_and_the_next_login_uses_it(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(rotate_refresh_token=True)
    bench.settings = {"auth": "refresh_token"}
    bench.secrets = {"refresh_token": bench.sandbox.credentials.refresh_token, "consumer_secret": bench.sandbox.credentials.client_secret}
    first = logged_in(bench)
    assert set(first.replaced) == {"refresh_token"}
    with pytest.raises(AuthFailed, match=r"invalid_grant.*connect again"):
        logged_in(bench)
    bench.secrets |= first.replaced
    assert logged_in(bench).replaced["refresh_token"] != first.replaced["refresh_token"]


def test_a_refresh_token_that_stays_is_not_replaced(bench: Bench) -> None:
    bench.settings = {"auth": "refresh_token"}
    bench.secrets = {"refresh_token": bench.sandbox.credentials.refresh_token, "consumer_secret": bench.sandbox.credentials.client_secret}
    assert logged_in(bench).replaced == {}
    assert bench.client.get("limits")


def test_an_app_without_a_secret_refreshes_without_one() -> None:
    asked: list[dict[str, list[str]]] = []

    def reply(said: Said) -> Reply:
        asked.append(parse_qs(said.body))
        return 200, {**TOKEN, "refresh_token": "5Aep-new"}

    with wire(reply, auth="refresh_token") as w:
        transport = adapter(w.config.endpoint)
        token = Login(w.config, session(transport), transport)({"refresh_token": "5Aep-old"})
    assert asked == [{"grant_type": ["refresh_token"], "client_id": ["3MVG9"], "refresh_token": ["5Aep-old"]}]
    assert token.replaced == {"refresh_token": "5Aep-new"}


def test_a_token_goes_to_the_host_that_the_answer_names(bench: Bench) -> None:
    assert logged_in(bench).host == f"{bench.sandbox.domain}.salesforce.com"


@pytest.mark.parametrize(
    "host", ["https://evil.example", "https://salesforce.com.evil.example", "https://x.salesforce.com@evil.example", "https://a/salesforce.com"]
)
@pytest.mark.parametrize("auth", ["refresh_token", "client_credentials"])
def test_a_token_is_sent_to_nobody_but_salesforce(host: str, auth: str) -> None:
    with wire(lambda said: (200, {"access_token": "x", "instance_url": host}), auth=auth, secrets=REFRESH) as w:
        with pytest.raises(Misconfigured, match=r"none of Salesforce's"):
            w.client.get("limits")
        assert all("oauth2" in s.path for s in w.heard)


@pytest.mark.parametrize(
    "answer",
    [
        (503, "<html>Down</html>"),
        (429, ""),
        (200, "<html>Sign in</html>"),
        (200, {}),
        (200, {"access_token": "x"}),
        (200, []),
        (400, "no"),
        (400, {}),
        (400, {"error": "temporarily_unavailable"}),
        (400, {"error": "invalid_grant", "error_description": "login rate exceeded"}),
        (302, ""),
    ],
)
@pytest.mark.parametrize("auth", ["refresh_token", "client_credentials"])
def test_what_may_pass_is_not_taken_for_a_refusal(answer: Reply, auth: str) -> None:
    with wire(lambda said: answer, auth=auth, secrets=REFRESH) as w, pytest.raises(Retriable):
        w.client.get("limits")


@pytest.mark.parametrize(("error", "words"), [("invalid_grant", "refresh token"), ("invalid_client", "consumer_secret"), ("s3cret", "unknown reason")])
def test_a_refusal_says_what_to_do_and_nothing_secret(error: str, words: str) -> None:
    with wire(lambda said: (400, {"error": error, "error_description": "s3cret 5Aep-old"}), auth="refresh_token", secrets=REFRESH) as w:
        for _ in range(3):
            with pytest.raises(AuthFailed, match=words) as caught:
                w.client.get("limits")
            assert not any(secret in str(caught.value) for secret in ("s3cret", "5Aep"))
        assert w.tokens == 1


@pytest.mark.parametrize(("auth", "secret"), [("refresh_token", "refresh_token"), ("client_credentials", "consumer_secret"), ("soap", "password")])
def test_a_missing_secret_is_no_refusal_and_asks_nobody(auth: str, secret: str) -> None:
    with wire(lambda said: (200, TOKEN), auth=auth, secrets={"other": "x"}, username="ann@vendor.example") as w:
        with pytest.raises(Misconfigured, match=f"no {secret}") as caught:
            w.client.get("limits")
        assert not isinstance(caught.value, AuthFailed)
        assert w.heard == []


def test_soap_signs_in_and_reads(bench: Bench) -> None:
    known = bench.sandbox.credentials
    bench.settings = {"auth": "soap", "username": known.username, "consumer_key": ""}
    bench.secrets = {"password": known.password, "security_token": known.security_token}
    assert bench.client.get("limits")
    bench.secrets["password"] = "wrong & <bad>"
    with pytest.raises(AuthFailed, match=r"INVALID_LOGIN.*security_token"):
        bench.client.get("limits")


def test_an_org_with_soap_login_switched_off_says_what_to_use_instead(bench_with: Callable[..., Bench]) -> None:
    bench = bench_with(soap_login=False)
    bench.settings = {"auth": "soap", "username": bench.sandbox.credentials.username}
    bench.secrets = {"password": bench.sandbox.credentials.password}
    with pytest.raises(AuthFailed, match=r"External Client App"):
        bench.client.get("limits")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((500, soap_fault("INVALID_LOGIN")), AuthFailed),
        ((500, soap_fault("s3cret")), AuthFailed),
        ((500, soap_fault("SERVER_UNAVAILABLE")), Retriable),
        ((503, "<html><p>Down"), Retriable),
        ((500, "<html></html>"), Retriable),
        ((200, "<html><p>Sign in"), Retriable),
        ((200, "<a><sessionId>x</sessionId></a>"), Retriable),
    ],
)
def test_an_odd_answer_to_a_soap_login_is_no_crash(answer: Reply, error: type[Exception]) -> None:
    with (
        wire(lambda said: answer, auth="soap", username="ann@vendor.example", secrets={"password": "s3cret"}) as w,
        pytest.raises(error) as caught,
    ):
        w.client.get("limits")
    assert "s3cret" not in str(caught.value)


def test_a_security_token_cannot_break_out_of_its_request() -> None:
    bodies: list[str] = []

    def reply(said: Said) -> Reply:
        bodies.append(said.body)
        return 500, soap_fault("INVALID_LOGIN")

    secrets = {"password": "p</n1:password>", "security_token": "t</n1:password><x/>"}
    with wire(reply, auth="soap", username="ann@vendor.example", secrets=secrets) as w, pytest.raises(AuthFailed):
        w.client.get("limits")
    assert bodies[0].count("</n1:password>") == 1


class Shared:
    """As the runner keeps it: the token is one for all, and asked for anew by whoever sees it dead first."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self._own = PrivateTokens(secrets)
        self.token: Token | None = None
        self.renewals = 0

    def get(self, login: Callable[[Any], Token], *, dead: Token | None = None) -> Token:
        if self.token is None or self.token is dead:
            self.token = self._own.get(login, dead=dead)
            self.renewals += 1
        return self.token


def test_others_who_wait_for_the_same_token_do_not_wait_for_long(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    send, seen = HTTPAdapter.send, []

    def noting(self: HTTPAdapter, request: PreparedRequest, stream: bool, timeout: tuple[float, float], *more: Any) -> Any:
        seen.append(timeout)
        return send(self, request, stream, timeout, *more)

    monkeypatch.setattr(HTTPAdapter, "send", noting)
    bench.client.get("limits")
    (_, waited), (_, read) = seen
    assert waited <= SECONDS < read == 120.0


def test_two_clients_with_one_token_renew_it_once(bench: Bench) -> None:
    from dataclasses import replace

    shared = Shared(bench.secrets)
    context = replace(bench.context, tokens=shared)
    clients = [Client(bench.config, context) for _ in range(2)]
    for client in clients:
        client.get("limits")
    bench.sandbox.tokens.expire()
    for client in clients:
        client.get("limits")
    assert shared.renewals == 2
    assert bench.sandbox.counters.by_class["token"] == 2
