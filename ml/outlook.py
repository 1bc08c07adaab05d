"""The outlook of an account: points per driver that add up to the score. No probability is claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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


def outlook(inputs: OutlookInputs) -> Outlook:
    raise NotImplementedError
