"""What is offered, and whether it is what they asked for: then it is done, and not proposed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from service.critic.draft import Evidence
from service.drafting import facts, statements
from service.drafting.calendar import SURE_MONTHS, WEEKDAYS
from service.drafting.theirs import Filling, Theirs

MOST_OFFERS, MOST_LENGTH = 2, 400
"""Offers of a draft, in the order of the evidence, and characters of one."""
WISHED = 2
"""Words of an offer that stand in a wish of theirs, by which it is what they want."""


@dataclass(frozen=True)
class Offered(Theirs):
    @cached_property
    def offers(self) -> tuple[Filling, ...]:
        pieces = [e for e in self.pieces if e.type == "offer" and len(e.text) <= MOST_LENGTH]
        return tuple(Filling((phrase,), (piece.id,)) for piece in pieces if (phrase := self._offer(piece)))[:MOST_OFFERS]

    def _offer(self, piece: Evidence) -> str | None:
        if _TO_BE_ASKED.match(piece.text):
            return None
        return facts.offer_phrase(piece, self.people) if self.is_english else statements.offer_phrase(piece, self.people, self.lang, self.address)

    @cached_property
    def is_theirs_to_decide(self) -> bool:
        """It is about money, scope or an end, and more than a paper to decide by."""
        offers = " ".join(str(offer.parts[0]) for offer in self.offers)
        is_paper = _PAPER.match(offers) is not None and not _THEN_CHANGES.search(offers)
        return not is_paper and _THEIRS_TO_DECIDE.search(offers) is not None and self.situation != "routine_logistics"

    @cached_property
    def is_granted(self) -> bool:
        """They asked whether something can be done, and it is what is offered first."""
        asked = [text for _, _, text in self.questions if _YES_OR_NO.search(text) and not re.search(r"\bor\b", text)]
        return any(map(self._is_met, [*asked, *(text for text in self.wishes if _YES_OR_NO.match(text))]))

    @cached_property
    def is_offer_wanted(self) -> bool:
        """They asked for what is offered first."""
        return any(map(self._is_met, self.wishes))

    def _is_met(self, wish: str) -> bool:
        is_open = self.is_theirs_to_decide and not _ASKS_US.search(wish)
        if not (self.is_english and self.offers) or is_open or ((self.is_change or self.is_theirs_to_decide) and _SUPPOSED.search(wish)):
            return False
        return self._shared(wish) + WISHED * len(_figures(wish) & _figures(str(self.offers[0].parts[0]))) >= self._least

    @cached_property
    def is_of_their_matter(self) -> bool:
        """What is offered first speaks of what they wrote about, and could stand in no other letter."""
        return bool(self.offers) and self._shared(self.said.own) >= self._least

    def _shared(self, text: str) -> int:
        """Words that it has in common with the first offer."""
        return len(self.stems(text) & self.stems(str(self.offers[0].parts[0])))

    @property
    def _least(self) -> int:
        return 1 if self.is_own_act else WISHED

    @cached_property
    def is_own_act(self) -> bool:
        """It takes neither their time nor their word."""
        return self._kind == "own"

    @cached_property
    def is_confirming(self) -> bool:
        """It says that what they have decided is so."""
        return self.is_english and _CONFIRMS.match(self._all_offered) is not None

    @cached_property
    def is_meeting(self) -> bool:
        """It takes an hour of theirs, and names no day."""
        return self._kind == "meeting" and not _DATED.search(self._all_offered)

    @cached_property
    def is_change(self) -> bool:
        """It changes what they have, or what they pay."""
        return self._kind == "change"

    @cached_property
    def _kind(self) -> Literal["own", "meeting", "change"] | None:
        """Of what is offered, by its first verb and by what it takes."""
        offer = self._all_offered
        if not (self.is_english and offer):
            return None
        if self.is_confirming:
            return "own"
        if self.is_theirs_to_decide or _CHANGE.match(offer):
            return "change"
        if _TOGETHER.search(offer) or _MEETING.match(offer):
            return "meeting"
        return None if _AGREES.match(offer) else "own"

    @cached_property
    def _all_offered(self) -> str:
        return " and ".join(str(offer.parts[0]) for offer in self.offers)

    def stems(self, text: str) -> frozenset[str]:
        """What two texts about the same thing have in common."""
        return facts.stems(text) if self.is_english else statements.stems(text, self.lang)


def _figures(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\d+", re.sub(r":00\b", "", text)))


_TO_BE_ASKED = re.compile(r"(?:ask|hear|find out|learn) (?:from (?:you|them) )?(?:whether|if|how|why|what|when)\b(?!.{0,80}\btell you)", re.IGNORECASE)
"""What only they can say: one asks it, and does not offer to ask."""
_MEETING = re.compile(
    r"(?:come|visit|meet|call you|ring you|show|present|walk|go (?:through|over)|sit|join|hold|rehearse|take you|let|book|look (?:at|through)"
    r"|run through|spend|invite)\b",
    re.IGNORECASE,
)
_TOGETHER = re.compile(
    r"\b(?:with you|together|with your (?!mobile|phone|name|number|logo|own)|visit|meet|come(?! back)|(?:call|ring) you|(?:at|in|on) your|you a call"
    r"|you and)\b",
    re.IGNORECASE,
)
_CONFIRMS = re.compile(r"confirm\b", re.IGNORECASE)
"""What is confirmed has been decided."""
_AGREES = re.compile(r"(?:agree|decide|settle)\b", re.IGNORECASE)
"""It takes two."""
_CHANGE = re.compile(
    r"(?:move|change|switch|shift|install|fit|mount|swap|separate|set (?!up|out)"
    r"|take \w+ (?:[\w,]+ ){0,8}?(?:off|out)|turn (?!off)|shorten|begin|start|propose|offer"
    r"|keep|leave|hold .{0,20}price|do (?:it|the move)|deliver in|extend|prolong|lower|raise)\b",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b(?:today|tonight|tomorrow|next week|this (?:week|afternoon|morning)|\d{1,2}:\d\d|\d{1,2}(?:st|nd|rd|th)\b"
    rf"|{SURE_MONTHS}|{WEEKDAYS}|at a time you choose|any day|whenever)\b",
    re.IGNORECASE,
)
_THEIRS_TO_DECIDE = re.compile(
    r"\b(?:suspend|pause|cancel\w*|stop|end|quote|price|cost|fee|renew\w*|extend|contract|licen[cs]e|plan|upgrade|reduce"
    r"|drop|remove|delete|invoice|you(?:r director)?(?: and)? decide)\b",
    re.IGNORECASE,
)
_PAPER = re.compile(
    r"(?:work out|(?:re)?calculate|price|(?:re)?quote|reckon|prepare|(?:re)?issue|send|write (?!.*\binto the contract)|make a (?:price|quote|list)"
    r"|put (?=.*\b(?:in writing|next to|side by side|on (?:one|a) (?:page|sheet))\b))\b",
    re.IGNORECASE,
)
_THEN_CHANGES = re.compile(r"\band (?:share|move|change|stop|end|cancel|pause|set|take|switch)\b", re.IGNORECASE)
_ASKS_US = re.compile(r"\b(?:can|could|would|will) you (?!tell|say|explain|make|send|give|quote|calculate|work|show)\w+", re.IGNORECASE)
_SUPPOSED = re.compile(r"\b(?:what (?:happens )?if|suppose|would it cost|is it possible)\b", re.IGNORECASE)
"""Asked about, and not asked for."""
_YES_OR_NO = re.compile(r"(?:^|[,:;–] ?)(?:and |so |but )?(?:can|could|may|might|would|will|do|does|is it possible|are you able)\b", re.IGNORECASE)
