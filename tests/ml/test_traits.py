"""What is asked, thanked and announced in a mail, as the conversation detectors need it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.asking import is_answer_expected, questions
from ml.traits import traits

TUESDAY = date(2025, 5, 6)


@pytest.mark.parametrize(
    "text",
    [
        "How are you?",
        "Why not?",
        "Isn't that great?",
        "Wie geht es Ihnen?",
        "Did you have a nice weekend?",
        "Let me know if you have any questions.",
        "The question was whether it rains.",
    ],
)
def test_pleasantries_and_rhetoric_are_no_questions(text):
    assert questions(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Can you send the report?",
        "Could you tell me when the fix comes.",
        "When does the maintenance window start?",
        "Bis wann bekommen wir die Auswertung?",
        "Pouvez-vous nous envoyer le contrat ?",
        "¿Cuándo llega la factura?",
        "Podem enviar a proposta?",
    ],
)
def test_what_wants_something_of_us_is_a_question(text):
    assert questions(f"Hello Anna,\n{text}") == [(12, 12 + len(text))]


@pytest.mark.parametrize(
    "text", ["Thanks, noted.", "Please find attached the minutes.", "Looking forward to our call.", "Please do not hesitate to call.", "Received, will do."]
)
def test_a_receipt_asks_for_nothing(text):
    assert not is_answer_expected(text)


@pytest.mark.parametrize(
    "text",
    [
        "Please send the signed form.",
        "We need an answer by Friday.",
        "Any news on the contract",
        "Bitte senden Sie uns den Vertrag.",
        "Merci de nous confirmer la date.",
    ],
)
def test_a_request_expects_an_answer(text):
    assert is_answer_expected(text)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("I'm on leave until 12 May.", date(2025, 5, 12)),
        ("I am out until Thursday.", date(2025, 5, 8)),
        ("I will be on vacation May 12 through May 23.", date(2025, 5, 24)),
        ("I'll be away next week.", date(2025, 5, 19)),
        ("Ich bin bis zum 20. Mai im Urlaub.", date(2025, 5, 20)),
        ("Je suis en congé jusqu'au 15 mai.", date(2025, 5, 15)),
        ("Estaré de vacaciones hasta el 20 de mayo.", date(2025, 5, 20)),
        ("Estou de férias até 21 de maio.", date(2025, 5, 21)),
        ("I am travelling, so answers may take longer.", date(2025, 5, 20)),
        ("We are away until 5/12.", date(2025, 5, 12)),
    ],
)
def test_an_announced_absence_ends_on_the_first_day_back(text, back):
    assert traits(text, TUESDAY).absent_until == back


@pytest.mark.parametrize(
    "text",
    [
        "The contract runs until 31 December.",
        "We will be back to you.",
        "I am back in the office.",
        "The train leaves at nine.",
        "Back on the topic of price, we wait.",
        "Until Monday then.",
    ],
)
def test_no_absence_is_read_into_ordinary_mail(text):
    assert traits(text, TUESDAY).absent_until is None


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="I'm away until 0123456789./-maybckon ", max_size=60), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_an_absence_always_ends_later_than_it_was_written(text, day):
    back = traits(f"I'm away until {text}", day).absent_until
    assert back is None or back > day


def test_traits_count_and_flag_without_keeping_a_sentence():
    found = traits("Hi Anna,\nthanks for the export. Could you add the returns column?", TUESDAY)
    assert (found.words, found.greeting, found.thanks, found.answer_expected, found.withdrawn) == (12, True, True, True, False)
    assert found.questions[0].terms == {"add", "return", "colum"}
    assert {"export", "return", "colum"} <= found.terms


def test_a_question_can_be_taken_back():
    assert traits("Never mind, we found it.", TUESDAY).withdrawn
    assert not traits("We never found it, please help.", TUESDAY).withdrawn


def test_thanks_refused_is_no_thanks():
    assert not traits("Thanks for nothing.", TUESDAY).thanks


def test_an_answer_shares_stems_with_its_question():
    asked = traits("When does the maintenance window start?", TUESDAY).questions[0].terms
    assert len(asked & traits("The maintenance starts at nine and the window is two hours.", TUESDAY).terms) >= 2
