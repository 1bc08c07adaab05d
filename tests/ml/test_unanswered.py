from __future__ import annotations

import pytest

from ml.dynamics import Message
from tests.ml.talk import asked, moments, on, question, them, traits, us

LONG = "kiosk offline printer receipt"


def reply(day: float, terms: str, words: int = 30, *, thanks: bool = False, **fields: object) -> Message:
    return us(day, traits=traits(terms, words=words, thanks=thanks), **fields)


ANSWERS = {
    "in the thread": reply(2, "printer needs driver kiosk"),
    "in the thread to a colleague": reply(2, "kiosk driver", to="cy"),
    "in another thread": reply(2, "kiosk offline mode webinar", thread="x"),
    "with other forms of the words": reply(2, "printers kiosks"),
    "briefly": reply(2, "yes settings", words=6),
    "in a call whose note takes it up": us(2, kind="call", thread=None, traits=traits("walked offline mode")),
    "in a call with a colleague": us(2, kind="call", to="cy", traits=traits("kiosk")),
    "in a call without notes": us(2, kind="call", thread=None, traits=None),
    "in the thread, in quite other words": reply(2, "webinar spring registration agenda speakers venue"),
    "on the last day in time": reply(7, "printer kiosk"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_an_answered_question_raises_nothing(answer: Message) -> None:
    assert moments([asked(0, LONG), answer], 60) == []


NO_ANSWERS = {
    "nothing": them(2, by="cy"),
    "a receipt": reply(2, "thank noted", words=3, thanks=True),
    "a receipt in many words": reply(2, "thank forwarded", words=24),
    "something else in another thread": reply(2, "kiosk prices brochure", thread="x"),
    "the answer to somebody else": reply(2, LONG, to="cy", thread="x"),
    "a call about something else": us(2, kind="call", thread=None, traits=traits("invoice address vat")),
    "a call without notes with somebody else": us(2, kind="call", to="cy", traits=None),
    "machine mail": reply(2, LONG, automatic=True),
}


@pytest.mark.parametrize("noise", NO_ANSWERS.values(), ids=list(NO_ANSWERS))
def test_a_question_stays_unanswered_by(noise: Message) -> None:
    question_mail = asked(0, LONG)
    assert moments([question_mail, noise], 7, "unanswered_question") == []
    (moment,) = moments([question_mail, noise], 8, "unanswered_question")
    assert (moment.state, moment.detected_at, moment.contact, moment.anchor) == ("open", on(8), "bo", question_mail.id)
    assert [(s.message, s.start, s.end) for s in moment.spans] == [(question_mail.id, 10, 30)]
    assert moment.numbers == {"asked_at": on(0).isoformat(), "waiting_days": 6}


def test_a_question_of_hardly_any_words_is_answered_by_any_reply_of_substance() -> None:
    short = asked(0, "when")
    assert moments([short, reply(2, "rollout planned second week april sites")], 20) == []
    assert len(moments([short, reply(2, "thank", words=4, thanks=True)], 20)) == 1
    assert len(moments([short, reply(2, "rollout planned second week", thread="x")], 20)) == 1


def test_a_word_that_stands_in_every_mail_is_no_sign_that_a_reply_takes_the_question_up() -> None:
    small_talk = [us(-30 + n, traits=traits("kiosk hello"), asks=False) for n in range(20)]
    off_topic = reply(2, "kiosk webinar", words=24)
    assert len(moments([*small_talk, asked(0, LONG), off_topic], 20)) == 1


def test_it_ends_on_the_day_of_the_answer() -> None:
    (moment,) = moments([asked(0, LONG), reply(9, "printer kiosk")], 30)
    assert (moment.state, moment.detected_at, moment.ended_at, moment.numbers["waiting_days"]) == ("ended", on(8), on(9), 7)


def test_a_question_taken_back_is_none_and_ends_when_taken_back_late() -> None:
    back = traits(withdrawn=True)
    assert moments([asked(0, LONG), them(3, traits=back)], 30) == []
    (moment,) = moments([asked(0, LONG), them(12, traits=back)], 30)
    assert moment.ended_at == on(12)


def test_somebody_else_cannot_take_it_back() -> None:
    assert len(moments([asked(0, LONG), them(3, by="cy", traits=traits(withdrawn=True))], 30)) == 1


def test_their_thanks_for_a_reply_settle_it_unless_they_ask_on() -> None:
    odd = reply(2, "webinar spring", words=24)
    assert moments([asked(0, LONG), odd, them(3, traits=traits("great", thanks=True))], 30) == []
    assert len(moments([asked(0, LONG), odd, them(3, traits=traits("printer still", thanks=True))], 30)) == 1
    assert len(moments([asked(0, LONG), them(3, traits=traits("great", thanks=True))], 30)) == 1


def test_asking_again_is_the_same_question_and_surer() -> None:
    first, again = asked(0, LONG), asked(4, "kiosk offline printer")
    (moment,) = moments([first, again], 30)
    assert (moment.messages, moment.detected_at) == ((first.id, again.id), on(8))
    assert moment.confidence > moments([first], 30)[0].confidence


def test_of_two_questions_in_a_mail_the_open_one_is_shown() -> None:
    mail = them(0, traits=traits(LONG, questions=(question(LONG), question("invoice address vat", start=90))))
    (moment,) = moments([mail, reply(2, "printer kiosk driver setup")], 30)
    assert [s.start for s in moment.spans] == [90]


def test_machine_mail_asks_nothing() -> None:
    assert moments([asked(0, LONG, automatic=True)], 30) == []


def test_the_weekend_is_no_waiting_time() -> None:
    (moment,) = moments([asked(4, LONG)], 30)
    assert moment.detected_at == on(12)


def test_an_answer_that_comes_too_late_for_one_of_two_questions_does_not_unsay_it() -> None:
    mail = them(0, traits=traits(LONG, questions=(question(LONG), question("invoice address vat", start=90))))
    (moment,) = moments([mail, reply(12, "printer kiosk driver setup")], 30)
    assert (moment.state, [s.start for s in moment.spans]) == ("open", [10, 90])
