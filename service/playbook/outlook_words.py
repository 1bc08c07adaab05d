"""Why an outlook is as it is, in words that say what was seen: a message that reads so, a number, a date. What it means is the reader's to say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from ml.moments import MomentKind
from ml.outlook import RECENTLY, STANDING, Driver, OpenMoment
from service.playbook.task import RENEWAL_NEAR
from service.playbook.wording import day_month_year

_SAID: Mapping[MomentKind, str] = {
    "renewal_decision": "the renewal were being weighed, or notice given",
    "competitor_evaluation": "another product were being looked at",
    "budget_cut": "a budget were being cut or reviewed",
    "frustration": "they were frustrated",
    "deadlock": "something did not move",
    "risk_reliability": "they doubted that we can be relied on",
    "price_objection": "the price were an obstacle",
    "champion_change": "the person in charge were changing",
    "past_vendor_disappointment": "an earlier supplier had let them down",
    "timing_concern": "the moment did not suit them",
    "implementation_worry": "they doubted the rollout",
    "cross_functional": "several departments had a say",
    "confusion": "something were unclear to them",
    "positive_momentum": "something had gone well",
}
_LASTS: Mapping[MomentKind, str] = {
    "tone_turn": "One person's messages read cooler than is usual for them.",
    "unanswered_question": "We see no answer from us to a question of theirs.",
}
_OF = {kind.replace("_", " "): kind for kind in _SAID}


def reason(driver: Driver, moments: Collection[OpenMoment], renewal: date | None, today: date) -> str:
    """`moments`: those that the outlook was read from."""
    if kind := _OF.get(driver.name):
        newest = min((m.days_ago for m in moments if m.kind == kind), default=0)
        return f"A message of theirs reads as if {_SAID[kind]}{'' if newest <= RECENTLY else ' (over a month ago)'}."
    if driver.name == "renewal" and renewal is not None:
        return f"{_renewal(renewal, today)}, so what is open now weighs more."
    return next((_LASTS.get(kind, sentence) for kind, (_, _, sentence) in STANDING.items() if sentence == driver.reason), driver.reason)


def _renewal(on: date, today: date) -> str:
    """Near as everywhere else here; what is further off is said by its date."""
    if on < today:
        return f"The renewal was due on {day_month_year(on)}"
    return "The renewal is near" if on - today <= RENEWAL_NEAR else f"The renewal is on {day_month_year(on)}"
