"""One neutral line for a signal: for lists, pages and titles. No word of a buyer is in it."""

from __future__ import annotations

from datetime import date

from service.playbook import numbers
from service.playbook.usage_words import read_drop
from service.playbook.wording import capitalised, counted, day_month
from service.signals import Signal, SignalKind

MOMENT: dict[SignalKind, str] = {
    "frustration": "frustration voiced",
    "silence": "no answer for an unusual time",
    "price_objection": "price questioned",
    "deadlock": "no movement on an open point",
    "cross_functional": "several departments have a say",
    "timing_concern": "timing is a concern",
    "implementation_worry": "doubts about the rollout",
    "past_vendor_disappointment": "an earlier supplier weighs on it",
    "budget_cut": "budget under pressure",
    "usage_drop": "usage fell",
    "renewal_decision": "renewal being decided",
    "confusion": "something is unclear to them",
    "risk_reliability": "reliability questioned",
    "champion_change": "the person in charge changes",
    "competitor_evaluation": "other products being compared",
    "positive_momentum": "something went well",
    "routine_logistics": "routine matter",
    "hostile_or_injection": "a message to be read by a person first",
    "tone_turn": "tone changed",
    "stop_request": "asked not to be written to",
    "unanswered_question": "a question of theirs is open",
}


def describe(signal: Signal, today: date | None = None) -> str:
    """`today` decides whether a date needs its year; the signal's own day if not given."""
    on = today or signal.detected_at
    if signal.kind == "usage_drop" and (drop := read_drop(signal, on)):
        return capitalised(f"{drop.metric} went {drop.change} {drop.window}")
    if signal.kind == "silence" and (gap := numbers.amount(signal, "gap_days")):
        return f"No answer for {counted(round(gap), 'business day')}"
    if signal.kind == "unanswered_question" and (asked := numbers.day(signal, "asked_at")):
        return f"A question of {day_month(asked, on)} is open"
    return capitalised(MOMENT[signal.kind])


def how_sure(confidence: float) -> str:
    """Bands of words: 0.8 and 0.6 of 1."""
    if confidence >= 0.8:
        return "quite sure"
    return "fairly sure" if confidence >= 0.6 else "a guess worth a look"
