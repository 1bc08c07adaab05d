"""The acknowledgement ledger: what settles nothing, what settles a concern or a question, and for how long it waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from ml.dynamics import Message
from ml.ledger import Entry
from ml.situations import Situation
from ml.stems import words_in
from tests.ml.talk import MONDAY, WORRY, asked, at, entries, on, question, them, traits, us, voiced, worry


def reply(day: float, terms: str, words: int = 30, *, thanks: bool = False, **fields: object) -> Message:
    return us(day, traits=traits(terms, words=words, thanks=thanks), **fields)


def only(messages: Sequence[Message], day: float = 60) -> Entry:
    (entry,) = entries(messages, day)
    return entry


# What settles nothing

NO_ACKNOWLEDGEMENT = {
    "nothing": them(2, by="cy"),
    "an internal note": replace(reply(2, WORRY), direction="internal", kind="note"),
    "an internal meeting": replace(reply(2, WORRY, kind="meeting"), direction="internal"),
    "a note in the CRM": reply(2, WORRY, kind="note"),
    "an automatic reply": reply(2, WORRY, automatic=True),
    "a meeting that a calendar entered by itself": us(2, kind="meeting", thread=None, traits=None, automatic=True),
    "a message of ours before it": reply(-1, WORRY),
    "another thread with somebody else": reply(2, WORRY, to="cy", thread="x"),
    "a single shared word in another thread": reply(2, "export prices brochure", thread="x"),
    "a receipt": reply(2, "thank noted", words=3, thanks=True),
    "a receipt in many words": reply(2, "thank forwarded passed", words=24),
    "a call whose notes are of something else": us(2, kind="call", thread=None, traits=traits("invoice address vat")),
    "a call without notes with somebody else": us(2, kind="call", to="cy", traits=None),
    "their own colleague who repeats it": them(2, by="cy", traits=traits(WORRY)),
    "their thanks for nothing in particular": them(2, traits=traits("great", thanks=True)),
}


@pytest.mark.parametrize("noise", NO_ACKNOWLEDGEMENT.values(), ids=list(NO_ACKNOWLEDGEMENT))
def test_a_concern_stays_open_after(noise: Message) -> None:
    entry = only([voiced(0), noise], 7)
    assert (entry.kind, entry.state, entry.situation, entry.contact, entry.settled) == ("concern", "open", "risk_reliability", "bo", ())
    assert (entry.voiced.start, entry.voiced.end, entry.voiced.day, entry.waiting) == (100, 140, on(0), 5)


def test_a_reply_that_answers_the_question_and_passes_over_the_worry_leaves_the_worry_open() -> None:
    mail = them(0, said=[worry()], traits=traits(f"{WORRY} invoice february", questions=(question("invoice february"),)))
    found = {e.kind: e.state for e in entries([mail, reply(1, "invoice february attached copy accounting")])}
    assert found == {"question": "answered", "concern": "open"}


def test_a_later_mail_of_a_long_thread_is_no_answer_in_other_words() -> None:
    mail = them(0, said=[worry()], traits=traits(f"{WORRY} invoice february", questions=(question("invoice february"),)))
    first, later = reply(1, "invoice february attached copy accounting"), reply(9, "webinar spring registration agenda speakers")
    assert {e.kind: e.state for e in entries([mail, first, later])} == {"question": "answered", "concern": "open"}


def test_a_word_that_stands_in_every_mail_acknowledges_nothing_in_another_thread() -> None:
    small_talk = [us(-30 + n, traits=traits("export ledger"), asks=False) for n in range(20)]
    assert only([*small_talk, voiced(0), reply(2, "export ledger brochure", thread="x")]).state == "open"


@pytest.mark.parametrize("fields", [{"automatic": True}, {"direction": "out"}, {"kind": "note"}, {"kind": "call"}])
def test_what_no_person_of_theirs_wrote_is_never_an_entry(fields: dict[str, object]) -> None:
    mail = them(0, said=[worry()], traits=traits(WORRY, questions=(question(WORRY),)))
    assert entries([replace(mail, **fields)]) == []  # type: ignore[arg-type]


def test_hostile_or_injected_text_is_never_an_entry() -> None:
    hostile = Situation("hostile_or_injection", 0.7, 90, 150)
    said = [hostile, worry(confidence=0.9), worry("contract stuck", "deadlock", 200, 240)]
    assert [e.situation for e in entries([them(0, said=said)])] == ["deadlock"]
    assert entries([them(0, said=[hostile], traits=traits(WORRY, questions=(question(WORRY, start=120),)))]) == []


@pytest.mark.parametrize("name", ["renewal_decision", "competitor_evaluation", "champion_change", "positive_momentum", "routine_logistics", "silence"])
def test_what_does_not_weigh_on_them_is_no_concern(name: str) -> None:
    assert entries([voiced(0, name=name)]) == []


def test_nothing_of_tomorrow_counts() -> None:
    assert only([voiced(0), reply(2, WORRY)], 1).state == "open"
    assert entries([voiced(2)], 1) == []


def test_somebody_else_cannot_say_that_it_is_over() -> None:
    assert only([voiced(0), them(3, by="cy", traits=traits(over=frozenset()))]).state == "open"


def test_that_something_else_is_over_ends_nothing() -> None:
    assert only([voiced(0), them(3, traits=traits(over=words_in("The login works again.")))]).state == "open"
    assert only([voiced(0), them(3, thread="x", traits=traits(over=words_in("All sorted now.")))]).state == "open"


# What settles a concern

ACKNOWLEDGEMENTS = {
    "in the thread": (reply(2, "export fixed"), "words"),
    "in the thread to a colleague": (reply(2, "export fixed", to="cy"), "words"),
    "in another thread to the same person": (reply(2, "export ledger webinar", thread="x"), "words"),
    "with other forms of the words": (reply(2, "exports ledgers"), "words"),
    "in a call whose notes take it up": (us(2, kind="call", thread=None, traits=traits("walked export")), "words"),
    "in a call without notes": (us(2, kind="call", thread=None, traits=None), "call"),
    "in the reply to it, in quite other words": (reply(2, "sorry trouble second server added"), "other_words"),
}


@pytest.mark.parametrize(("taken", "basis"), ACKNOWLEDGEMENTS.values(), ids=list(ACKNOWLEDGEMENTS))
def test_a_concern_is_acknowledged(taken: Message, basis: str) -> None:
    entry = only([voiced(0), taken])
    (settled,) = entry.settled
    assert (entry.state, settled.message, settled.day, settled.basis, settled.working_days, entry.waiting) == ("acknowledged", taken.id, on(2), basis, 2, 2)


def test_what_is_less_certain_says_so() -> None:
    found = {name: only([voiced(0), taken]).settled[0].certainty for name, (taken, _) in ACKNOWLEDGEMENTS.items()}
    assert found["in a call without notes"] < found["in the reply to it, in quite other words"] < found["in the thread"] <= 0.8


def test_a_receipt_does_not_use_up_the_first_reply() -> None:
    receipt, answer = reply(1, "thank noted", words=3, thanks=True), reply(2, "second server added capacity")
    assert only([voiced(0), receipt, answer]).settled[0].message == answer.id


@pytest.mark.parametrize("sentence", ["All good now, thanks.", "Everything is sorted now.", "The export works again now."])
def test_it_is_over_when_they_say_so(sentence: str) -> None:
    done = them(4, traits=traits(over=words_in(sentence)))
    entry = only([voiced(0), done])
    assert (entry.state, entry.settled[0].message, entry.settled[0].basis) == ("withdrawn", done.id, "own_words")


# One concern, several times


def test_a_concern_voiced_again_is_one_entry_with_several_dates() -> None:
    first, again = voiced(0), voiced(9, "export slow", thread="x")
    entry = only([first, again], 10)
    assert (entry.voiced.message, [(v.message, v.day) for v in entry.again], entry.waiting) == (first.id, [(again.id, on(9))], 8)


@pytest.mark.parametrize(
    "other", [voiced(9, by="cy"), voiced(9, name="deadlock"), voiced(9, "login slow")], ids=["of somebody else", "of another kind", "in other words"]
)
def test_another_concern_is_an_entry_of_its_own(other: Message) -> None:
    assert len(entries([voiced(0), other])) == 2


def test_people_who_are_not_known_are_not_one_person() -> None:
    assert len(entries([voiced(0, by=None), voiced(1, by=None, thread="x")])) == 2


def test_voiced_again_after_it_was_taken_up_it_is_open_again_and_waits_from_then_on() -> None:
    story = [voiced(0), reply(1, "export fixed"), voiced(7, "export failed")]
    entry = only(story, 9)
    assert (entry.state, entry.waiting, [s.day for s in entry.settled]) == ("open", 2, [on(1)])
    entry = only([*story, reply(10, "export really fixed")])
    assert (entry.state, [(s.day, s.working_days) for s in entry.settled]) == ("acknowledged", [(on(1), 1), (on(10), 3)])


def test_a_mail_that_voices_it_again_has_a_first_reply_of_its_own() -> None:
    mail = them(0, said=[worry()], traits=traits(f"{WORRY} invoice february", questions=(question("invoice february"),)))
    answered = reply(1, "invoice february attached copy accounting")
    entry = next(e for e in entries([mail, answered, voiced(5), reply(6, "second server added capacity")]) if e.kind == "concern")
    assert [(s.basis, s.day, s.working_days) for s in entry.settled] == [("other_words", on(6), 4)]


def test_the_same_trouble_much_later_is_a_new_concern() -> None:
    old, new = entries([voiced(0), reply(1, "export fixed"), voiced(45)])
    assert (old.state, new.state, new.again) == ("acknowledged", "open", ())


def test_sentences_of_one_mail_about_one_thing_make_one_entry_and_of_two_things_two() -> None:
    adjoining = [worry("export failed", start=10, end=40), worry("nobody called", start=41, end=70), worry("login slow", start=200, end=240)]
    first, second = entries([them(0, said=adjoining)])
    assert [(e.voiced.start, e.voiced.end) for e in (first, second)] == [(10, 70), (200, 240)]


def test_one_sentence_is_one_entry_however_many_ways_it_can_be_read() -> None:
    both = [worry(name="frustration", confidence=0.6), worry(confidence=0.8)]
    assert only([them(0, said=both)]).situation == "risk_reliability"
    mail = them(0, said=both, traits=traits(WORRY, questions=(question(WORRY, start=105),)))
    assert (only([mail]).kind, only([mail]).situation) == ("question", "risk_reliability")


# Questions


def test_a_question_is_answered_and_taken_back_as_the_detector_of_open_questions_has_it() -> None:
    mail, answer, again = asked(0, "kiosk offline printer"), reply(3, "printer kiosk"), asked(2, "kiosk offline")
    assert only([mail], 1).state == "open"
    entry = only([mail, again, answer])
    assert (entry.kind, entry.state, entry.settled[0].message, [v.day for v in entry.again]) == ("question", "answered", answer.id, [on(2)])
    assert only([mail, them(3, traits=traits(withdrawn=True))]).state == "withdrawn"
    assert only([mail, reply(3, "noted thank", words=3, thanks=True)]).state == "open"
    assert only([mail, us(3, kind="meeting", traits=None, automatic=True)]).state == "open"


# The calendar


def test_weekends_and_holidays_are_no_waiting_time() -> None:
    assert only([voiced(4)], 6).waiting == 0
    independence = (date(2025, 7, 3) - MONDAY).days
    assert only([voiced(independence)], independence + 4).waiting == 1


def test_days_on_which_they_are_away_are_no_waiting_time() -> None:
    away = them(1, automatic=True, traits=traits(absent_until=on(8)))
    assert only([voiced(0), away], 9).waiting == 3
    assert only([voiced(0), away, them(2, by="cy", traits=traits(absent_until=on(9)))], 9).waiting == 3
    assert only([voiced(0), away, replace(away, id=-1, at=at(3))], 9).waiting == 3
