"""Whether what the buyer asked is answered: by what a record says to it, or at least by taking it up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ml.expressions import Pattern
from service.critic import lexicon
from service.critic.case import Case
from service.critic.quantities import quantities
from service.critic.reckoning import unit_behind
from service.critic.wording import lowered, tokens

Breach = tuple[int, int, str]
Roots = frozenset[str]


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


_LETTERS = 5
_ENDING = re.compile(r"(?:'s|ing|ied|ies|ed|es|s|e)$")
_RECORDS = ("ticket", "project", "incident", "product", "quote", "contract", "billing", "crm_note", "usage")
_PARTS = re.compile(
    r",? (?:and|und|et|y|e|plus) (?=(?:who|what|when|where|which|how|why|does|do|did|is|are|can|could|will|wer|was|wann|wie|wo|qui|que|quand|comment|où|combien"
    r"|qué|quién|cuánt\w+|cuándo|cómo|dónde|quem|quando|como|onde|quanto)\b)"
)
_SENTENCES = re.compile(r"(?<=[.;!?])\s+")
_CLOSED = re.compile(
    r"\W*(?:(?:and|so|hi|hello|but|or) )*"
    r"(?:is|are|was|were|do|does|did|can|could|will|would|has|have|should|may|est-ce|ist|sind|wird)\b"
)
_WHO = re.compile(
    r"^\W*(?:and |but |so )?who(?:m|se)?\b"
    r"|\bwho (?:is|will|does|do|did|decides?|touches|owns|pays|checks|looks?|has|can)\b"
)
_REQUEST = re.compile(
    r"\b(?:can|could|will|would|may|might|shall|should) (?:we|you|i)\b|\b(?:kann|können|könnten|puis|peut|pouvez|pourriez|puede|podría|pode|poderia)\w*\b"
)
"""Wants something done, which other words may do."""
_EITHER = re.compile(r"(\w+),? or (?:an? |the |not )?(\w+)")
_HOW_MUCH = re.compile(r"\bhow (?:long|much|many|often|big)\b|\bwhen\b|\bwhat (?:date|day|time|price|does it cost)\b")
_NAMED = re.compile(r"(?<![.:] )(?<!^)\b[A-Z][a-zà-ÿ]+\b|\b[A-Z][a-zà-ÿ]+(?= [A-Z][a-z]+)")
_COURTESY = frozenset(
    "please dear hi hello thanks thank regards quick one know tell say could anything give happens happen morning get got need would like want really"
    " actually mean bitte hallo guten tag danke merci bonjour puede decir favor hola gracias por obrigado olá pode dizer".split()
)
_LEAST_SPECIFIC = 2
"""Words of a question from which its being passed over can be told."""
_LEAST_NEWS = 2


def unanswered(case: Case) -> Iterator[Breach]:
    """The first question, or part of one, that is passed over."""
    for question in case.said.questions:
        for part in _PARTS.split(question):
            why = _passed_over(case, part)
            if why is not None:
                yield (*case.text.body, "“" + " ".join(part.split())[:80] + f"” is not answered{why}")
                return


_ON_RECORD = ", and the answer is on record"


def _passed_over(case: Case, part: str) -> str | None:
    """None, or what to say beyond that."""
    if _misses_what_is_known(case, part):
        return _ON_RECORD
    asked = _asked(case, part)
    record = _best_record(case, part)
    if record is not None:
        return _ON_RECORD if _is_untold(case, record, asked) and not _names_one(case, part) else None
    if len(asked) < _LEAST_SPECIFIC or not _is_closed(case, part) or asked & _said(case):
        return None
    is_answered = _list("open", case.lang).search(case.text.ours) or _YES_OR_NO.search(case.text.ours, *case.text.body) or _figures_told(case, part)
    return None if is_answered else ""


def _is_closed(case: Case, part: str) -> bool:
    """Asks for a yes or a no."""
    asked = lowered(part)
    if _REQUEST.search(asked):
        return False
    return _CLOSED.match(asked) is not None if case.lang == "en" else _list("opens").match(asked) is None


def _root(word: str) -> str:
    """By which forms of one word are told to be the same: moving, move."""
    bare = _ENDING.sub("", word) if len(word) > _LETTERS - 1 else word
    return bare[:_LETTERS]


def _roots(case: Case, text: str) -> Roots:
    return _roots_of(text, case.lang)


@lru_cache(maxsize=512)
def _roots_of(text: str, lang: str) -> Roots:
    stop = lexicon.words("stop", lang)
    return frozenset(_root(t.word) for t in tokens(text) if t.word not in stop and t.word not in _COURTESY)


def _asked(case: Case, part: str) -> Roots:
    """What it is about, without what the rest of the message speaks of as well."""
    words = _roots(case, part)
    return words - _roots(case, case.said.own.replace(part, " ")) or words


def _said(case: Case) -> Roots:
    """In the body, but for a question at its end."""
    told = [s for s in case.text.sentences if s not in case.text.questions[-1:]]
    return frozenset(root for span in told for root in _roots(case, case.text.text[slice(*span)]))


def _best_record(case: Case, part: str) -> str | None:
    """The sentence on record that shares most with the question, with news in it."""
    about = _roots(case, part)
    least = 1 if len(about) <= _LEAST_SPECIFIC else _LEAST_SPECIFIC
    own = _roots(case, case.said.own)
    found = [(len(_roots(case, s) & about), s) for text in case.said.texts(*_RECORDS) for s in _SENTENCES.split(text)]
    usable = [(shared, s) for shared, s in found if shared >= least and len(_roots(case, s) - own) >= _LEAST_NEWS]
    return max(usable, key=lambda one: one[0])[1] if usable else None


def _is_untold(case: Case, record: str, asked: Roots) -> bool:
    """Neither a figure nor a word of its news stands in the draft, and what was asked is not taken up."""
    news = _roots(case, record) - _roots(case, case.said.own)
    figures = {q.value for q in quantities(record, case.lang) if q.kind in ("number", "word", "time", "weekday")}
    told = {q.value for q in quantities(case.text.text, case.lang) if q.kind in ("number", "word", "time", "weekday")}
    said = _said(case)
    return not news & said and not figures & told and not (asked & said and _is_settled(case))


def _names_one(case: Case, part: str) -> bool:
    """Of two things that they set against one another."""
    either = _EITHER.search(lowered(part))
    return either is not None and any(t.word in either.groups() for t in case.text.tokens)


def _is_settled(case: Case) -> bool:
    return _SAYS_YES_OR_NO.search(case.text.ours, *case.text.body) is not None or _list("open", case.lang).search(case.text.ours) is not None


def _misses_what_is_known(case: Case, question: str) -> bool:
    """Who, and no name on record stands in the draft; how long, and none of the figures that go with it does."""
    asked = lowered(question)
    if case.lang != "en" or _list("open", "en").search(case.text.ours):
        return False
    records = case.said.texts("ticket", "project", "incident", "product", "quote", "contract", "billing")
    if _WHO.search(asked):
        return _misses_names(case, [*records, *case.said.texts("crm_note")])
    if not _HOW_MUCH.search(asked):
        return False
    about = case.footing.stems([question])
    parts = [part for text in records for part in _SENTENCES.split(text) if case.footing.stems([part]) & about]
    known = {one for part in parts for one in _measures(part, case.lang)}
    known = {one for one in known if one[0] != "month"} or known
    return bool(known) and not known & set(_measures(case.text.text, case.lang))


def _measures(text: str, lang: str) -> Iterator[tuple[str, float, str | None]]:
    """Kind, value and unit of time; with a unit, a number is the same however it is written."""
    for q in quantities(text, lang):
        unit = unit_behind(lowered(text), q.end, lang) if q.kind in ("number", "word") else None
        if q.kind != "code":
            yield ("length" if unit else q.kind, q.value, unit)


def _misses_names(case: Case, records: Sequence[str]) -> bool:
    names = {m[0].lower() for text in records for m in _NAMED.finditer(text) if not quantities(m[0], case.lang)}
    names = {n for n in names if n not in case.said.own_lower and n[:_LETTERS] not in case.footing.people}
    return bool(names) and not any(n in case.text.lower for n in names) and not re.search(r"\b(?:nobody|no one|ask)", case.text.lower)


def _figures_told(case: Case, question: str) -> bool:
    """A number of the question, which asks whether it will do."""
    wanted = {q.value for q in quantities(question, case.lang) if q.kind in ("number", "time", "weekday")}
    return bool(wanted & {q.value for q in quantities(case.text.text, case.lang)})


_SAYS_YES_OR_NO = re.compile(
    r"(?:^|[.!?,:;\n]\s*)(?:(?:and|so|on paper|in short|plainly|to answer you|your answer),?:? )*"
    r"(?:yes|no|not yet|it does|they do|we do|i do|done|sure|ja|nein|oui|non|sí|sim|não)\b"
    r"(?=[.,:;!\n ])(?! (?:one|need|wonder|reply|answer|date|reason|hurry|longer|more|matter))",
    re.MULTILINE,
)
_YES_OR_NO = re.compile(rf"{_SAYS_YES_OR_NO.pattern}|^\W*(?:it is|it.s)\b", re.MULTILINE)
