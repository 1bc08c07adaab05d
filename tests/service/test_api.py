"""The API: who may not, what never gets through, and that nothing of one workspace reaches another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies

from service import config, jobs, keys
from service.api import accounts as accounts_api
from service.api import connections as connections_api
from service.api import create_app, pages
from service.api import signals as signals_api
from service.api import suggestions as suggestions_api
from service.api.boundary import MOST_BODY
from service.errors import BadInput
from service.store import connections, outbox, signals, suggestions, workspaces
from service.store.pool import transaction
from tests import builders
from tests.client import TestClient
from tests.filled import Filled, fill

SCOPE_OF = {
    ("get", "/v1/accounts"): "read",
    ("get", "/v1/accounts/{account_id}"): "read",
    ("get", "/v1/accounts/{account_id}/ledger"): "read",
    ("get", "/v1/accounts/{account_id}/messages"): "read",
    ("post", "/v1/messages/{interaction_id}/corrections"): "feedback",
    ("get", "/v1/contacts/{contact_id}/preferences"): "read",
    ("put", "/v1/contacts/{contact_id}/preferences"): "feedback",
    ("get", "/v1/accounts/{account_id}/timeline"): "read",
    ("get", "/v1/signals"): "read",
    ("get", "/v1/scores"): "read",
    ("get", "/v1/usage"): "read",
    ("get", "/v1/outcomes"): "read",
    ("get", "/v1/export/signals"): "read",
    ("get", "/v1/export/suggestions"): "read",
    ("get", "/v1/export/usage"): "read",
    ("get", "/v1/export/outcomes"): "read",
    ("get", "/v1/suggestions"): "read",
    ("get", "/v1/suggestions/{suggestion_id}"): "read",
    ("get", "/v1/suggestions/{suggestion_id}/audit"): "read",
    ("post", "/v1/suggestions/{suggestion_id}/push"): "push",
    ("post", "/v1/suggestions/{suggestion_id}/feedback"): "feedback",
    ("get", "/v1/connections"): "read",
    ("get", "/v1/policy"): "read",
    ("put", "/v1/policy"): "configure",
    ("get", "/v1/policy/versions"): "read",
    ("post", "/v1/policy/versions/{version}/undo"): "configure",
    ("post", "/v1/read"): "read",
    ("post", "/v1/review"): "read",
    ("post", "/v1/drafts"): "read",
    ("get", "/v1/health"): None,
}
"""Every operation and the scope it asks for. One that is not here fails the tests below."""

BODY_OF = {
    "feedback": {"verdict": "used"},
    "preferences": {"channel": "email"},
    "corrections": {"label": "churn_risk", "value": 1},
    "read": {"messages": [{"id": 1, "text": "Thanks."}]},
    "review": {"drafts": [{"id": 1, "draft": "Thanks."}]},
    "drafts": {"drafts": [{"id": 1}]},
    "policy": {"from_version": 0, "policy": {"most_open": 4}},
}
"""By the last word of the path."""
OPERATIONS = [operation for operation, scope in SCOPE_OF.items() if scope]
HOSTILE = ("\x00", "%00", "'; DROP TABLE account; --", "..%2f..%2fetc%2fpasswd", "9" * 5000, "-1", "NaN", "\u00b2", "urn:uuid:x", "{}", "\u202e", "a" * 9000)


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def ours(servers: str) -> Filled:
    return fill(builders.workspace(), "Ours")


@pytest.fixture(scope="module")
def theirs(servers: str) -> Filled:
    return fill(builders.workspace(), "CANARYtheirs")


def key(workspace_id: UUID, *scopes: str, valid: timedelta | None = None) -> dict[str, str]:
    made = keys.create(workspace_id, "test", scopes or keys.SCOPES, datetime.now(UTC), valid)
    return {"Authorization": f"Bearer {made}"}


def call(api: TestClient, operation: tuple[str, str], whose: Filled, headers: dict[str, str]) -> Any:
    method, path = operation
    url = path.format(
        account_id=whose.account_id, interaction_id=whose.interaction_id, suggestion_id=whose.suggestion_id, contact_id=whose.contact_id, version=9
    )
    return api.request(method, url, headers=headers, json=BODY_OF.get(path.rpartition("/")[2]))


def assert_problem(answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"title", "status", "detail"}
    assert answer.json()["status"] == status


# Who may not


def test_no_operation_is_missing_from_the_table_of_scopes(api: TestClient):
    paths = api.get("/openapi.json").json()["paths"]
    assert {(method, path) for path, methods in paths.items() for method in methods} == set(SCOPE_OF)


def test_no_route_outside_the_api_document_is_reachable_but_the_console(api: TestClient):
    for path in ("/docs", "/redoc", "/v1", "/v1/accounts/", "/admin", "/metrics", "/.env"):
        assert_problem(api.get(path, follow_redirects=False), 404)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer ut_00000000_" + "a" * 43},
        {"Authorization": "Basic dXQ6eA=="},
        {"Authorization": b"Bearer ut_\x00\xff_\xfe"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Cookie": "undertone_session=local.AAAA"},
    ],
)
def test_nobody_gets_in_without_a_valid_key(api, ours, operation, headers):
    answer = call(api, operation, ours, headers)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert ours.mark not in answer.text


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_key_without_the_operations_scope_is_refused(api, ours, operation):
    wrong = key(ours.workspace_id, *(s for s in keys.SCOPES if s != SCOPE_OF[operation]))
    answer = call(api, operation, ours, wrong)
    assert_problem(answer, 403)
    assert ours.mark not in answer.text


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_key_of_another_workspace_sees_not_one_byte(api, ours, theirs, operation):
    answer = call(api, operation, theirs, key(ours.workspace_id))
    assert answer.status_code == (404 if "{" in operation[1] else 200)
    assert theirs.mark not in answer.text
    assert not [i for i in theirs.ids if i in answer.text]
    assert not [v for v in answer.headers.values() if theirs.mark in v]


@pytest.mark.parametrize("path", ["/v1/signals", "/v1/suggestions"])
def test_a_filter_by_a_foreign_account_finds_nothing(api, ours, theirs, path):
    answer = api.get(path, params={"account_id": str(theirs.account_id)}, headers=key(ours.workspace_id))
    assert answer.json() == {"items": [], "next": None}


def test_a_cursor_of_another_workspace_opens_nothing(api, ours, theirs):
    cursor = pages.encode("A", theirs.account_id)
    answer = api.get("/v1/accounts", params={"cursor": cursor}, headers=key(ours.workspace_id))
    assert theirs.mark not in answer.text


def test_a_foreign_suggestion_is_neither_pushed_nor_judged(api, ours, theirs):
    with transaction(theirs.workspace_id) as db:
        connections.approve_push(db, theirs.connection_id, builders.NOW)
        before = outbox.counts(db)
    for action in ("push", "feedback"):
        call(api, ("post", f"/v1/suggestions/{{suggestion_id}}/{action}"), theirs, key(ours.workspace_id))
    with transaction(theirs.workspace_id) as db:
        assert outbox.counts(db) == before
        row = suggestions.get(db, theirs.suggestion_id)
    assert row is not None
    assert row.feedback is None


def test_a_revoked_key_stops_at_once(api, ours):
    headers = key(ours.workspace_id)
    assert api.get("/v1/accounts", headers=headers).status_code == 200
    keys.revoke(ours.workspace_id, headers["Authorization"].removeprefix("Bearer "), datetime.now(UTC))
    assert_problem(api.get("/v1/accounts", headers=headers), 401)


def test_an_expired_key_stops_at_once_even_where_the_products_clock_stands_still(api, ours):
    headers = key(ours.workspace_id, valid=timedelta(seconds=-1))
    assert_problem(api.get("/v1/accounts", headers=headers), 401)


def test_a_key_in_the_address_does_not_count(api, ours):
    text = key(ours.workspace_id)["Authorization"].removeprefix("Bearer ")
    assert_problem(api.get("/v1/accounts", params={"key": text, "access_token": text}), 401)


# What never gets through


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_parameters_are_refused_in_words_and_never_break_anything(api, ours, text):
    headers = key(ours.workspace_id)
    for path in ("/v1/accounts", "/v1/signals", "/v1/suggestions"):
        for name in ("cursor", "limit", "account_id", "kind", "state", "level"):
            answer = api.get(path, params={name: text}, headers=headers)
            assert answer.status_code in (200, 400, 422), (path, name, answer.text)
            if answer.status_code != 200:
                assert_problem(answer, answer.status_code)
    for path in ("/v1/accounts/", "/v1/suggestions/"):
        assert api.get(path + quote(text, safe=""), headers=headers).status_code in (400, 404, 422)


BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"used"',
    b"\xff\xfe",
    b"[" * 60_000,
    b'{"verdict": "used", "note": "a\\u0000b"}',
    b'{"verdict": "used", "note": "\\ud800"}',
    b'{"verdict": "\\ud800"}',
    b'{"verdict": "used", "\\ud800": 1}',
    b'{"verdict": "used", "\\u0000": 1}',
    b'{"verdict": "used", "note": NaN}',
    b'{"verdict": "used", "note": 1e999}',
    b'{"verdict": ' + b"9" * 6000 + b"}",
    b'{"verdict": true}',
    b'{"verdict": "used", "note": {"a": 1}}',
    b'{"verdict": "used", "workspace_id": "x"}',
    b'{"verdict": "used", "note": "' + b"x" * 2001 + b'"}',
    b'{"verdict": "perfect"}',
]


@pytest.mark.parametrize("body", BODIES)
def test_a_hostile_body_is_refused_and_leaves_no_row(api, ours, body):
    answer = api.post(f"/v1/suggestions/{ours.suggestion_id}/feedback", content=body, headers={**key(ours.workspace_id), "Content-Type": "application/json"})
    assert_problem(answer, 400 if body.startswith(b"[[") or b"9999" in body else 422)
    with transaction(ours.workspace_id) as db:
        assert db.execute("SELECT count(*) FROM feedback WHERE note ~ 'x|a' OR verdict = 'perfect'").fetchone() == (0,)


def test_an_error_repeats_nothing_of_what_was_sent(api, ours):
    secret = "mysecretword"
    headers = {**key(ours.workspace_id), "Content-Type": "application/json"}
    for body in ({"verdict": secret}, {"verdict": "used", "note": {secret: secret}}, {"verdict": "used", "n" * 3000: 1}):
        answer = api.post(f"/v1/suggestions/{ours.suggestion_id}/feedback", json=body, headers=headers)
        assert_problem(answer, 422)
        assert secret not in answer.text
        assert len(answer.text) < 500


def test_a_body_that_is_too_large_is_refused_before_all_of_it_is_read(api, ours):
    url = f"/v1/suggestions/{ours.suggestion_id}/feedback"
    whole = api.post(url, content=b" " * (MOST_BODY + 1), headers={**key(ours.workspace_id), "Content-Type": "application/json"})
    assert_problem(whole, 413)
    taken, sent = [], []

    async def receive() -> dict[str, object]:
        taken.append(1000)
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": url, "raw_path": url.encode(), "query_string": b"", "headers": headers, "http_version": "1.1"}
    asyncio.run(create_app()(scope, receive, send))
    assert sent[0]["status"] == 413
    assert sum(taken) <= MOST_BODY + 1000


@given(strategies.text(max_size=300))
@example(pages.encode("Acme", UUID(int=7)) + "!")
@example(pages.encode("Acme", UUID(int=7))[:6] + "\n" + pages.encode("Acme", UUID(int=7))[6:])
@example(pages.encode("Acme", str(UUID(int=7)).replace("-", "")))
@example(pages.encode("Ac\x00me", UUID(int=7)))
@settings(max_examples=200, deadline=None)
def test_no_text_that_is_not_a_cursor_of_ours_is_taken_for_one(text):
    try:
        first, last = pages.decode(text) or ("", None)
    except BadInput:
        return
    assert pages.encode(first, last) == text


@given(strategies.text(strategies.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=300), strategies.uuids())
@settings(max_examples=200, deadline=None)
def test_a_cursor_names_the_row_it_was_made_for(name, row_id):
    assert pages.decode(pages.encode(name, row_id)) == (name, row_id)


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/signals", "/v1/suggestions"])
@given(first=strategies.text(strategies.characters(blacklist_categories=["Cs"]), max_size=40), row_id=strategies.uuids())
@example(first="\u00b2", row_id=UUID(int=1))
@example(first="9" * 19, row_id=UUID(int=1))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_forged_cursor_is_a_place_in_the_list_or_refused(api, ours, path, first, row_id):
    answer = api.get(path, params={"cursor": pages.encode(first, row_id)}, headers=key_once(ours))
    assert answer.status_code in (200, 422)


_kept: dict[UUID, dict[str, str]] = {}


def key_once(whose: Filled) -> dict[str, str]:
    return _kept.setdefault(whose.workspace_id, key(whose.workspace_id)) if whose.workspace_id not in _kept else _kept[whose.workspace_id]


def test_a_cut_database_is_a_503_that_says_when_to_come_back(api, ours, servers):
    """The server ends the connection in the middle of a request: no 500, and the next request works again."""
    headers = key(ours.workspace_id)
    with transaction(ours.workspace_id) as db:
        answer = None
        with psycopg.connect(servers, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'undertone_app' AND pid <> %s", [db.info.backend_pid])
        answer = api.get("/v1/accounts", headers=headers)
    assert answer.status_code in (200, 503)
    if answer.status_code == 503:
        assert_problem(answer, 503)
        assert answer.headers["retry-after"] == "5"
    assert api.get("/v1/accounts", headers=headers).status_code == 200


def test_a_fault_of_ours_is_a_500_without_a_word_of_why(servers, ours, caplog):
    app = create_app()

    @app.get("/fault")
    def fault() -> None:
        raise RuntimeError("private words of a buyer")

    answer = TestClient(app).get("/fault")
    assert_problem(answer, 500)
    assert "private" not in answer.text
    assert [r.name for r in caplog.records if r.levelname == "ERROR"] == ["undertone.api"]


def test_a_wrong_method_names_the_right_one(api):
    answer = api.delete("/v1/accounts")
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET"


def test_every_answer_forbids_storing_sniffing_and_framing(api, ours):
    for answer in (api.get("/v1/accounts", headers=key(ours.workspace_id)), api.get("/v1/accounts"), api.get("/nowhere"), api.get("/v1/health")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers


# What it answers


MODELS = {
    "/v1/accounts": accounts_api.Accounts,
    "/v1/signals": signals_api.Signals,
    "/v1/suggestions": suggestions_api.Suggestions,
    "/v1/connections": connections_api.Connections,
}


@pytest.mark.parametrize("path", MODELS)
def test_an_answer_is_what_the_document_says(api, ours, path):
    text = api.get(path, headers=key(ours.workspace_id)).text
    found = MODELS[path].model_validate_json(text, strict=True)
    assert found.items
    assert set(json.loads(text)["items"][0]) == set(type(found.items[0]).model_fields)


def test_every_error_in_the_document_is_a_problem(api):
    for methods in api.get("/openapi.json").json()["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")):
                    assert list(response["content"]) == ["application/problem+json"]


def test_a_signal_comes_with_the_words_it_rests_on(api, ours):
    items = api.get("/v1/signals", params={"kind": "price_objection"}, headers=key(ours.workspace_id)).json()["items"]
    assert [e["text"] for e in items[0]["evidence"]] == ["We had to explain the new price to our board twice, and it is hard to defend."]


def test_an_account_comes_with_its_outlook_and_drivers_that_add_up(api, ours):
    outlook = api.get(f"/v1/accounts/{ours.account_id}", headers=key(ours.workspace_id)).json()["outlook"]
    assert outlook["level"] == "at_risk"
    assert sum(d["points"] for d in outlook["drivers"]) == outlook["score"]


def test_a_connection_shows_no_secret_and_no_setting(api, ours):
    with transaction(ours.workspace_id) as db:
        db.execute('UPDATE connection SET config = \'{"password": "hush"}\'')
    answer = api.get("/v1/connections", headers=key(ours.workspace_id))
    assert "hush" not in answer.text
    assert "config" not in answer.json()["items"][0]


def test_a_connection_says_how_it_stands_and_what_to_do(api):
    troubled = fill(builders.workspace(), "Troubled")
    with transaction(troubled.workspace_id) as db:
        row = [troubled.workspace_id, troubled.connection_id, ["Seats__c"]]
        columns = "workspace_id, connection_id, missing, name, error, landed, calls, unfinished"
        db.execute(f"INSERT INTO stream ({columns}) VALUES (%s, %s, %s, 'emails', 'Gone', 7, 3, true)", row)
    [found] = api.get("/v1/connections", headers=key(troubled.workspace_id)).json()["items"]
    assert (found["status"], found["standing"]) == ("active", "failing")
    assert [(t["kind"], t["level"]) for t in found["troubles"]] == [("failing", "act"), ("behind", "wait"), ("lacking", "note")]
    assert "cannot be read" in found["troubles"][0]["sentence"]
    [stream] = found["streams"]
    assert {k: stream[k] for k in ("name", "standing", "landed", "calls", "missing", "unfinished")} == {
        "name": "emails", "standing": "failing", "landed": 7, "calls": 3, "missing": ["Seats__c"], "unfinished": True
    }  # fmt: skip


def test_health_needs_no_key_and_shows_no_data(api):
    assert api.get("/v1/health").json() == {"database": True, "redis": True}


@pytest.fixture
def without_redis(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")
    config.settings.cache_clear()
    jobs.celery.cache_clear()
    yield
    monkeypatch.undo()
    config.settings.cache_clear()
    jobs.celery.cache_clear()


def test_health_without_redis_is_told_and_no_failure(api, without_redis):
    answer = api.get("/v1/health")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "redis": False})


def test_a_push_is_queued_also_without_redis(api, pushable, without_redis):
    assert push(api, pushable).status_code == 202
    assert [row[1] for row in waiting(pushable)] == ["ready"]


def test_feedback_is_kept_and_the_last_word_counts(api, ours, hold_clock):
    hold_clock(builders.NOW)
    headers = key(ours.workspace_id, "read", "feedback")
    for verdict in ("used", "wrong_reading"):
        answer = api.post(f"/v1/suggestions/{ours.suggestion_id}/feedback", json={"verdict": verdict, "note": "they moved"}, headers=headers)
        assert (answer.status_code, answer.json()) == (201, {"status": "recorded"})
    assert api.get(f"/v1/suggestions/{ours.suggestion_id}", headers=headers).json()["feedback"] == "wrong_reading"


# Pushing


@pytest.fixture
def pushable(workspace: UUID) -> Filled:
    found = fill(workspace, "Pushable")
    with transaction(workspace) as db:
        connections.approve_push(db, found.connection_id, builders.NOW)
        db.execute("UPDATE outbox SET state = 'done'")
    return found


def push(api: TestClient, whose: Filled) -> Any:
    return api.post(f"/v1/suggestions/{whose.suggestion_id}/push", headers=key(whose.workspace_id, "push"))


def waiting(whose: Filled) -> list[tuple[Any, ...]]:
    with transaction(whose.workspace_id) as db:
        return db.execute("SELECT suggestion_id, state, fence, attempts FROM outbox").fetchall()


def test_nothing_is_queued_before_a_person_has_approved(api, workspace):
    found = fill(workspace, "Unapproved")
    with transaction(workspace) as db:
        db.execute("UPDATE outbox SET state = 'done'")
    assert_problem(push(api, found), 409)
    assert [row[1] for row in waiting(found)] == ["done"]


def test_a_closed_suggestion_is_not_pushed(api, pushable):
    with transaction(pushable.workspace_id) as db:
        db.execute(
            'INSERT INTO suggestion SELECT (jsonb_populate_record(s, \'{"version": 2, "state": "closed", "close_reason": "expired"}\')).* FROM suggestion s'
        )
    assert_problem(push(api, pushable), 409)


def test_asking_twice_queues_once_and_answers_the_same(api, pushable):
    first = push(api, pushable)
    assert (first.status_code, first.json()) == (202, {"status": "queued"})
    once = waiting(pushable)
    assert [row[1] for row in once] == ["ready"]
    assert push(api, pushable).status_code == 202
    assert waiting(pushable) == once


def test_asking_while_a_worker_holds_the_task_does_not_take_it_away(api, pushable):
    push(api, pushable)
    with transaction(pushable.workspace_id) as db:
        outbox.lease(db, pushable.connection_id, 10, timedelta(minutes=1))
    held = waiting(pushable)
    assert push(api, pushable).status_code == 202
    assert waiting(pushable) == held


def test_what_was_given_up_is_tried_again_when_somebody_asks(api, pushable):
    with transaction(pushable.workspace_id) as db:
        db.execute("UPDATE outbox SET state = 'dead', attempts = 10")
    assert push(api, pushable).status_code == 202
    assert [(row[1], row[3]) for row in waiting(pushable)] == [("ready", 0)]


# Paging


def walk(api: TestClient, path: str, headers: dict[str, str], between: Any, **params: object) -> list[str]:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = api.get(path, params={"limit": 3, **params, **({"cursor": cursor} if cursor else {})}, headers=headers).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return seen
        between()


def test_paging_through_accounts_shows_each_once_while_others_are_added(api, workspace):
    with transaction(workspace) as db:
        connection_id = builders.connection(db)
        names = ["ab", "Ab", "a b", "\u00e4b", "\u2028", "a|b", "zz", "\u65e5\u672c", "\u65e5" * 300, "ab", "ab"]
        before = {str(builders.account(db, connection_id, key=f"K{n}", name=name)) for n, name in enumerate(names)}
    added = iter(range(100))

    def add() -> None:
        with transaction(workspace) as db:
            builders.account(db, connection_id, key=f"N{next(added)}", name="ab")

    seen = walk(api, "/v1/accounts", key(workspace, "read"), add, limit=1)
    assert before <= set(seen)
    assert len(seen) == len(set(seen))


def test_paging_through_signals_shows_each_once_while_others_are_added(api, workspace):
    with transaction(workspace) as db:
        account_id = builders.account(db, builders.connection(db))
        before = {str(s) for s in signals.append(db, [builders.signal(account_id) for _ in range(10)], "m", workspaces.next_change(db))}

    def add() -> None:
        with transaction(workspace) as db:
            signals.append(db, [builders.signal(account_id)], "m", workspaces.next_change(db))

    seen = walk(api, "/v1/signals", key(workspace, "read"), add)
    assert sorted(seen) == sorted(before)


def test_paging_through_suggestions_shows_each_once(api, ours):
    with transaction(ours.workspace_id) as db:
        for _ in range(7):
            db.execute(
                "INSERT INTO suggestion SELECT (jsonb_populate_record(s, jsonb_build_object('suggestion_id', %s::uuid, 'state', 'closed', 'close_reason',"
                " 'expired', 'change_no', 5))).* FROM suggestion s WHERE s.suggestion_id = %s AND version = 1",
                [uuid4(), ours.suggestion_id],
            )
        every = [str(i) for (i,) in db.execute("SELECT DISTINCT suggestion_id FROM suggestion")]
    assert sorted(walk(api, "/v1/suggestions", key(ours.workspace_id, "read"), lambda: None)) == sorted(every)
