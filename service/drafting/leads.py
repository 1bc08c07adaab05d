"""Of what they wrote, what leads on: a reason for what is offered ("you present both on the 9th of May, so I can give Mr Obi a test card before that"), and
what a fault did to them, which is what an apology is for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from service.drafting import facts
from service.drafting.asides import is_of_learner
from service.drafting.calendar import MONTHS, SURE_MONTHS, WEEKDAYS
from service.drafting.lexicon import words
from service.drafting.retold import Message, Sentence, is_harm, is_of_them

MOST = 2
LONGEST = 20
"""Words of a sentence that another clause may follow."""
LEAST = 2.5
_DAY = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)\b|\d{{1,2}} (?:{MONTHS})|(?:{SURE_MONTHS}|{WEEKDAYS})\b)",
    re.IGNORECASE,
)
_NEED = re.compile(r"\b(?:must|need|have to|has to|had to|asked? (?:me|us)|want|looking (?:at|for)|due)\b", re.IGNORECASE)
_LOSS = re.compile(
    r"\b(?:lost|lose|losing|missed|wasted|waited|waiting|stuck|standing|stood|cut off|thrown? (?:away|out)|paid (?:out|twice|for)|by hand|overtime|too late"
    r"|cancelled|sent home|turned away|cold|cracked|spoil(?:ed|t)"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten|\d+) (?:times|hours|days|weeks|nights|evenings|km|miles))\b",
    re.IGNORECASE,
)
_PLAIN_LOSS = re.compile(
    r"(?:we|i)(?:'ve| have)? (?:lost|missed|wasted) (?:\d[\d.,]*|an?|two|three|four|five|six|seven|eight|nine|ten) [a-z-]+"
    r"(?= (?:from|of|who|which|that|with|for|because)\b)",
    re.IGNORECASE,
)
_PEOPLE = "|".join(sorted(words("people")))
_US = re.compile(rf"(?:\w+ ){{0,2}}?(?:i|we|i've|we've)\b|(?:\w+ ){{0,2}}?(?:my|our) (?:\w+ )?(?:{_PEOPLE})\b", re.IGNORECASE)
_SET_APART = re.compile(r"[()\[\]:–—]| - ")


def leading(message: Message, offers: Sequence[str]) -> list[Sentence]:
    """Sentences of theirs that speak of the matter of an offer, or of a day or a need that it serves; the most telling first."""
    if is_of_learner(message.text):
        return []
    offered = facts.stems(" ".join(offers))
    found = [(_worth(said_of(message, s), offered, s), s) for s in message.tellable if not s.hangs and s.words <= LONGEST]
    return [s for worth, s in sorted(found, key=lambda pair: -pair[0]) if worth >= LEAST][:MOST]


def losses(message: Message) -> list[Sentence]:
    """What a fault cost them or theirs, by what they wrote."""
    if is_of_learner(message.text):
        return []
    told = [s for s in message.tellable if not s.hangs and not _SET_APART.search(said_of(message, s))]
    found = sorted((s for s in told if _is_loss(said_of(message, s))), key=lambda s: -s.score)
    return [_plain(message, s) for s in found[:MOST]]


def _plain(message: Message, sentence: Sentence) -> Sentence:
    """ "We lost 46 samples" is what an apology is for; whose they were is not for us to say back."""
    match = _PLAIN_LOSS.match(said_of(message, sentence))
    return replace(sentence, end=sentence.start + match.end()) if match else sentence


def _is_loss(said: str) -> bool:
    return _US.match(said) is not None and _LOSS.search(said) is not None and is_harm(said)


def said_of(message: Message, sentence: Sentence) -> str:
    return message.text[sentence.start : sentence.end]


def _worth(said: str, offered: frozenset[str], sentence: Sentence) -> float:
    if _SET_APART.search(said) or not sentence.carries:
        return 0.0
    shared = min(2, len(facts.stems(said) & offered))
    return 1.0 * shared + 0.8 * (_DAY.search(said) is not None) + 0.6 * (_NEED.search(said) is not None) + 0.3 * is_of_them(said) + 0.1 * sentence.score
