"""When an account gets a suggestion, keeps it, loses it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings, strategies

from service import decide
from service.decide import FRESH, OpenOne, Standing
from service.signals import Evidence, Signal, SignalKind
from tests import builders

TODAY = date(2026, 3, 2)
MOST_OPEN = 5


def signal(kind: str = "price_objection", *, age: int = 0, confidence: float = 0.9, evidence_age: int | None = None, **fields: object) -> Signal:
    evidence = ()
    if evidence_age is not None:
        at = datetime.combine(TODAY - timedelta(days=evidence_age), datetime.min.time(), UTC)
        evidence = (Evidence(id=uuid4(), type="usage", source="feed", observed_at=at),)
    return builders.signal(uuid4(), kind=kind, detected_at=TODAY - timedelta(days=age), confidence=confidence, evidence=evidence, **fields)


def standing(*found: Signal, owner: str | None = "U1", arr: float | None = 100.0, renewal: date | None = None, closed: date | None = None) -> Standing:
    return Standing(account_id=uuid4(), owner_key=owner, renewal_date=renewal, arr=arr, signals=found, closed_evidence_at=closed)


# What opens nothing


@pytest.mark.parametrize(
    ("found", "closed"),
    [
        ((), None),
        ((signal(age=31),), None),
        ((signal(age=40, evidence_age=31),), None),
        ((signal("routine_logistics", confidence=1.0),), None),
        ((signal("positive_momentum", confidence=1.0),), None),
        ((signal(confidence=0.39),), None),
        ((signal("confusion", confidence=0.6),), None),
        ((signal(age=3),), TODAY - timedelta(days=3)),
        ((signal(age=5, evidence_age=3),), TODAY),
    ],
    ids=["nothing known", "stale", "stale evidence", "routine", "good news", "unsure", "unsure and not urgent", "as old as what was closed", "older than that"],
)
def test_no_suggestion_is_opened_for(found, closed):
    assert decide.choose([standing(*found, closed=closed)], {}, TODAY, MOST_OPEN) == []


def test_every_kind_that_may_open_one_is_a_kind_of_signal():
    assert set(decide.URGENCY) < set(get_args(SignalKind))
    assert all(0 < urgency <= 1 for urgency in decide.URGENCY.values())


# What opens one


def test_evidence_of_thirty_days_ago_still_counts():
    assert decide.choose([standing(signal(age=30))], {}, TODAY, MOST_OPEN)
    assert decide.choose([standing(signal(age=90, evidence_age=30))], {}, TODAY, MOST_OPEN)


def test_newer_evidence_than_that_of_a_closed_matter_opens_it_again():
    assert decide.choose([standing(signal(age=2), closed=TODAY - timedelta(days=3))], {}, TODAY, MOST_OPEN)


def test_the_most_pressing_signal_leads():
    found = [signal("confusion"), signal("renewal_decision"), signal("silence")]
    assert [s.kind for s in decide.reasons(standing(*found), TODAY)] == ["renewal_decision", "silence", "confusion"]


def test_a_near_renewal_presses_and_a_far_or_past_one_does_not():
    def pressing(days: int) -> float:
        return decide.pressing(standing(renewal=TODAY + timedelta(days=days)), signal(), TODAY)

    plain = decide.pressing(standing(), signal(), TODAY)
    assert [pressing(days) > plain for days in (-1, 0, 90, 91)] == [False, True, True, False]


def test_when_all_else_is_equal_the_larger_account_comes_first():
    small, large, unknown = standing(signal(), arr=1.0), standing(signal(), arr=9.0), standing(signal(), arr=None)
    assert decide.choose([small, unknown, large], {}, TODAY, MOST_OPEN) == [large, small, unknown]


def test_an_owner_gets_five_at_the_most_and_the_most_pressing_ones():
    many = [standing(signal(confidence=0.5 + n / 100)) for n in range(20)]
    chosen = decide.choose(many, {}, TODAY, MOST_OPEN)
    assert chosen == list(reversed(many[-MOST_OPEN:]))


def test_those_already_open_count():
    many = [standing(signal()) for _ in range(9)]
    assert len(decide.choose(many, {"U1": 4}, TODAY, MOST_OPEN)) == 1
    assert decide.choose(many, {"U1": 5}, TODAY, MOST_OPEN) == []
    assert len(decide.choose(many, {"U2": 5}, TODAY, MOST_OPEN)) == MOST_OPEN


_standings = strategies.lists(
    strategies.builds(
        lambda owner, arr, kinds, closed: standing(*kinds, owner=owner, arr=arr, closed=closed),
        strategies.sampled_from(["U1", "U2", None]),
        strategies.none() | strategies.floats(0, 1e9),
        strategies.lists(
            strategies.builds(signal, strategies.sampled_from(get_args(SignalKind)), age=strategies.integers(0, 60), confidence=strategies.floats(0, 1)),
            max_size=3,
        ),
        strategies.none() | strategies.dates(date(2026, 1, 1), TODAY),
    ),
    max_size=25,
)


@given(_standings, strategies.dictionaries(strategies.sampled_from(["U1", "U2", None]), strategies.integers(0, 7)), strategies.randoms())
@settings(max_examples=60, deadline=None)
def test_whoever_comes_in_what_order_each_account_once_five_an_owner_and_nobody_more_pressing_is_left_out(candidates, opened, shuffle):
    chosen = decide.choose(candidates, opened, TODAY, MOST_OPEN)
    mixed = list(candidates)
    shuffle.shuffle(mixed)
    assert decide.choose(mixed, opened, TODAY, MOST_OPEN) == chosen
    assert len({c.account_id for c in chosen}) == len(chosen)
    assert all(decide.reasons(c, TODAY) for c in chosen)

    def weight(c: Standing) -> float:
        return decide.pressing(c, decide.reasons(c, TODAY)[0], TODAY)

    for owner in ("U1", "U2", None):
        mine = [c for c in chosen if c.owner_key == owner]
        left = [c for c in candidates if c.owner_key == owner and c not in chosen and decide.reasons(c, TODAY)]
        assert len(mine) <= max(0, MOST_OPEN - opened.get(owner, 0))
        if left:
            assert len(mine) == max(0, MOST_OPEN - opened.get(owner, 0))
        assert not mine or all(weight(c) <= min(map(weight, mine)) for c in left)


# What ends one

RESTS_ON = UUID(int=1)


def current(*, age: int = 0, closed: bool = False, deleted: bool = False, left_out: bool = False) -> OpenOne:
    opened_at = TODAY - timedelta(days=age)
    return OpenOne(opened_at=opened_at, signal_ids=frozenset({RESTS_ON}), task_closed=closed, task_deleted=deleted, out_of_scope=left_out)


@pytest.mark.parametrize(
    ("open_one", "still_open", "reason"),
    [
        (current(), {RESTS_ON}, None),
        (current(age=FRESH.days), {RESTS_ON}, None),
        (current(age=FRESH.days + 1), {RESTS_ON}, "expired"),
        (current(), set(), "contradicted"),
        (current(), {UUID(int=2)}, "contradicted"),
        (current(closed=True), {RESTS_ON}, "task_closed"),
        (current(deleted=True), {RESTS_ON}, "task_deleted"),
        (current(closed=True, deleted=True), set(), "task_deleted"),
        (current(closed=True, age=99), set(), "task_closed"),
        (current(left_out=True), {RESTS_ON}, "out_of_scope"),
        (current(left_out=True, closed=True), {RESTS_ON}, "task_closed"),
    ],
)
def test_a_suggestion_ends_for_one_reason_and_what_a_person_did_comes_first(open_one, still_open, reason):
    assert decide.why_close(open_one, frozenset(still_open), TODAY) == reason


def test_one_signal_that_still_stands_keeps_the_suggestion():
    two = OpenOne(opened_at=TODAY, signal_ids=frozenset({RESTS_ON, UUID(int=2)}), task_closed=False, task_deleted=False)
    assert decide.why_close(two, frozenset({UUID(int=2)}), TODAY) is None


def test_every_reason_to_close_can_be_stored():
    from service.store import suggestions

    assert set(get_args(decide.CloseReason)) == set(get_args(suggestions.CloseReason))
