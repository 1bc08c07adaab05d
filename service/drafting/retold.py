"""What they wrote, told back to them: one or two of their sentences, turned to the person who said them and otherwise as they stand.

A sentence is left out rather than bent: a question, an order, irony, an insult, a private matter, and what only makes sense beside another that is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ml.text import sentences
from service.drafting.asides import TO_BE_READ, is_aside, is_headless, is_jotted, is_of_learner
from service.drafting.asked import Kind, is_request, told, without_lead
from service.drafting.clauses import is_plain, may_be_said, overlap
from service.drafting.lexicon import WORD, has_verb, tokens, words
from service.drafting.orders import may_be_order
from service.drafting.render import uncapitalised
from service.drafting.shift import turned
from service.drafting.unsafe import is_unsafe

Span = tuple[int, int]
_SUBJECT = 4
"""Words within which a sentence names whom it speaks of."""
MOST_ALONE = 3
SHORTEST, LONGEST = 4, 22
"""Words of a sentence, least and most."""
_LEAD = re.compile(r"(?:(?:and|but|so|also|well|look|now|ok|okay|still|plus|anyway|honestly|frankly|in short),?\s+)+", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:[\w']+ ){0,3}?([^\W\d_][\w'’-]+) ?[,.!:–—-]")
_INTRODUCED = re.compile(r"\s*\S+ here ?[,.:–-]\s*")
"""Who writes, in front of what they write."""
_CALLED = re.compile(
    r"\s*(?:(?:dear|respected|esteemed|good (?:day|morning|afternoon)|hello|hi) )?"
    r"(?:sirs?|madam|ma'am|all|team|everyone|everybody|ladies and gentlemen)[,:]\s*",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\s*(?:pros?|cons?|problem|fact|worry|issue|result|status|background|concern|summary|reason|good news|bad news)\s*:\s*", re.IGNORECASE)
_TRAIL = " .!,;:…-–—"
_HANGS = re.compile(
    r"(?:one|two|three|four|first(?:ly)?|second(?:ly)?|third(?:ly)?|finally|lastly)[,:]"
    r"|(?:it|(?:this|that)(?! (?:year|week|month|season|summer|winter|spring|autumn|quarter|term)\b)"
    r"|they|them|he|she|these|those|both|neither|here|because|which|(?:before|after) that|since then|that's|if (?:not|so|yes|no)\b"
    r"|the (?:\w+est|first|second|third|last|two|three|four) (?:has|have|is|are|was|were|can|will|does|do)\b|the other|the others|another|so|then)\b",
    re.IGNORECASE,
)
_ENDS_ON_ANOTHER = re.compile(
    r"\b(?:that|this|them|it|so|it is|which is which|do|does|did|don't|doesn't|didn't|can|can't|cannot|won't|isn't|aren't|wasn't)$", re.IGNORECASE
)
_NO_STATEMENT = re.compile(
    r"(?:over|about|for|with|without|after|before|of) [^,]* which\b"
    r"|(?:forgive|excuse|pardon|imagine|believe|convince|consider|remember)\b"
    r"|(?:the|a|an|my|our|this|that|every|one) \w+ (?:i|we|you|they|he|she) \w+(?: (?!is\b|was\b|are\b|were\b|has\b|had\b)[\w']+)*$",
    re.IGNORECASE,
)
"""An order, or a thing and what somebody does with it."""
_POINTS = re.compile(rf"{_ENDS_ON_ANOTHER.pattern}|^(?:\w+(?:'\w+)? ){{1,3}}(?:it|them|they|him|those)\b", re.IGNORECASE)
"""What the sentence before speaks of."""
_ABOUT_WRITING = re.compile(
    r"\b(?:i|we)(?:'m| am|'d| would| will|'ll)? (?:write|writing|wrote|promised|promise to|hope|hoped|trust|thought|know|attach|attached|refer|add|send|sent"
    r"|say|keep (?:it|this) short|can be reached|enclose|wanted to|like to (?:know|hear|ask)|be (?:brief|honest|clear)"
    r"|don't (?:write|mean|want to (?:shout|complain|be)))\b"
    r"|\bto be (?:honest|clear|complete|fair)\b|\bone (?:question|thing)\b|\b(?:need|want|expect) an? (?:\w+ )?answer\b|\ballowed to ask\b"
    r"|\blike to talk\b|\bshould mention\b|\bbefore we (?:proceed|start|begin),"
    r"|\b(?:two|three|several|some) (?:questions|remarks|points|worries|things)\b",
    re.IGNORECASE,
)
"""Sentences about the message itself."""
_QUOTATION = re.compile(r"[\"“”][^\"“”]{1,60}[\"“”]")
_PRAISE = re.compile(r"\b(?:good|great|nice|happy|fine|likes?|loves?|satisfied|glad|well|pleased|better)\b", re.IGNORECASE)
_CONDITION = re.compile(r"(?:if|unless|when|whether)\b", re.IGNORECASE)
_ABOUT_THEMSELVES = re.compile(r"(?:we|i)(?:'m| am|'re| are) (?:a|an|in|at|the)\b", re.IGNORECASE)
_ON_THE_DAY = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|this (?:morning|afternoon|evening)|last night|(?:just|right) now|at the moment)\b", re.IGNORECASE
)
"""True on the day on which it was written, and told back on another."""
_ORDER = re.compile(r"\b(?:please|kindly|must not|you should|you must|make sure|let me know|tell me|call me|send me|write back|reply)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Message:
    """`spans`: the own words within `text`. `weighty`: stretches that carried the verdict on it. `names`: ours and theirs. `is_glad`: it brings good news."""

    evidence_id: str
    text: str
    spans: Sequence[Span]
    weighty: Sequence[Span]
    names: frozenset[str]
    is_glad: bool

    @cached_property
    def tellable(self) -> tuple[Sentence, ...]:
        return tuple(_tellable(self))


@dataclass(frozen=True, slots=True)
class Sentence:
    """`hangs`: it begins with what only the sentence before makes clear. `carries`: a figure, a date, a loss or a need."""

    score: float
    evidence_id: str
    start: int
    end: int
    words: int
    hangs: bool
    carries: bool


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What they asked or asked for, in one sentence; see `asked`. `is_known_again`: a run of their words is left in it."""

    evidence_id: str
    start: int
    end: int
    kind: Kind
    is_known_again: bool


