"""Which of the buyer's own words to give back: clauses exactly as they stand in their message, the weightiest first.

A clause is left out rather than bent: nothing that would turn a condition or a doubt into a statement, no irony, no insult, no private matter,
nothing that is not plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ml.text import sentences
from service.drafting.lexicon import has_verb, tokens, words
from service.drafting.orders import may_be_order
from service.drafting.unsafe import is_unsafe

QUOTED, WOVEN = (3, 12), (4, 14)
"""Words of a quotation and of a clause that is woven in, least and most."""
MOST_QUESTION_WORDS = 18
FEW_WORDS = 12
"""Of a message this short, two words are a quotation."""
_STOP = re.compile(r"(?<!\b[MD]r)(?<!\bMrs)(?<!\bMs)(?<!\bSt)(?<!\bProf)(?<!\b[A-Z])[.!?…;:]+(?=\s|$)|\s[-–—]+\s|[()]|\n\s*\n|,(?=\s)")
_JOINT = re.compile(r"\b(?:and|but|so)\b", re.IGNORECASE)
_OPENING = re.compile(r"\b(?:because)\b", re.IGNORECASE)
_ENDING = re.compile(r"\b(?:because|while|unless|if|except|which|so)\b", re.IGNORECASE)
_LEAD = re.compile(r"[\s,;:.\-–—()'’…]*(?:(?:and|but|so|or|because|also|plus|that)\b[\s,]*)?", re.IGNORECASE)
_TRAIL = ",;:.!…-–—()?"
# Anything a mail program, a CRM or a reader could take for more than words.
_NOT_PLAIN = re.compile(r"[\"“”„«»{}<>\[\]\\|`~^*_=#@•\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\x00-\x08\x0b-\x1f]|https?:|www\.|!!|\?\?|\n")
_NAMES_SAID = re.compile(r"\b[A-Z][a-z]+(?:, [^,]{3,60},)?(?: has| had)? (?:said|says|told|promised|wrote)\b")
_REST = re.compile(r"(?:the )?(?:other|others|same|latter|former|another|one|ones|rest)\b(?! of)", re.IGNORECASE)
"""What only the sentence before makes clear."""
_INTRODUCED = re.compile(r"\S+ here\b")
"""Who writes: it is no news to them."""
_PRONOUN_FIRST = re.compile(r"(?:it|this|that|they|he|she|these|those)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """`text` lies at `start` in the evidence."""

    score: float
    evidence_id: str
    start: int
    end: int
    text: str


def ranked(evidence_id: str, text: str, spans: Sequence[tuple[int, int]], weighty: Sequence[tuple[int, int]]) -> list[Clause]:
    """`spans`: the own words within `text`. `weighty`: stretches that carried the verdict on the message."""
    few = sum(len(text[s:e].split()) for s, e in spans) < FEW_WORDS
    found = [c for s, e in spans for c in _of(evidence_id, text, s, e, weighty, least=2 if few else QUOTED[0])]
    return sorted(found, key=lambda c: (-c.score, c.start, c.end))


def _of(evidence_id: str, text: str, first: int, last: int, weighty: Sequence[tuple[int, int]], *, least: int) -> Iterator[Clause]:
    for s, e in sentences(text[first:last]):
        sentence = text[first + s : first + e]
        if sentence.rstrip("\"' )").endswith("?") or not is_plain(sentence):
            continue
        for a, b in _bounds(sentence):
            clause, start = sentence[a:b], first + s + a
            if not least <= len(clause.split()) <= WOVEN[1] or _bends(sentence, a, b) or not may_be_said(clause):
                continue
            is_whole = _is_whole(clause)
            score = _score(clause, is_whole=is_whole, is_sentence=a == 0 and b >= len(sentence.rstrip(_TRAIL)))
            score += 2.5 * overlap((start, start + len(clause)), weighty)
            yield Clause(round(score, 4), evidence_id, start, start + len(clause), clause)


def _bounds(sentence: str) -> list[tuple[int, int]]:
    """Stretches that start and end where a reader would pause."""
    pauses = [m.span() for m in (*_STOP.finditer(sentence), *_JOINT.finditer(sentence))]
    starts = {0, *(end for _, end in pauses), *(m.start() for m in _OPENING.finditer(sentence))}
    ends = {len(sentence), *(start for start, _ in pauses), *(m.start() for m in _ENDING.finditer(sentence))}
    return sorted({_trimmed(sentence, a, b) for a in starts for b in ends if b > a})


def _trimmed(sentence: str, a: int, b: int) -> tuple[int, int]:
    lead = _LEAD.match(sentence, a, b)
    a = lead.end() if lead else a
    while b > a and (sentence[b - 1].isspace() or sentence[b - 1] in _TRAIL):
        b -= 1
    return a, max(a, b)


def _bends(sentence: str, a: int, b: int) -> bool:
    """Would the clause alone say something else than the sentence, or hang in the air?"""
    inner = tokens(sentence[a:b])
    is_cut = b < len(sentence.rstrip(_TRAIL + " "))
    if (
        not inner
        or (is_cut and inner[-1] in words("unfinished"))
        or (a and inner[0] in words("dangling") | words("finite"))
        or _REST.match(sentence[a:b])
        or _INTRODUCED.match(sentence[a:b])
    ):
        return True
    before, after = tokens(sentence[:a]), tokens(sentence[b:])
    if before and before[-1] in {"or", "nor"}:
        return True
    if before and before[-1] in {"that", "if", "whether", "to"} and set(before) & (words("condition") | words("negation")):
        return True
    return bool(set(before) & words("condition")) or bool(after and after[0] in words("reversing")) or bool(set(inner[:1]) & words("condition"))


def is_plain(text: str) -> bool:
    return not _NOT_PLAIN.search(text.rstrip("!?. ")) and not text.isupper()


def may_be_quoted(question: str) -> bool:
    """A question of theirs, word for word."""
    words = question.rstrip("?! ")
    return len(words.split()) <= MOST_QUESTION_WORDS and is_plain(words) and not is_unsafe(words) and not may_be_order(words)


def may_be_said(clause: str) -> bool:
    found = frozenset(tokens(clause))
    forbidden = words("irony") | words("insult") | words("sensitive") | words("closing") | words("thanks")
    return (
        not found & forbidden
        and not set(clause) & set(":;?")
        and is_plain(clause)
        and not _NAMES_SAID.search(clause)
        and not is_unsafe(clause)
        and any(char.isalpha() for char in clause)
    )


def _is_whole(clause: str) -> bool:
    found = tokens(clause)
    if not WOVEN[0] <= len(clause.split()) <= WOVEN[1] or found[0] not in words("subject") or "," in clause:
        return False
    return has_verb(found[1:7]) and not re.match(r"(?:this|that|it) (?:is|was)? ?(?:why|what|how)\b", clause, re.IGNORECASE)


def _score(clause: str, *, is_whole: bool, is_sentence: bool) -> float:
    found = tokens(clause)
    score = 1.5 * any(t in words("event") for t in found) + 0.8 * any(t in words("first_person") for t in found)
    score += 0.8 * any(any(char.isdigit() for char in t) for t in found)
    score += 0.5 * any(t in words("time") for t in found) + 0.5 * any(t in words("people") for t in found)
    score += 0.6 * is_sentence + 0.7 * is_whole - 1.5 * bool(_PRONOUN_FIRST.match(clause))
    return score - 0.9 * (len(found) < 4) - 0.15 * max(0, len(found) - 9)


def overlap(span: tuple[int, int], weighty: Sequence[tuple[int, int]]) -> float:
    """Share of the clause that lies in the weightiest stretches, of which the first counts most."""
    best = 0.0
    for rank, (s, e) in enumerate(weighty):
        shared = min(span[1], e) - max(span[0], s)
        if shared > 0:
            best = max(best, shared / (span[1] - span[0]) / (1 + 0.3 * rank))
    return best


def apart(chosen: Sequence[Clause]) -> list[Clause]:
    """Each stretch of the message once, the better first."""
    kept: list[Clause] = []
    for clause in chosen:
        if all(clause.evidence_id != k.evidence_id or clause.end <= k.start or clause.start >= k.end for k in kept):
            kept.append(clause)
    return kept
