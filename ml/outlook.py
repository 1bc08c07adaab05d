"""The outlook of an account: points per driver that add up to the score. No probability is claimed.

Points are judgement, not measurement: they order what weighs more. A part that could not be read brings none, good or bad.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ml.moments import MomentKind
from ml.usage import FeedState

OutlookLevel = Literal["likely", "open", "at_risk", "unknown"]
Part = Literal["mood", "usage", "renewal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMoment:
    kind: MomentKind
    confidence: float
    days_ago: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookInputs:
    """`tone_recent` is the account's most telling Habit.tone_recent; `usage_change` comes from ml.usage.changes.

    `messages` counts the buyer's own messages of the last 180 days, `days_since_heard` any sign of life. `mail_fresh` is
    False when the mail or CRM pull is stale: then mood is unknown, whatever the numbers say.
    """

    messages: int
    tone_recent: float | None
    days_since_heard: int | None
    usage_change: float | None
    usage_feed: FeedState
    days_to_renewal: int | None
    moments: tuple[OpenMoment, ...]
    mail_fresh: bool = True


@dataclass(frozen=True, slots=True)
class Driver:
    name: str
    points: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """`score` is the sum of the drivers' points, exactly. `unknown` names the parts that could not be read."""

    level: OutlookLevel
    score: int
    drivers: tuple[Driver, ...]
    unknown: tuple[Part, ...]


LIKELY, AT_RISK = 12, -25
"""Cut-offs of the score: from LIKELY up the outlook is `likely`, from AT_RISK down `at_risk`, `open` in between."""
FEW_MESSAGES = 3
"""With fewer messages in half a year there is no mood to speak of."""

Curve = tuple[tuple[float, ...], tuple[float, ...]]
TONE: Curve = ((-4.0, -2.0, -1.2, -0.6, 1.0, 3.0), (-18.0, -8.0, 0.0, 4.0, 4.0, 8.0))
"""Points by Habit.tone_recent. Up to 1.2 of a person's own spread is noise and costs nothing."""
HEARD: Curve = ((14.0, 45.0, 90.0, 180.0), (6.0, 0.0, -8.0, -14.0))
"""Points by days since anybody was heard from."""
USAGE: Curve = ((-0.8, -0.5, -0.25, -0.12, -0.05, 0.1, 0.4), (-40.0, -30.0, -15.0, -2.0, 8.0, 8.0, 14.0))
"""Points by relative change of use, peers removed. A few percent are noise."""
SAID_FRESH: Curve = ((14.0, 60.0, 180.0), (1.0, 0.5, 0.0))
STANDS: Curve = ((90.0, 365.0), (1.0, 0.5))
"""Share of its points that a moment keeps by days since it was detected: words fade, what lasts stands."""
RECENTLY = 31
NEAR_RENEWAL: Curve = ((30.0, 90.0, 180.0), (0.5, 0.25, 0.0))
NEAR_RENEWAL_SILENCE: Curve = ((30.0, 90.0, 180.0), (1.0, 0.5, 0.0))
"""What weighs more, and by how much, with so many days to the renewal."""

STANDING: Mapping[MomentKind, tuple[int, str, str]] = {
    "tone_turn": (-26, "tone", "The tone of one person has turned cooler than is usual for them."),
    "silence": (-20, "contact", "A message of ours has gone without an answer for longer than is usual for them."),
    "usage_drop": (-34, "usage", "They use the product clearly less than they used to."),
    "unanswered_question": (-12, "unanswered question", "A question of theirs is still waiting for an answer from us."),
}
"""What lasts until it ends: most points, the driver it belongs to, and the sentence."""

SAID: Mapping[MomentKind, tuple[int, str]] = {
    "renewal_decision": (-32, "They are weighing the renewal, or have given notice"),
    "competitor_evaluation": (-22, "They are looking at another product"),
    "budget_cut": (-20, "A budget on their side is being cut or reviewed"),
    "frustration": (-18, "Somebody there is fed up with something of ours"),
    "deadlock": (-15, "Something between us and them, or among them, does not move"),
    "risk_reliability": (-14, "They have doubts whether we can be relied on"),
    "price_objection": (-12, "The price is a problem for them"),
    "champion_change": (-12, "The person who carried the matter is leaving it"),
    "past_vendor_disappointment": (-8, "An earlier supplier's failure weighs on them"),
    "timing_concern": (-8, "The moment does not suit them"),
    "implementation_worry": (-8, "They doubt that the rollout can be managed"),
    "cross_functional": (-6, "Several departments have a say and want different things"),
    "confusion": (-5, "Something of ours is unclear to them"),
    "positive_momentum": (10, "Something went well and they said so"),
}
"""What was said, with its most points. Kinds that are not here say nothing about staying: work as usual, and hostile text, by
which anybody could steer the score."""


