"""What else it could mean: innocent readings per kind of moment, as stable keys with one plain sentence each.

They are listed beside a moment and never asserted; which of them the data support is for others to say.
"""

from __future__ import annotations

from ml.labels import EmotionName
from ml.moments import MomentKind

SENTENCES: dict[str, str] = {
    "busy_season": "They may be in a busy season and keep messages short.",
    "writes_briefly_on_phone": "They may be writing from a phone.",
    "holiday": "They may be on holiday or leave.",
    "someone_else_handles_it": "Someone else on their side may be handling it now.",
    "pressure_from_elsewhere": "The pressure may come from inside their own company and have nothing to do with us.",
    "one_bad_day": "It may be one bad day rather than a change of mind.",
    "second_language": "They may be writing in a second language, where tone is easily misread.",
    "waiting_internally": "They may be waiting for an answer inside their own company.",
    "mail_went_astray": "Our message may have been filtered or overlooked.",
    "answered_elsewhere": "It may have been answered by phone, in chat or by a colleague.",
    "no_longer_needed": "They may have found the answer themselves.",
    "tracking_changed": "What is being counted may have changed, not how the product is used.",
    "outage_on_our_side": "Something may not have been running on our side on those days.",
    "migration": "They may be moving to another plan, login or instance.",
    "team_smaller_but_content": "The team may have become smaller and still be content.",
    "seasonal_work": "The work itself may be seasonal.",
    "work_done_differently": "The same work may now be done in another way.",
    "project_ended": "A project that needed the product may simply have ended.",
    "negotiation_habit": "Asking about price may be their usual way to prepare a renewal.",
    "needs_numbers_for_approval": "They may only need figures to get an approval.",
    "comparison_is_policy": "Comparing vendors may be a rule of their purchasing department.",
    "planning_ahead": "They may just be planning ahead.",
    "careful_by_duty": "Asking about risk may be part of their job.",
    "wording_unclear": "Our wording may have been unclear.",
    "role_change_planned": "The change of person may have been planned long ago and be no comment on us.",
    "reported_not_felt": "They may only be reporting a fact, without being upset.",
    "polite_habit": "Praise may be their usual politeness.",
    "quoted_or_pasted": "The text may have been pasted or forwarded from elsewhere.",
    "more_people_interested": "More departments may be joining because the product is spreading.",
    "formal_step": "It may be a formal step that the contract requires.",
}

BY_KIND: dict[MomentKind, tuple[str, ...]] = {
    "frustration": ("reported_not_felt", "pressure_from_elsewhere", "one_bad_day"),
    "silence": ("holiday", "busy_season", "someone_else_handles_it", "mail_went_astray", "waiting_internally"),
    "price_objection": ("negotiation_habit", "needs_numbers_for_approval", "pressure_from_elsewhere"),
    "deadlock": ("waiting_internally", "careful_by_duty", "formal_step"),
    "cross_functional": ("more_people_interested", "formal_step"),
    "timing_concern": ("busy_season", "planning_ahead", "waiting_internally"),
    "implementation_worry": ("planning_ahead", "careful_by_duty", "busy_season"),
    "past_vendor_disappointment": ("careful_by_duty", "reported_not_felt"),
    "budget_cut": ("needs_numbers_for_approval", "pressure_from_elsewhere", "planning_ahead"),
    "usage_drop": (
        "tracking_changed",
        "team_smaller_but_content",
        "seasonal_work",
        "work_done_differently",
        "migration",
        "outage_on_our_side",
        "project_ended",
    ),
    "renewal_decision": ("formal_step", "planning_ahead", "needs_numbers_for_approval"),
    "confusion": ("wording_unclear", "second_language"),
    "risk_reliability": ("careful_by_duty", "reported_not_felt", "formal_step"),
    "champion_change": ("role_change_planned", "someone_else_handles_it"),
    "competitor_evaluation": ("comparison_is_policy", "planning_ahead", "negotiation_habit"),
    "positive_momentum": ("polite_habit",),
    "routine_logistics": ("formal_step",),
    "hostile_or_injection": ("quoted_or_pasted", "one_bad_day", "second_language"),
    "tone_turn": ("busy_season", "writes_briefly_on_phone", "pressure_from_elsewhere", "one_bad_day"),
    "unanswered_question": ("answered_elsewhere", "no_longer_needed"),
}


BY_EMOTION: dict[EmotionName, str] = {
    "frustration": "reported_not_felt",
    "disappointment": "pressure_from_elsewhere",
    "anger": "one_bad_day",
    "anxiety": "careful_by_duty",
    "confusion": "wording_unclear",
    "disengagement": "writes_briefly_on_phone",
    "satisfaction": "polite_habit",
    "gratitude": "polite_habit",
    "enthusiasm": "polite_habit",
}
"""The first innocent reading of each inferred emotion."""


def sentences_for(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(SENTENCES[key] for key in keys)
