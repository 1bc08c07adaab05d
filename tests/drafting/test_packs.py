"""The authored frames of each language: each can be said, asks for nothing unknown, and addresses people in one way."""

from __future__ import annotations

import re

import pytest

from service.drafting import grammar
from service.drafting.lexicon import expression
from service.drafting.steps import plans

PACKS = ("de", "fr", "es", "pt")
SLOTS = frozenset("name am_name quote answer fact material metric before after window offer_verb_phrase reading_a reading_b dept_list".split())
"""What the engine can fill outside English."""


@pytest.mark.parametrize("lang", PACKS)
def test_each_frame_can_be_said_and_asks_for_nothing_the_engine_has_not(lang: str) -> None:
    for group in grammar.frames(lang).values():
        for frame in group:
            assert frame.situations, frame.id
            assert 1 <= len(frame.texts) <= grammar.MOST_EXPANSIONS, frame.id
            for text in frame.texts:
                assert set(grammar.slots_of(text)) <= SLOTS, frame.id
                assert not set("()[]|<>~") & set(text), frame.id
                assert not set(text.replace('"{quote}"', "")) & set('"„“”«»'), frame.id
                assert "{quote}" not in text.replace('"{quote}"', ""), frame.id


@pytest.mark.parametrize("lang", ["de", "fr", "es"])
def test_no_frame_mixes_two_ways_to_address_somebody(lang: str) -> None:
    other = {"de": r"\b(?:Ihnen|Ihre[nmrs]?)\b|(?<=[a-zäöüß,] )Sie\b", "fr": r"\b(?:vous|votre|vos)\b", "es": r"\b(?:usted|su|sus|le)\b"}[lang]
    for group in grammar.frames(lang).values():
        for frame in group:
            for text in frame.texts:
                assert frame.address == "familiar" or not expression("familiar", lang).search(text), frame.id
                assert frame.address == "formal" or not re.search(other, text), frame.id


@pytest.mark.parametrize("lang", PACKS)
@pytest.mark.parametrize("address", ["formal", "familiar"])
def test_each_situation_has_a_plan_that_can_be_said(lang: str, address: str) -> None:
    for situation, options in plans(lang).items():
        if situation == "direct_question":
            continue  # told apart in English alone
        sayable = [plan for plan in options if all(_is_sayable(entry, situation, lang, address) for entry in plan)]
        assert sayable, situation


def _is_sayable(entry: str, situation: str, lang: str, address: str) -> bool:
    moves = ("INFO.fact", "INFO.unanswered", "INFO.material") if entry == "INFO" else entry.rstrip("?").split("/")
    has = [any(f.suits(situation, address) for f in grammar.frames(lang).get(move, ())) for move in moves]
    return entry.endswith("?") or (any(has) if entry != "INFO" else situation in ("usage_drop", "silence", "positive_momentum") or any(has))


def test_each_english_frame_stands_in_a_plan_of_a_situation_that_it_suits() -> None:
    moves = {
        situation: {m for plan in options for entry in plan for either in entry.rstrip("?").split("/") for m in either.split("|")}
        for situation, options in plans("en").items()
    }
    always = ("GREET", "CLOSE", "INFO", "REF.inspectable_proof_second")
    for move, group in grammar.frames("en").items():
        for frame in group:
            assert move.startswith(always) or any(move in moves[s] and frame.suits(s, "formal") for s in moves), frame.id


def test_a_frame_of_several_moves_says_something_for_each() -> None:
    assert grammar.marked("HEARD.sorry", "@ACK.event {harm}, @VAL.sorry and I'm sorry.") == [("ACK.event", "{harm},"), ("VAL.sorry", "and I'm sorry.")]
    for group in grammar.frames("en").values():
        for frame in group:
            for text in frame.texts:
                parts = grammar.marked(frame.move, text)
                assert all(said and not move.startswith(("HEARD", "OFFER")) for move, said in parts), frame.id
                assert text.startswith("@") or "@" not in text, frame.id
