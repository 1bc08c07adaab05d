"""Figures on sets of others: nothing is claimed that was not measured, and no row is measured that was learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.evaluate import anchors, figure, goemotions, unseen
from ml.evaluate.outside import PARTS, outside
from ml.train import logistic, sentiment_data
from ml.train.sentiment_data import CLASSES, Row

SETS = {name for part in PARTS for name in part.sets}
NUMBERS = ("ours", "low", "high", "vader", "textblob", "afinn", "tfidf")
WORDS = {"negative": "broken awful useless slow", "neutral": "invoice tuesday address order", "positive": "great lovely helpful smooth"}


def sentence(label: str, n: int) -> str:
    words = WORDS[label].split()
    return f"the {words[n % 4]} thing was {words[(n + 1) % 4]} on day {n % 7}"


def row(label: int, n: int, domain: str, *, test: bool) -> Row:
    return Row(sentence(CLASSES[label], n), label, "vader", domain, test, 1.0)


def made_up_rows() -> list[Row]:
    own = [Row(sentence(CLASSES[n % 3], n), n % 3, "b2b", "b2b", False, 1.0) for n in range(60)]
    return [*own, *(row(n % 3, n, domain, test=n % 2 == 0) for domain in ("tweets", "senti4sd") for n in range(60))]


def test_without_a_folder_nothing_is_claimed():
    for measured in outside(None):
        assert [getattr(measured, name) for name in NUMBERS] == [None] * len(NUMBERS)
        assert measured.note.startswith("not run: needs ")
        assert "UNDERTONE_DATA" in measured.note


def test_a_missing_set_is_named_and_only_what_needs_it_stays_empty(tmp_path: Path):
    (tmp_path / "text").mkdir()
    for name in SETS - {"goemotions", "xed"}:
        (tmp_path / "text" / f"{name}.parquet").touch()
    notes = {measured.benchmark: measured.note for measured in outside(tmp_path)}
    assert notes["Senti4SD, domain left out"] == f"not run: needs xed in {tmp_path / 'text'}"
    assert notes["GoEmotions, 28 labels"] == f"not run: needs goemotions in {tmp_path / 'text'}"


def test_a_broken_set_is_an_error_and_never_an_empty_row(tmp_path: Path):
    (tmp_path / "text").mkdir()
    for name in SETS:
        (tmp_path / "text" / f"{name}.parquet").write_bytes(b"no parquet")
    with pytest.raises(pyarrow.lib.ArrowInvalid):
        outside(tmp_path)


def test_what_is_measured_of_a_domain_rests_on_its_test_rows_alone():
    rows = made_up_rows()
    learned, held = [r for r in rows if not r.test and r.domain != "senti4sd"], [r for r in rows if r.test]
    vader = dict(zip([r.text for r in rows], anchors.vader([r.text for r in rows]), strict=True))
    (trial,) = unseen._trials(learned, held, vader, {"senti4sd": "left out"})
    assert len(trial.labels) == sum(r.test and r.domain == "senti4sd" for r in rows)
    assert figure.macro_f1(trial.truth, trial.found(trial.ours)) > 0.9
    assert set(trial.lexicons) == {lexicon for lexicon in anchors.LEXICONS if anchors.installed(lexicon)}


def test_a_lexicon_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    drawn = np.array([0.4, 0.5])
    absent = [lexicon for lexicon in ("textblob", "afinn") if not anchors.installed(lexicon)]
    measured = unseen._figure("x", unseen.MACRO_F1, 0.45, drawn, 2)
    assert [f"needs {lexicon}" in measured.note for lexicon in absent] == [True] * len(absent)
    assert unseen._figure("x", unseen.ECE, 0.45, drawn, 2).note == ""


def test_two_classes_are_told_apart_by_tone_where_no_row_is_neutral():
    chances = np.array([[0.1, 0.8, 0.1001], [0.2, 0.7, 0.1]])
    trial = unseen.Trial(name="", labels=np.array([2, 0]), ours=chances, tfidf=chances, lexicons={})
    assert (trial.found(chances) == trial.truth).all()


def test_thresholds_and_weights_of_emotions_never_see_the_test_split(tmp_path: Path):
    before, after = (written_emotions(tmp_path / name, flip=flip) for name, flip in (("a", False), ("b", True)))
    first, second = (goemotions.goemotions(folder) for folder in (before, after))
    assert all(f.ours is not None and f.ours > 0.9 for f in first)
    assert all(f.ours is not None and f.ours < 0.1 for f in second)


def written_emotions(folder: Path, *, flip: bool) -> Path:
    """Two labels that follow from the words; with `flip`, the test split says the opposite."""
    labels = [["joy"] if n % 2 else ["anger"] for n in range(240)]
    split = ["train"] * 120 + ["dev"] * 60 + ["test"] * 60
    told = [[{"joy": "anger", "anger": "joy"}[label[0]]] if flip and part == "test" else label for label, part in zip(labels, split, strict=True)]
    texts = [sentence("positive" if n % 2 else "negative", n) for n in range(240)]
    (folder / "text").mkdir(parents=True)
    table = pyarrow.table({"text": texts, "split": split, "labels": told, "ekman": told, "group": told})
    pyarrow.parquet.write_table(table, folder / "text" / "goemotions.parquet")
    return folder


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
def test_macro_f1_is_that_of_scikit_learn(pairs: list[tuple[int, int]]):
    from sklearn.metrics import f1_score

    truth, found = (np.array(side) for side in zip(*pairs, strict=True))
    expected = f1_score(truth, found, average="macro", labels=np.unique(truth), zero_division=0)
    assert figure.macro_f1(figure.one_hot(truth, 3), figure.one_hot(found, 3)) == pytest.approx(expected, abs=1e-6)


def test_bounds_hold_the_figure_and_narrow_with_more_rows():
    chance = np.random.default_rng(0)
    widths = []
    for rows in (100, 2000):
        truth = chance.integers(0, 3, rows)
        found = np.where(chance.random(rows) < 0.7, truth, chance.integers(0, 3, rows))
        low, high = figure.bounds(figure.resampled_macro_f1(figure.one_hot(truth, 3), figure.one_hot(found, 3)))
        assert low < figure.macro_f1(figure.one_hot(truth, 3), figure.one_hot(found, 3)) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 3


def test_the_same_rows_give_the_same_bounds():
    truth = figure.one_hot(np.arange(90) % 3, 3)
    assert figure.bounds(figure.resampled_macro_f1(truth, truth[::-1])) == figure.bounds(figure.resampled_macro_f1(truth, truth[::-1]))


def test_calibration_error_is_the_gap_between_confidence_and_hits():
    confidence = np.full(100, 0.8)
    assert figure.calibration_error(np.arange(100) < 80, confidence) == pytest.approx(0, abs=1e-6)
    assert figure.calibration_error(np.arange(100) < 50, confidence) == pytest.approx(0.3, abs=1e-6)


def test_negated_words_are_marked_up_to_the_next_sign():
    assert anchors.marked("It isn't good, really") == ["it", "isn't", "NOT_good", "really"]


def test_runs_of_characters_stay_within_their_text():
    together = {(unit, bucket) for unit, bucket, _ in zip(*goemotions.hashed_runs(["ab", "cd"]), strict=True)}
    apart = {(unit, bucket) for unit, text in enumerate(["ab", "cd"]) for _, bucket, _ in zip(*goemotions.hashed_runs([text]), strict=True)}
    assert together == apart


def test_the_solver_finds_the_optimum_that_scikit_learn_finds():
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    chance = np.random.default_rng(1)
    rows, labels, weight = chance.normal(size=(200, 6)), chance.integers(0, 3, 200), chance.random(200) + 0.5
    weights, bias = logistic.softmax(csr_matrix(rows), np.eye(3)[labels], weight, strength=0.5, rounds=200)
    model = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(rows, labels, sample_weight=weight)
    assert np.abs(weights - model.coef_.T).max() < 0.02
    assert np.abs((bias - bias.mean()) - (model.intercept_ - model.intercept_.mean())).max() < 0.02


def test_a_domain_without_neutral_rows_does_not_make_others_less_neutral():
    from ml.train import sentiment

    base = made_up_rows()
    felt = [Row(f"zeichen {n} wort {n % 5} sache", 2 * (n % 2), "xed", sorted(sentiment_data.WITHOUT_NEUTRAL)[0], False, 1.0) for n in range(400)]
    lexicon = sentiment_data.lexicon()
    from ml.tokens import tokens

    told = tokens(["an unknown remark"])
    alone, beside = (sentiment._fitted(rows, lexicon).probabilities(told)[0, 1] for rows in (base, [*base, *felt]))
    assert beside > alone - 0.1


def test_no_sentence_that_is_measured_was_learned_from_in_another_set():
    apart = [row(0, 1, "senti4sd", test=True)]
    twin = Row(f" {apart[0].text.upper()} ", 0, "vader", "tweets", False, 1.0)
    other = row(2, 2, "tweets", test=False)
    assert unseen.learned_without(apart, [twin, other, *apart]) == [other]
