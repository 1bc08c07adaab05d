"""Listings for analysts: who may not, then pages that lose and repeat nothing, days as they were, and fields that were asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from pydantic import BaseModel

from service import feedback
from service.api import create_app, outcomes, pages, scores, signals, suggestions, timeline, usage
from service.store import signals as stored
from service.store import workspaces
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.client import TestClient, assert_problem, key
from tests.filled import Filled, fill, outlook

MODELS: dict[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "/v1/signals": (signals.Signals, signals.Signal),
    "/v1/suggestions": (suggestions.Suggestions, suggestions.Suggestion),
    "/v1/scores": (scores.Scores, scores.Score),
    "/v1/usage": (usage.Usage, usage.UsageDay),
    "/v1/outcomes": (outcomes.Outcomes, outcomes.Outcome),
    "/v1/accounts/{account_id}/timeline": (timeline.Timeline, timeline.Event),
}
WITH_CHANGES = ["/v1/signals", "/v1/suggestions", "/v1/scores", "/v1/outcomes"]
AS_OF = [*WITH_CHANGES, "/v1/accounts/{account_id}/timeline"]


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def ours(servers: str) -> Filled:
    return told(fill(builders.workspace(), "Ours"))


@pytest.fixture(scope="module")
def theirs(servers: str) -> Filled:
    return told(fill(builders.workspace(), "CANARYtheirs"))


@pytest.fixture(scope="module")
def reader(ours: Filled) -> dict[str, str]:
    return key(ours.workspace_id, "read")


def told(whose: Filled) -> Filled:
    """With two words on the suggestion and a correction of the message."""
    feedback.give(whose.workspace_id, whose.suggestion_id, "not_now", "api", NOW.date())
    feedback.give(whose.workspace_id, whose.suggestion_id, "wrong_reading", "console", NOW.date())
    feedback.correct(whose.workspace_id, whose.interaction_id, "churn_risk", 0, "api")
    return whose


def every(api: TestClient, path: str, headers: dict[str, str], **parameters: Any) -> list[dict[str, Any]]:
    """All pages."""
    found, cursor = [], None
    while True:
        answer = api.get(path, params={**parameters, **({"cursor": cursor} if cursor else {})}, headers=headers)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            return found


def recorded(servers: str, whose: Filled, table: str, at: datetime) -> None:
    """As if the rows had been written then: recorded_at is the database's clock."""
    with psycopg.connect(servers) as owner:
        owner.execute(f"UPDATE {table} SET recorded_at = %s WHERE workspace_id = %s", [at, whose.workspace_id])


# Who may not


@pytest.mark.parametrize("path", MODELS)
def test_no_filter_and_no_cursor_reaches_another_workspace(api, ours, theirs, reader, path):
    for parameters in (
        {},
        {"account_id": str(theirs.account_id)},
        {"cursor": pages.encode(9**9, theirs.signal_id)},
        {"suggestion_id": str(theirs.suggestion_id)},
    ):
        answer = api.get(path.format(account_id=ours.account_id), params=parameters, headers=reader)
        assert answer.status_code in (200, 422)
        assert theirs.mark not in answer.text
        assert not [i for i in theirs.ids if i in answer.text]


def test_the_timeline_of_another_workspaces_account_is_not_found(api, theirs, reader):
    assert_problem(api.get(f"/v1/accounts/{theirs.account_id}/timeline", headers=reader), 404)


@pytest.mark.parametrize("path", MODELS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"fields": "id,workspace_id"},
        {"fields": ""},
        {"fields": "id;DROP TABLE signal"},
        {"since": "0001-01-01"},
        {"since": "yesterday"},
        {"limit": 0},
        {"limit": 201},
        {"cursor": pages.encode("1 2026-13-45", UUID(int=1))},
        {"cursor": pages.encode("2026-02-30 signal", UUID(int=1))},
        {"cursor": pages.encode("2026-02-20 gossip", UUID(int=1))},
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(api, ours, reader, path, parameters):
    assert_problem(api.get(path.format(account_id=ours.account_id), params=parameters, headers=reader), 422)


