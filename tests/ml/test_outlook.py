from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.moments import MomentKind
from ml.outlook import AT_RISK, LIKELY, SAID, STANDING, OpenMoment, OutlookInputs, outlook
from ml.situations import SituationName
from ml.usage import FeedState

KINDS = sorted({*get_args(SituationName), "tone_turn", "unanswered_question"})
GOOD = {"positive_momentum"}
HEALTHY = OutlookInputs(messages=12, tone_recent=0.0, days_since_heard=6, usage_change=0.0, usage_feed="ok", days_to_renewal=200, moments=())

open_moments = st.builds(OpenMoment, kind=st.sampled_from(KINDS), confidence=st.floats(0.05, 0.99), days_ago=st.integers(-1, 400))
inputs = st.builds(
    OutlookInputs,
    messages=st.integers(0, 60),
    tone_recent=st.none() | st.floats(-9, 9),
    days_since_heard=st.none() | st.integers(0, 900),
    usage_change=st.none() | st.floats(-1, 5),
    usage_feed=st.sampled_from(get_args(FeedState)),
    days_to_renewal=st.none() | st.integers(-60, 800),
    moments=st.lists(open_moments, max_size=6).map(tuple),
    mail_fresh=st.booleans(),
)


def raised(kind: MomentKind, days_ago: int = 3, confidence: float = 0.7) -> OpenMoment:
    return OpenMoment(kind=kind, confidence=confidence, days_ago=days_ago)


def points(given_inputs: OutlookInputs) -> dict[str, int]:
    return {d.name: d.points for d in outlook(given_inputs).drivers}


@given(given_inputs=inputs)
@settings(max_examples=200, deadline=None)
def test_points_add_up_to_the_score_and_every_driver_says_why(given_inputs: OutlookInputs) -> None:
    reading = outlook(given_inputs)
    assert sum(d.points for d in reading.drivers) == reading.score
    assert all(type(d.points) is int and d.points != 0 for d in reading.drivers)
    assert len({d.name for d in reading.drivers}) == len(reading.drivers)
    for driver in reading.drivers:
        assert driver.reason.endswith(".")
        assert not any(word in driver.reason.lower() for word in ("%", "probab", "score", "chance"))


@given(given_inputs=inputs)
@settings(max_examples=200, deadline=None)
def test_the_level_follows_the_documented_cut_offs(given_inputs: OutlookInputs) -> None:
    reading = outlook(given_inputs)
    is_mail_missing = given_inputs.messages > 0 and not given_inputs.mail_fresh
    if {"mood", "usage"} <= set(reading.unknown) or (is_mail_missing and reading.score > AT_RISK):
        assert reading.level == "unknown"
    else:
        assert reading.level == ("likely" if reading.score >= LIKELY else "at_risk" if reading.score <= AT_RISK else "open")


def test_no_account_looks_better_because_its_mail_is_not_read() -> None:
    told = {"tone_recent": None, "days_since_heard": 3, "usage_change": 0.0, "usage_feed": "ok", "days_to_renewal": None, "moments": ()}
    held = OutlookInputs(messages=12, mail_fresh=False, **told)
    assert outlook(held).level == "unknown"
    assert outlook(replace(held, messages=0)).level != "unknown"


@given(given_inputs=inputs, extra=open_moments)
@settings(max_examples=300, deadline=None)
def test_a_bad_moment_never_raises_the_score_and_a_good_one_never_lowers_it(given_inputs: OutlookInputs, extra: OpenMoment) -> None:
    before, after = outlook(given_inputs).score, outlook(replace(given_inputs, moments=(*given_inputs.moments, extra))).score
    assert after >= before if extra.kind in GOOD else after <= before


@given(given_inputs=inputs, lower=st.floats(-9, 9), higher=st.floats(-9, 9), name=st.sampled_from(["tone_recent", "usage_change", "days_since_heard"]))
@settings(max_examples=300, deadline=None)
def test_a_worse_number_never_raises_the_score(given_inputs: OutlookInputs, lower: float, higher: float, name: str) -> None:
    worse, better = min(lower, higher), max(lower, higher)
    if name == "days_since_heard":
        worse, better = round(100 * (9 - worse)), round(100 * (9 - better))
    assert outlook(replace(given_inputs, **{name: worse})).score <= outlook(replace(given_inputs, **{name: better})).score


@given(given_inputs=inputs, fewer=st.integers(-60, 800), more=st.integers(-60, 800))
@settings(max_examples=200, deadline=None)
def test_a_nearer_renewal_never_raises_the_score(given_inputs: OutlookInputs, fewer: int, more: int) -> None:
    near, far = sorted((fewer, more))
    assert outlook(replace(given_inputs, days_to_renewal=near)).score <= outlook(replace(given_inputs, days_to_renewal=far)).score


