"""The turn of one person's tone: what may not be one, what is one, and how often either happens among simulated writers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ml import dynamics
from ml.dynamics import Message
from ml.situations import Situation
from ml.tone import midmean
from tests.ml.talk import CALENDAR, at, blamed, moments, on, them, traits

TONES = (0.1, 0.3, 0.2, 0.35, 0.05, 0.2, 0.25, 0.15)


def steady(messages: int = 8, **fields: object) -> list[Message]:
    return [them(3 * n, tone=TONES[n % len(TONES)], **fields) for n in range(messages)]


def turned(*, days: Sequence[float] = (30, 32, 34), tone: float = -0.5, **fields: object) -> list[Message]:
    return [them(day, tone=tone, said=blamed(), **fields) for day in days]


def turns(messages: Sequence[Message], day: int = 60) -> list[str]:
    return [m.state for m in moments(messages, day, "tone_turn") if m.state != "forming"]


def test_a_person_who_has_hardly_written_cannot_turn() -> None:
    assert turns([*steady(3), *turned()]) == []


def test_one_bitter_message_is_no_turn_and_at_most_forming_while_fresh() -> None:
    story = [*steady(), *turned(days=[30])]
    (moment,) = moments(story, 31, "tone_turn")
    assert (moment.state, moment.detected_at) == ("forming", on(30))
    assert moments(story, 61, "tone_turn") == []


def test_many_bitter_messages_on_one_day_are_one_bad_day() -> None:
    assert turns([*steady(), *turned(days=[30, 30.1, 30.2, 30.3])]) == []


def test_a_bitter_person_who_stays_as_bitter_does_not_turn() -> None:
    story = [them(3 * n, tone=TONES[n % len(TONES)] - 0.6, said=blamed()) for n in range(20)]
    assert turns(story) == []


def test_who_is_always_dry_does_not_turn_by_being_dry() -> None:
    dry = traits(greeting=False, words=6)
    assert turns(steady(30, traits=dry), 100) == []


def test_the_cold_messages_of_one_person_are_not_those_of_another() -> None:
    assert turns([*steady(), *turned(by="cy")]) == []


def test_a_mood_nobody_could_read_is_no_mood() -> None:
    for unread in ({"confidence": 0.0}, {"traits": None}, {"automatic": True}, {"kind": "note"}, {"by": None}):
        assert turns([*steady(), *turned(**unread)]) == []


def test_a_turn_is_dated_by_the_message_that_confirmed_it_and_shows_the_words() -> None:
    story = [*steady(), *turned()]
    (moment,) = moments(story, 60, "tone_turn")
    assert (moment.state, moment.detected_at, moment.anchor) == ("open", on(32), story[8].id)
    assert moment.messages == tuple(m.id for m in story[8:])
    assert [(s.message, s.start) for s in moment.spans] == [(m.id, 5) for m in story[8:]]
    assert moment.numbers == {"usual": pytest.approx(0.2, abs=0.03), "now": -0.5, "n": 8, "messages": 3}
    assert moment.confidence > 0.5


def test_clipped_coldness_is_a_turn_of_someone_who_is_usually_warm() -> None:
    warm, cold = traits(thanks=True, words=80), traits(greeting=False, words=6)
    chilled = [them(70 + 2 * n, tone=-0.1, traits=cold) for n in range(5)]
    usual = [them(70 + 2 * n, tone=-0.1, traits=warm) for n in range(5)]
    assert turns([*steady(20, traits=warm), *chilled], 90) == ["open"]
    assert turns([*steady(20, traits=warm), *usual], 90) == []


def test_the_habit_is_frozen_so_that_a_turn_does_not_become_the_habit() -> None:
    story = [*steady(), *turned(days=range(30, 90, 2))]
    (moment,) = moments(story, 100, "tone_turn")
    assert (moment.state, moment.numbers["n"], moment.numbers["messages"]) == ("open", 8, 30)


def test_it_ends_with_the_second_message_in_a_row_in_the_old_tone() -> None:
    story = [*steady(), *turned(), them(36), *turned(days=[38]), them(40), them(43)]
    (moment,) = moments(story, 60, "tone_turn")
    assert (moment.state, moment.detected_at, moment.ended_at, moment.numbers["messages"]) == ("ended", on(32), on(43), 4)
    assert turns(story[:-1]) == ["open"]


def test_a_person_can_turn_again_after_coming_back() -> None:
    story = [*steady(), *turned(), them(36), them(40), *turned(days=[42, 44, 46])]
    assert turns(story) == ["ended", "open"]


def test_a_midmean_is_deaf_to_an_outlier_and_to_what_the_model_was_unsure_of() -> None:
    assert midmean([(0.2, 1), (0.2, 1), (0.2, 1), (0.2, 1), (-1.0, 1)]) == pytest.approx(0.2)
    assert midmean([(0.2, 1.0), (-1.0, 1e-9)]) == pytest.approx(0.2)


# Simulation ---------------------------------------------------------------------------------------------------------------


class Writer:
    """A person's mail as the models see it: sentiment with a spread of 0.2 to 0.25, courtesies of their own, few false blames."""

    def __init__(self, random: np.random.Generator, name: str) -> None:
        self.random, self.name = random, name
        self.tone, self.spread = random.uniform(0.05, 0.35), random.uniform(0.2, 0.25)
        self.greets, self.thanks = random.choice([0.05, 0.5, 0.92], p=[0.3, 0.3, 0.4]), random.choice([0.1, 0.35, 0.6])
        self.words = random.uniform(20, 90)

    def writes(self, day: float, *, shift: float = 0.0, blames: float = 0.04, courtesy: float = 1.0) -> Message:
        random = self.random
        sentiment = float(np.clip(random.normal(self.tone - shift, self.spread), -1, 1))
        name = "frustration" if random.random() < 0.5 else "risk_reliability"
        said = [Situation(name, random.uniform(0.55, 0.85), 0, 9)] if random.random() < blames else []
        about = traits(
            words=max(1, int(self.words * random.lognormal(0, 0.5))),
            greeting=random.random() < self.greets * courtesy,
            thanks=random.random() < self.thanks * courtesy,
        )
        return them(day, tone=sentiment, said=said, by=self.name, traits=about, confidence=random.uniform(0.3, 0.8))


