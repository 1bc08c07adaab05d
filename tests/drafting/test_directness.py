"""What a draft begins with: our fault, the answer, what they asked to be done; and telling back as little as there can be."""

from __future__ import annotations

import pytest

from service.critic.draft import Evidence
from service.drafting import Request, draft
from service.drafting.asides import is_aside, is_jotted, is_of_learner
from service.drafting.facts import Fact
from service.drafting.failures import as_ours, failure, joined, named


def body(*pieces: tuple[str, str], situation: str | None = None) -> str:
    evidence = tuple(Evidence(id=f"E{n}", type=kind, text=text) for n, (kind, text) in enumerate(pieces, 1))
    found = draft(Request(id="r1", evidence=evidence, am_name="Ida Beck", recipient_name="Kim Osei", situation=situation))
    assert found.written, found.reason
    return found.written.text.split("\n\n", 1)[1].rpartition("\n\n")[0]


def fact(text: str, *, kind: str = "ticket", is_clause: bool = True) -> Fact:
    return Fact("E2", kind, text, is_clause)


SOAKED = "The drying hall was at 90 percent again on Sunday and 400 boards are warped. I have had enough of this."


def test_a_failure_of_ours_comes_first_with_a_plain_sorry_and_then_what_we_do() -> None:
    text = body(
        ("buyer_message", SOAKED),
        ("incident", "On 3 June the humidity alarm was sent to the wrong number."),
        ("offer", "correct the number today and test the alarm with you"),
    )
    first, _, rest = text.replace("\n\n", " ").partition(". ")
    assert "humidity alarm" in first
    assert "sorry" in text.split("\n\n")[0] or "apologise" in text.split("\n\n")[0]
    assert "I'll correct the number today" in rest or "I will correct the number today" in rest
    assert "?" not in text


def test_what_the_buyer_has_to_decide_stays_a_question_after_a_failure_too() -> None:
    text = body(
        ("buyer_message", SOAKED), ("incident", "On 3 June the humidity alarm was sent to the wrong number."), ("offer", "cancel the contract from 1 July")
    )
    assert text.count("?") == 1


def test_the_answer_comes_first_where_somebody_asked_and_is_not_upset() -> None:
    text = body(
        ("buyer_message", "Our caterers work in two halls. How many halls does the kitchen licence cover?"),
        ("contract", "The kitchen licence covers three halls."),
        ("offer", "add the second hall today"),
        situation="price_objection",
    )
    assert text.startswith("The kitchen licence covers three halls")
    assert text.count("?") <= 1


def test_yes_comes_first_where_they_asked_for_what_is_offered() -> None:
    text = body(
        ("buyer_message", "Hello Ida, could you move the training of the porters to October? The porters are short of hands. Kim"),
        ("offer", "move the training of the porters to October"),
        situation="timing_concern",
    )
    assert text.startswith("Yes, ")


def test_nobody_is_asked_what_has_changed_where_our_notes_say_it() -> None:
    text = body(
        ("usage", "Loom checks: 90 in May, 30 in June."),
        ("crm_note", "In June the customer closed the second mill."),
        ("offer", "adjust the plan of checks to one mill"),
    )
    assert "in June you closed the second mill" in text
    assert "changed" not in text


LOOMS = ("usage", "Loom checks: 90 in May, 30 in June.")


def test_what_others_said_about_them_is_not_told_to_them() -> None:
    text = body(
        LOOMS, ("crm_note", "Two of the five weavers left in June, according to a call with reception."), ("offer", "adjust the plan of checks to one mill")
    )
    assert "weavers" not in text
    assert "reception" not in text


def test_who_told_us_why_is_reminded_of_it_and_not_asked_again() -> None:
    text = body(LOOMS, ("crm_note", "Kim mentioned in May that the second mill was moving to Leeds."), ("offer", "adjust the plan of checks to one mill"))
    assert "You mentioned in May that the second mill was moving to Leeds" in text
    assert "changed" not in text


@pytest.mark.parametrize("note", ["Lena mentioned in May that the second mill was moving to Leeds.", "Kim mentioned in May that our prices are too high."])
def test_what_somebody_else_told_us_and_what_they_said_of_us_stays_with_us(note: str) -> None:
    assert "mentioned" not in body(LOOMS, ("crm_note", note), ("offer", "adjust the plan of checks to one mill"))


def test_a_draft_asks_one_question_at_most_where_there_is_an_offer() -> None:
    for situation in ("frustration", "price_objection", "implementation_worry", "budget_cut", "confusion"):
        text = body(
            ("buyer_message", "We lost two days in May because the import stopped, and our clerks had to type 300 forms."),
            ("product", "The import takes files of up to 500 forms."),
            ("offer", "sit with your clerks at the next import"),
            situation=situation,
        )
        assert text.count("?") <= 1, situation
        assert " or " not in text.rpartition(". ")[2]


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        ("a callback was promised for 4 May and not made", "we promised a callback for 4 May and did not make it"),
        ("the wrong drum was delivered on 3 June", "we delivered the wrong drum on 3 June"),
        ("ticket 12 was closed on 3 March and reopened on 6 March", "we closed ticket 12 on 3 March, and it was reopened on 6 March"),
        (
            "ticket 7 of 2 June asks for an earlier gate, and it was answered with a leaflet",
            "we answered ticket 7, which asks for an earlier gate, with a leaflet",
        ),
        ("the drum was delivered by the haulier on 3 June", "the drum was delivered by the haulier on 3 June"),
        ("the pump froze on 9 June", "the pump froze on 9 June"),
    ],
)
def test_what_we_did_is_said_as_ours_where_that_is_sure(noted: str, said: str) -> None:
    assert as_ours(noted) == said


@pytest.mark.parametrize("text", ["the texts were held back by a mobile carrier", "the customer asked for a refund", "the gate opens at 8", "nothing was lost"])
def test_what_is_not_our_failure_is_not_owned(text: str) -> None:
    assert failure([fact(text)]) is None


def test_a_ticket_without_a_verb_names_the_fault_and_one_that_gives_a_task_names_none() -> None:
    found = named([fact("our ticket 9 of Monday says: 40 tags with one number; seen by two", is_clause=False)])
    assert found
    assert found[1] == "40 tags with one number"
    assert named([fact("our ticket 9 says: change the contact of the alarm", is_clause=False)]) is None


def test_two_facts_about_one_thing_stand_in_one_sentence() -> None:
    told = joined([fact("the plan covers four kilns"), fact("each can be paused for a month")])
    assert [f.text for f in told] == ["the plan covers four kilns, and each can be paused for a month"]
    apart = joined([fact("the plan covers four kilns"), fact("the price is fixed until May")])
    assert len(apart) == 2


@pytest.mark.parametrize(
    "said",
    [
        "idk which is worse",
        "I'm keen, don't get me wrong",
        "Thirdly, my colleague has all exceptions in her head",
        "I'm afraid to press the red button",
        "Revised upwards, I see",
    ],
)
def test_an_aside_is_not_told_back(said: str) -> None:
    assert is_aside(said)


def test_what_is_jotted_in_lower_case_is_not_told_back_and_what_follows_a_greeting_is() -> None:
    assert is_jotted("", "last company took two years to leave")
    assert is_jotted("we saw. ", "two of them are away")
    assert not is_jotted("Hello Ida, ", "the embosser stops after 30 pages")


def test_nothing_is_told_back_of_a_message_with_slips_of_somebody_who_learns_the_language() -> None:
    assert is_of_learner("The mill makes since Tuesday each crown to small.")
    assert not is_of_learner("The mill has made each crown too small since Tuesday.")