def outlook(inputs: OutlookInputs) -> Outlook:
    read = (_tone(inputs), _contact(inputs), _question(inputs), _usage(inputs), *_said(inputs))
    drivers = [driver for driver in read if driver is not None and driver.points]
    nearness = _renewal(inputs, drivers)
    if nearness is not None and nearness.points:
        drivers.append(nearness)
    score, unknown = sum(driver.points for driver in drivers), _unknown(inputs)
    return Outlook(level=_level(score, unknown, inputs), score=score, drivers=tuple(sorted(drivers, key=lambda d: d.points)), unknown=unknown)


def _unknown(inputs: OutlookInputs) -> tuple[Part, ...]:
    known: Mapping[Part, bool] = {
        "mood": inputs.mail_fresh and inputs.messages >= FEW_MESSAGES,
        "usage": inputs.usage_feed == "ok" and inputs.usage_change is not None,
        "renewal": inputs.days_to_renewal is not None,
    }
    return tuple(part for part, is_known in known.items() if not is_known)


def _level(score: int, unknown: tuple[Part, ...], inputs: OutlookInputs) -> OutlookLevel:
    """Where mail is known to be missing nothing is good news: what weighed most may be in it."""
    if "mood" in unknown and "usage" in unknown:
        return "unknown"
    if score > AT_RISK and inputs.messages and not inputs.mail_fresh:
        return "unknown"
    return "likely" if score >= LIKELY else "at_risk" if score <= AT_RISK else "open"


def _tone(inputs: OutlookInputs) -> Driver | None:
    if not inputs.mail_fresh:
        return None
    recent = None
    if inputs.tone_recent is not None and "mood" not in _unknown(inputs):
        points = _read(TONE, inputs.tone_recent)
        recent = Driver(
            "tone", points, "Recent messages sound as usual, or friendlier." if points > 0 else "Somebody's recent messages sound cooler than usual."
        )
    return _worse(recent, _standing(inputs, "tone_turn"))


def _contact(inputs: OutlookInputs) -> Driver | None:
    """Silence needs fresh mail, but no number of messages: who has stopped writing has none."""
    if not inputs.mail_fresh:
        return None
    heard = None
    if inputs.days_since_heard is not None:
        points = _read(HEARD, inputs.days_since_heard)
        heard = Driver("contact", points, "We have heard from them lately." if points > 0 else "It has been a while since anybody there was heard from.")
    return _worse(heard, _standing(inputs, "silence"))


def _question(inputs: OutlookInputs) -> Driver | None:
    return _standing(inputs, "unanswered_question") if inputs.mail_fresh else None


def _usage(inputs: OutlookInputs) -> Driver | None:
    if inputs.usage_feed != "ok":
        return None
    change = None
    if inputs.usage_change is not None:
        points = _read(USAGE, inputs.usage_change)
        change = Driver("usage", points, "They use the product as much as before, or more." if points > 0 else "They use the product less than a month ago.")
    return _worse(change, _standing(inputs, "usage_drop"))


def _said(inputs: OutlookInputs) -> Iterable[Driver]:
    """Words that were said stay said, however stale the mail is by now. Said by several people it is still one matter."""
    for kind, (most, sentence) in SAID.items():
        told = [(round(most * m.confidence * _share(SAID_FRESH, m.days_ago)), m.days_ago) for m in inputs.moments if m.kind == kind]
        if told:
            points = min(told)[0] if most < 0 else max(told)[0]
            newest = min(days for _, days in told)
            yield Driver(kind.replace("_", " "), points, f"{sentence}{'' if newest <= RECENTLY else ' (said over a month ago)'}.")


def _standing(inputs: OutlookInputs, kind: MomentKind) -> Driver | None:
    most, name, sentence = STANDING[kind]
    points = [round(most * m.confidence * _share(STANDS, m.days_ago)) for m in inputs.moments if m.kind == kind]
    return Driver(name, min(points), sentence) if points else None


def _worse(first: Driver | None, second: Driver | None) -> Driver | None:
    """Two views of one thing are not two things."""
    if first is None or second is None:
        return first or second
    return min(first, second, key=lambda driver: driver.points)


def _renewal(inputs: OutlookInputs, drivers: Iterable[Driver]) -> Driver | None:
    """What is open weighs more the nearer the renewal is, and most of all that they do not answer."""
    if inputs.days_to_renewal is None:
        return None
    usual, silent = _share(NEAR_RENEWAL, inputs.days_to_renewal), _share(NEAR_RENEWAL_SILENCE, inputs.days_to_renewal)
    extra = sum(d.points * (silent if d.name == "contact" else usual) for d in drivers if d.points < 0)
    return Driver("renewal", round(extra), "The renewal is near, so what is open now weighs more.")


def _read(curve: Curve, value: float) -> int:
    return round(_share(curve, value))


def _share(curve: Curve, value: float) -> float:
    return float(np.interp(value, *curve))
