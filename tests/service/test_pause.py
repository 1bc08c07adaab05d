"""The pause: nobody says that they answered an angry message before they have said what they think its writer feels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from psycopg import sql
from typer.testing import CliRunner

from service import feedback
from service.api.app import create_app
from service.cli.app import app
from service.playbook.pause import ANGRY, CARD
from service.store import corrections, readings, suggestions, workspaces
from service.store.corrections import Correction
from service.store.pool import transaction
from service.store.readings import Emotion
from service.suggest import suggest
from service.task import tasks_of
from tests import builders
from tests.builders import NOW
from tests.client import TestClient, assert_problem, key
from tests.filled import Filled, fill, read_again

FELT = "They feel exposed in front of their board."


def anger(confidence: float) -> tuple[Emotion, ...]:
    return (Emotion(name="anger", confidence=confidence, alternative="reported_not_felt"),)


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture(autouse=True)
def on_the_day(hold_clock: Callable[[datetime], None]) -> None:
    hold_clock(NOW)


@pytest.fixture
def angry(workspace: UUID) -> Filled:
    made = fill(workspace, "Angry")
    read_again(made, "test-2", emotions=anger(ANGRY))
    suggest(workspace, NOW)
    return made


def row_of(whose: Filled) -> suggestions.SuggestionRow:
    with transaction(whose.workspace_id) as db:
        found = suggestions.get(db, whose.suggestion_id)
    assert found is not None
    return found


def say(api: TestClient, whose: Filled, **body: object):
    return api.post(f"/v1/suggestions/{whose.suggestion_id}/feedback", json=body, headers=key(whose.workspace_id))


def kept(whose: Filled) -> list[tuple[object, ...]]:
    with transaction(whose.workspace_id) as db:
        return db.execute("SELECT verdict, felt, recorded_at IS NOT NULL FROM feedback ORDER BY change_no").fetchall()


@pytest.mark.parametrize("verdict", ["used", "edited"])
@pytest.mark.parametrize("line", [None, "", "  \n "])
def test_an_angry_message_is_not_marked_as_answered_without_a_line_on_what_they_feel(api, angry, verdict, line):
    assert "felt" in assert_problem(say(api, angry, verdict=verdict, felt=line), 422)
    assert kept(angry) == []


@pytest.mark.parametrize("line", ["x" * 301, "a\x00b", 7, ["sad"]])
def test_what_is_no_line_is_refused_and_leaves_no_row(api, angry, line):
    assert_problem(say(api, angry, verdict="used", felt=line), 422)
    assert kept(angry) == []


def test_with_the_line_it_is_kept_and_so_is_the_time(api, angry):
    assert say(api, angry, verdict="used", felt=f" {FELT}\n").status_code == 201
    assert kept(angry) == [("used", FELT, True)]


@pytest.mark.parametrize("verdict", ["not_now", "wrong_reading"])
def test_who_does_not_answer_needs_no_line(api, angry, verdict):
    assert say(api, angry, verdict=verdict).status_code == 201


def test_the_task_opens_with_three_steps_and_the_api_shows_them(api, angry):
    task = tasks_of(angry.workspace_id, [angry.suggestion_id])[angry.suggestion_id].task
    assert task is not None
    opening = task.description.split("\n\n")[0].splitlines()
    assert opening[0] == "BEFORE YOU ANSWER"
    assert [line.split(". ", 1)[1] for line in opening[1:4]] == list(CARD)
    shown = api.get(f"/v1/suggestions/{angry.suggestion_id}", headers=key(angry.workspace_id)).json()
    assert shown["pause"] == list(CARD)


def test_a_message_that_is_less_surely_angry_makes_no_pause(api, workspace):
    calm = fill(workspace, "Calm")
    read_again(calm, "test-2", emotions=anger(ANGRY - 0.01))
    suggest(workspace, NOW)
    assert row_of(calm).pause is False
    assert "BEFORE YOU ANSWER" not in tasks_of(workspace, [calm.suggestion_id])[calm.suggestion_id].task.description
    assert say(api, calm, verdict="used").status_code == 201


def test_a_person_who_says_that_it_is_not_anger_ends_the_pause_and_one_who_says_it_is_makes_it(workspace):
    made = fill(workspace, "Corrected")
    for words, expected in ((["anger", "anxiety"], True), (["anxiety"], False)):
        feedback.correct(workspace, made.interaction_id, "emotions", words, "api")
        suggest(workspace, NOW)
        assert row_of(made).pause is expected


def test_the_newest_reading_counts_and_only_one_of_the_workspace_is_seen(angry):
    read_again(angry, "test-3", emotions=())
    with transaction(angry.workspace_id) as db:
        assert readings.anger(db, [angry.interaction_id]) == {}
    with transaction(builders.workspace()) as db:
        made = Correction(interaction_id=angry.interaction_id, model_version="m", label="emotions", predicted=None, corrected=["anger"], source="api")
        assert readings.anger(db, [angry.interaction_id]) == {}
        with pytest.raises(Exception, match="foreign key"):
            corrections.append(db, made, workspaces.next_change(db))


def test_what_was_thought_of_an_erased_person_is_gone_from_every_table(api, angry):
    say(api, angry, verdict="used", felt=FELT)
    with transaction(angry.workspace_id) as db:
        (address,) = db.execute("SELECT email FROM contact").fetchone()
    CliRunner().invoke(app, ["erase", address, "-w", f"test {angry.workspace_id}"], catch_exceptions=False)
    assert kept(angry) == [("used", None, True)]
    with transaction(angry.workspace_id) as db:
        for (table,) in db.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migration'"):
            query = sql.SQL("SELECT count(*) FROM {} t WHERE t::text LIKE %s").format(sql.Identifier(table))
            assert db.execute(query, ["%in front of their board%"]).fetchone() == (0,), table
