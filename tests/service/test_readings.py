"""How each message was read, as it is kept: what never gets in, that no word is in it, and that its quotes point at the buyer's own words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings, strategies

from ml import alternatives, labels
from service import messages as step
from service.store import messages, readings, workspaces
from service.store.messages import MessageScore
from service.store.pool import Db, transaction
from service.store.readings import Emotion, MessageRow, Quote, Situation, StoredReading
from tests import builders
from tests.builders import NOW

PLEA = "We are furious: the export has failed three times this month and nobody answers us."
CLOSING = "Best,\nBo Lind\nHead of Planning\n+1 555 0100\n\nOn Mon, 2 Mar 2026 at 08:00, Ann <ann@vendor.example> wrote:\n> We will cancel it."
MAIL = f"Hello \U0001f600,\n\n{PLEA}\n\n{CLOSING}"


def landed(workspace_id: UUID, *mails: Any) -> UUID:
    """The account whose mail it is."""
    with transaction(workspace_id) as db:
        crm = builders.connection(db)
        account_id = builders.account(db, crm)
        builders.land_emails(db, crm, list(mails))
    return account_id


def read(workspace_id: UUID) -> int:
    step.own_texts(workspace_id)
    return step.read_messages(workspace_id, step.reader_of(workspace_id), builders.NOW.date(), lambda done: None)


def listed(workspace_id: UUID, account_id: UUID) -> list[MessageRow]:
    with transaction(workspace_id) as db:
        return readings.listing(db, account_id, NOW, after=None, most=100)


def _scores(db: Db) -> int:
    return (db.execute("SELECT count(*) FROM message_score").fetchone() or (0,))[0]


# What never gets in


BROKEN: dict[str, Any] = {
    "language": "xx",
    "sentiment": 1.01,
    "confidence": -0.01,
    "abstained": None,
    "emotions": [{"name": "joy", "confidence": 0.5, "alternative": None}],
    "situations": [{"name": "silence", "confidence": 1.5}],
    "churn_risk": 4,
    "priority": "money",
    "quotes": [{"start": 9, "end": 9, "why": []}],
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("how", ["wrong", "missing", "text", "null"])
def test_no_reading_of_another_form_is_taken_by_the_table(workspace, name, how):
    landed(workspace, builders.email())
    value = builders.reading().to_json()
    value[name] = {"wrong": BROKEN[name], "text": "0.5", "null": None, "missing": None}[how]
    if how == "missing":
        del value[name]
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.InvalidParameterValue)), transaction(workspace) as db:
        db.execute(
            "INSERT INTO message_score (workspace_id, interaction_id, model_version, sentiment, confidence, situations, reading, change_no)"
            " SELECT workspace_id, interaction_id, 'm', 0, 0, '[]', %s, 1 FROM interaction",
            [json.dumps(value)],
        )


def test_no_name_that_is_read_is_unknown_to_the_database(servers):
    with transaction() as db:
        row = db.execute("SELECT emotion_names(), situation_names(), priority_names(), language_names()").fetchone()
    assert row == tuple(list(names) for names in (labels.EMOTIONS, labels.SITUATIONS, labels.PRIORITIES, get_args(labels.Language)))


def test_no_word_of_a_message_is_kept_with_its_reading(workspace):
    landed(workspace, builders.email(body=MAIL))
    assert read(workspace) == 1
    with transaction(workspace) as db:
        assert db.execute("SELECT count(*) FROM message_score s WHERE s::text ~* 'furious|export|nobody'").fetchone() == (0,)
        assert _scores(db) == 1


def test_neither_our_own_side_nor_machine_mail_is_read(workspace):
    account_id = landed(workspace, builders.email(direction="out", body=PLEA), builders.email(automatic=True, body=PLEA))
    assert read(workspace) == 0
    assert [row.reading for row in listed(workspace, account_id)] == [None, None]


def test_what_our_side_wrote_is_listed_without_a_word_of_it(workspace):
    account_id = landed(workspace, builders.email(direction="out", body=PLEA))
    read(workspace)
    (row,) = listed(workspace, account_id)
    assert (row.direction, row.words, row.beginning) == ("out", (), None)


def test_nothing_later_than_the_day_that_is_looked_at_is_listed(workspace):
    account_id = landed(workspace, builders.email(occurred_at=NOW + timedelta(seconds=1)))
    assert listed(workspace, account_id) == []


# What is kept


ANSWERED_BELOW = f"On Mon, 2 Mar 2026 at 08:00, Ann <ann@vendor.example> wrote:\n> We will cancel it. \U0001f600\n> Ann\n\n{PLEA}\n"


@pytest.mark.parametrize("body", [MAIL, ANSWERED_BELOW])
def test_quotes_point_at_the_writers_own_words_in_the_raw_message(workspace, body):
    account_id = landed(workspace, builders.email(body=body))
    read(workspace)
    (row,) = listed(workspace, account_id)
    assert row.reading is not None
    assert row.reading.quotes
    assert row.words == tuple(body[q.start : q.end] for q in row.reading.quotes)
    assert all(words and words in PLEA for words in row.words)
    assert all(q.why for q in row.reading.quotes)


def test_an_unmistakable_message_is_kept_as_negative_and_each_emotion_with_an_innocent_reading(workspace):
    account_id = landed(workspace, builders.email(body=MAIL))
    read(workspace)
    (row,) = listed(workspace, account_id)
    assert row.reading is not None
    assert row.reading.sentiment <= labels.NEGATIVE
    assert not row.reading.abstained
    assert row.reading.language == "en"
    assert all(e.innocent for e in row.reading.emotions if e.name != "neutral")
    assert len(row.reading.alternatives) >= len({e.alternative for e in row.reading.emotions})


def test_of_a_message_without_words_the_reader_abstains(workspace):
    account_id = landed(workspace, builders.email(body="> We will cancel it."))
    read(workspace)
    (row,) = listed(workspace, account_id)
    assert row.reading is not None
    assert (row.reading.abstained, row.reading.quotes, row.words) == (True, (), ())


def test_what_signals_rest_on_is_what_the_list_of_words_says_as_before(workspace):
    landed(workspace, builders.email(body=MAIL))
    read(workspace)
    own = MAIL[: MAIL.index("Best,")].strip()
    sentiments, _ = step.reader().sentiment.score([own])
    with transaction(workspace) as db:
        row = db.execute("SELECT sentiment, model_version, situations FROM message_score").fetchone()
    assert row is not None
    assert row[0] == pytest.approx(float(sentiments[0]), abs=0.2)  # of the own text with its closing
    assert row[1].startswith(step.reader().sentiment.version)
    assert all(set(s) == {"name", "confidence", "span"} for s in row[2])


def test_a_message_of_an_earlier_model_is_read_once_more_and_the_earlier_row_stays(workspace):
    account_id = landed(workspace, builders.email(body=MAIL))
    with transaction(workspace) as db:
        ids = [i for (i,) in db.execute("SELECT interaction_id FROM interaction")]
        scores = [MessageScore(interaction_id=i, sentiment=0.1, confidence=0.5, situations=[]) for i in ids]
        messages.append_scores(db, scores, "earlier", workspaces.next_change(db))
    assert [(row.reading, row.model_version) for row in listed(workspace, account_id)] == [(None, None)]
    assert (read(workspace), read(workspace)) == (1, 0)
    (row,) = listed(workspace, account_id)
    assert row.model_version == step.reader().version
    assert row.model_version.endswith(step.reader().said.version)
    with transaction(workspace) as db:
        assert _scores(db) == 2


def test_long_messages_are_read_in_groups_and_in_order():
    texts = [f"{PLEA} {n}\n" * (2500 if n % 3 else 1) for n in range(10)]
    assert sum(map(len, texts)) > step.MOST_CHARS
    alone = [step.reader().said.read([text])[0] for text in texts]
    assert list(step._readings(texts, step.reader().said)) == alone
    assert list(step._readings([], step.reader().said)) == []


def test_erased_words_are_gone_and_the_reading_says_where_they_were(workspace):
    account_id = landed(workspace, builders.email(body=MAIL))
    read(workspace)
    with transaction(workspace) as db:
        assert messages.erase_person(db, "bo@acme.example") == 1
    (row,) = listed(workspace, account_id)
    assert row.reading is not None
    assert row.words == (None,) * len(row.reading.quotes)
    assert row.beginning is None


names = strategies.sampled_from
chances = strategies.floats(0, 1, allow_nan=False)
READINGS = strategies.builds(
    StoredReading,
    language=names(get_args(labels.Language)),
    sentiment=strategies.floats(-1, 1, allow_nan=False),
    confidence=chances,
    abstained=strategies.booleans(),
    emotions=strategies.lists(
        strategies.builds(
            Emotion, name=names(labels.EMOTIONS), confidence=chances, alternative=strategies.none() | names(sorted(set(alternatives.BY_EMOTION.values())))
        ),
        max_size=3,
    ).map(tuple),
    situations=strategies.lists(strategies.builds(Situation, name=names(labels.SITUATIONS), confidence=chances), max_size=4).map(tuple),
    churn_risk=strategies.integers(0, 3),
    priority=names(labels.PRIORITIES),
    quotes=strategies.lists(
        strategies.builds(Quote, start=strategies.integers(0, 99), end=strategies.integers(100, 900), why=strategies.just(("frustration",))), max_size=3
    ).map(tuple),
)


@given(found=READINGS)
@settings(max_examples=40, deadline=None)
def test_every_reading_is_taken_by_the_table_and_comes_back_as_it_was(servers, found):
    assert StoredReading.from_json(json.loads(json.dumps(found.to_json()))) == found
    with transaction() as db:
        assert db.execute("SELECT is_reading(%s)", [json.dumps(found.to_json())]).fetchone() == (True,)


def test_what_else_it_could_mean_is_said_once_for_each_emotion_and_situation():
    said = builders.reading().alternatives
    assert said == ("They may only be reporting a fact, without being upset.", "Asking about price may be their usual way to prepare a renewal.")
    twice = replace(builders.reading(), situations=(Situation(name="frustration", confidence=0.6),))
    assert twice.alternatives == said[:1]
