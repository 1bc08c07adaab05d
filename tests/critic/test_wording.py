"""Sentences, quotations, greetings and closings, each where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies

from service.critic.wording import Wording, lowered, quoted, tokens

NO_QUOTES = [
    "It's the boys' club, isn't it?",
    "the '90s and the '80s' end",
    "5' by 6'",
    "rock'n'roll",
    "c'est l'été d'Aline",
    'a 5" pipe',
    "don’t, won’t, can’t",
]
QUOTES = {
    'You wrote "it freezes".': '"it freezes"',
    "You wrote “it’s frozen”.": "“it’s frozen”",
    "Sie schrieben „es friert“ dazu.": "„es friert“",
    "Vous écrivez « ça gèle » ici.": "« ça gèle »",
    "Sie schrieben »es friert« dazu.": "»es friert«",
    "You're 'struggling with it' again.": "'struggling with it'",
    "You ‘can’t wait’ for it.": "‘can’t wait’",
}


@pytest.mark.parametrize("text", NO_QUOTES)
def test_an_apostrophe_is_no_quotation_mark(text: str) -> None:
    assert quoted(text) == []


@pytest.mark.parametrize("text", QUOTES)
def test_quotation_marks_of_every_style_are_seen(text: str) -> None:
    assert [text[s:e] for s, e in quoted(text)] == [QUOTES[text]]


def test_a_quotation_that_never_ends_does_not_swallow_the_text() -> None:
    assert quoted('You wrote "it freezes.\n\nI could come on Monday.') == []


def test_a_sentence_ends_behind_a_contraction_and_not_inside_a_quotation() -> None:
    text = "Hello Kim,\n\nOurs doesn't. “He was fine. I wasn't.” That stays with me.\n\nIda"
    found = Wording(text)
    assert [text[s:e].strip() for s, e in found.sentences] == ["Ours doesn't.", "“He was fine. I wasn't.”", "That stays with me."]


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("Dear Dr. Pohl,\n\nIt works.\n\nKind regards,\nIda Beck", "It works."),
        ("Sehr geehrte Frau Dr. Pohl,\n\nes geht.\n\nMit freundlichen Grüßen\nIda Beck", "es geht."),
        ("Bonjour Madame Roy,\n\nÇa marche.\n\nCordialement,\nIda", "Ça marche."),
        ("Estimada señora Roy:\n\nFunciona.\n\nUn saludo,\nIda", "Funciona."),
        ("It works.\n\nIda", "It works."),
        ("Hello Kim, it works.", "Hello Kim, it works."),
    ],
)
def test_greeting_and_closing_are_no_part_of_the_body(text: str, body: str) -> None:
    start, end = Wording(text).body
    assert text[start:end].strip(" ,:\n") == body.strip(" ,:")


@settings(max_examples=60, deadline=None)
@given(strategies.text(alphabet=strategies.sampled_from("aEé İß'’\"“”«».,?!\n ñ1:-"), max_size=120))
def test_offsets_stay_inside_whatever_the_text_is(text: str) -> None:
    found = Wording(text)
    assert len(lowered(text)) == len(found.ours) == len(text)
    for start, end in [*found.sentences, *found.quotes, *found.paragraphs, found.body]:
        assert 0 <= start <= end <= len(text)
    assert all(lowered(text)[t.start : t.end] == t.word for t in tokens(text))
