"""The conversation with an org: login, one refresh, bounded retries, odd answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests import PreparedRequest
from requests.adapters import HTTPAdapter

from connectors.errors import Misconfigured, Retriable, UnknownOutcome
from connectors.salesforce.client import BACKOFF_SECONDS
from connectors.salesforce.faults import Refused
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
        with pytest.raises(Misconfigured, match="refused the login"):
            client.get("limits")
    assert bench.sandbox.counters.by_class["token"] <= 3


def test_a_lasting_401_asks_for_two_tokens_and_no_more() -> None:
    with wire(signed_in(lambda said: (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]))) as w:
        for _ in range(3):
            with pytest.raises(Misconfigured, match="every token"):
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
    assert seen == [(10.0, 120.0), (10.0, 120.0), (10.0, 50.0)]
