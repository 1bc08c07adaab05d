"""Lists of expressions find what each of them finds alone, whatever a text is asked for first."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.expressions import Pattern

WRITTEN = (r"never ?mind", r"(?:half|part) ?way there", r"\bno longer (?:need(?:ed)?|wanted)\b", r"^\W{0,3}all good", r"found (?:it|the file)", r"why$")
PIECES = ("never", "mind", "half", "way", "there", "no", "longer", "needed", "wanted", "all", "good", "found", "it", "the", "file", "why", " ", " ", ",", "\n")


@pytest.mark.parametrize("text", ["nevermind", "never mind", "never  mind", "halfway there", "half way there"])
def test_a_blank_that_may_be_missing_may_be_missing(text):
    assert Pattern(WRITTEN).search(text)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_lives_in_a_text_is_in_just_the_pieces_that_any_of_them_matches(text):
    living = Pattern(WRITTEN).living(text)
    for piece in text.split(","):
        alone = any(re.search(re.sub(" +", r"\\s+", w.replace(" ?", r"\s*")), piece, re.MULTILINE) for w in WRITTEN)
        assert living.is_in(piece) == alone
