"""A workspace that teaches its reader: who never meets what it learned, what is not promoted, and the way back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner, Result

from ml.train.corpus import Row
from service import messages as step
from service.cli.app import app
from service.errors import Conflict, UndertoneError
from service.feedback import correct
from service.retrain import Retrained, retrain, roll_back, standing
from service.score import score
from service.store import accounts, messages, models, readings, workspaces
from service.store.pool import transaction
from tests import builders, taught
from tests.builders import NOW

ROOT = Path(__file__).parents[2]
TEXTS = taught.texts(48)


def landed(workspace_id: UUID, texts: list[str]) -> None:
    """Mail of one account, read by the shipped reader."""
    with transaction(workspace_id) as db:
        crm = builders.connection(db)
        builders.account(db, crm)
        builders.land_emails(db, crm, [builders.email(body=text) for text in texts])
    score(workspace_id, NOW)


def corrected(workspace_id: UUID) -> None:
    """Each message: something of ours is down."""
    for interaction_id, _ in first_readings(workspace_id):
        correct(workspace_id, interaction_id, "sentiment", -0.6, "api")
        correct(workspace_id, interaction_id, "situations", ["risk_reliability"], "console")


def confirmed(workspace_id: UUID) -> None:
    """Each message: it was read well."""
    for interaction_id, reading in first_readings(workspace_id):
        correct(workspace_id, interaction_id, "sentiment", reading["sentiment"], "api")


def asked(workspace_id: UUID, query: str, *values: object) -> list[Any]:
    with transaction(workspace_id) as db:
        return db.execute(query.encode(), values).fetchall()


def first_readings(workspace_id: UUID) -> list[tuple[UUID, dict[str, Any]]]:
    return asked(workspace_id, "SELECT interaction_id, reading FROM message_score")


def learn(workspace_id: UUID, corpus: Callable[[], Sequence[Row]] = lambda: taught.known(180), rounds: int = 5) -> Retrained:
    return retrain(workspace_id, corpus, rounds)


def newest(workspace_id: UUID) -> set[tuple[str | None, bool]]:
    """(version, does it say that something is down?) of the newest reading of each message."""
    ((account_id,),) = asked(workspace_id, "SELECT account_id FROM account")
    with transaction(workspace_id) as db:
        rows = readings.listing(db, account_id, NOW, after=None, most=100)
    return {(r.model_version, any(s.name == "risk_reliability" for s in r.reading.situations)) for r in rows if r.reading}


def versions(workspace_id: UUID) -> dict[str, int]:
    return dict(asked(workspace_id, "SELECT model_version, count(*) FROM message_score GROUP BY 1"))


@dataclass(frozen=True)
class Team:
    workspace_id: UUID
    before: str
    """The version that read everything first."""
    done: Retrained


@pytest.fixture(scope="module")
def promoted(servers: str) -> Team:
    """A workspace whose reader was promoted. Nobody rolls this one back."""
    workspace_id = builders.workspace()
    landed(workspace_id, TEXTS)
    corrected(workspace_id)
    before = step.reader_of(workspace_id).version
    return Team(workspace_id, before, learn(workspace_id))


@pytest.fixture
def copied(promoted: Team, workspace: UUID) -> UUID:
    """A workspace of its own with that reader in use, and three messages."""
    landed(workspace, TEXTS[:3])
    adopt(workspace, promoted)
    return workspace


def adopt(workspace_id: UUID, team: Team, base: str | None = None) -> None:
    row = standing(team.workspace_id).history[0]
    with transaction(team.workspace_id) as db:
        meta, weights = models.weights(db, row.model_id) or ({}, b"")
    with transaction(workspace_id) as db:
        models.append(db, row.version, base or row.base, "promoted", meta, weights, row.figures, workspaces.next_change(db))
        accounts.mark_all_due(db)


# Who may not


def test_no_other_workspace_sees_or_uses_what_a_workspace_taught(promoted, workspace):
    assert step.reader_of(promoted.workspace_id).said.version == promoted.done.version
    assert step.reader_of(workspace) == step.reader()
    model_id = standing(promoted.workspace_id).history[0].model_id
    with transaction(workspace) as db:
        assert (models.history(db), models.weights(db, model_id), models.corrected(db)) == ([], None, [])
        models.roll_back(db, model_id, workspaces.next_change(db))
    assert standing(promoted.workspace_id).in_use == promoted.done.version


def test_a_reader_for_another_workspace_cannot_be_written(promoted, workspace):
    row = "INSERT INTO reader_model (workspace_id, version, base, state, meta, figures, change_no) VALUES (%s, 'v', 'b', 'refused', '{}', '{}', 1)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        asked(workspace, row, promoted.workspace_id)


def test_figures_and_metadata_of_a_reader_cannot_be_changed_afterwards(promoted):
    for column in ("version", "base", "meta", "figures", "recorded_at"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            asked(promoted.workspace_id, f"UPDATE reader_model SET {column} = {column}")


# What is refused


def test_too_few_corrections_are_refused_and_the_sentence_says_how_many_there_are_and_how_many_it_takes(workspace):
    landed(workspace, TEXTS[:25])
    corrected(workspace)
    with pytest.raises(Conflict, match=r"^There are 25 corrected messages .*: \d+ to learn from and \d+ held out to judge by. It takes 20 and 10"):
        learn(workspace)
    assert standing(workspace).history == []


def test_copies_of_a_message_count_once(workspace):
    landed(workspace, [TEXTS[0], TEXTS[0].upper(), *[TEXTS[1]] * 38])
    corrected(workspace)
    with pytest.raises(Conflict, match="There are 2 corrected messages"):
        learn(workspace)


def test_a_reader_that_is_not_better_is_not_promoted_and_no_weight_of_it_is_kept(workspace):
    landed(workspace, TEXTS)
    confirmed(workspace)
    before = step.reader_of(workspace)
    done = learn(workspace)
    assert not done.comparison.promoted
    assert done.comparison.against
    assert step.reader_of(workspace) == before == step.reader()
    with transaction(workspace) as db:
        (row,) = models.history(db)
        assert (row.state, models.weights(db, row.model_id)) == ("refused", None)
    assert row.figures["against"] == list(done.comparison.against)
    assert score(workspace, NOW).messages == 0


def test_erased_words_are_not_learned_from(workspace):
    landed(workspace, TEXTS[:4])
    corrected(workspace)
    assert standing(workspace).corrected == 4
    with transaction(workspace) as db:
        messages.erase_person(db, "bo@acme.example")
    assert standing(workspace).corrected == 0


def test_broken_weights_are_never_used_and_the_sentence_says_what_to_do(copied):
    asked(copied, "UPDATE reader_model SET weights = set_byte(weights, 99, get_byte(weights, 99) # 1) RETURNING 1")
    assert step.reader_of(copied).said == step.reader().said
    found = standing(copied)
    assert found.in_use == step.reader().said.version
    assert found.trouble is not None
    assert "does not match its recorded hash; teach it again with `undertone retrain`" in found.trouble
    assert score(copied, NOW).messages == 3
    assert {version for version, _ in newest(copied)} == {step.reader_of(copied).version}


def test_a_reader_taught_beside_another_shipped_one_is_not_used(promoted, workspace):
    adopt(workspace, promoted, base="reading-of-long-ago")
    assert step.reader_of(workspace).said == step.reader().said
    assert "was taught beside reading-of-long-ago" in str(standing(workspace).trouble)


def test_a_reader_compared_with_one_that_is_no_longer_in_use_is_not_recorded(promoted, workspace):
    landed(workspace, TEXTS)
    corrected(workspace)

    def meanwhile() -> list[Row]:
        adopt(workspace, promoted)
        return taught.known(90)

    with pytest.raises(Conflict, match="promoted or rolled back while this one was learning"):
        learn(workspace, meanwhile, rounds=2)
    assert len(standing(workspace).history) == 1


def test_without_the_corpus_one_sentence_says_what_is_missing(tmp_path):
    """As in an installation that carries no data."""
    for package in ("ml", "service", "connectors"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("data", "models", "stories", "__pycache__"))
    code = "from service.retrain import shipped_corpus\ntry:\n    shipped_corpus()\nexcept Exception as problem:\n    print(type(problem).__name__, problem)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Unavailable Retraining needs scikit-learn and the shipped corpus")


# What a promotion and a rollback do


def test_what_was_promoted_reads_every_message_again_and_the_earlier_predictions_stay(promoted):
    assert promoted.done.comparison.promoted, promoted.done.comparison.against
    assert promoted.done.learned + promoted.done.comparison.held_out == len(TEXTS)
    assert newest(promoted.workspace_id) == {(promoted.before, False)}
    assert score(promoted.workspace_id, NOW).messages == len(TEXTS)
    version = step.reader_of(promoted.workspace_id).version
    assert promoted.done.version in version
    assert newest(promoted.workspace_id) == {(version, True)}
    assert versions(promoted.workspace_id) == {promoted.before: len(TEXTS), version: len(TEXTS)}
    assert score(promoted.workspace_id, NOW).messages == 0
    toned = "SELECT count(DISTINCT (sentiment, confidence, situations::text)) FROM message_score GROUP BY interaction_id"
    assert set(asked(promoted.workspace_id, toned)) == {(1,)}, "what the tone detector goes by stays as it was"


def test_after_a_rollback_the_shipped_reader_has_the_last_word_on_every_message_and_the_weights_are_gone(copied, promoted):
    score(copied, NOW)
    taught_version = step.reader_of(copied).version
    assert newest(copied) == {(taught_version, True)}
    assert roll_back(copied) == (promoted.done.version, step.reader().said.version)
    assert score(copied, NOW).messages == 3
    assert newest(copied) == {(step.reader_of(copied).version, False)}
    assert len(versions(copied)) == 3
    with transaction(copied) as db:
        (row,) = models.history(db)
        assert (row.state, models.weights(db, row.model_id)) == ("rolled_back", None)


def test_a_rollback_returns_to_the_reader_before_and_at_last_to_the_shipped_one(copied, promoted):
    first = step.reader_of(copied).version
    adopt(copied, promoted)
    second = step.reader_of(copied).version
    assert roll_back(copied)[1] == promoted.done.version
    third = step.reader_of(copied).version
    assert roll_back(copied)[1] == step.reader().said.version
    assert len({first, second, third, step.reader_of(copied).version, step.reader().version}) == 5
    with pytest.raises(Conflict, match="The shipped reader is in use; there is nothing to roll back"):
        roll_back(copied)


def test_a_signal_that_only_the_taught_reader_finds_ends_with_it(copied):
    found = "SELECT DISTINCT state FROM signal_current WHERE kind = 'risk_reliability'"
    score(copied, NOW)
    assert asked(copied, found) == [("open",)]
    roll_back(copied)
    score(copied, NOW)
    assert asked(copied, found) == [("ended",)]


# The command


def undertone(workspace_id: UUID, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["retrain", *arguments, "-w", f"test {workspace_id}"], env={"COLUMNS": "200"})


def test_the_status_names_the_reader_in_use_and_how_each_was_judged(promoted, workspace):
    assert "In use: reading-" in undertone(workspace, "--status").output
    shown = undertone(promoted.workspace_id, "--status").output
    assert f"In use: {promoted.done.version}" in shown
    assert f"{promoted.done.comparison.gain:+.3f}" in shown
    assert f"Corrected messages to learn from: {len(TEXTS)}" in shown


def test_a_rollback_by_command_says_what_reads_now(copied, promoted):
    shown = undertone(copied, "--rollback").output
    assert f"{promoted.done.version} is no longer used and its weights are deleted. {step.reader().said.version} reads" in shown


@pytest.mark.parametrize(("arguments", "sentence"), [(["--status", "--rollback"], "not both"), (["--rollback"], "nothing to roll back"), ([], "There are 0")])
def test_what_cannot_be_done_is_said_in_one_sentence(workspace, arguments, sentence):
    problem = undertone(workspace, *arguments).exception
    assert isinstance(problem, UndertoneError)
    assert sentence in str(problem)
