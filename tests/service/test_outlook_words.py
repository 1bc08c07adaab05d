"""Why an outlook is as it is: no guess as a fact, no renewal that is near at half a year."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest

from ml.moments import MomentKind
from ml.outlook import SAID, STANDING, Driver, OpenMoment, OutlookInputs, outlook
from service.playbook.outlook_words import reason

TODAY = date(2026, 3, 2)


def told(kind: MomentKind, days_ago: int = 3, renewal_in: int | None = None) -> list[str]:
    moments = (OpenMoment(kind=kind, confidence=0.9, days_ago=days_ago),)
    given = OutlookInputs(
        messages=20,
        tone_recent=None,
        days_since_heard=None,
        usage_change=None,
        usage_feed="no_data",
        days_to_renewal=renewal_in,
        moments=moments,
    )
    renewal = TODAY + timedelta(days=renewal_in) if renewal_in is not None else None
    return [reason(d, moments, renewal, TODAY) for d in outlook(given).drivers]


def test_no_reading_of_a_message_is_told_as_what_they_think():
    for kind in SAID:
        [said] = told(kind)
        assert said.startswith("A message of theirs reads as if "), kind
        assert said != Driver(kind, 1, f"{SAID[kind][1]}.").reason


def test_no_driver_is_left_without_words():
    for kind in get_args(MomentKind):
        for said in told(kind):
            assert said.endswith("."), kind
            assert said[0].isupper(), kind
    assert told("tone_turn") == ["One person's messages read cooler than is usual for them."]
    assert told("silence") == [STANDING["silence"][2]]


def test_what_was_said_long_ago_says_so():
    assert told("price_objection", days_ago=40) == ["A message of theirs reads as if the price were an obstacle (over a month ago)."]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (-5, "The renewal was due on 25 Feb 2026,"),
        (0, "The renewal is near,"),
        (90, "The renewal is near,"),
        (91, "The renewal is on 1 Jun 2026,"),
        (150, "The renewal is on 30 Jul 2026,"),
    ],
)
def test_a_renewal_is_near_within_ninety_days_and_else_has_its_date(days: int, said: str):
    assert any(line.startswith(said) for line in told("renewal_decision", renewal_in=days))