def quiet_year(random: np.random.Generator) -> list[Message]:
    """Three people who write about 1.5 messages a month each and never turn."""
    writers = [Writer(random, name) for name in ("bo", "cy", "di")]
    return [w.writes(day) for w in writers for day in random.uniform(0, 365, random.poisson(18))]


def turning(random: np.random.Generator, cool: int) -> list[Message]:
    """Negative mail stands about 0.65 below ordinary mail; most of it blames and drops half the courtesies."""
    writer, before = Writer(random, "bo"), int(random.integers(8, 25))
    return [writer.writes(10 * n) for n in range(before)] + [writer.writes(10 * (before + n), shift=0.65, blames=0.6, courtesy=0.5) for n in range(cool)]


def has_turned(story: Sequence[Message]) -> bool:
    return any(m.kind == "tone_turn" and m.state != "forming" for m in dynamics.moments(story, CALENDAR, at(400)))


def test_hardly_any_quiet_account_year_raises_a_turn() -> None:
    random = np.random.default_rng(7)
    assert np.mean([has_turned(quiet_year(random)) for _ in range(400)]) < 0.06


def test_most_planted_turns_are_found_by_the_third_message_and_nearly_all_by_the_fourth() -> None:
    random = np.random.default_rng(8)
    assert np.mean([has_turned(turning(random, 3)) for _ in range(200)]) > 0.88
    assert np.mean([has_turned(turning(random, 4)) for _ in range(200)]) > 0.93
