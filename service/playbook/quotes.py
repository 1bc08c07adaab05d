"""Which of the buyer's own words to give back: one short clause, exactly as it stands in their message.

A clause is left out rather than bent: nothing that would turn a condition or a doubt into a statement, no irony, no insult,
no third person's name, no private matter, nothing that is not plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from uuid import UUID

import yaml

from service.signals import Evidence, Quote

MIN_WORDS, MAX_WORDS = 2, 12
ENOUGH_WORDS, COMMON_SHARE = 6, 8
"""In a text of so many words, at least one in eight is a common English one, or it is in a language that we do not know."""
_WORD = re.compile(r"[\w]+(?:['’.:,-]\w+)*%?")
_STOP = re.compile(r"[.!?…;:]+(?=\s|$)|\s[-–—]+\s|[()]|\n\s*\n|,(?=\s)")
_JOINT = re.compile(r"\b(?:and|but|so)\b", re.I)
_OPENING = re.compile(r"\b(?:because|when)\b", re.I)
_DANGLING = frozenset("in at on for with without of to by from as than which who whose into onto per via until since".split())
"""A clause from the middle of a sentence that begins with one of these hangs in the air."""
_ENDING = re.compile(r"\b(?:because|while|unless|if|except)\b", re.I)
_SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)|\n\s*\n")
# Anything a mail program, a CRM or a reader could take for more than words.
_NOT_PLAIN = re.compile(r"[\"“”„«»{}<>\[\]\\|`~^*_=#@•\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\x00-\x08\x0b-\x1f]|https?:|www\.|!!|\?\?")
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,40}\b(?:instruction|prompt|rule|above|previous|prior)|\bsystem prompt\b|\byou are now\b"
    r"|\bas an ai\b|\{\{|\{%|\{!|<script|<!--|\bset (?:the )?(?:health|risk|churn|priority|score)\b|=(?:HYPERLINK|IMPORT|cmd\|)",
    re.I | re.S,
)
_NAMES_SAID = re.compile(r"\b[A-Z][a-z]+ (?:said|says|told|asked|asks|thinks|wants|promised|wrote|from|in|at)\b")
_CALENDAR = frozenset(
    "I I'm I've I'd I'll Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July"
    " August September October November December Q1 Q2 Q3 Q4".split()
)


@dataclass(frozen=True, slots=True)
class Picked:
    """A clause and the evidence it lies in. `text` is for checking and for choosing words around it; it is never stored."""

    quote: Quote
    text: str
    evidence: Evidence


@cache
def lists() -> dict[str, frozenset[str]]:
    text = (files("service.playbook") / "rules" / "quote_words.yaml").read_text(encoding="utf-8")
    return {name: frozenset(line.split()) for name, line in yaml.safe_load(text).items()}


def holds_instruction(text: str) -> bool:
    """True for text that talks to a machine rather than to a person."""
    return _INSTRUCTION.search(text) is not None


def is_english(text: str) -> bool:
    tokens = [token.lower() for token in _WORD.findall(text)]
    if sum(char.isalpha() and not char.isascii() for char in text) * 4 > len(text):
        return False
    foreign = sum(token in lists()["other_languages"] and token not in lists()["english"] for token in tokens)
    english = sum(token in lists()["english"] for token in tokens)
    return (english > 2 * foreign and english * COMMON_SHARE >= len(tokens)) or (foreign == 0 and len(tokens) < ENOUGH_WORDS)


def pick(evidence: Sequence[Evidence], writer: UUID | None, known_names: frozenset[str], *, question: bool = False) -> Picked | None:
    """The best clause among those this writer wrote; None when there is none that may be quoted."""
    best: tuple[float, Picked] | None = None
    for item in evidence:
        if item.type != "buyer_message" or item.contact_id is None or item.contact_id != writer:
            continue
        for start, end in clauses(item.text or "", question=question):
            found = _as_picked(item, start, end)
            if found and _may_be_quoted(found.text, item.text or "", start, known_names):
                score = _score(found.text, whole=_is_sentence(item.text or "", start, end))
                if best is None or score > best[0]:
                    best = (score, found)
    return best[1] if best else None


def _as_picked(item: Evidence, start: int, end: int) -> Picked | None:
    """None when offsets and text disagree: then we do not know what we would be quoting."""
    text = item.text or ""
    if item.interaction_id is None or item.start is None or item.end is None or item.end - item.start != len(text):
        return None
    quote = Quote(interaction_id=item.interaction_id, start=item.start + start, end=item.start + end)
    return Picked(quote=quote, text=text[start:end], evidence=item)


def clauses(text: str, *, question: bool = False) -> Iterator[tuple[int, int]]:
    """Every stretch of 2 to 12 words that starts and ends where a reader would pause."""
    bounds = [0, *(m.end() for m in _SENTENCE_END.finditer(text)), len(text)]
    for first, last in pairwise(bounds):
        yield from _within(text, first, last, question=question)


def _within(text: str, first: int, last: int, *, question: bool) -> Iterator[tuple[int, int]]:
    sentence = text[first:last]
    if question != sentence.rstrip().endswith("?"):
        return
    starts = {0, *(m.end() for m in _STOP.finditer(sentence)), *(m.end() for m in _JOINT.finditer(sentence))}
    ends = {len(sentence), *(m.start() for m in _STOP.finditer(sentence)), *(m.start() for m in _JOINT.finditer(sentence))}
    if question:  # half a question is another question
        starts, ends = {0, *(m.end() for m in _STOP.finditer(sentence) if m.group().strip() != ",")}, {len(sentence)}
    else:
        starts |= {m.start() for m in _OPENING.finditer(sentence)}
        ends |= {m.start() for m in _ENDING.finditer(sentence)}
    spans = {_trimmed(sentence, a, b, question=question) for a in starts for b in ends if b > a}
    for a, b in sorted(spans):
        if MIN_WORDS <= len(sentence[a:b].split()) <= MAX_WORDS and not _bends(sentence, a, b):
            yield first + a, first + b


def _trimmed(sentence: str, a: int, b: int, *, question: bool) -> tuple[int, int]:
    """Without outer punctuation and a leading "and"; a question keeps its mark."""
    lead = re.match(r"[\s,;:.\-–—()'’]*(?:(?:and|but|so|or)\b[\s,]*)?", sentence[a:b], re.I)
    a += lead.end() if lead else 0
    while b > a and (sentence[b - 1].isspace() or sentence[b - 1] in ",;:.!…-–—()" or (sentence[b - 1] == "?" and not question)):
        b -= 1
    return a, b


def _bends(sentence: str, a: int, b: int) -> bool:
    """Would the clause alone say something else than the sentence? Then it is not theirs any more."""
    before = {token.lower() for token in _WORD.findall(sentence[:a])}
    first = next(iter(_WORD.findall(sentence[a:b])), "").lower()
    if before and first in _DANGLING:
        return True
    after = [token.lower() for token in _WORD.findall(sentence[b:])]
    words = lists()
    return bool(before & (words["condition"] | words["negation"])) or bool(after and after[0] in words["reversing"])


def _is_sentence(text: str, start: int, end: int) -> bool:
    return (start == 0 or text[:start].rstrip()[-1:] in ".!?…\n" or not text[:start].strip()) and (text[end:].lstrip()[:1] in ".!?…" or not text[end:].strip())


def _may_be_quoted(clause: str, text: str, start: int, known_names: frozenset[str]) -> bool:
    tokens = [token.lower() for token in _WORD.findall(clause)]
    words = lists()
    if _NOT_PLAIN.search(clause) or holds_instruction(text) or clause.isupper() or not any(char.isalpha() for char in clause):
        return False
    if any(token in words["irony"] | words["insult"] | words["sensitive"] | words["closing"] for token in tokens):
        return False
    return not _names_somebody(clause, at_start=not text[:start].strip() or text[:start].rstrip()[-1] in ".!?…", known=known_names)


def _names_somebody(clause: str, *, at_start: bool, known: frozenset[str]) -> bool:
    tokens = clause.split()
    if _NAMES_SAID.match(clause):
        return tokens[0] not in {"We", "They", "You", "He", "She", "It", "Nobody", "Everyone", "Finance", "Legal"}
    later = tokens[1:] if at_start else tokens
    names = (token.strip(".,;:!?'’").removesuffix("'s").removesuffix("’s") for token in later)
    return any(name[:1].isupper() and not name.isupper() and name not in _CALENDAR and name not in known for name in names)


def _score(clause: str, *, whole: bool) -> float:
    tokens = [token.lower() for token in _WORD.findall(clause)]
    words = lists()
    score = 2.0 * any(token in words["event"] for token in tokens)
    score += 1.0 * any(token in words["first_person"] for token in tokens)
    score += 1.0 * any(any(char.isdigit() for char in token) for token in tokens)
    score += 0.8 * any(token in words["time"] for token in tokens) + 0.6 * any(token in words["people"] for token in tokens)
    score += 0.8 * whole + 0.5 * clause.endswith("?") + 0.8 * (tokens[0] in words["subject"])
    return score - 0.9 * (len(tokens) < 4) - 0.2 * max(0, len(tokens) - 10)