@given(fields=strategies.text(max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_as_fields_becomes_sql_or_comes_back(api, reader, fields):
    answer = api.get("/v1/scores", params={"fields": fields}, headers=reader)
    assert answer.status_code in (200, 422)
    if answer.status_code == 200 and answer.json()["items"]:
        assert set(answer.json()["items"][0]) == {f.strip() for f in fields.split(",")}


# What it answers


@pytest.mark.parametrize("path", MODELS)
def test_an_answer_is_what_the_document_says(api, ours, reader, path):
    page, item = MODELS[path]
    answer = api.get(path.format(account_id=ours.account_id), headers=reader)
    found = page.model_validate_json(answer.text, strict=True)
    assert found.items
    assert set(answer.json()["items"][0]) == set(item.model_fields)


@pytest.mark.parametrize("path", MODELS)
def test_each_field_can_be_asked_for_alone(api, ours, reader, path):
    whole = api.get(path.format(account_id=ours.account_id), headers=reader).json()["items"]
    for name in MODELS[path][1].model_fields:
        items = api.get(path.format(account_id=ours.account_id), params={"fields": name}, headers=reader).json()["items"]
        assert items == [{name: item[name]} for item in whole], name


@pytest.mark.parametrize("path", MODELS)
@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_lose_nothing_and_repeat_nothing(api, ours, reader, path, limit):
    at_once = every(api, path.format(account_id=ours.account_id), reader, limit=200)
    assert every(api, path.format(account_id=ours.account_id), reader, limit=limit) == at_once
    assert len({str(item) for item in at_once}) == len(at_once)


@pytest.mark.parametrize("path", WITH_CHANGES)
def test_what_is_read_by_change_number_comes_oldest_first_and_once(api, ours, reader, path):
    rows = every(api, path, reader)
    oldest_first = every(api, path, reader, changed_after=0, limit=1)
    assert [r["id"] for r in oldest_first] == [r["id"] for r in reversed(rows)]
    middle = oldest_first[0]["change_no"]
    assert every(api, path, reader, changed_after=middle) == [r for r in oldest_first if r["change_no"] > middle]
    assert every(api, path, reader, changed_after=oldest_first[-1]["change_no"]) == []


def test_a_change_after_the_bookmark_is_all_that_comes(api, workspace):
    whose = fill(workspace, "Moving")
    headers = key(workspace, "read")
    bookmark = max(item["change_no"] for item in every(api, "/v1/signals", headers))
    with transaction(workspace) as db:
        [row] = [r for r in stored.current(db) if r.signal.id == whose.signal_id]
        stored.append(db, [stored.ended(row.signal, NOW.date())], "later", workspaces.next_change(db))
    [changed] = every(api, "/v1/signals", headers, changed_after=bookmark)
    assert (changed["id"], changed["version"], changed["state"], changed["model_version"]) == (str(whose.signal_id), 2, "ended", "later")
    assert changed["evidence_ids"] == [e["id"] for e in changed["evidence"]]


def test_days_and_kinds_filter(api, reader):
    today, tomorrow = NOW.date(), NOW.date() + timedelta(days=1)
    assert {s["kind"] for s in every(api, "/v1/signals", reader, since=today, until=today)} == {"price_objection", "usage_drop"}
    assert every(api, "/v1/signals", reader, since=tomorrow) == []
    assert {s["kind"] for s in every(api, "/v1/signals", reader, kind="usage_drop")} == {"usage_drop"}
    days = every(api, "/v1/usage", reader, metric="active_users", since="2026-02-15", until="2026-02-16", limit=1)
    assert [(d["day"], d["value"]) for d in days] == [("2026-02-15", 41.0), ("2026-02-16", 18.0)]
    assert every(api, "/v1/scores", reader, level="likely") == []


def test_a_correction_stands_beside_the_prediction_and_a_word_beside_the_signal(api, ours, reader):
    [found] = every(api, "/v1/signals", reader, kind="price_objection")
    assert [(c["label"], c["predicted"], c["corrected"], c["interaction_id"]) for c in found["corrections"]] == [("churn_risk", 2, 0, str(ours.interaction_id))]
    [reading] = every(api, f"/v1/accounts/{ours.account_id}/timeline", reader, type="reading")
    assert (reading["value"], reading["confidence"], reading["model_version"]) == (-0.6, 0.9, "test")
    assert [c["corrected"] for c in reading["corrections"]] == [0]


def test_a_word_on_a_suggestion_is_about_the_signal_that_leads_it_alone(api, ours, reader):
    [suggestion] = every(api, "/v1/suggestions", reader)
    judged = {s["id"]: s["confirmed"] for s in every(api, "/v1/signals", reader)}
    assert judged == {suggestion["signal_ids"][0]: False, **dict.fromkeys(suggestion["signal_ids"][1:])}


def test_outcomes_keep_the_word_that_a_later_one_replaced(api, ours, reader):
    rows = every(api, "/v1/outcomes", reader, suggestion_id=str(ours.suggestion_id))
    assert [(r["type"], r["outcome"], r["source"]) for r in rows] == [("feedback", "wrong_reading", "console"), ("feedback", "not_now", "api")]
    assert every(api, "/v1/outcomes", reader, outcome="not_now") == rows[1:]


def test_the_last_outlook_of_a_day_is_the_days(api, workspace):
    whose = fill(workspace, "Scored")
    with transaction(workspace) as db:
        stored.append_outlooks(db, [outlook(whose.account_id, "again")], "later", workspaces.next_change(db))
    [found] = every(api, "/v1/scores", key(workspace, "read"))
    assert (found["model_version"], found["day"]) == ("later", NOW.date().isoformat())
    assert sum(d["points"] for d in found["drivers"]) == found["score"]


# As of a day


@pytest.mark.parametrize("path", AS_OF)
def test_before_anything_was_recorded_nothing_was_believed(api, ours, reader, path):
    assert every(api, path.format(account_id=ours.account_id), reader, as_of="2020-01-01") == []


@pytest.mark.parametrize("path", WITH_CHANGES)
def test_as_of_today_is_what_stands_today(api, ours, reader, path):
    unknown = {"stale", "push_status"}
    today = [{k: v for k, v in item.items() if k not in unknown} for item in every(api, path, reader)]
    as_of = [{k: v for k, v in item.items() if k not in unknown} for item in every(api, path, reader, as_of=datetime.now(UTC).date() + timedelta(days=1))]
    assert as_of == today


def test_as_of_a_day_is_what_was_believed_by_its_end_and_not_what_came_later(api, servers, workspace):
    whose, headers = fill(workspace, "Past"), key(workspace, "read")
    for table in ("signal", "suggestion", "outlook", "message_score"):
        recorded(servers, whose, table, datetime(2026, 3, 3, 23, 59, 59, tzinfo=UTC))
    with transaction(workspace) as db:
        rows = stored.current(db)
        stored.append(db, [stored.ended(r.signal, date(2026, 3, 4)) for r in rows], "later", workspaces.next_change(db))
    feedback.give(workspace, whose.suggestion_id, "wrong_reading", "api", NOW.date())
    assert {s["state"] for s in every(api, "/v1/signals", headers)} == {"ended"}
    assert every(api, "/v1/signals", headers, as_of="2026-03-02") == []
    then = every(api, "/v1/signals", headers, as_of="2026-03-03")
    assert {(s["state"], s["version"], s["confirmed"], bool(s["evidence_ids"])) for s in then} <= {("open", 1, None, True), ("open", 1, None, False)}
    assert len(then) == 2
    [suggestion] = every(api, "/v1/suggestions", headers, as_of="2026-03-03")
    assert (suggestion["feedback"], suggestion["push_status"], suggestion["stale"]) == (None, None, None)
    assert every(api, "/v1/outcomes", headers, as_of="2026-03-03") == []
    path = f"/v1/accounts/{whose.account_id}/timeline"
    assert {e["type"] for e in every(api, path, headers)} == {"signal", "signal_ended", "score", "suggestion", "outcome", "reading"}
    assert {e["type"] for e in every(api, path, headers, as_of="2026-03-03")} == {"signal", "score", "suggestion", "reading"}


def test_the_day_ends_in_utc(api, servers, workspace):
    whose, headers = fill(workspace, "Midnight"), key(workspace, "read")
    recorded(servers, whose, "signal", datetime(2026, 3, 4, 0, 0, tzinfo=UTC))
    assert every(api, "/v1/signals", headers, as_of="2026-03-03") == []
    assert len(every(api, "/v1/signals", headers, as_of="2026-03-04")) == 2