def told_back(message: Message) -> list[tuple[Sentence, ...]]:
    """Ways to tell it, one sentence each; none of a message whose slips would be told back with it. What carries nothing comes last, and is left out
    beside a question."""
    if is_of_learner(message.text):
        return []
    found = [s for s in message.tellable if s.carries] if inquiries(message) else message.tellable
    alone = sorted((s for s in found if not s.hangs), key=lambda s: (not s.carries, -s.score))
    return [(s,) for s in alone[:MOST_ALONE]]


def inquiries(message: Message) -> list[Inquiry]:
    """Their questions and requests that can be told back, in their order."""
    found = []
    for first, last in message.spans:
        for s, e in sentences(message.text[first:last]):
            start, end = _trimmed(message.text, first + s, first + e, message.names)
            said = message.text[start:end]
            inquiry = told(said)
            if (
                inquiry
                and not (_POINTS_BACK.search(said) or ends_on_another(inquiry.text))
                and message.names.isdisjoint(WORD.findall(said))
                and may_be_said(_OF_THE_CLOCK.sub(".", inquiry.text))
                and is_harmless(said)
                and not TO_BE_READ.search(said)
            ):
                found.append(Inquiry(message.evidence_id, start, end, inquiry.kind, _keeps_words(said, inquiry.text)))
    return found


def _keeps_words(said: str, text: str) -> bool:
    mine, theirs = tokens(said), tokens(text)
    runs = {tuple(mine[n : n + _RUN]) for n in range(len(mine) - _RUN + 1)}
    return any(tuple(theirs[n : n + _RUN]) in runs for n in range(len(theirs) - _RUN + 1))


_RUN = 3
_OF_THE_CLOCK = re.compile(r"(?<=\d):(?=\d)")
_POINTS_BACK = re.compile(r"\b(?:this|that|these|those) (?:date|day|time|week|month|case|way|moment|point|question)\b", re.IGNORECASE)


def is_harmless(said: str) -> bool:
    """Nothing in it could be meant for whoever writes the answer, even without the courtesy in front of it."""
    if may_be_order(said):
        return False
    said = without_lead(said)
    bare = _COURTESY.sub("", said)
    return not is_unsafe(said) and (bare == said or is_request(bare) or not is_unsafe(bare))


_COURTESY = re.compile(r"^\W*(?:(?:and|so|but|also) )?(?:(?:can|could|will|would) (?:you|u) )?(?:please |kindly |pls )?", re.IGNORECASE)


def _parted(text: str) -> Iterator[Span]:
    """Sentences, and what stands between their semicolons."""
    for start, end in sentences(text):
        for part in re.finditer(r"[^;]+;?", text[start:end]):
            yield start + part.start(), start + part.end()


