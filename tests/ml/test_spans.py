"""Which words of a message are quoted first: what is learned of that, and what a candidate's edges say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from ml import reader
from ml.edges import BUCKETS, Edges, at_edges
from ml.sentence_tokens import Said
from ml.train.ranking import ranked, weights
from ml.train.spans import placed, taught


def _groups(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of four candidates, the one with the highest first feature is right; the second feature says how good all four are."""
    chance = np.random.default_rng(5)
    group = np.repeat(np.arange(count), 4)
    seen = np.column_stack([chance.normal(size=4 * count), np.repeat(chance.normal(size=count), 4)])
    highest = seen[:, 0].reshape(count, 4).argmax(axis=1)
    gain = np.repeat(1 / (1 + np.exp(-seen[::4, 1])), 4) * (np.arange(4 * count) % 4 == highest[group])
    return seen, group, gain


def _right(scores: np.ndarray, gain: np.ndarray) -> float:
    return float((scores.reshape(-1, 4).argmax(axis=1) == gain.reshape(-1, 4).argmax(axis=1)).mean())


def test_of_the_candidates_of_a_message_the_best_one_is_ranked_first_however_good_all_of_them_are():
    seen, group, gain = _groups(600)
    trees = ranked(seen, group, gain, rounds=60)
    apart, _, wanted = _groups(700)
    assert _right(trees(np.ascontiguousarray(apart.T)), wanted) > 0.85
    learned = weights(csr_matrix(seen), group, gain)
    assert _right(apart @ learned, wanted) > 0.95


def test_what_is_the_same_for_all_candidates_of_a_message_teaches_nothing():
    seen, group, gain = _groups(300)
    assert abs(weights(csr_matrix(seen), group, gain)[1]) < 1e-6


def test_a_message_of_one_sentence_and_one_without_a_marked_span_teach_no_choice():
    owner, worth = np.array([0, 1, 1, 2, 2]), np.array([0.9, 0.8, 0.1, np.nan, np.nan])
    assert taught(worth, owner).tolist() == [False, True, True, False, False]
    assert placed(owner, np.full(5, 7.0)).shape[0] == 5


@pytest.fixture(scope="module")
def said() -> Said:
    return Said.of(
        ["The hall was cold. Nobody came to fix the doors. Please call.", "We paid. Nobody came to fix the doors. It is late."], reader.load().model.masker
    )


def test_edges_see_what_stands_beside_them_and_nothing_beyond_what_they_may_see(said):
    spans, begins = np.array(said.spans), said.begins[said.owner]
    start, end = spans[[1, 4]].T + begins[[1, 4]]
    alone = at_edges(said, start, end, start, end)
    assert (alone[0] == alone[1]).all()
    beside = at_edges(said, start, end, spans[[0, 3], 0] + begins[[0, 3]], spans[[2, 5], 1] + begins[[2, 5]])
    assert (beside[0] != beside[1]).any()
    assert Edges(np.zeros(BUCKETS, np.float16))(beside).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        (
            "Hi Marek, thanks for ringing back. The night crew lost two hours on Friday because the door list was empty, so please have a look. Best, Ute",
            "The night crew lost two hours on Friday",
        ),
        ("Morning all! Quick one from me. Our auditors refused the last three reports because the totals do not match. The address is unchanged.", "refused"),
    ],
)
def test_the_first_quote_is_what_happened_and_neither_greeting_nor_request(text, quoted):
    first = reader.load().read([text])[0].quotes[0]
    said = text[first.start : first.end]
    assert quoted in said
    assert not any(word in said for word in ("Hi", "thanks", "please", "Best", "Morning", "address"))


@pytest.mark.parametrize(
    "text",
    [
        "since the last update every single one of our drivers has had to type the whole stop list again by hand because the tablet forgets it as soon as"
        " the lorry leaves the yard and they are furious",
        "Terrible. We have now been waiting for the replacement scanners since the second week of March and nobody on your side can tell us who ordered"
        " them or where they are or when they will finally arrive here at the depot.",
    ],
)
def test_a_complaint_in_one_long_sentence_without_a_comma_is_quoted_too(text):
    reading = reader.load().read([text])[0]
    assert reading.sentiment < 0
    assert reading.quotes
