"""Where telling a message back would only cost time: a fault that is owned, and the answer to somebody who asked and is not upset."""

from __future__ import annotations

import pytest

from service.critic.draft import Draft, Evidence
from service.critic.review import review

STRUCTURE = {"STR-1", "STR-2", "STR-4", "STR-6", "DRF-2"}
COMPLAINT = "The kiln alarm was silent on Sunday and 300 tiles cracked. I am furious about this."
INCIDENT = "On Sunday the alarm gateway was switched off from 02:00 to 06:00."
QUESTION = "Our glazing team has nine people. Could the kiln licence cover nine seats, and from when?"
CONTRACT = "The kiln licence covers twelve seats from 1 May."


def broken(text: str, message: str, kind: str, known: str, situation: str) -> set[str]:
    pieces = [("buyer_message", message), (kind, known), ("offer", "test the alarm every evening this week")]
    evidence = tuple(Evidence(id=f"E{n}", type=type_, text=said) for n, (type_, said) in enumerate(pieces, 1))
    return STRUCTURE & set(review(Draft(id="1", text=text, channel="email", lang="en", evidence=evidence, situation=situation)).rules)


@pytest.mark.parametrize(
    "text",
    [
        "On Sunday the alarm gateway was switched off from 02:00 to 06:00, and I'm sorry. I'll test the alarm every evening this week.",
        "Our alarm gateway was switched off on Sunday from 02:00 to 06:00. I apologise. I could test the alarm every evening this week.",
    ],
)
def test_a_fault_that_is_named_and_regretted_is_an_acknowledgement(text: str) -> None:
    assert broken(text, COMPLAINT, "incident", INCIDENT, "frustration") == set()


@pytest.mark.parametrize(
    "text",
    [
        "On Sunday the alarm gateway was switched off from 02:00 to 06:00. I could test the alarm every evening this week.",
        "On Sunday the alarm gateway was switched off from 02:00 to 06:00. I'm sorry if that bothered anybody. I could test the alarm every evening this week.",
        "I'm sorry. I could test the alarm every evening this week.",
        "On Sunday the alarm gateway was switched off from 02:00 to 06:00, and I'm sorry.",
    ],
)
def test_a_fault_without_regret_regret_without_a_fault_and_both_without_a_next_step_are_none(text: str) -> None:
    assert broken(text, COMPLAINT, "incident", INCIDENT, "frustration")


def test_who_asked_and_is_not_upset_may_have_the_answer_first() -> None:
    text = "The kiln licence covers twelve seats from 1 May, so your glazing team of nine fits. I could test the alarm every evening this week."
    assert broken(text, QUESTION, "contract", CONTRACT, "price_objection") == set()


def test_who_is_upset_may_not_and_who_asked_nothing_neither() -> None:
    text = "The kiln licence covers twelve seats from 1 May. I could test the alarm every evening this week."
    assert broken(text, f"{QUESTION} I am furious.", "contract", CONTRACT, "price_objection")
    assert broken(text, QUESTION, "contract", CONTRACT, "frustration")
    assert broken(text, "Our glazing team has nine people and the kiln licence is too small.", "contract", CONTRACT, "price_objection")


def test_an_answer_about_something_else_is_no_answer() -> None:
    text = "A separate module prints labels in four colours. I could test the alarm every evening this week."
    assert broken(text, QUESTION, "product", "A separate module prints labels in four colours.", "price_objection")
