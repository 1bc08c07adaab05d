"""Why an outlook is as it is, in words that say what was seen: a message that reads so, a number, a date. What it means is the reader's to say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from ml.moments import MomentKind
from ml.outlook import RECENTLY, STANDING, Driver, OpenMoment
from service.playbook.task import RENEWAL_NEAR
from service.playbook.wording import day_month_year

_SAID: Mapping[MomentKind, str] = {
    "renewal_decision": "A message of theirs speaks of weighing the renewal, or of giving notice",
    "competitor_evaluation": "A message of theirs speaks of another product",
    "budget_cut": "A message of theirs speaks of a budget that is cut or reviewed",
    "frustration": "A message of theirs reads as frustrated",
    "deadlock": "A message of theirs speaks of something that does not move",
    "risk_reliability": "A message of theirs asks whether they can rely on us",
    "price_objection": "A message of theirs names the price as an obstacle",
    "champion_change": "A message of theirs says that the person in charge changes",
    "past_vendor_disappointment": "A message of theirs speaks of an earlier supplier who let them down",
    "timing_concern": "A message of theirs speaks of a bad moment",
    "implementation_worry": "A message of theirs voices doubts about the rollout",
    "cross_functional": "A message of theirs names several departments that have a say",
    "confusion": "A message of theirs says that something is unclear",
    "positive_momentum": "A message of theirs says that something went well",
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
        return f"{_SAID[kind]}{'' if newest <= RECENTLY else ' (over a month ago)'}."
    if driver.name == "renewal" and renewal is not None:
        return f"{_renewal(renewal, today)}, so what is open now weighs more."
    return next((_LASTS.get(kind, sentence) for kind, (_, _, sentence) in STANDING.items() if sentence == driver.reason), driver.reason)


def _renewal(on: date, today: date) -> str:
    """Near as everywhere else here; what is further off is said by its date."""
    if on < today:
        return f"The renewal was due on {day_month_year(on)}"
    return "The renewal is near" if on - today <= RENEWAL_NEAR else f"The renewal is on {day_month_year(on)}"
