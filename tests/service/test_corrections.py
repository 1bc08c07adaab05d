"""Corrections of readings: who may not make one, what is refused and in which words, and that a prediction is never overwritten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from ml.labels import EMOTIONS, PRIORITIES, SITUATIONS
from service import keys
from service.api import create_app
from service.store import corrections
from service.store.corrections import CorrectionRow
from service.store.pool import transaction
from tests import builders
from tests.client import TestClient
from tests.filled import Filled, fill, read_again


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


@pytest.fixture(scope="module")
def unchanged(servers: str) -> Filled:
    """Of whoever is refused: every test leaves it as it was."""
    return fill(builders.workspace(), "Ours")


@pytest.fixture(scope="module")
def theirs(servers: str) -> Filled:
    return fill(builders.workspace(), "CANARYtheirs")


def key(workspace_id: UUID, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.create(workspace_id, 'test', scopes or keys.SCOPES, datetime.now(UTC), None)}"}


def correct(api: TestClient, whose: Filled, body: Any, headers: dict[str, str] | None = None) -> Any:
    return api.post(f"/v1/messages/{whose.interaction_id}/corrections", json=body, headers=headers or key(whose.workspace_id))


def made(whose: Filled) -> list[CorrectionRow]:
    with transaction(whose.workspace_id) as db:
        return corrections.current(db, [whose.interaction_id]).get(whose.interaction_id, [])


def count(whose: Filled) -> int:
    with transaction(whose.workspace_id) as db:
        return (db.execute("SELECT count(*) FROM correction").fetchone() or (0,))[0]


def shown(api: TestClient, whose: Filled) -> dict[str, Any]:
    (item,) = api.get(f"/v1/accounts/{whose.account_id}/messages", headers=key(whose.workspace_id, "read")).json()["items"]
    return dict(item)


def assert_problem(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["detail"])


# Who may not


def test_a_message_of_another_workspace_is_not_corrected(api, ours, theirs):
    answer = correct(api, theirs, {"label": "sentiment", "value": 1}, key(ours.workspace_id))
    assert_problem(answer, 404)
    assert theirs.mark not in answer.text
    assert made(theirs) == []


@pytest.mark.parametrize("scopes", [("read",), ("push",), ("read", "push")])
def test_a_key_without_the_scope_feedback_corrects_nothing(api, unchanged, scopes):
    detail = assert_problem(correct(api, unchanged, {"label": "sentiment", "value": 1}, key(unchanged.workspace_id, *scopes)), 403)
    assert "--scope feedback" in detail
    assert count(unchanged) == 0


def test_a_key_that_may_only_correct_sees_no_message(api, unchanged):
    assert_problem(api.get(f"/v1/accounts/{unchanged.account_id}/messages", headers=key(unchanged.workspace_id, "feedback")), 403)


def test_a_correction_for_another_workspace_cannot_be_written(ours, theirs):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(ours.workspace_id) as db:
        db.execute(
            "INSERT INTO correction (workspace_id, interaction_id, model_version, label, predicted, corrected, source, change_no)"
            " VALUES (%s, %s, 'test', 'sentiment', '0', '1', 'api', 1)",
            [theirs.workspace_id, theirs.interaction_id],
        )


def test_a_message_that_is_not_there_or_was_deleted_is_not_corrected(api, ours):
    with transaction(ours.workspace_id) as db:
        db.execute("UPDATE interaction SET deleted = true")
    for interaction_id in (ours.interaction_id, uuid4()):
        answer = api.post(f"/v1/messages/{interaction_id}/corrections", json={"label": "sentiment", "value": 1}, headers=key(ours.workspace_id))
        assert_problem(answer, 404)
    assert api.get(f"/v1/accounts/{ours.account_id}/messages", headers=key(ours.workspace_id)).json() == {"items": [], "next": None}


def test_what_has_not_been_read_cannot_be_corrected(api, ours):
    """What our own side wrote never is; nor is there a reading of a version that nobody made."""
    mail = builders.email(account_key="A-Ours", direction="out")
    with transaction(ours.workspace_id) as db:
        builders.land_emails(db, ours.connection_id, [mail])
        (written,) = db.execute("SELECT interaction_id FROM interaction WHERE key = %s", [mail.key]).fetchone() or (None,)
    headers = key(ours.workspace_id)
    answer = api.post(f"/v1/messages/{written}/corrections", json={"label": "sentiment", "value": 1}, headers=headers)
    assert "only what a customer wrote is read" in assert_problem(answer, 409)
    assert_problem(correct(api, ours, {"label": "sentiment", "value": 1, "model_version": "nobody's"}), 409)
    assert count(ours) == 0


# What is refused


@pytest.mark.parametrize("label", ["mood", "", "Sentiment", "quotes", None, 1, ["sentiment"], "language"])
def test_an_unknown_label_is_refused_and_the_known_ones_are_named(api, unchanged, label):
    detail = assert_problem(correct(api, unchanged, {"label": label, "value": 1}), 422)
    assert all(name in detail for name in ("sentiment", "emotions", "situations", "churn_risk", "priority"))
    assert count(unchanged) == 0


BAD: dict[str, list[Any]] = {
    "sentiment": [-1.01, 1.01, "0", True, None, [0], {}, "negative"],
    "emotions": ["anger", [], ["joy"], ["anger", "anger"], ["neutral", "anger"], ["anger", "anxiety", "confusion", "frustration"], [1], [["anger"]], None, 0],
    "situations": ["silence", ["joy"], ["silence", "silence"], [{}], None, 0, {"silence": 1}],
    "churn_risk": [-1, 4, 1.5, "2", True, None, [1]],
    "priority": ["money", "", ["security"], 1, None, "Security"],
}
CASES = [(label, value) for label, values in BAD.items() for value in values]


@pytest.mark.parametrize(("label", "value"), CASES)
def test_a_value_that_its_label_cannot_have_is_refused_in_words_that_say_which_it_can(api, unchanged, label, value):
    detail = assert_problem(correct(api, unchanged, {"label": label, "value": value}), 422)
    assert detail.startswith(f"The value of {label} must be ")
    assert count(unchanged) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b'{"label": "sentiment"}',
        b'{"label": "sentiment", "value": NaN}',
        b'{"label": "sentiment", "value": 1e999}',
        b'{"label": "priority", "value": "\\ud800"}',
        b'{"label": "emotions", "value": ["\\u0000"]}',
        b'{"label": "sentiment", "value": 0, "model_version": "\\u0000"}',
        b'{"label": "sentiment", "value": 0, "workspace_id": "x"}',
        b'{"label": "situations", "value": ' + b"[" * 500 + b"]" * 500 + b"}",
    ],
)
def test_a_hostile_body_is_refused_and_leaves_no_row(api, unchanged, content):
    url = f"/v1/messages/{unchanged.interaction_id}/corrections"
    assert_problem(api.post(url, content=content, headers={**key(unchanged.workspace_id), "Content-Type": "application/json"}), 422)
    assert count(unchanged) == 0


def test_an_error_repeats_nothing_of_what_was_sent(api, unchanged):
    secret = "mysecretword"
    for body in ({"label": secret, "value": 1}, {"label": "priority", "value": secret}, {"label": "emotions", "value": [secret]}, {secret: 1}):
        answer = correct(api, unchanged, body)
        assert_problem(answer, 422)
        assert secret not in answer.text


@pytest.mark.parametrize(("label", "value"), [("sentiment", "2"), ("emotions", '["joy"]'), ("churn_risk", "4"), ("priority", "null"), ("situations", "0")])
def test_the_table_itself_takes_no_value_out_of_range(unchanged, label, value):
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.InvalidParameterValue)), transaction(unchanged.workspace_id) as db:
        db.execute(
            "INSERT INTO correction (workspace_id, interaction_id, model_version, label, predicted, corrected, source, change_no)"
            " VALUES (current_workspace(), %s, 'test', %s, 'null', %s, 'api', 1)",
            [unchanged.interaction_id, label, value],
        )


# What a correction does


GOOD: dict[str, tuple[Any, Any]] = {
    "sentiment": (-0.6, 0.5),
    "emotions": (["frustration"], ["anxiety", "confusion"]),
    "situations": (["price_objection"], []),
    "churn_risk": (2, 0),
    "priority": ("recognition", "security"),
}


@pytest.mark.parametrize("label", GOOD)
def test_the_prediction_stays_and_the_correction_stands_beside_it(api, ours, label):
    predicted, corrected = GOOD[label]
    before = shown(api, ours)
    answer = correct(api, ours, {"label": label, "value": corrected})
    assert (answer.status_code, answer.json()) == (201, {"status": "recorded"})
    after = shown(api, ours)
    assert after["reading"] == before["reading"]
    (found,) = after["corrections"]
    assert {name: found[name] for name in ("label", "predicted", "corrected", "source", "model_version")} == {
        **{"label": label, "predicted": predicted, "corrected": corrected},
        **{"source": "api", "model_version": before["reading"]["model_version"]},
    }


def test_every_name_that_can_be_read_can_be_said_by_a_person(api, ours):
    headers = key(ours.workspace_id)
    bodies = [{"label": "emotions", "value": [name]} for name in EMOTIONS] + [{"label": "priority", "value": name} for name in PRIORITIES]
    for body in [*bodies, {"label": "situations", "value": list(SITUATIONS)}]:
        assert correct(api, ours, body, headers).status_code == 201, body


def test_a_whole_number_is_one_however_json_writes_it(api, ours):
    correct(api, ours, {"label": "churn_risk", "value": 2.0})
    [found] = [c.corrected for c in made(ours)]
    assert (found, type(found)) == (2, int)


def test_the_latest_correction_of_a_label_counts_and_the_earlier_ones_are_kept(api, ours):
    for value in (0.5, -1, 0):
        correct(api, ours, {"label": "sentiment", "value": value})
    correct(api, ours, {"label": "churn_risk", "value": 3})
    assert [(c.label, c.corrected) for c in made(ours)] == [("churn_risk", 3), ("sentiment", 0)]
    assert count(ours) == 4


def test_where_the_reader_abstained_nothing_was_predicted_of_the_mood(api, ours):
    read_again(ours, "later", abstained=True)
    for label in ("sentiment", "emotions", "situations"):
        correct(api, ours, {"label": label, "value": GOOD[label][1]})
    assert {c.label: c.predicted for c in made(ours)} == {"sentiment": None, "emotions": None, "situations": ["price_objection"]}


def test_a_correction_belongs_to_the_reading_that_was_looked_at(api, ours):
    """It was read once more while somebody had the page open."""
    read_again(ours, "later", sentiment=0.9)
    correct(api, ours, {"label": "sentiment", "value": 0, "model_version": "test"})
    correct(api, ours, {"label": "churn_risk", "value": 0})
    assert [(c.label, c.model_version, c.predicted) for c in made(ours)] == [("churn_risk", "later", 2), ("sentiment", "test", -0.6)]
    assert shown(api, ours)["reading"]["sentiment"] == 0.9


def test_a_correction_goes_with_its_message(api, ours, theirs, servers):
    correct(api, ours, {"label": "sentiment", "value": 0})
    correct(api, theirs, {"label": "sentiment", "value": 0})
    with psycopg.connect(servers) as owner:
        owner.execute("DELETE FROM interaction WHERE interaction_id = %s", [ours.interaction_id])
    assert count(ours) == 0
    assert count(theirs) == 1
