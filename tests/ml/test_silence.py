from __future__ import annotations

from ml.dynamics import Message
from tests.ml.talk import moments, on, them, traits, us

ASKED = 42
"""Day of the message that stays without an answer: the Monday after six quick exchanges."""


def prompt(times: int = 6, *, after: int = 1, every: int = 7) -> list[Message]:
    """Bo answers `after` days, time and again."""
    return [m for n in range(times) for m in (us(every * n), them(every * n + after))]


def silent(*more: Message) -> list[Message]:
    return [*prompt(), us(ASKED), *more]


def test_a_pause_is_no_silence_before_ten_working_days_are_over() -> None:
    assert [m for m in moments(silent(), ASKED + 14, "silence") if m.state != "forming"] == []


def test_silence_opens_on_the_morning_after_ten_working_days() -> None:
    story = silent()
    (moment,) = moments(story, ASKED + 20, "silence")
    assert (moment.state, moment.detected_at, moment.anchor, moment.contact) == ("open", on(ASKED + 15), story[-1].id, "bo")
    assert moment.numbers == {"gap_days": 14, "usual_days": 1.0, "our_message_at": on(ASKED).isoformat(), "waiting_days": 14}


def test_it_is_only_forming_while_the_gap_is_longer_than_usual_but_no_more() -> None:
    assert moments(silent(), ASKED + 7, "silence") == []
    (moment,) = moments(silent(), ASKED + 9, "silence")
    assert (moment.state, moment.detected_at) == ("forming", on(ASKED + 8))


def test_a_message_that_asks_for_nothing_makes_no_silence() -> None:
    assert moments([*prompt(), us(ASKED, asks=False)], ASKED + 60, "silence") == []


def test_nobody_is_silent_whose_pace_is_not_known() -> None:
    assert moments([*prompt(4), us(ASKED)], ASKED + 60, "silence") == []


def test_a_slow_correspondent_is_given_twice_their_own_time() -> None:
    story = [*prompt(5, after=11, every=14), us(70)]
    assert [m.state for m in moments(story, 70 + 20, "silence")] == ["forming"]
    assert [m.state for m in moments(story, 70 + 40, "silence")] == ["open"]


def test_a_newcomer_is_judged_by_the_pace_of_their_account_and_less_surely() -> None:
    (own,) = moments(silent(), ASKED + 20, "silence")
    (account,) = moments([*prompt(), us(ASKED, to="cy")], ASKED + 20, "silence")
    assert account.contact == "cy"
    assert account.confidence < own.confidence


def test_any_sign_of_life_of_anybody_ends_the_wait() -> None:
    for sign in (
        them(ASKED + 4, by="cy"),
        them(ASKED + 4, by=None, thread="x"),
        us(ASKED + 4, kind="call", asks=False),
        us(ASKED + 4, kind="meeting", traits=None, to=None),
    ):
        assert moments(silent(sign), ASKED + 40, "silence") == []


def test_machine_mail_and_our_own_reminders_are_no_sign_of_life() -> None:
    for noise in (them(ASKED + 4, automatic=True, traits=None), us(ASKED + 4)):
        (moment,) = moments(silent(noise), ASKED + 20, "silence")
        assert moment.detected_at == on(ASKED + 15)


def test_an_announced_absence_stops_the_clock_even_when_a_machine_tells_it() -> None:
    away = them(ASKED, automatic=True, traits=traits(absent_until=on(ASKED + 14)))
    assert moments(silent(away), ASKED + 21, "silence") == []
    (moment,) = moments(silent(away), ASKED + 40, "silence")
    assert moment.detected_at == on(ASKED + 29)


def test_the_absence_of_somebody_else_explains_nothing() -> None:
    away = them(ASKED, by="cy", automatic=True, traits=traits(absent_until=on(ASKED + 30)))
    assert len(moments(silent(away), ASKED + 20, "silence")) == 1


def test_silence_ends_on_the_day_on_which_anybody_is_heard() -> None:
    story = silent(them(ASKED + 22, by="cy"))
    (moment,) = moments(story, ASKED + 30, "silence")
    assert (moment.state, moment.detected_at, moment.ended_at) == ("ended", on(ASKED + 15), on(ASKED + 22))
    assert moment.numbers["gap_days"] == 16


def test_an_absence_told_late_ends_the_silence_and_reminders_do_not_open_another() -> None:
    story = silent(us(ASKED + 7), us(ASKED + 16), them(ASKED + 17, automatic=True, traits=traits(absent_until=on(ASKED + 50))))
    (moment,) = moments(story, ASKED + 90, "silence")
    assert (moment.state, moment.ended_at) == ("ended", on(ASKED + 17))


def test_an_account_is_silent_once_however_many_people_we_asked() -> None:
    story = [*silent(us(ASKED + 1, to="cy"), us(ASKED + 2)), us(ASKED + 9)]
    assert len(moments(story, ASKED + 90, "silence")) == 1


def test_public_holidays_are_no_waiting_days() -> None:
    """Memorial Day and Juneteenth lie within."""
    shift = 77
    story = [*prompt(11), us(shift)]
    (moment,) = moments(story, shift + 40, "silence")
    assert moment.detected_at == on(shift + 16)


def test_slow_answers_of_later_do_not_make_an_earlier_silence_usual() -> None:
    slow = [m for n in range(8) for m in (us(80 + 35 * n), them(80 + 35 * n + 30))]
    story = silent(them(ASKED + 22), *slow)
    first = moments(story, 400, "silence")[0]
    assert (first.detected_at, first.ended_at, first.numbers["usual_days"]) == (on(ASKED + 15), on(ASKED + 22), 1.0)