def _tellable(message: Message) -> Iterator[Sentence]:
    text = message.text
    for first, last in message.spans:
        for s, e in _parted(text[first:last]):
            start, end = _trimmed(text, first + s, first + e, message.names)
            said = text[start:end]
            is_asked = text[first + s : first + e].rstrip("\"' )").endswith("?")
            if (
                is_jotted(text[first:start], said)
                or is_asked
                or told(said)
                or (message.is_glad and is_wish(said))
                or not is_tellable(said)
                or not message.names.isdisjoint(WORD.findall(said))
            ):
                continue
            score = _score(said) + 1.2 * overlap((start, end), message.weighty) - 0.8 * (not message.is_glad and _PRAISE.search(said) is not None)
            yield Sentence(
                round(score, 4),
                message.evidence_id,
                start,
                end,
                len(said.split()),
                _HANGS.match(said) is not None,
                carries(said),
            )


def _trimmed(text: str, start: int, end: int, names: frozenset[str]) -> Span:
    """Without a word that joins it to what came before, and without our name at its head."""
    called = _CALLED.match(text, start, end)
    start = called.end() if called else start
    head = _ADDRESS.match(text, start, end)
    if head and head[1] in names:
        start = head.end()
    introduced = _INTRODUCED.match(text, start, end) or _LABEL.match(text, start, end)
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
        or _NO_STATEMENT.match(said)
        or is_aside(said)
        or is_headless(said, found)
    ):
        return False
    if _CONDITION.match(said) and not frozenset(found) & words("first_person"):
        return False  # what happens to others under some condition may be meant for whoever writes the answer
    return (has_verb(found[1:9]) or found[0] in _WITH_VERB) and turned(said) is not None


def carries(said: str) -> bool:
    """Whether it would tell somebody who does not know the message what the matter is."""
    found = frozenset(tokens(said))
    return any(char.isdigit() for char in said) or bool(found & (words("event") | words("unable") | words("time") | words("need")))


def is_reason(said: str) -> bool:
    """What stands behind a question or a request: not another wish."""
    return carries(said) and not _WISH.search(said) and not _UNHARMED.search(said)


def ends_on_another(said: str) -> bool:
    return _ENDS_ON_ANOTHER.search(said) is not None


def is_wish(said: str) -> bool:
    return _WISH.search(said) is not None


def is_harm(said: str) -> bool:
    """Something that went wrong or was done again and again, and no wish."""
    found = frozenset(tokens(said))
    is_felt = bool(found & words("harm")) or (bool(found & words("burden")) and _AGAIN.search(said) is not None)
    return is_felt and not _UNHARMED.search(said) and not _WISH.search(said) and not _CONDITION.match(said) and not found & words("future")


_AGAIN = re.compile(r"\b(?:times|twice|again|still|already|every (?:day|morning|night|week|time)|by hand|gone)\b|[€£$] ?\d", re.IGNORECASE)
_UNHARMED = re.compile(r"\bnothing\b|\b(?:no|not|never|without|\w+n't) (?:\w+ )?(?:lost|loss|wrong|late|failed|broken)\b", re.IGNORECASE)
_WISH = re.compile(
    r"\b(?:i|we)(?:'d| would| should|'ll| will)? (?:\w+ )?(?:like|want|need|prefer|propose|suggest|ask|hope|wish|expect|rather|believe|know|keep|can|could)\b",
    re.IGNORECASE,
)


_WITH_VERB = frozenset("i'm we're i've we've i'd we'd i'll we'll it's there's that's they're".split())


def _score(said: str) -> float:
    found = frozenset(tokens(said))
    score = 1.0 * bool(found & words("event")) + 0.6 * bool(found & words("negation")) + 0.6 * bool(found & words("first_person"))
    score += 0.9 * any(char.isdigit() for char in said) + 0.4 * bool(found & words("people")) + 0.3 * bool(found & words("time"))
    score -= 1.5 * bool(_CONDITION.match(said)) + 0.4 * bool(_ABOUT_THEMSELVES.match(said))
    score -= 1.5 * ("(" in said) + 1.5 * (_POINTS.search(said) is not None) + 1.5 * (_UNHARMED.search(said) is not None)
    return score - 0.12 * max(0, len(said.split()) - 16) - 0.3 * (len(said.split()) < 6)


def goes_on(said: str) -> bool:
    """Whether it can follow "you write that": its capital marked a sentence, and nothing else."""
    first = uncapitalised(turned(said) or said)[:1]
    return not _CONDITION.match(said) and (first.islower() or first.isdigit())


def is_of_them(said: str) -> bool:
    """What they did or have, named before anything else: it can be told to them as it is, where what they think of something else wants a "you write that"."""
    return bool(frozenset(tokens(said)[:_SUBJECT]) & words("first_person"))
