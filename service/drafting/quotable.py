"""Which of the buyer's words to give back in a language whose grammar the engine does not take apart: sentences, and what stands between their commas.

They are quoted as they stand and never woven in. Left out is the same as in English: what would turn a condition or a denial into a statement,
irony, insults, private matters, and what is not plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.critic import lexicon as critic
from service.critic.wording import Wording
from service.drafting.clauses import FEW_WORDS, QUOTED, Clause, is_plain, overlap
from service.drafting.lexicon import any_of, expression, lowered, of_language, sentences_of, speaks, tokens
from service.drafting.unsafe import is_unsafe

Span = tuple[int, int]
_PAUSE = re.compile(r",(?=\s)|[;:…]+(?=\s|$)|\s[-–—]\s|[()]")
_TRAIL = " \t,;:.!…-–—()"
_SENSITIVE, _PRAISE = "sensitive", "praise"


def ranked(evidence_id: str, text: str, spans: Sequence[Span], weighty: Sequence[Span], lang: str) -> list[Clause]:
    """The weightiest first. `spans`: the own words within `text`. `weighty`: stretches that carried the verdict on the message."""
    few = sum(len(text[s:e].split()) for s, e in spans) < FEW_WORDS
    found = [c for span in spans for c in _of(evidence_id, text, span, weighty, lang, least=2 if few else QUOTED[0])]
    return sorted(found, key=lambda c: (-c.score, c.start, c.end))


def _of(evidence_id: str, text: str, span: Span, weighty: Sequence[Span], lang: str, *, least: int) -> Iterator[Clause]:
    first, last = Wording(text[span[0] : span[1]]).body
    for s, e in sentences_of(text[span[0] + first : span[0] + last], lang):
        at = span[0] + first + s
        sentence = text[at : span[0] + first + e]
        if sentence.rstrip("\"' )").endswith("?") or not is_plain(sentence):
            continue
        for a, b in _bounds(sentence, lang):
            clause = sentence[a:b]
            is_sentence = b >= len(sentence.rstrip(_TRAIL)) and not sentence[:a].strip()
            if least <= len(clause.split()) <= QUOTED[1] and may_be_said(clause, lang) and (is_sentence or _stands_alone(sentence, a, b, lang)):
                score = _score(clause, lang, is_sentence=is_sentence) + 2.5 * overlap((at + a, at + b), weighty)
                yield Clause(round(score, 4), evidence_id, at + a, at + b, clause)


def _bounds(sentence: str, lang: str) -> list[Span]:
    """Runs of the parts between pauses, without the word that joins them to what came before."""
    pauses = [m.span() for m in _PAUSE.finditer(sentence)]
    if len(sentence.split()) > QUOTED[1]:
        pauses += [m.span() for m in re.finditer(rf"\s(?={of_language(lang)['joined']}\s)", sentence)]
    starts, ends = [0, *(end for _, end in pauses)], [*(start for start, _ in pauses), len(sentence)]
    return sorted({_trimmed(sentence, a, b, lang) for n, a in enumerate(starts) for b in ends[n:]})


def _trimmed(sentence: str, a: int, b: int, lang: str) -> Span:
    while a < b and (sentence[a].isspace() or sentence[a] in _TRAIL):
        a += 1
    joint = any_of("lead", lang).match(lowered(sentence[a:b]))
    if joint and sentence[a + joint.end() : a + joint.end() + 1] == " ":
        a += joint.end() + 1
    while b > a and (sentence[b - 1].isspace() or sentence[b - 1] in _TRAIL):
        b -= 1
    return a, b


def _stands_alone(sentence: str, a: int, b: int, lang: str) -> bool:
    """Has a verb, hangs on nothing that was cut off, and says alone what it says in its sentence."""
    before, inner, after = (lowered(part).strip(_TRAIL) for part in (sentence[:a], sentence[a:b], sentence[b:]))
    if any_of("dangling", lang).match(inner) or any_of("condition", lang).match(inner):
        return False
    if any_of("condition", lang).search(before) or any_of("negation", lang).search(before) or any_of("reversing", lang).match(after):
        return False
    return bool(any_of("finite", lang).search(inner)) or any(expression("verb", lang).fullmatch(token) for token in tokens(inner)[1:])


def may_be_said(clause: str, lang: str) -> bool:
    low = lowered(clause)
    return (
        not critic.pattern("insult", lang).search(low)
        and not any(critic.expressions("checks", name, lang).search(low) for name in (_SENSITIVE, _PRAISE))
        and not any_of("closing", lang).match(low)
        and not set(clause) & set(":;?")
        and is_plain(clause)
        and not is_unsafe(clause)
        and any(char.isalpha() for char in clause)
        and speaks(clause, lang)
    )


def _score(clause: str, lang: str, *, is_sentence: bool) -> float:
    found = tokens(clause)
    score = 0.8 * bool(any_of("first_person", lang).search(lowered(clause))) + 0.8 * any(char.isdigit() for char in clause)
    score += 0.5 * bool(any_of("negation", lang).search(lowered(clause))) + 0.9 * is_sentence
    return score - 0.9 * (len(found) < 4) - 0.15 * max(0, len(found) - 9)
