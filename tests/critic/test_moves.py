"""The model of moves is the one that its data make, small, and open to any text."""

from __future__ import annotations

import numpy as np
import pytest

from ml import artifact
from ml.moves import MOVES, NAME, load
from ml.train import moves as training


@pytest.mark.parametrize("texts", [[""], ["?"], ["🙂", "a" * 5000], ["Is it the pump, or the noise?", ""]])
def test_no_text_is_without_chances_that_sum_to_one(texts: list[str]) -> None:
    for lang in ("en", "pt", "xx"):
        assert np.allclose(load()(texts, lang).sum(axis=1), 1)


def test_no_model_file_outgrows_a_megabyte() -> None:
    assert sum((artifact.MODELS / f"{NAME}.{kind}").stat().st_size for kind in ("json", "npz")) < 1_000_000


def test_the_model_is_the_one_that_its_data_make() -> None:
    model, kept = training.train(training.rows()), load()
    assert np.array_equal(model.words, kept.words)
    assert np.allclose(model.bias, kept.bias)


def test_plain_sentences_are_told_apart() -> None:
    told = load()(["Is it the pump itself, or the noise of it?", "Kind regards, Ida", "Being angry about that is fair.", "I could lend you a pump."], "en")
    assert [MOVES[n] for n in told.argmax(axis=1)] == ["CHK", "CLOSE", "VAL", "REF"]
