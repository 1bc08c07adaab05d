"""The list of an account's messages: each once, newest first, with the words that carry its reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies

from connectors.records import Interaction
from service import feedback, keys
from service.api import create_app, pages
from service.api import messages as messages_api
from service.errors import BadInput
from service.store import landing, readings
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.client import TestClient
from tests.filled import Filled, fill


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


def key(workspace_id: UUID, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.create(workspace_id, 'test', scopes or keys.SCOPES, datetime.now(UTC), None)}"}


def shown(api: TestClient, whose: Filled) -> dict[str, Any]:
    (item,) = api.get(f"/v1/accounts/{whose.account_id}/messages", headers=key(whose.workspace_id, "read")).json()["items"]
    return dict(item)


def test_an_answer_is_what_the_document_says(api, ours):
    feedback.correct(ours.workspace_id, ours.interaction_id, "emotions", ["anxiety"], "api")
    text = api.get(f"/v1/accounts/{ours.account_id}/messages", headers=key(ours.workspace_id)).text
    (item,) = messages_api.Messages.model_validate_json(text, strict=True).items
    assert item.reading is not None
    assert set(shown(api, ours)) == set(messages_api.Message.model_fields)
    assert set(shown(api, ours)["reading"]) == set(messages_api.Reading.model_fields)
    assert set(shown(api, ours)["corrections"][0]) == set(messages_api.Correction.model_fields)


def test_a_message_comes_with_the_words_that_carry_its_reading_and_what_else_they_could_mean(api, ours):
    reading = shown(api, ours)["reading"]
    assert [q["text"] for q in reading["quotes"]] == ["We had to explain the new price to our board twice, and it is hard to defend."]
    assert reading["alternatives"] == list(builders.reading().alternatives)


def test_erased_words_are_null_in_the_list(api, ours):
    with transaction(ours.workspace_id) as db:
        db.execute("DELETE FROM message_text")
    assert [q["text"] for q in shown(api, ours)["reading"]["quotes"]] == [None]


def test_paging_shows_each_message_once_while_others_come_in(api, workspace):
    with transaction(workspace) as db:
        crm = builders.connection(db)
        account_id = builders.account(db, crm)
        mails = [builders.email(occurred_at=NOW - timedelta(hours=n // 3, microseconds=n % 2)) for n in range(10)]
        landing.land(db, crm, Interaction, mails)
        before = [str(r.interaction_id) for r in readings.listing(db, account_id, NOW, after=None, most=100)]
    headers = key(workspace, "read")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = api.get(f"/v1/accounts/{account_id}/messages", params=parameters, headers=headers).json()
        seen += [item["id"] for item in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
        with transaction(workspace) as db:
            landing.land(db, crm, Interaction, [builders.email()])
    assert len(before) == 10
    assert [i for i in seen if i in before] == before
    assert len(seen) == len(set(seen))


@given(at=strategies.datetimes(timezones=strategies.just(UTC)), row_id=strategies.uuids())
@settings(max_examples=60, deadline=None)
def test_a_cursor_names_the_time_it_was_made_for(at, row_id):
    assert pages.decode_time(pages.encode_time(at, row_id)) == (at, row_id)


@given(first=strategies.text(max_size=40), row_id=strategies.uuids())
@example(first="2026-03-02", row_id=UUID(int=1))
@example(first="2026-03-02T09:00:00", row_id=UUID(int=1))
@example(first="2026-03-02T09:00:00+23:59", row_id=UUID(int=1))
@example(first="0001-01-01T00:00:00+14:00", row_id=UUID(int=1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_other_text_is_taken_for_a_time(first, row_id):
    cursor = pages.encode(*(part.encode("utf-8", "replace").decode() for part in (first, str(row_id))))
    try:
        at, last = pages.decode_time(cursor) or (NOW, None)
    except BadInput:
        return
    assert pages.encode_time(at, last) == cursor


@pytest.mark.parametrize("at", [datetime.min, datetime.max, NOW])  # noqa: DTZ901
def test_a_forged_cursor_is_a_place_in_the_list(api, ours, at):
    answer = api.get(
        f"/v1/accounts/{ours.account_id}/messages", params={"cursor": pages.encode_time(at.replace(tzinfo=UTC), uuid4())}, headers=key(ours.workspace_id)
    )
    assert answer.status_code == 200
