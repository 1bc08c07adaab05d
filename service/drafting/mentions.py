"""What a message speaks of: its topic, the people it answers to, departments, a time it waits for. By offsets, for these are the buyer's words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ml.expressions import Pattern
from service.critic import lexicon
from service.critic.wording import lowered
from service.drafting.calendar import MONTHS, WEEKDAYS
from service.drafting.clauses import may_be_said
from service.drafting.lexicon import WORD, any_of, words
from service.drafting.shift import shifted, turned

MOST_TOPIC_WORDS, MOST_DEPARTMENTS = 3, 6
_AUDIENCE = re.compile(
    r"\b(?:the|our|my) (?:[a-z]+ )?(?:board|council|trustees|committee|management|directors?|boss|cfo|ceo|coo|partners"
    r"|auditors?|dean|chair|treasurer|governors|vestry|wardens"
    r"|headmaster|head teacher|bursar|owners?|shareholders|minister|abbot|landlord|curator|founder)\b",
    re.IGNORECASE,
)
_WAIT = re.compile(
    r"\b(?:until|till|after|before|not before|once) ((?:the |our |my |we finish the )?(?:[a-z]+ )?(?:harvest|season|audit"
    r"|move|exams?|festival|fair|holidays|summer|winter|spring|autumn|easter"
    r"|christmas|new year|budget round|inventory|stocktake|year end|quarter end|opening|launch|merger|election"
    rf"|{MONTHS}))\b",
    re.IGNORECASE,
)
_DATE = (
    rf"(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{MONTHS})\b|(?:{MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?\b|the \d{{1,2}}(?:st|nd|rd|th)\b"
    rf"|(?:{WEEKDAYS}|easter|christmas|new year|candlemas|ramadan|diwali)\b"
)
_DEADLINE = re.compile(rf"\b(?:by|before|until|till|not later than|latest) ({_DATE})(?! \d)", re.IGNORECASE)
_APPOINTED = re.compile(
    rf"\b(?:present|report|decides?|meets?|meeting|(?:is|are|falls) due|votes?|inspection|inspector|opens?|starts?|begins?|board|council|committee|hand in"
    rf"|deliver\w*)\b"
    rf"[^.?!;]{{0,60}}? on ({_DATE})(?! \d)",
    re.IGNORECASE,
)
_SUM = re.compile(r"(?<![\w.,])(?:[€£$] ?\d[\d.,]*\d|(?:EUR|USD|GBP) \d[\d.,]*\d|\d[\d.,]* (?:euros?|pounds|dollars))(?![\w%])", re.IGNORECASE)
_LEADING = re.compile(r"\b(?:the|our|my|this|these)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mention:
    evidence_id: str
    start: int
    end: int
    text: str


def topic(evidence_id: str, text: str, spans: Sequence[tuple[int, int]], weighty: Sequence[tuple[int, int]]) -> Mention | None:
    """The noun phrase that the message turns on; None where none can be told for sure."""
    found = [m for s, e in spans for m in _noun_phrases(evidence_id, text, s, e)]
    counts = Counter(m.text.split()[-1].lower() for m in found)

    def weight(m: Mention) -> float:
        inside = any(s <= m.start < e for s, e in weighty)
        return 1.2 * inside + 0.8 * (counts[m.text.split()[-1].lower()] - 1) + 0.5 * (len(m.text.split()) > 2) - m.start / 2_000

    return max(found, key=weight, default=None)


def _noun_phrases(evidence_id: str, text: str, first: int, last: int) -> Iterator[Mention]:
    tokens = [(m.group(), m.start(), m.end()) for m in WORD.finditer(text, first, last)]
    for at, (word, start, _) in enumerate(tokens):
        if word.lower() not in {"the", "our", "my"} or not _opens_clause(text, start, first):
            continue
        end, said = None, list[str]()
        for n in range(at + 1, min(at + 2 + MOST_TOPIC_WORDS, len(tokens))):
            following, a, b = tokens[n]
            if text[tokens[n - 1][2] : a].strip() or _ends_phrase(following) or (said and _is_verb(following)):
                break
            said, end = [*said, following.lower()], b
        if end is None or len(said) > MOST_TOPIC_WORDS or not _is_topic(said, text, end, last):
            continue
        phrase = text[start:end]
        if may_be_said(phrase) and shifted(phrase):
            yield Mention(evidence_id, start, end, phrase)


def _opens_clause(text: str, start: int, first: int) -> bool:
    """A subject, as far as one can tell: nothing of its clause stands before it."""
    before = text[max(first, start - 12) : start].rstrip(" ")
    return not before or before[-1] in ".!?\n,:;" or before.lower().endswith((" and", " but", " so", " that", " because", " when", " if"))


def _ends_phrase(word: str) -> bool:
    low = word.lower().replace("’", "'")
    return low in words("boundary") or low in words("determiner") or any(char.isdigit() for char in low)


def _is_verb(word: str) -> bool:
    low = word.lower()
    return low in words("finite") or low in words("event") or (low.endswith(("ed", "ing")) and len(low) > 4) or low.endswith("ly")


def _is_topic(said: Sequence[str], text: str, end: int, last: int) -> bool:
    """Ends on a noun as far as one can tell: what follows is a pause, or a word that no noun phrase goes on with."""
    if said[-1] in words("bare") or _is_verb(said[-1]) or said[-1].endswith(("'s", "’s", "ous", "ful", "ive", "less", "est", "er's")) or len(said[-1]) < 3:
        return False
    after = WORD.match(text, end + 1, last) if text[end : end + 1] == " " else None
    return after is None or _ends_phrase(after.group()) or _is_verb(after.group())


def audience(evidence_id: str, text: str, spans: Sequence[tuple[int, int]], lang: str) -> Mention | None:
    """Whom they answer to, where they say so."""
    return _first(_AUDIENCE if lang == "en" else any_of("audience", lang), evidence_id, text, spans)


def waits_for(evidence_id: str, text: str, spans: Sequence[tuple[int, int]]) -> Mention | None:
    return _first(_WAIT, evidence_id, text, spans, group=1)


def deadline(evidence_id: str, text: str, spans: Sequence[tuple[int, int]]) -> Mention | None:
    """The day by which something has to be, or on which they have to answer for it."""
    return _first(_DEADLINE, evidence_id, text, spans, group=1) or _first(_APPOINTED, evidence_id, text, spans, group=1)


_BLOW = re.compile(
    r"\b(?:the|our) (?:layoffs?|redundancies|flood|earthquake|fire|storm|hurricane|cyclone|funeral|accident)\b"
    r"(?! (?:alarm|safety|risk|officer|brigade|drill|rules?|reports?|regulations?|code|doors?|exits?|insurance|inspect\w+|service|station|truck|watch))",
    re.IGNORECASE,
)


def blow(evidence_id: str, text: str, spans: Sequence[tuple[int, int]]) -> Mention | None:
    """What befell them, by its plain name."""
    return _first(_BLOW, evidence_id, text, spans)


def sum_of_money(evidence_id: str, text: str, spans: Sequence[tuple[int, int]]) -> Mention | None:
    """The only one that they name."""
    named = {m.group() for s, e in spans for m in _SUM.finditer(text, s, e)}
    return _first(_SUM, evidence_id, text, spans) if len(named) == 1 else None


def _first(pattern: re.Pattern[str], evidence_id: str, text: str, spans: Sequence[tuple[int, int]], group: int = 0) -> Mention | None:
    for s, e in spans:
        match = pattern.search(text, s, e)
        if match and turned(match.group(group)):
            return Mention(evidence_id, *match.span(group), match.group(group))
    return None


_JOINT = re.compile(r"^(?:and|or|our|the) ", re.IGNORECASE)


def departments(texts: Sequence[str], lang: str) -> list[str]:
    """As the messages name them, each once, in the order of appearance."""
    patterns: list[tuple[Pattern | re.Pattern[str], int]] = [(lexicon.named("departments", lang), 0)]
    if lang == "en":
        patterns.append((lexicon.expressions("departments", "subjects", "any"), 1))
    found: list[str] = []
    for text in texts:
        spans = sorted(m.span(group) for pattern, group in patterns for m in pattern.finditer(lowered(text)))
        names = [_JOINT.sub("", text[s:e].strip()) for s, e in spans]
        found += [name for name in names if name and (name.lower() != "it" or name == "IT") and "'s " not in name and "n't" not in name]
    return list({name.split()[-1].lower(): name for name in reversed(found)}.values())[::-1][:MOST_DEPARTMENTS]
