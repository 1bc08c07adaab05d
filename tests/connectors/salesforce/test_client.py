"""The conversation with an org: login, one refresh, bounded retries, odd answers."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from connectors.context import alone
from connectors.errors import AuthFailed, Misconfigured, Parked, Retriable, UnknownOutcome
from connectors.salesforce.client import BACKOFF_SECONDS, Client
from connectors.salesforce.faults import Refused, TooBig
from connectors.sandbox import Credentials, Fault, running
from tests.connectors.salesforce.conftest import NOW, Bench
from tests.connectors.salesforce.wire import SECRET, TOKEN, Reply, Said, rows, wire

ONE_QUERY = "SELECT Id FROM User"


def signed_in(reply: Callable[[Said], Reply]) -> Callable[[Said], Reply]:
    return lambda said: (200, TOKEN) if "oauth2" in said.path else reply(said)


def test_revoked_credentials_end_after_three_token_requests_at_most(bench: Bench) -> None:
    client = bench.client
    client.get("limits")
    bench.sandbox.tokens.revoke()
    for _ in range(5):
        with pytest.raises(AuthFailed, match="refused the login"):
            client.get("limits")
    assert bench.sandbox.counters.by_class["token"] <= 3


def test_a_lasting_401_asks_for_two_tokens_and_no_more() -> None:
    with wire(signed_in(lambda said: (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]))) as w:
        for _ in range(3):
            with pytest.raises(AuthFailed, match="every token"):
                w.client.get("limits")
        assert w.tokens == 2
        assert len(w.heard) == 4


def test_a_401_that_is_a_web_page_is_a_dead_token_like_any_other() -> None:
    dead = iter([True])
    with wire(signed_in(lambda said: (401, "<html>Unauthorized</html>") if next(dead, False) else (200, {"ok": 1}))) as w:
        assert w.client.get("limits") == {"ok": 1}
        assert w.tokens == 2


def test_a_token_that_dies_between_pages_costs_no_row_and_no_header(bench: Bench) -> None:
    for number in range(450):
        bench.insert("Contact", LastName=f"N{number}", Name=f"N{number}")
    pages = bench.client.pages("SELECT Id FROM Contact ORDER BY Id", most_rows=200)
    first = next(pages)
    bench.sandbox.tokens.expire()
    sizes = [len(first.rows), *(len(page.rows) for page in pages)]
    assert sizes == [200, 200, 51]
    assert bench.sandbox.counters.by_class["token"] == 2


def test_the_replay_after_a_refresh_keeps_the_headers_of_the_call() -> None:
    dead = iter([True])
    with wire(signed_in(lambda said: (401, []) if next(dead, False) else (200, rows()))) as w:
        list(w.client.pages(ONE_QUERY, most_rows=200))
        asked = [s.headers["sforce-query-options"] for s in w.heard if "/query" in s.path]
    assert asked == ["batchSize=200", "batchSize=200"]


def test_an_org_that_is_down_is_asked_five_times_with_growing_pauses(bench: Bench) -> None:
    client = bench.client
    client.get("limits")
    bench.sandbox.faults.add(Fault(kind="unavailable", on="query", times=99))
    with pytest.raises(Retriable, match="HTTP 503"):
        client.count("SELECT COUNT() FROM User")
    assert bench.sandbox.counters.by_class["query"] == 5
    assert all(most / 2 <= paused <= most for paused, most in zip(bench.pauses, BACKOFF_SECONDS, strict=True))


@pytest.mark.parametrize("kind", ["unavailable", "cut_before_commit", "too_many_requests", "expired_session"])
def test_a_read_gets_over_a_passing_failure(bench: Bench, kind: str) -> None:
    client = bench.client
    bench.sandbox.faults.add(Fault(kind=kind, on="query", times=1))  # type: ignore[arg-type]
    assert client.count("SELECT COUNT() FROM Account") == 1


def test_a_login_that_is_down_is_not_taken_for_a_wrong_secret(bench: Bench) -> None:
    client = bench.client
    bench.sandbox.faults.add(Fault(kind="unavailable", on="token", times=99))
    with pytest.raises(Retriable):
        client.get("limits")
    bench.sandbox.faults.clear()
    assert client.get("limits")


def test_a_wrong_secret_is_said_and_not_shown(bench: Bench) -> None:
    bench.secrets = {"consumer_secret": "wr0ng-secret"}
    with pytest.raises(Misconfigured, match=r"invalid_client.*Check consumer_key and consumer_secret") as caught:
        bench.client.get("limits")
    assert "wr0ng-secret" not in str(caught.value)
    assert bench.sandbox.counters.by_class["token"] == 1


def test_a_missing_secret_names_itself(bench: Bench) -> None:
    bench.secrets = {}
    with pytest.raises(Misconfigured, match="no consumer_secret"):
        bench.client.get("limits")


def test_a_wrong_host_says_what_to_check(bench: Bench) -> None:
    bench.settings = {"endpoint": "http://127.0.0.1:9"}
    with pytest.raises(Retriable, match=r"cannot be reached.*domain"):
        bench.client.get("limits")


def test_a_write_whose_answer_is_cut_is_not_sent_again(bench: Bench) -> None:
    client = bench.client
    client.get("limits")
    bench.sandbox.faults.add(Fault(kind="cut_after_commit", on="create"))
    with pytest.raises(UnknownOutcome, match="read back"):
        client.write("POST", "sobjects/Task", {"Subject": "Once"})
    assert bench.sandbox.counters.rows["Task.created"] == 1
    assert bench.sandbox.counters.by_class["create"] == 1


def test_a_write_that_surely_was_not_carried_out_is_sent_again() -> None:
    refused = iter([True])
    busy = (503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "down"}])
    with wire(signed_in(lambda said: busy if next(refused, False) else (201, {"id": "00T", "success": True}))) as w:
        assert w.client.write("POST", "sobjects/Task", {})["success"] is True


@pytest.mark.parametrize("answer", [(502, "<html>Bad gateway</html>"), (504, ""), (500, [{"errorCode": "UNKNOWN_EXCEPTION"}]), (200, "<html>OK</html>")])
def test_a_write_with_an_odd_answer_may_have_been_carried_out(answer: Reply) -> None:
    with wire(signed_in(lambda said: answer)) as w, pytest.raises(UnknownOutcome):
        w.client.write("POST", "sobjects/Task", {})


@pytest.mark.parametrize(
    "body",
    [{}, [], {"records": None, "totalSize": 1, "done": True}, {"records": [], "totalSize": 0, "done": False}, "<html>", {"records": [], "done": True}],
)
def test_a_body_that_is_no_query_result_is_tried_again_later(body: object) -> None:
    with wire(signed_in(lambda said: (200, body))) as w, pytest.raises(Retriable):
        list(w.client.pages(ONE_QUERY))


def test_a_next_page_outside_of_the_api_is_not_followed() -> None:
    with wire(signed_in(lambda said: (200, rows(total=1, following=".evil.example/x")))) as w, pytest.raises(Retriable):
        list(w.client.pages(ONE_QUERY))


def test_a_retired_api_version_says_upgrade() -> None:
    gone = [{"errorCode": "UNSUPPORTED_API_VERSION", "message": "gone"}]
    with wire(signed_in(lambda said: (410, gone))) as w, pytest.raises(Refused, match=r"retired\. Upgrade.*api_version"):
        w.client.get("limits")


@pytest.mark.parametrize("token", [{}, [], None, {"access_token": None, "instance_url": "https://x"}, {"access_token": "x", "instance_url": None}])
def test_a_login_answer_without_a_token_is_no_crash(token: object) -> None:
    with wire(lambda said: (200, token)) as w, pytest.raises(Retriable, match="login"):
        w.client.get("limits")


def test_no_error_holds_a_secret_or_a_token() -> None:
    def leaking(said: Said) -> Reply:
        return (400, [{"errorCode": "MALFORMED_QUERY", "message": f"{TOKEN['access_token']} {SECRET} bo@acme.example"}])

    with wire(signed_in(leaking)) as w, pytest.raises(Refused) as caught:
        w.client.get("limits")
    assert not any(word in str(caught.value) for word in ("secret", "bo@acme"))
    with wire(lambda said: (400, {"error": SECRET, "error_description": SECRET})) as w, pytest.raises(Misconfigured) as refused:
        w.client.get("limits")
    assert SECRET not in str(refused.value)


def test_jwt_signs_in_with_the_apps_key(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    (tmp_path / "story.json").write_text('{"name": "T", "product": "P", "our_domain": "v.example", "first_day": "2026-01-01", "last_day": "2026-03-02"}')
    with running(tmp_path, now=NOW, credentials=Credentials(public_key=public)) as sandbox:
        bench = Bench(sandbox, {"auth": "jwt", "username": sandbox.credentials.username}, {"private_key": private})
        assert bench.client.get("limits")
        bench.settings["username"] = "nobody@sandbox.example"
        with pytest.raises(Misconfigured, match="not approved the app"):
            bench.client.get("limits")
        bench.secrets = {"private_key": "not a key"}
        with pytest.raises(Misconfigured, match="RSA key in PEM form"):
            bench.client.get("limits")


def test_a_netrc_does_not_replace_our_token(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text(f"machine {bench.sandbox.domain}.salesforce.com login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert bench.client.get("limits")


def test_a_proxy_of_the_machine_does_not_get_what_stays_on_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert bench.client.get("limits")


def test_every_request_has_a_timeout(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    send, seen = HTTPAdapter.send, []

    def noting(self: HTTPAdapter, request: PreparedRequest, stream: bool, timeout: tuple[float, float], *more: Any) -> Any:
        seen.append(timeout)
        return send(self, request, stream, timeout, *more)

    monkeypatch.setattr(HTTPAdapter, "send", noting)
    client = bench.client
    client.count("SELECT COUNT() FROM User")
    client.write("POST", "sobjects/Task", {"Subject": "x"})
    assert seen[1:] == [(10.0, 120.0), (10.0, 50.0)]
    assert all(seconds <= 25.0 for seconds in seen[0])


def test_an_answer_that_drips_is_given_up() -> None:
    def drip(said: Said) -> Reply:
        return 200, (b" " for _ in range(200) if not time.sleep(0.05)), {}

    with wire(signed_in(drip), body_seconds=0.2) as w, pytest.raises(Retriable, match="ReadTimeout"):
        w.client.get("limits")


def test_a_write_whose_answer_drips_may_have_been_carried_out() -> None:
    def drip(said: Said) -> Reply:
        return 201, (b" " for _ in range(200) if not time.sleep(0.05)), {}

    with wire(signed_in(drip), body_seconds=0.2) as w, pytest.raises(UnknownOutcome):
        w.client.write("POST", "sobjects/Task", {})


def test_an_answer_that_is_too_big_to_hold_is_not_held() -> None:
    bomb = gzip.compress(b" " * 3_000_000)
    with wire(signed_in(lambda said: (200, bomb, {"Content-Encoding": "gzip"})), most_bytes=1_000_000) as w, pytest.raises(TooBig, match="1,000,000 bytes"):
        w.client.get("limits")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("path", ["query", "oauth2"])
def test_nothing_is_sent_to_where_an_answer_points(status: int, path: str) -> None:
    def reply(said: Said) -> Reply:
        if path in said.path:
            return status, "", {"Location": "https://evil.example/elsewhere"}
        return (200, TOKEN) if "oauth2" in said.path else (200, rows())

    with wire(reply) as w:
        with pytest.raises(Retriable):
            w.client.count(ONE_QUERY)
        assert {s.headers["host"] for s in w.heard} == {w.config.endpoint.removeprefix("http://")}  # type: ignore[union-attr]
        assert all("elsewhere" not in s.path for s in w.heard)


@pytest.mark.parametrize("answer", [(200, "<html>Maintenance</html>"), (200, '{"records": [', {"Content-Length": "900"}), (200, '{"records": [')])
def test_an_answer_that_is_a_web_page_or_cut_is_asked_for_again(answer: Reply) -> None:
    odd = iter([answer])
    with wire(signed_in(lambda said: next(odd, (200, rows(total=7))))) as w:
        assert w.client.count(ONE_QUERY) == 7


@pytest.mark.parametrize("status", [400, 403, 407])
def test_a_page_of_a_proxy_is_no_refusal_of_the_orgs(status: int) -> None:
    with wire(signed_in(lambda said: (status, "<html>Forbidden</html>"))) as w, pytest.raises(Retriable, match="Something between"):
        w.client.count(ONE_QUERY)


@pytest.mark.parametrize("code", ["INVALID_AUTH_HEADER", "INVALID_JWT_FORMAT", "INVALID_SESSION_ID"])
def test_a_token_that_dies_within_a_long_job_is_renewed_whatever_the_org_calls_it(code: str) -> None:
    dead = iter([(403, [{"errorCode": code, "message": "no"}])])
    with wire(signed_in(lambda said: next(dead, (200, {"ok": 1})))) as w:
        assert w.client.get("limits") == {"ok": 1}
        assert w.tokens == 2


class Counted:
    def __init__(self) -> None:
        self.taken = 0
        self.said: list[tuple[int, int]] = []

    def take(self, calls: int = 1) -> None:
        self.taken += calls

    def seen(self, used: int, allowed: int) -> None:
        self.said.append((used, allowed))


def test_each_request_is_taken_from_the_budget_and_no_login_is(bench: Bench) -> None:
    bench.budget = budget = Counted()
    client = bench.client
    client.count("SELECT COUNT() FROM User")
    bench.sandbox.tokens.expire()
    client.count("SELECT COUNT() FROM User")
    assert budget.taken == bench.sandbox.counters.by_class["query"] == 3
    assert bench.sandbox.counters.by_class["token"] == 2
    assert budget.said[-1] == (3, 100_000)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("api-usage=18/5000", [(18, 5000)]),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=x)", [(25, 5000)]),
        ("per-app-api-usage=17/250(appName=x); api-usage=25/5000", [(25, 5000)]),
        ("per-app-api-usage=17/250(appName=x)", []),
        ("api-usage=18/0", []),
        ("nonsense", []),
    ],
)
def test_the_orgs_own_count_is_told_to_the_budget(header: str, said: list[tuple[int, int]]) -> None:
    budget = Counted()
    with wire(signed_in(lambda s: (200, rows(), {"Sforce-Limit-Info": header}))) as w:
        Client(w.config, replace(alone({}, {"consumer_secret": SECRET}), budget=budget)).count(ONE_QUERY)
    assert budget.said == said


def test_an_org_that_asks_to_wait_is_given_that_time() -> None:
    busy = iter([(503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "down"}], {"Retry-After": "7"})])
    with wire(signed_in(lambda said: next(busy, (200, rows(total=1))))) as w:
        assert w.client.count(ONE_QUERY) == 1
        assert w.pauses == [7.0]


def test_an_org_that_asks_for_an_hour_is_left_alone_for_an_hour() -> None:
    with wire(signed_in(lambda said: (503, "", {"Retry-After": "3600"}))) as w, pytest.raises(Retriable) as caught:
        w.client.count(ONE_QUERY)
    assert caught.value.wait == timedelta(hours=1)
    assert w.pauses == []


def test_a_used_up_limit_parks() -> None:
    full = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    with wire(signed_in(lambda said: (403, full))) as w, pytest.raises(Parked) as caught:
        w.client.write("POST", "sobjects/Task", {})
    assert caught.value.wait == timedelta(hours=1)


def test_within_a_bound_nothing_is_waited_for_beyond_it() -> None:
    asked = []

    def reply(said: Said) -> Reply:
        asked.append(said)
        return 503, ""

    with wire(signed_in(reply)) as w:
        with w.client.within(0.3), pytest.raises(Retriable):
            w.client.count(ONE_QUERY)
        assert len(asked) == 1
        with w.client.within(0.0), pytest.raises(Retriable, match="ConnectTimeout"):
            w.client.count(ONE_QUERY)
        assert len(asked) == 1
        assert not w.client.time_is_over


def test_connections_are_kept_between_calls() -> None:
    with wire(signed_in(lambda said: (200, rows({"Id": "x" * 9_000})))) as w:
        for _ in range(3):
            w.client.count(ONE_QUERY)
            list(w.client.pages(ONE_QUERY))
        assert len({s.port for s in w.heard}) == 1
