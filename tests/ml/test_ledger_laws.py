"""Laws of the ledger over restless accounts: nothing later changes what was voiced, whatever the order in which messages come in."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ml.concerns import MOST_OPEN
from ml.dynamics import Message
from tests.ml.talk import entries, on, question, them, traits, us, voiced, worry

WORDS = "export roster payroll invoice kiosk login audit training".split()
KINDS = ("risk_reliability", "price_objection", "frustration", "hostile_or_injection", "positive_momentum")


def _conversation(seed: int, last_day: int) -> list[Message]:
    random = Random(seed)
    day, story = 0.0, list[Message]()
    while day < last_day:
        day += random.choice([0, 0.01, 1, 1, 2, 3, random.randint(4, 40)])
        story.append(_exchange(random, day))
    return story


def _exchange(random: Random, day: float) -> Message:
    who, thread, said = random.choice(["bo", "bo", "cy", None]), random.choice(["t", "u", None]), " ".join(random.sample(WORDS, 3))
    if random.random() < 0.1:
        return us(day, to=who, kind=random.choice(["call", "meeting"]), traits=random.choice([None, traits(said)]))
    if random.random() < 0.4:
        return us(day, to=who, thread=thread, automatic=random.random() < 0.1, traits=traits(said, words=random.choice([2, 30])))
    weighs = [worry(random.choice(WORDS), random.choice(KINDS), start, start + 35) for start in range(0, 200, 40) if random.random() < 0.4]
    about = traits(
        said,
        questions=tuple(question(said, start=20) for _ in range(random.random() < 0.3)),
        withdrawn=random.random() < 0.05,
        over=random.choice([None] * 12 + [frozenset(), frozenset({said.split()[0]})]),
        thanks=random.random() < 0.3,
        absent_until=on(int(day) + random.randint(2, 25)) if random.random() < 0.08 else None,
    )
    return them(day, by=who, thread=thread, said=weighs, traits=about, automatic=random.random() < 0.05)


@given(st.integers(0, 10**6), st.integers(1, 119))
@settings(max_examples=60, deadline=None)
def test_what_is_known_by_a_day_is_never_changed_by_later_messages_but_for_its_state(seed: int, day: int) -> None:
    story = _conversation(seed, 120)
    early, late = entries(story, day), {(e.kind, e.voiced): e for e in entries(story, 130)}
    for entry in early:
        now = late[entry.kind, entry.voiced]
        assert (entry.situation, entry.confidence, entry.contact) == (now.situation, now.confidence, now.contact)
        assert entry.again == tuple(v for v in now.again if v.day <= on(day))
        assert entry.settled == tuple(s for s in now.settled if s.day <= on(day))


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_in_which_messages_come_in_makes_no_difference(seed: int, random: Random) -> None:
    story = _conversation(seed, 60)
    shuffled = random.sample(story, len(story))
    assert entries(story) == entries(shuffled)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_every_entry_points_at_words_of_theirs_and_is_settled_after_them(seed: int) -> None:
    story = {m.id: m for m in _conversation(seed, 120)}
    found = entries(list(story.values()), 130)
    for e in found:
        assert all(story[v.message].theirs and v.start < v.end for v in (e.voiced, *e.again))
        assert all(not story[s.message].automatic and story[s.message].at >= story[e.voiced.message].at and s.working_days >= 0 for s in e.settled)
        assert e.state == "open" or e.state == e.settled[-1].state
        assert e.waiting >= 0
    assert len({(e.voiced.message, e.voiced.start) for e in found}) == len(found)


def test_of_a_flood_of_concerns_none_is_lost_and_what_came_first_stays_as_it_was() -> None:
    flood = [voiced(n / 100, f"{n:03}word") for n in range(MOST_OPEN * 2)]
    found = entries([*flood, us(9, traits=traits("000word")), us(9.1, traits=traits(f"{MOST_OPEN * 2 - 1:03}word"))])
    assert len(found) == MOST_OPEN * 2
    assert (found[0].state, found[-1].state) == ("open", "acknowledged")
