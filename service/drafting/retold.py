"""What they wrote, told back to them: one or two of their sentences, turned to the person who said them and otherwise as they stand.

A sentence is left out rather than bent: a question, an order, irony, an insult, a private matter, and what only makes sense beside another that is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ml.text import sentences
from service.drafting.clauses import is_plain, may_be_said, overlap
from service.drafting.lexicon import WORD, has_verb, tokens, words
from service.drafting.render import uncapitalised
from service.drafting.shift import turned

Span = tuple[int, int]
_SUBJECT = 4
"""Words within which a sentence names whom it speaks of."""
SHORTEST, LONGEST, BOTH = 4, 22, 32
"""Words of a sentence, least and most, and most of two together."""
_LEAD = re.compile(r"(?:(?:and|but|so|also|well|look|now|plus|anyway|honestly|frankly|in short),?\s+)+", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:[\w']+ ){0,3}?([^\W\d_][\w'’-]+) ?[,.!:–-]")
_INTRODUCED = re.compile(r"\s*\S+ here ?[,.:–-]\s*")
"""Who writes, in front of what they write."""
_TRAIL = " .!,;:…-–—"
_HANGS = re.compile(
    r"(?:it|this|that|they|them|he|she|these|those|both|neither|here|because|which|that's|if (?:not|so)|the other|the others|another|so|then)\b",
    re.IGNORECASE,
)
_ABOUT_WRITING = re.compile(
    r"\b(?:i|we)(?:'m| am|'d| would| will|'ll)? (?:write|writing|wrote|promised|promise to|hope|hoped|trust|thought|know|attach|attached|refer|add|send|sent"
    r"|say|enclose|wanted to|like to (?:know|hear|ask)|be (?:brief|honest|clear)|don't (?:write|mean|want to (?:shout|complain|be)))\b"
    r"|\bto be (?:honest|clear|complete|fair)\b|\bone (?:question|thing)\b|\b(?:need|want|expect) an? (?:\w+ )?answer\b|\ballowed to ask\b"
    r"|\blike to (?:understand|talk)\b"
    r"|\b(?:two|three|several|some) (?:questions|remarks|points|worries|things)\b",
    re.IGNORECASE,
)
"""Sentences about the message itself."""
_QUOTATION = re.compile(r"[\"“”][^\"“”]{1,60}[\"“”]")
_PRAISE = re.compile(r"\b(?:good|great|nice|happy|fine|likes?|loves?|satisfied|glad|well|pleased|better)\b", re.IGNORECASE)
_CONDITION = re.compile(r"(?:if|unless|when|whether)\b", re.IGNORECASE)
_ABOUT_THEMSELVES = re.compile(r"(?:we|i)(?:'m| am|'re| are) (?:a|an|in|at|the)\b", re.IGNORECASE)
_ON_THE_DAY = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|this (?:morning|afternoon|evening)|last night|just now|right now|at the moment)\b", re.IGNORECASE
)
"""True on the day on which it was written, and told back on another."""
_NO_OPENING = words("finite") - {"cost", "plan", "use"} | {"no", "not", "please", "yes"}
_ORDER = re.compile(r"\b(?:please|kindly|must not|you should|you must|make sure|let me know|tell me|call me|send me|write back|reply)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`spans`: the own words within `text`. `weighty`: stretches that carried the verdict on it. `names`: ours and theirs. `is_glad`: it brings good news."""

    evidence_id: str
    text: str
    spans: Sequence[Span]
    weighty: Sequence[Span]
    names: frozenset[str]
    is_glad: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """`place`: its number in the message. `hangs`: it begins with what only the sentence before makes clear."""

    score: float
    evidence_id: str
    start: int
    end: int
    place: int
    words: int
    hangs: bool


def told_back(message: Message) -> list[tuple[Sentence, ...]]:
    """Ways to tell it, the fullest first: two sentences that belong together, then single ones."""
    found = list(_sentences(message))
    alone = sorted((s for s in found if not s.hangs), key=lambda s: -s.score)
    pairs = [(a, b) for a in found for b in found if _belong(a, b)]
    best = sorted(pairs, key=lambda pair: -(pair[0].score + pair[1].score))[:2]
    return [*best, *((s,) for s in alone[:2])]


def _belong(a: Sentence, b: Sentence) -> bool:
    return not a.hangs and a.place < b.place and (b.place == a.place + 1 or not b.hangs) and a.words + b.words <= BOTH


def _sentences(message: Message) -> Iterator[Sentence]:
    text, place = message.text, 0
    for first, last in message.spans:
        for s, e in sentences(text[first:last]):
            place += 1
            start, end = _trimmed(text, first + s, first + e, message.names)
            said = text[start:end]
            is_asked = text[first + s : first + e].rstrip("\"' )").endswith("?")
            if is_asked or not is_tellable(said) or not message.names.isdisjoint(WORD.findall(said)):
                continue
            score = _score(said) + 2.0 * overlap((start, end), message.weighty) - 0.8 * (not message.is_glad and _PRAISE.search(said) is not None)
            yield Sentence(round(score, 4), message.evidence_id, start, end, place, len(said.split()), _HANGS.match(said) is not None)


def _trimmed(text: str, start: int, end: int, names: frozenset[str]) -> Span:
    """Without a word that joins it to what came before, and without our name at its head."""
    head = _ADDRESS.match(text, start, end)
    if head and head[1] in names:
        start = head.end()
    introduced = _INTRODUCED.match(text, start, end)
    start = introduced.end() if introduced else start
    while start < end and (text[start].isspace() or text[start] in _TRAIL):
        start += 1
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    while end > start and text[end - 1] in _TRAIL + "\n":
        end -= 1
    return start, end


def is_tellable(said: str) -> bool:
    found, bare = tokens(said), _QUOTATION.sub(" that ", said)
    if not found or not SHORTEST <= len(said.split()) <= LONGEST or not is_plain(bare) or not may_be_said(bare):
        return False
    if (
        found[0] in words("finite") - {"cost", "plan", "use"}
        or found[0] in {"no", "not", "please", "yes"}
        or _ORDER.search(said)
        or _ABOUT_WRITING.search(said)
        or _ON_THE_DAY.search(said)
    ):
        return False
    return has_verb(found[1:9]) and turned(said) is not None


def _score(said: str) -> float:
    found = frozenset(tokens(said))
    score = 1.0 * bool(found & words("event")) + 0.6 * bool(found & words("negation")) + 0.4 * bool(found & words("first_person"))
    score += 0.6 * any(char.isdigit() for char in said) + 0.4 * bool(found & words("people")) + 0.3 * bool(found & words("time"))
    score -= 0.5 * bool(_CONDITION.match(said)) + 0.4 * bool(_ABOUT_THEMSELVES.match(said))
    return score - 0.12 * max(0, len(said.split()) - 16) - 0.3 * (len(said.split()) < 6)


def goes_on(said: str) -> bool:
    """Whether it can follow "you write that": its capital marked a sentence, and nothing else."""
    return not _CONDITION.match(said) and uncapitalised(turned(said) or said)[:1].islower()


def is_of_them(said: str) -> bool:
    """What they did or have, named before anything else: it can be told to them as it is, where what they think of something else wants a "you write that"."""
    return bool(frozenset(tokens(said)[:_SUBJECT]) & words("first_person"))
