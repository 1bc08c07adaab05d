"""Laws that hold for every detector of the conversation, and what was said. The single detectors have files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml import dynamics
from ml.alternatives import SENTENCES
from ml.dynamics import Message
from ml.moments import Moment
from ml.situations import Situation
from tests.ml.talk import CALENDAR, asked, at, blamed, moments, on, question, them, traits, us

LAST_DAY = 150
WORDS = "export roster payroll invoice kiosk login audit training".split()


def _conversation(seed: int) -> list[Message]:
    """A restless account: four people, several threads, moods, leave, questions, calls, long gaps."""
    random = Random(seed)
    day, story = 0.0, list[Message]()
    while day < LAST_DAY:
        day += random.choice([0, 0.01, 1, 1, 2, 3, random.randint(4, 45)])
        story.append(_exchange(random, day))
    return story


def _exchange(random: Random, day: float) -> Message:
    who, thread = random.choice(["bo", "bo", "bo", "cy", None]), random.choice(["t", "u", None])
    said = " ".join(random.sample(WORDS, 3))
    if random.random() < 0.12:
        return us(day, to=who, kind=random.choice(["call", "meeting"]), traits=random.choice([None, traits(said)]))
    if random.random() < 0.45:
        return us(day, asks=random.random() < 0.8, to=who, thread=thread) if random.random() < 0.5 else us(day, to=who, thread=thread, traits=traits(said))
    about = traits(
        said,
        questions=(question(said),) if random.random() < 0.3 else (),
        answer_expected=random.random() < 0.4,
        withdrawn=random.random() < 0.05,
        thanks=random.random() < 0.3,
        absent_until=on(int(day) + random.randint(2, 25)) if random.random() < 0.08 else None,
    )
    mood = random.choice([0.3, 0.2, 0.1, -0.5])
    situations = blamed() if mood < 0 or random.random() < 0.05 else ()
    return them(day, tone=mood, said=situations, by=who, thread=thread, traits=about, automatic=random.random() < 0.1)


def _lasting(found: Sequence[Moment]) -> set[tuple[object, ...]]:
    return {(m.kind, m.contact, m.anchor, m.detected_at, m.alternatives) for m in found if m.state != "forming"}


@given(seed=st.integers(0, 10**6), cut=st.integers(0, LAST_DAY))
@settings(max_examples=150, deadline=None)
def test_what_happens_later_changes_nothing_about_what_was_known_on_a_day(seed: int, cut: int) -> None:
    story = _conversation(seed)
    then = moments([m for m in story if m.at <= at(cut + 0.9)], cut)
    later = moments(story, LAST_DAY + 90)
    assert _lasting(then) == {key for key in _lasting(later) if key[3] <= on(cut)}  # type: ignore[operator]


@given(seed=st.integers(0, 10**6), hours=st.integers(0, 24 * LAST_DAY))
@settings(max_examples=100, deadline=None)
def test_what_is_known_at_an_hour_is_never_taken_back_in_the_next(seed: int, hours: int) -> None:
    story, now = _conversation(seed), at(0) + timedelta(hours=hours)
    then = _lasting(dynamics.moments(story, CALENDAR, now))
    assert then <= _lasting(dynamics.moments(story, CALENDAR, now + timedelta(hours=1)))
    assert all(key[3] <= CALENDAR.day_of(now) for key in then)  # type: ignore[operator]


@given(seed=st.integers(0, 10**6), cut=st.integers(0, LAST_DAY))
@settings(max_examples=80, deadline=None)
def test_what_has_ended_stays_ended_on_that_day(seed: int, cut: int) -> None:
    story = _conversation(seed)
    ended = {(m.kind, m.contact, m.anchor): m.ended_at for m in moments(story, cut) if m.state == "ended"}
    later = {(m.kind, m.contact, m.anchor): m.ended_at for m in moments(story, LAST_DAY + 90)}
    assert ended.items() <= later.items()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_every_moment_is_well_formed_whatever_the_order_of_messages(seed: int) -> None:
    story = _conversation(seed)
    found = moments(story, LAST_DAY)
    Random(seed).shuffle(story)
    assert moments(story, LAST_DAY) == found
    ids = {m.id for m in story}
    keys = [(m.kind, m.contact, m.anchor) for m in found]
    assert len(keys) == len(set(keys))
    for m in found:
        assert 0 < m.confidence < 1
        assert (m.state == "ended") == (m.ended_at is not None)
        assert m.ended_at is None or m.detected_at <= m.ended_at <= on(LAST_DAY)
        assert m.anchor == m.messages[0]
        assert set(m.messages) | {s.message for s in m.spans} <= ids
        assert m.alternatives
        assert set(m.alternatives) <= SENTENCES.keys()


def test_nothing_comes_of_nothing() -> None:
    assert moments([], 10) == []
    assert dynamics.habits([], CALENDAR, at(10)) == []


def test_what_is_dated_after_now_is_not_known() -> None:
    assert moments([them(20, said=blamed())], 10) == []


def test_neither_machine_mail_nor_our_own_side_is_ever_a_complaint() -> None:
    ours = us(2)
    story = [them(1, said=blamed(), automatic=True), Message(id=ours.id, at=ours.at, contact="bo", direction="out", situations=blamed())]
    assert moments(story, 3) == []


def test_talk_of_silence_or_falling_use_is_no_silence_and_no_drop() -> None:
    said = [Situation(name, 0.9, 0, 9) for name in ("silence", "usage_drop", "routine_logistics")]
    assert moments([them(1, said=said)], 2) == []


def test_a_complaint_stands_on_the_day_of_its_message_with_the_words_that_carried_it() -> None:
    message = them(1, said=blamed())
    (moment,) = moments([message], 4)
    assert (moment.kind, moment.state, moment.detected_at, moment.contact) == ("frustration", "open", on(1), "bo")
    assert [(s.message, s.start, s.end) for s in moment.spans] == [(message.id, 5, 30)]
    assert moment.confidence < 0.7


def test_a_complaint_said_again_while_fresh_is_the_same_moment_and_surer() -> None:
    first, again = them(1, said=blamed()), them(25, said=blamed())
    (moment,) = moments([first, again], 40)
    assert (moment.anchor, moment.messages, moment.detected_at, moment.state) == (first.id, (first.id, again.id), on(1), "open")
    assert moment.confidence > moments([first], 2)[0].confidence


def test_words_grow_stale_after_thirty_days_and_a_later_complaint_is_a_new_one() -> None:
    story = [them(1, said=blamed()), them(40, said=blamed())]
    old, new = moments(story, 41)
    assert (old.state, old.ended_at, new.state) == ("ended", on(31), "open")
    assert moments(story[:1], 31)[0].state == "open"


def test_the_same_complaint_of_two_people_makes_two_moments() -> None:
    assert len(moments([them(1, said=blamed()), them(2, said=blamed(), by="cy")], 3)) == 2


def test_habits_know_nothing_of_a_person_who_hardly_wrote() -> None:
    (habit,) = dynamics.habits([them(1), them(2)], CALENDAR, at(9))
    assert (habit.contact, habit.messages) == ("bo", 2)
    assert (habit.words_median, habit.tone_recent, habit.greeting_rate, habit.reply_gap_p90, habit.our_reply_gap_median) == (None,) * 5


def test_habits_tell_how_a_person_writes_and_how_long_answers_take_both_ways() -> None:
    story = [m for week in range(10) for m in (us(7 * week), asked(7 * week + 2, "export"), us(7 * week + 3, asks=False))]
    (habit,) = dynamics.habits(story, CALENDAR, at(99))
    assert (habit.messages, habit.words_median, habit.greeting_rate, habit.question_rate) == (10, 40, 1.0, 1.0)
    assert (habit.reply_gaps, habit.reply_gap_median, habit.reply_gap_p90) == (10, 2, 2)
    assert (habit.our_reply_gap_median, habit.our_reply_gap_p90) == (1, 1)
    assert habit.tone_recent == pytest.approx(0)


def test_recent_messages_far_below_the_habit_show_in_it() -> None:
    (habit,) = dynamics.habits([them(d, tone=0.2 if d < 10 else -0.5) for d in range(13)], CALENDAR, at(99))
    assert habit.tone_recent is not None
    assert habit.tone_recent < -2
    assert habit.tone_median is not None
    assert habit.tone_median > 0


def test_what_a_call_or_a_colleague_settled_is_no_slow_reply() -> None:
    called = [m for week in range(6) for m in (us(14 * week), us(14 * week + 2, kind="call"), them(14 * week + 11))]
    relieved = [m for week in range(6) for m in (us(14 * week), them(14 * week + 1, by="cy"), them(14 * week + 11))]
    for story in (called, relieved):
        habits = {h.contact: h for h in dynamics.habits(story, CALENDAR, at(120))}
        assert habits["bo"].reply_gaps == 0