@given(given_inputs=inputs, confidence=st.floats(0.05, 0.99), less=st.floats(0.05, 0.99), kind=st.sampled_from(sorted({*SAID, *STANDING} - GOOD)))
@settings(max_examples=200, deadline=None)
def test_a_surer_or_fresher_bad_moment_never_raises_the_score(given_inputs: OutlookInputs, confidence: float, less: float, kind: MomentKind) -> None:
    doubtful, sure = sorted((confidence, less))
    old = outlook(replace(given_inputs, moments=(raised(kind, 80, doubtful),))).score
    assert outlook(replace(given_inputs, moments=(raised(kind, 80, sure),))).score <= old
    assert outlook(replace(given_inputs, moments=(raised(kind, 5, doubtful),))).score <= old


@given(given_inputs=inputs)
@settings(max_examples=200, deadline=None)
def test_what_is_unknown_brings_no_points_good_or_bad(given_inputs: OutlookInputs) -> None:
    for blind in (replace(given_inputs, usage_feed="stale"), replace(given_inputs, usage_feed="no_data"), replace(given_inputs, usage_feed="learning")):
        assert "usage" in outlook(blind).unknown
        assert "usage" not in points(blind)
    stale = replace(given_inputs, mail_fresh=False)
    assert "mood" in outlook(stale).unknown
    assert not {"tone", "contact", "unanswered question"} & points(stale).keys()
    undated = replace(given_inputs, days_to_renewal=None)
    assert "renewal" in outlook(undated).unknown
    assert "renewal" not in points(undated)


def test_an_account_of_which_nothing_is_known_is_unknown_and_not_bad() -> None:
    blank = outlook(
        OutlookInputs(messages=0, tone_recent=None, days_since_heard=None, usage_change=None, usage_feed="no_data", days_to_renewal=None, moments=())
    )
    assert (blank.level, blank.score, blank.drivers, blank.unknown) == ("unknown", 0, (), ("mood", "usage", "renewal"))


@pytest.mark.parametrize("messages", [0, 2])
def test_too_few_messages_and_no_usage_make_no_outlook(messages: int) -> None:
    assert outlook(replace(HEALTHY, messages=messages, usage_feed="stale")).level == "unknown"
    assert outlook(replace(HEALTHY, messages=messages)).level != "unknown"


@pytest.mark.parametrize("kind", ["hostile_or_injection", "routine_logistics"])
def test_hostile_or_instructing_text_and_work_as_usual_move_nothing(kind: MomentKind) -> None:
    assert outlook(replace(HEALTHY, moments=(raised(kind),))) == outlook(HEALTHY)


def test_noise_is_no_reason_for_doubt() -> None:
    for noisy in (replace(HEALTHY, tone_recent=-1.0), replace(HEALTHY, usage_change=-0.05), replace(HEALTHY, days_since_heard=30)):
        assert all(d.points > 0 for d in outlook(noisy).drivers)
        assert outlook(noisy).level == "likely"


def test_a_healthy_account_is_likely_and_one_without_a_feed_is_open() -> None:
    assert outlook(HEALTHY).level == "likely"
    assert outlook(replace(HEALTHY, usage_feed="no_data", usage_change=None)).level == "open"


def test_a_collapse_of_use_alone_puts_an_account_at_risk_near_its_renewal() -> None:
    fallen = replace(HEALTHY, usage_change=-0.6, moments=(raised("usage_drop", 10, 0.9),))
    assert outlook(fallen).level == "open"
    assert outlook(replace(fallen, days_to_renewal=40)).level == "at_risk"


def test_a_turned_tone_and_silence_together_put_an_account_at_risk() -> None:
    assert outlook(replace(HEALTHY, moments=(raised("tone_turn"), raised("silence"), raised("competitor_evaluation")))).level == "at_risk"


def test_a_silence_weighs_most_near_the_renewal() -> None:
    near = replace(HEALTHY, days_to_renewal=20)
    silent, complaining = (raised("silence", confidence=0.9),), (raised("frustration", confidence=1.0),)
    assert points(replace(near, moments=silent))["contact"] == points(replace(near, moments=complaining))["frustration"]
    assert points(replace(near, moments=silent))["renewal"] < points(replace(near, moments=complaining))["renewal"]
    assert "renewal" not in points(near)


def test_a_fall_in_use_and_the_moment_that_tells_of_it_count_once() -> None:
    both = replace(HEALTHY, usage_change=-0.4, moments=(raised("usage_drop"),))
    assert points(both)["usage"] == min(points(replace(both, moments=()))["usage"], points(replace(both, usage_change=0.0))["usage"])


def test_the_same_said_by_two_people_counts_once() -> None:
    assert (
        points(replace(HEALTHY, moments=(raised("confusion"), raised("confusion"))))["confusion"]
        == points(replace(HEALTHY, moments=(raised("confusion"),)))["confusion"]
    )


def test_words_fade_while_a_silence_stands() -> None:
    old, new = (replace(HEALTHY, moments=tuple(raised(k, days) for k in ("silence", "price_objection"))) for days in (89, 2))
    assert points(old)["contact"] == points(new)["contact"]
    assert points(old)["price objection"] > points(new)["price objection"]


def test_a_silence_counts_although_the_silent_have_no_recent_messages() -> None:
    silent = replace(HEALTHY, messages=0, days_since_heard=None, moments=(raised("silence"),))
    assert points(silent)["contact"] < 0
