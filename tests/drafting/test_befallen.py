"""Bad news that is no doing of ours is met first, in their words; a fault of ours, a wish or a joke about us is not met with condolence."""

from __future__ import annotations

import re

import pytest

from tests.drafting.written import body

MET = re.compile(r"I'm sorry to read that|(?:hard|no easy) news that")
OFFER = ("offer", "work out a price for eight readers")
CONTRACT = ("contract", "The contract covers twelve readers at 9 euros a month.")


def written(own: str, *more: tuple[str, str]) -> str:
    return body(("buyer_message", own), CONTRACT, OFFER, *more, situation="budget_cut")


@pytest.mark.parametrize(
    "own",
    [
        "You have cut our quota of readers to eight and I have to explain that to the board. What would eight cost us?",
        "If the county cuts the grant we have to save as well. What would eight readers cost us?",
        "The readers are fine. We would like to have fewer of them. What would eight cost us?",
        "Was the budget cut by you or by us? I can't find it. What would eight readers cost?",
    ],
)
def test_nobody_is_condoled_with_for_what_we_did_or_what_has_not_come(own: str) -> None:
    assert not MET.search(written(own))


def test_where_our_records_have_a_fault_the_fault_comes_first_and_not_their_budget() -> None:
    own = "The county has cut our grant by a third, and the readers were dead again on Monday. My people stood in the rain. I am tired of it."
    text = written(own, ("ticket", "The readers of the hall lost their battery on Monday."))
    assert not MET.search(text)
    assert re.search(r"sorry|apologise", text)


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("Bad news: the county has cut our grant by a third. What would eight readers cost us?", "the county has cut your grant by a third"),
        (
            "I have to tell you that the main sponsor of the hall leaves in May, and so we have to save. What would eight readers cost us?",
            "the main sponsor of the hall leaves in May",
        ),
        ("Hail destroyed half of our harvest, so every contract is looked at. What would eight readers cost us?", "ail destroyed half of your harvest"),
    ],
)
def test_what_hit_them_comes_first_in_their_words_then_what_is_known_then_the_offer(own: str, told: str) -> None:
    text = written(own)
    assert MET.search(text)
    assert text.index(told) < text.index("twelve readers") < text.index("price for eight readers")
