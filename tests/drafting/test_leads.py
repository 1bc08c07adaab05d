"""What leads on from their words: a reason for the offer, the cost that an apology names, a welcome, a yes."""

from __future__ import annotations

import pytest

from service.critic import Draft, review
from service.critic.draft import Evidence
from service.drafting.listed import sentence
from tests.drafting.written import body

VOTE = "Both offers lie on my desk. We vote on the laundry key cards on 9 May."
CARD = "give your caretaker a test key card before the vote"


def test_what_they_wrote_is_the_reason_for_the_offer_where_nobody_is_upset() -> None:
    text = body(("buyer_message", VOTE), ("product", "Booking and key card are one system."), ("offer", CARD), situation="competitor_evaluation")
    assert "You vote on the laundry key cards on 9 May, so " in text
    assert CARD in text
    assert "Booking and key card are one system." in text


def test_nobody_who_is_upset_is_answered_with_an_offer_alone() -> None:
    angry = f"I am furious about the laundry. {VOTE}"
    text = body(("buyer_message", angry), ("offer", CARD), situation="competitor_evaluation")
    assert ", so I " not in text


@pytest.mark.parametrize(("own", "is_good"), [(VOTE, True), (f"I am furious about the laundry. {VOTE}", False)])
def test_the_critic_takes_their_reason_for_the_offer_as_heard_unless_a_feeling_was_named(own: str, is_good: bool) -> None:
    text = f"Hi Kim,\n\nYou vote on the laundry key cards on 9 May, so I can {CARD}.\n\nBest regards,\nIda"
    evidence = (Evidence(id="E1", type="buyer_message", text=own), Evidence(id="E2", type="offer", text=CARD))
    found = review(
        Draft(id="d1", text=text, channel="email", lang="en", evidence=evidence, recipient_name="Kim Osei", am_name="Ida Beck", situation="budget_cut")
    )
    assert ("STR-4" not in found.rules) is is_good


def test_an_apology_names_what_the_fault_cost_them_and_not_whose_it_was() -> None:
    text = body(
        ("buyer_message", "The tubes crack at minus 80. We lost 46 samples from patients with a rare disease. A new carton is no answer."),
        ("incident", "Lot 2291 was made from another resin in August; tests at minus 80 were not repeated."),
        ("offer", "have our quality director call you tomorrow"),
    )
    assert "You lost 46 samples" in text
    assert "patients" not in text
    assert "sorry" in text or "apologise" in text
    assert "Lot 2291 was made from another resin in August" in text


def test_an_incident_is_a_fault_of_ours_whatever_its_words() -> None:
    text = body(
        ("buyer_message", "Your app quoted copper at the aluminium price on Friday. I paid $3,400 on that. What will you do about it?"),
        ("incident", "On Friday from 10:00 to 12:05 the price feed showed the aluminium price for copper to 3 customers."),
        ("offer", "check every purchase of those hours with you"),
    )
    assert "sorry" in text or "apologise" in text


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("Hi, I'm Enzo and I'm taking over the berth plan from Luisa. What about the winter list?", ("Welcome", "good start")),
        ("A heads-up, as I like you: we present both offers on 9 May. What material do you have on the winter list?", ("Thank you for",)),
        ("What about the winter list?", ()),
    ],
)
def test_a_newcomer_is_welcomed_and_a_tip_is_thanked_for(own: str, said: tuple[str, ...]) -> None:
    text = body(("buyer_message", own), ("project", "The winter list has 74 boats."), ("offer", "send you the winter list"), situation="champion_change")
    assert any(words in text for words in said) is bool(said)


def test_a_time_that_they_ask_for_and_that_is_offered_is_granted() -> None:
    text = body(
        ("buyer_message", "The door readers go live at midnight, in the middle of our shift change. Can it be at 10 in the morning please?"),
        ("project", "The go-live of the door readers is set for the 1st at 00:00."),
        ("offer", "move the go-live to 10:00 on the 1st"),
        situation="routine_logistics",
    )
    assert "I'll move the go-live to 10:00" in text or "I will move the go-live to 10:00" in text


def test_a_figure_that_was_asked_for_is_told_and_not_called_unknown() -> None:
    text = body(
        ("buyer_message", "Our committee asks whether the app shortened the queues. Is there any figure from your side?"),
        ("usage", "Members who looked up their payout in the app: 1,120 in the first quarter of last year, 4,350 in the first quarter of this year."),
        situation="renewal_decision",
    )
    assert "4,350" in text
    assert "don't know" not in text


@pytest.mark.parametrize(
    ("kind", "noted", "said"),
    [
        ("contract", "22 terminals at EUR 29 a month, twelve months", "you have 22 terminals at EUR 29 a month, twelve months"),
        ("contract", "Eight boats at ISK 41,000 per boat and year", "you have eight boats at ISK 41,000 per boat and year"),
        ("contract", "Renewal on 1 December, SGD 4,300", "the renewal is on 1 December, at SGD 4,300"),
        ("contract", "EUR 3,150 a year, of which EUR 1,100 is for the mobile app", "you pay EUR 3,150 a year, of which EUR 1,100 is for the mobile app"),
        ("contract", "Archive ILS 52,000 a year, kiosk ILS 11,500 a year", "the archive is ILS 52,000 a year, and the kiosk is ILS 11,500 a year"),
        ("contract", "Contract until 31 December", "the contract runs until 31 December"),
        ("quote", "USD 74,000 for 37 generators, excluding taxes", "our quote is USD 74,000 for 37 generators, excluding taxes"),
        ("quote", "88 spaces at R$ 310 per year", "our quote is for 88 spaces at R$ 310 per year"),
        ("quote", "Offer of 3 June: 12 ovens and 31 hoods, EUR 690 a month", "our offer of 3 June is for 12 ovens and 31 hoods, EUR 690 a month"),
        ("quote", "Quote of 20 March for 60 tags, EUR 390, valid until 31 May", "our quote of 20 March for 60 tags is EUR 390, valid until 31 May"),
        ("quote", "Quote for six gauges of 3 March, valid until 30 June", "our quote for six gauges of 3 March is valid until 30 June"),
        ("contract", "Offer of 3 June: 12 ovens, EUR 690 a month", None),
        ("project", "Export to the land register: in test, release planned for 3 May", "the export to the land register is in test, release planned for 3 May"),
        ("project", "Delivery of the ticket gates: 27 November", "the delivery of the ticket gates is on 27 November"),
        ("project", "Lead time for 30 call posts: ten weeks from order", "the lead time for 30 call posts is ten weeks from order"),
        ("usage", "Shop revenue last year: GBP 148,000", "the shop revenue last year was GBP 148,000"),
        ("usage", "780 bookings by parents and 12 by nurses in the last quarter", "there were 780 bookings by parents and 12 by nurses in the last quarter"),
        ("contract", "The term ends on 30 June", None),
        ("contract", "48 seats, renews on the 1st of the month", None),
        ("contract", "Page 14 of the contract: 200 cards is the least", None),
        ("ticket", "Status: in analysis", None),
        ("quote", "software EUR 7,600 for year one, six training days at EUR 1,350", None),
        ("crm_note", "both schools reopen on 28 August", None),
    ],
)
def test_a_list_of_terms_is_told_as_the_sentence_it_is_short_for(kind: str, noted: str, said: str | None) -> None:
    assert sentence(noted, kind) == said
