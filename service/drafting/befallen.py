"""What befell them that is no doing of ours: money cut, a customer or a harvest lost. Who reads it says first that they are sorry about it, in their words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml.text import sentences
from service.drafting import retold
from service.drafting.asides import is_of_learner
from service.drafting.lexicon import WORD, tokens, words
from service.drafting.retold import Message
from service.drafting.shift import turned

Span = tuple[int, int]
MOST = 2
LONGEST = 20
"""Words of a clause behind "I'm sorry to read that"."""
_STRUCK = re.compile(
    r"\b(?:(?:has|have|had|was|were|is|are|been)(?: [a-z]+)?"
    r" (?:cut|halved|reduced?|frozen|slashed|withdrawn|stopped|down|gone|lost|suspended|dropped|cancelled)"
    r"|cuts?|halved|reduced|froze|slashed|withdrew|pulled out|closes|(?:is|are) closing|leaves|left us|lost|took|destroyed|fell|dropped|shrank"
    r"|go(?:es)? under)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:[^,:]{0,60}\b(?:(?:tell|inform|say to|write) (?:to )?you that|bad news[^:,]*|(?:it is|it's) (?:difficult|hard))[:,]? (?=\w+ )|[^:]{3,40}: (?=\w+ \w)"
    r"|(?:well|so|and|but|as you know|unfortunately|sadly),? )+",
    re.IGNORECASE,
)
"""What only says that news comes."""
_MORE = re.compile(
    r", (?:so|and|but|which|yours|mine|\d|s?he|they|we|i)\b|,? and (?:so|that|therefore|i|we|all|from|everyone)\b|,? so (?:we|i)\b"
    r"|; | [-–] | \(|,? (?:but|because|as) ",
    re.IGNORECASE,
)
"""Where another clause begins."""
_YOU = re.compile(r"\b(?:you|your|yours|u|ur)\b", re.IGNORECASE)
_POINTS = re.compile(r"(?:if|when|by|the only|s?he|it|they|this|that|these|those|you)\b", re.IGNORECASE)


def befallen(message: Message) -> list[Span]:
    """Clauses within the text of a message, in their order."""
    return [] if is_of_learner(message.text) else [*_clauses(message)][:MOST]


def _clauses(message: Message) -> Iterator[Span]:
    for first, last in message.spans:
        for start, end in sentences(message.text[first:last]):
            span = _clause(message.text, first + start, first + end)
            if not message.text[first + start : first + end].rstrip().endswith("?") and _is_blow(message, message.text[slice(*span)]):
                yield span


def _clause(text: str, start: int, end: int) -> Span:
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    more = _MORE.search(text, start, end)
    said = text[start : more.start() if more else end]
    return start, start + len(said.rstrip(" .!\n"))


def _is_blow(message: Message, said: str) -> bool:
    return (
        _STRUCK.search(said) is not None
        and not words("livelihood").isdisjoint(tokens(said))
        and not (_YOU.search(said) or _POINTS.match(said))
        and len(said.split()) <= LONGEST
        and message.names.isdisjoint(WORD.findall(said))
        and retold.is_tellable(said)
        and retold.is_harmless(said)
        and not retold.is_wish(said)
        and turned(said) is not None
    )
