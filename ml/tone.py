"""Tone: how much cooler some messages of a person are than this person's own habit.

Evidence is a log likelihood ratio (natural log): how much better "cooler by SHIFT than usual" explains what is seen than "as
usual". Sentiment carries most of it; blame, a missing greeting or thanks and unusual shortness support it, each against the
person's own rate, so that somebody who is always dry or always complains does not turn by being as usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import log
from statistics import median

from ml.conversation import Message
from ml.labels import SituationName

SHIFT = 0.5
USUAL_SPREAD = 0.22
"""Standard deviation of the sentiment model on ordinary business mail by one hand; nobody is taken to be steadier."""
SPREAD_PRIOR = 12
"""Messages that the usual spread counts for."""
MAD_TO_SPREAD = 1.4826
MIDMEAN_VARIANCE = 1.25
"""Variance of a midmean over that of a mean, for a normal distribution."""
WIDEST_DROP, WIDEST_RISE = 0.9, 0.5
"""No single message counts for more than this: the model is sometimes wildly wrong."""
TURNED_BLAME = 0.5
"""Share of a turned person's messages that blame, by judgement."""
BLAME_WEIGHT = 1.2
NO_BLAME = -0.4
COURTESIES_LOST = 0.5
"""Share of a person's usual courtesies that a turned one leaves out, by judgement."""
COLDEST, WARMEST = 1.5, -0.7
SHORT = 0.4
"""A message is short below this share of the person's median length."""
BLAME: Mapping[SituationName, float] = {
    "frustration": 1.0,
    "hostile_or_injection": 1.0,
    "risk_reliability": 0.8,
    "past_vendor_disappointment": 0.8,
    "deadlock": 0.7,
    "price_objection": 0.6,
    "competitor_evaluation": 0.5,
}
"""Situations in which something is held against somebody, and how much of a reproach they are, by judgement."""
NEGATIVE, NEGATIVE_BLAME = -0.2, 0.7
"""A message that is negative at all is a reproach of this strength, whatever it speaks of."""


@dataclass(frozen=True)
class Usual:
    """How a person writes, from some of their own earlier messages that have a tone."""

    earlier: Sequence[Message]

    @cached_property
    def tone(self) -> float:
        return midmean([(m.sentiment, m.confidence) for m in self.earlier])

    @cached_property
    def spread(self) -> float:
        n = len(self.earlier)
        mad = MAD_TO_SPREAD * median(abs(m.sentiment - self.tone) for m in self.earlier)
        shrunk = (SPREAD_PRIOR * USUAL_SPREAD**2 + n * mad**2) / (SPREAD_PRIOR + n)
        return float(max(shrunk**0.5, USUAL_SPREAD))

    @cached_property
    def confidence(self) -> float:
        return median(m.confidence for m in self.earlier)

    @cached_property
    def words(self) -> float:
        return median(_words(m) for m in self.earlier)

    @cached_property
    def blame_rate(self) -> float:
        return (sum(blame(m) > 0 for m in self.earlier) + 0.5) / (len(self.earlier) + 8)

    @cached_property
    def cold_rates(self) -> tuple[float, ...]:
        """Share of messages without greeting, without thanks, and short; never quite 0 or 1."""
        columns = zip(*(self._coldness(m) for m in self.earlier), strict=True)
        return tuple((sum(column) + 1) / (len(self.earlier) + 2) for column in columns)

    def evidence(self, days: Sequence[Sequence[Message]]) -> float:
        """Of the messages of some days in a row. A day is one observation, however many messages it saw."""
        return self._cooler(days) + sum(max(self._support(m) for m in day) for day in days)

    def supports(self, day: Sequence[Message]) -> bool:
        """Whether more than the number of the sentiment model speaks for a cooler day: a reproach, or courtesies left out."""
        return any(blame(m) > 0 or self._cold(m) > 0 for m in day)

    def _cooler(self, days: Sequence[Sequence[Message]]) -> float:
        """All days share the error of the one habit they are compared with: many of them do not make it smaller."""
        weights = [max(self._weight(m) for m in day) for day in days]
        drops = [sum(self._drop(m) for m in day) / len(day) for day in days]
        drop = sum(w * d for w, d in zip(weights, drops, strict=True)) / sum(weights)
        variance = self.spread**2 * (1 / sum(weights) + MIDMEAN_VARIANCE / len(self.earlier))
        return SHIFT * (drop - SHIFT / 2) / variance

    def _drop(self, message: Message) -> float:
        return max(-WIDEST_RISE, min(WIDEST_DROP, self.tone - message.sentiment))

    def _weight(self, message: Message) -> float:
        return min(1.0, message.confidence / self.confidence)

    def _support(self, message: Message) -> float:
        blamed = blame(message)
        blaming = BLAME_WEIGHT * blamed * max(0.0, log(TURNED_BLAME / self.blame_rate)) if blamed else NO_BLAME
        return blaming + self._cold(message)

    def _cold(self, message: Message) -> float:
        ratios = (_ratio(rate, seen=seen) for rate, seen in zip(self.cold_rates, self._coldness(message), strict=True))
        return max(WARMEST, min(COLDEST, sum(ratios)))

    def _coldness(self, message: Message) -> tuple[bool, bool, bool]:
        traits = message.traits
        assert traits is not None, "only messages with own text have a tone"
        return (not traits.greeting, not traits.thanks, traits.words < SHORT * self.words)


def accusation(message: Message) -> float:
    """How strongly the message names something that is held against us; 0 for none."""
    return max((BLAME.get(s.name, 0.0) * s.confidence for s in message.held_against_us), default=0.0)


def blame(message: Message) -> float:
    return max(accusation(message), NEGATIVE_BLAME if message.sentiment <= NEGATIVE else 0.0)


def midmean(weighted: Sequence[tuple[float, float]]) -> float:
    """Mean of the middle half of (value, weight): nearly as steady as a mean, deaf to a quarter of outliers on either side."""
    total = sum(weight for _, weight in weighted)
    ordered = sorted(weighted)
    passed = [0.0]
    for _, weight in ordered:
        passed.append(passed[-1] + weight / total)
    shares = [max(0.0, min(upper, 0.75) - max(lower, 0.25)) for lower, upper in pairwise(passed)]
    return sum(value * share for (value, _), share in zip(ordered, shares, strict=True)) / sum(shares)


def _ratio(usual: float, *, seen: bool) -> float:
    turned = usual + COURTESIES_LOST * (1 - usual)
    return log(turned / usual) if seen else log((1 - turned) / (1 - usual))


def _words(message: Message) -> int:
    return message.traits.words if message.traits else 0
