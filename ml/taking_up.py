"""Whether a message of our side takes up what somebody asked or worried about, told by shared content words.

Where that is in doubt (hardly any content words, a brief reply in the thread, a call without notes) it counts as taken up: to accuse
our side wrongly helps nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ml.conversation import Message

STEM = 6
"""Word stems are compared by their first letters: a stemmer keeps "scheduling" and "schedule" apart."""
FEW = 2
"""What is said in so few content words can be taken up without any of them."""
BRIEF, BRIEF_WORDS = 4, 15
"""Content words, and words, of a reply that may be a bare "yes, from Monday on"."""
LEAST_WORDS = 4
TELLING = 3
"""Content words beyond those of a receipt: such a reply says something."""
COMMON = 0.25
"""A word in more than this share of the account's messages says little about what a message is about."""
LEARNED = 12
"""Messages after which that share is known."""
RECEIPT = frozenset({"thank", "thanks", "note", "noted", "receiv", "receip", "forwar", "passed", "pass"})
"""Beginnings of what a mere receipt is made of."""

Stems = frozenset[str]
Basis = Literal["words", "other_words", "call", "thanks", "own_words"]
"""Why something counts as settled: our message shares words with it; it may answer in others; a call of which no notes are kept; they
thanked for our reply; they said themselves that it is over."""
CERTAINTY: dict[Basis, float] = {"own_words": 0.85, "words": 0.75, "thanks": 0.65, "other_words": 0.5, "call": 0.4}
"""By judgement, in the order in which one would rely on them."""


@dataclass(frozen=True, slots=True)
class Settled:
    """By one message, ours or (withdrawn, thanks) theirs."""

    message: int
    day: date
    state: Literal["acknowledged", "answered", "withdrawn"]
    basis: Basis


class Vocabulary:
    """How common each word is in what has been exchanged with the account so far."""

    def __init__(self) -> None:
        self._messages = 0
        self._messages_with = Counter[str]()

    def learn(self, said: Stems) -> None:
        self._messages += 1
        self._messages_with.update(said)

    def weight(self, shared: Stems) -> float:
        """A common word counts half."""
        return sum(0.5 if self._is_common(stem) else 1.0 for stem in shared)

    def _is_common(self, stem: str) -> bool:
        return self._messages >= LEARNED and self._messages_with[stem] > COMMON * self._messages


def stems(terms: Iterable[str]) -> Stems:
    return frozenset(term[:STEM] for term in terms)


def said_in(message: Message) -> Stems:
    return stems(message.traits.terms) if message.traits else frozenset()


def near(later: Message, earlier: Message) -> bool:
    """In the same thread; where threads are not known, with the same person."""
    if later.thread is None or earlier.thread is None:
        return later.contact == earlier.contact
    return later.thread == earlier.thread


def takes_up(reply: Message, said: Stems, earlier: Message, wanted: Stems, vocabulary: Vocabulary) -> Basis | None:
    """`said`: the words of the reply; `wanted`: those of what `earlier` said."""
    with_them = reply.contact in (None, earlier.contact)
    if reply.traits is None:
        return "call" if reply.spoken and with_them else None
    weight = vocabulary.weight(said & wanted)
    if weight and weight >= _needed(reply, earlier, wanted):
        return "words"
    return "other_words" if reply.spoken and with_them and len(wanted) <= FEW else None


def _needed(reply: Message, earlier: Message, wanted: Stems) -> float:
    """Shared words: elsewhere than in the thread or a call, one may be chance."""
    if reply.spoken or near(reply, earlier):
        return 1
    return min(2, len(wanted)) if reply.contact in (None, earlier.contact) else float("inf")


def tells(reply: Message, said: Stems) -> bool:
    """A written reply that is more than a receipt."""
    return reply.traits is not None and not reply.spoken and reply.traits.words >= LEAST_WORDS and not said <= RECEIPT


def in_other_words(reply: Message, said: Stems, earlier: Message, wanted: Stems) -> bool:
    """No word in common, and still an answer: to hardly any words, in hardly any, or with something to say.

    People answer in their own words, and a reply in the thread that is more than a receipt gets the benefit of the doubt.
    """
    if reply.traits is None or not tells(reply, said) or not near(reply, earlier):
        return False
    told = said - RECEIPT
    brief = len(told) <= BRIEF and reply.traits.words <= BRIEF_WORDS
    return len(wanted) <= FEW or len(told) >= TELLING or (brief and told == said and not reply.traits.thanks)
