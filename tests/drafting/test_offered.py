"""An offer is made as it asks to be made: done where it costs them nothing, with a day where it takes an hour of theirs, and with their word where it changes
what they have."""

from __future__ import annotations

import re

import pytest

from service.critic.draft import Evidence
from service.drafting import draft
from service.drafting.facts import People, offer_phrase
from service.drafting.request import Request
from tests.drafting.written import body

STOCK = re.compile(r"Would that (?:work|help|do)|Shall I\?|Does that suit|I can see why|as you write")


ASKED = "Could you tell me which readers need a new battery before the winter? I plan the round of the hall next week."


def test_nobody_is_told_that_we_changed_what_they_have_before_they_said_yes() -> None:
    closing = "We close the hall in May and have to save. What happens if we take the hall off the account?"
    text = body(("buyer_message", closing), ("offer", "take the readers of the hall off the account from 1 May"), situation="budget_cut")
    assert "take the readers of the hall off the account" in text
    assert not re.search(r"I(?:'ll| will)(?: gladly)? take", text)
    assert "?" in text


def test_a_change_that_they_asked_us_for_is_made_and_one_that_they_asked_about_is_not() -> None:
    offer = ("offer", "move the invoice and the start to 1 October")
    contract = ("contract", "The first invoice is due at the start on 5 September.")
    asked = body(
        ("buyer_message", "Could you hold off with the invoice and the start until our move is through on 1 October?"),
        contract,
        offer,
        situation="timing_concern",
    )
    wondered = body(("buyer_message", "What happens if we move the invoice and the start to 1 October?"), contract, offer, situation="timing_concern")
    assert re.search(r"I'll move the invoice and the start to 1 October\.", asked)
    assert not re.search(r"I(?:'ll| will)(?: gladly)? move the invoice", wondered)


def test_what_costs_them_nothing_is_done_and_not_asked() -> None:
    text = body(("buyer_message", ASKED), ("offer", "send a list of the readers with a weak battery"), situation="implementation_worry")
    assert re.search(r"I(?:'ll| will)(?: gladly)? send a list of the readers with a weak battery\.", text)
    assert "?" not in text


def test_an_hour_of_theirs_is_asked_for_with_a_day() -> None:
    text = body(("buyer_message", ASKED), ("offer", "walk through the hall with you and read each battery"), situation="implementation_worry")
    assert re.search(r"(?:[Ww]hen|[Dd]ay)[^.?]*\?", text)
    assert not STOCK.search(text)


TROUBLE = "The readers in the hall were dead again on Monday. My people stood in the rain for an hour and I am tired of writing this."


def test_trouble_on_record_is_met_with_regret_and_the_deed() -> None:
    text = body(
        ("buyer_message", TROUBLE),
        ("ticket", "T-8: readers of the hall, battery level."),
        ("offer", "send six new batteries by courier today"),
        situation="frustration",
    )
    assert re.search(r"sorry|apologise", text)
    assert re.search(r"I(?:'ll| will)(?: gladly)? send six new batteries by courier today", text)
    assert not STOCK.search(text)


def test_where_nothing_of_ours_is_known_to_have_failed_nobody_says_sorry() -> None:
    text = body(("buyer_message", TROUBLE), ("offer", "send six new batteries for the readers by courier today"), situation="frustration")
    assert not re.search(r"sorry|apologise", text)


@pytest.mark.parametrize(("own", "is_greeted"), [(f"hi ida! {ASKED}", True), (ASKED, False)])
def test_in_a_chat_who_greeted_is_greeted(own: str, is_greeted: bool) -> None:
    text = body(("buyer_message", own), ("offer", "send a list of the readers with a weak battery"), situation="implementation_worry", channel="chat")
    assert text.startswith(("Hi Kim, ", "Hello Kim, ")) is is_greeted


def test_after_silence_the_draft_says_what_it_is_about() -> None:
    text = body(
        ("crm_note", "Mails of 4 and 25 August about the silo gauges stayed without answer."), ("offer", "send the drawing of one gauge"), situation="silence"
    )
    assert "silo gauges" in text
    assert text.count("?") <= 2


def test_what_only_they_can_say_is_not_offered_to_be_asked() -> None:
    text = body(
        ("buyer_message", ASKED),
        ("product", "The readers of the hall need a new battery every two winters."),
        ("offer", "ask whether the hinge arrived whole"),
        situation="implementation_worry",
    )
    assert "ask whether" not in text


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ("leave the plan of the hall with her assistant and wait until spring", "leave the plan of the hall with your assistant and wait until spring"),
        ("move to the small plan until spring", "move you to the small plan until spring"),
        ("leave the plan of the hall with her until spring", "leave the plan of the hall with you until spring"),
    ],
)
def test_an_offer_is_turned_to_who_reads_it(offer: str, said: str) -> None:
    assert offer_phrase(Evidence(id="E1", type="offer", text=offer), People("Ida Beck", "Kim Osei")) == said


def test_who_has_given_notice_by_letter_is_not_asked_whether_to_go_on() -> None:
    leaving = "After May we go on without you, the new owner of the hall brings his own program. My people are sad. Thank you for the six years."
    pieces = (
        Evidence(id="E1", type="buyer_message", text=leaving),
        Evidence(id="E2", type="contract", text="Contract ends on 31 May; written notice of 2 February arrived in time."),
        Evidence(id="E3", type="offer", text="prepare the readings of six years as one file"),
    )
    assert draft(Request(id="r1", evidence=pieces, situation="renewal_decision")).situation == "renewal_notice"
