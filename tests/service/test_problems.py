"""Every error of the API is a problem that says what to do and repeats nothing."""

from __future__ import annotations

import pytest

from service import config
from service.api import create_app
from tests.client import TestClient, assert_problem, key

JSON = b'{"messages": [{"id": 1, "text": "mysecretword"}]}'
OTHER_KINDS = ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "jsonish", ""]


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_body_that_does_not_say_it_is_json_is_a_415_that_repeats_nothing_of_it(api, workspace, kind):
    said = assert_problem(api.post("/v1/read", content=JSON, headers={**key(workspace), **({"Content-Type": kind} if kind else {})}), 415)
    assert "Content-Type: application/json" in said
    assert "mysecretword" not in said


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON; charset=utf-8", "application/merge-patch+json"])
def test_a_body_that_says_it_is_json_is_read(api, workspace, kind):
    assert api.post("/v1/read", content=JSON, headers={**key(workspace), "Content-Type": kind}).status_code == 200


def test_who_may_not_learns_nothing_of_what_the_body_should_be(api):
    assert_problem(api.post("/v1/read", content=JSON, headers={"Content-Type": "text/plain"}), 401)


def test_a_json_body_of_the_wrong_shape_stays_a_422(api, workspace):
    for body in (b"", b"[]", b"null", b'"x"'):
        assert_problem(api.post("/v1/read", content=body, headers={**key(workspace), "Content-Type": "application/json"}), 422)


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/accounts/", "/mysecretword", "/v1/accounts/mysecretword/x", "/%2e%2e/etc/passwd", "/v1/%00"])
def test_an_address_that_is_none_is_not_repeated(api, path):
    answer = api.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code in (404, 422)
    assert "mysecretword" not in answer.text


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "TRACE", "MYSECRETWORD"])
def test_a_method_that_is_not_taken_names_those_that_are(api, method):
    answer = api.request(method, "/v1/contacts/00000000-0000-0000-0000-000000000001/preferences")
    assert "Allow" in assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET, PUT"
    assert "SECRET" not in answer.text


@pytest.mark.parametrize(("address", "said"), [("https://undertone.example", True), ("http://undertone.example", False)])
def test_browsers_are_told_to_stay_with_tls_where_there_is_tls(api, monkeypatch, address, said):
    monkeypatch.setenv("UNDERTONE_PUBLIC_URL", address)
    config.settings.cache_clear()
    try:
        assert ("strict-transport-security" in api.get("/v1/health").headers) is said
    finally:
        monkeypatch.undo()
        config.settings.cache_clear()
