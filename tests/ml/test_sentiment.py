"""Tone towards us: ordinary business is near nothing, a polite complaint is none the less a complaint."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ml.train.sentiment_data
from ml.artifact import MODELS
from ml.sentiment import Sentiment

OWN = [json.loads(line) for line in Path(ml.train.sentiment_data.OWN).read_text(encoding="utf-8").splitlines()]
HELD_OUT = [row for row in OWN if row["split"] == "test"]


@pytest.fixture(scope="module")
def model() -> Sentiment:
    return Sentiment.load()


def tone(model: Sentiment, text: str) -> float:
    return float(model.score([text])[0][0])


def test_no_held_out_sentence_was_trained_on():
    assert not {row["text"] for row in HELD_OUT} & {row["text"] for row in OWN if row["split"] == "train"}


def test_held_out_sentences_are_told_apart(model):
    scores, _ = model.score([row["text"] for row in HELD_OUT])
    means = {label: np.mean([s for s, row in zip(scores, HELD_OUT, strict=True) if row["label"] == label]) for label in ("negative", "neutral", "positive")}
    assert abs(means["neutral"]) < 0.15
    assert means["negative"] < -0.12
    assert means["positive"] > 0.2


def test_praise_is_hardly_ever_taken_for_a_complaint_nor_a_complaint_for_praise(model):
    scores, _ = model.score([row["text"] for row in HELD_OUT])
    wrong = [
        row["text"]
        for s, row in zip(scores, HELD_OUT, strict=True)
        if (row["label"], s > 0.3) == ("negative", True) or (row["label"], s < -0.3) == ("positive", True)
    ]
    assert len(wrong) <= len(HELD_OUT) / 20, wrong


@pytest.mark.parametrize(
    "text",
    [
        "Hi Anna,\n\nplease find attached the signed order form. Our PO number is 4500128876.\n\nBest regards,",
        "Hello,\n\ncould you add two users to the Lyon site? The meeting moves to Tuesday at ten.\n\nKind regards",
        "Thanks, received. I will forward it to accounting.",
        "The delivery address has changed to the warehouse in Rotterdam. We use cost centre 8812.",
    ],
)
def test_ordinary_business_is_near_nothing(model, text):
    assert abs(tone(model, text)) < 0.25


@pytest.mark.parametrize(
    "text",
    [
        "Dear Anna,\n\nthank you for your reply. I am afraid I have to say that we had expected more after five years.\n\nBest regards,",
        "Hi Tom,\n\nhope you are well. We appreciate your efforts, but the export is still not usable and my team has gone back to spreadsheets.\n\nThanks,",
        pytest.param(
            "It would have been nice to hear about the outage from you rather than from our customers.",
            marks=pytest.mark.xfail(strict=True, reason="a wish without a word of complaint is out of reach of the linear model"),
        ),
    ],
)
def test_a_polite_complaint_is_a_complaint(model, text):
    assert tone(model, text) < -0.15


def test_what_follows_a_but_decides(model):
    assert tone(model, "The migration was slow and painful, but now the system works very well.") > tone(
        model, "Now the system works very well, but the migration was slow and painful."
    )


def test_a_complaint_is_not_drowned_in_logistics(model):
    logistics = "The meeting is on Tuesday. Please use the new address. The order number is 4711. We count on Friday. "
    assert tone(model, logistics + "We are very disappointed with the support.") < -0.15


def test_not_good_is_not_good(model):
    assert tone(model, "The new release is not good.") < 0 < tone(model, "The new release is good.")


@pytest.mark.parametrize("text", ["", "   ", "?!", "..."])
def test_a_text_without_words_has_no_tone(model, text):
    scores, confidence = model.score([text, "This is unacceptable."])
    assert (scores[0], confidence[0]) == (0.0, 0.0)
    assert scores[1] < 0


def test_the_company_a_text_keeps_does_not_change_its_score(model):
    texts = [row["text"] for row in HELD_OUT]
    together = model.score(texts)[0]
    assert together == pytest.approx([tone(model, text) for text in texts])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=5))
def test_scores_stay_in_range(texts):
    scores, confidence = Sentiment.load().score(texts)
    assert len(scores) == len(confidence) == len(texts)
    assert ((scores >= -1) & (scores <= 1) & (confidence >= 0) & (confidence <= 1)).all()


def test_the_version_names_the_weights(model):
    assert model.version.startswith("sentiment-")


def test_the_model_is_small():
    assert sum(path.stat().st_size for path in MODELS.glob("sentiment.*")) < 10_000_000
