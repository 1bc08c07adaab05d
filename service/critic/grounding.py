"""Whether what a draft claims is borne out by evidence: numbers, dates, names, acts, causes. By extraction alone, whoever wrote the draft."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from service.critic import lexicon
from service.critic.quantities import Quantity, quantities
from service.critic.said import Said
from service.critic.wording import Span, Wording, lowered, tokens

_SMALL = 4
"""Up to here a number word counts what the draft itself lays out: two versions, three rooms."""
_LEAST_SHARED = 10
"""Of smaller numbers nobody takes a percentage."""
_MOST_NUMBERS = 40
"""Of one clause."""
_WEEKS = (14, 21, 28)
"""Days that are also said in weeks."""
_SEPARATORS = re.compile(r"[,;:\n]| and | or | und | oder | et | ou | y | o | e ")
_NAME = re.compile(r"(?<![\w'’])(?!I['’])[A-ZÀ-ÖØ-Þ][\w'’-]*[a-zà-öø-ÿ][\w'’-]*")
_BEARER = re.compile(
    r"(?:^|(?<=[.!?;] )|(?<=\n))[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+(?: [A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+)?"
    r"(?= (?:(?:now|also|already) )?(?:(?:has|owns|carries|took|holds) (?:it|this|that|them|the (?:case|ticket|fix|file|matter))\b"
    r"|has (?:[A-Z]{1,5}-?\d|(?:reproduced|confirmed|requested|agreed|had|asked)\b)))"
    r"|(?<=[Oo]wner: )[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+|(?<=[Oo]wner is )[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+"
)
"""Somebody who is said to have the matter in hand."""
_BEGINS = re.compile(r"(?:^|[.!?:;…\n\"“”„«»'’‘()¿¡•*-])\s*$")
_TWO_NAMES = re.compile(
    r"(?:^|(?<=[.!?] )|(?<=\n))([A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+ [A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+)\b"
    r"(?= (?:has|is|owns|will|can|at|on|from|and|was|took|writes|looks|hat|a |est|lleva|tiene|tem|está))"
)


@dataclass(frozen=True, slots=True)
class Unsourced:
    start: int
    end: int
    why: str


def unsourced(text: Wording, said: Said, recipient: str | None, am: str | None, lang: str) -> list[Unsourced]:
    """What nothing in evidence bears out. Without any evidence nothing can be said."""
    if not said.evidence:
        return []
    found = [*_numbers(text, said, lang), *_names(text, said, (recipient, am), lang), *_claims(text, said, lang)]
    return sorted(found, key=lambda u: u.start)


def _numbers(text: Wording, said: Said, lang: str) -> Iterator[Unsourced]:
    known = _known(said, lang)
    counts = _counts(text, said)
    start, end = text.body
    for q in quantities(text.text, lang):
        if not start <= q.start < end or text.is_quoted(q.start):
            continue
        if not _is_any(q, text) and not _is_borne(q, text, said, known, counts, lang):
            yield Unsourced(q.start, q.end, f"“{text.text[q.start : q.end]}” is in no evidence")


@dataclass(frozen=True)
class _Known:
    values: frozenset[float]
    derived: frozenset[float]
    """What follows from two numbers of one clause."""
    lengths: frozenset[float]
    """Hours and minutes between two times of one clause."""
    times: frozenset[float]
    months: frozenset[float]
    weekdays: frozenset[float]


_OURS = ("ticket", "usage", "billing", "quote", "contract", "product", "incident", "project", "crm_note", "offer")
_CLAUSES = re.compile(r"[;\n]|[.!?](?=\s|$)")
_CUE = re.compile(
    r"\b(?:less|fewer|more|drop\w*|fell|down|up|rise|rose|grew|differ\w*|together|total|in all|sum|open|left|remain\w*|missing|other|rest|percent|per cent"
    r"|times|half|each|twice|between|saves?|saving|weniger|mehr|prozent|zusammen|insgesamt|übrig|offen|unterschied"
    r"|moins|plus|pour cent|ensemble|au total|reste\w*|différence|menos|más|por ciento|juntos|en total|quedan|faltan|diferencia"
    r"|mais|por cento|no total|restam|faltam|diferença)\b|%"
)
"""Words by which a sentence says that it reckons."""
_LENGTH = re.compile(r"[\s-]+(?:\w+ )?(?:hours?|minutes?|stunden?|minuten?|heures?|horas?|minutos?)\b")


def _known(said: Said, lang: str) -> _Known:
    clauses = [clause for text in [*said.messages, *said.texts(*_OURS)] for clause in _CLAUSES.split(text)]
    clauses += said.texts("quote")  # two prices are compared however they are set apart
    spoken = [quantities(clause, lang) + (quantities(clause, "en") if lang != "en" else ()) for clause in clauses]

    def of(*kinds: str) -> frozenset[float]:
        return frozenset(q.value for found in spoken for q in found if q.kind in kinds)

    numbers = [frozenset(q.value for q in found if q.kind in _NUMERIC) for found in spoken]
    times = [frozenset(q.value for q in found if q.kind == "time") for found in spoken]
    values = of(*_NUMERIC)
    hours = frozenset(hour for t in of("time") if t % 60 == 0 for hour in (t // 60, t // 60 % 12))
    return _Known(
        values | hours | {n / 7 for n in values if n in _WEEKS},
        frozenset(value for one in numbers for value in _derived(one)),
        frozenset(length for one in times for length in _lengths(one)),
        of("time") | frozenset(60 * n for n in values if 0 < n <= 24),
        of("month"),
        of("weekday"),
    )


_NUMERIC = ("number", "word", "ordinal")


def _derived(values: frozenset[float]) -> frozenset[float]:
    """Sum, difference, share and change in percent, multiple; of one number what is left to a hundred, and a twelfth or twelve of it."""
    kept: set[float] = set()
    for a, b in combinations(sorted(values)[:_MOST_NUMBERS], 2):
        kept |= {a + b, b - a}
        if a:
            kept |= {round(b / a)} if round(b / a) == round(b / a, 1) else set()
        if a >= _LEAST_SHARED:
            kept |= {round(100 * (b - a) / a), round(100 * a / b), round(100 * (b - a) / b)}
    return frozenset(
        kept | {100 - v for v in values if 0 < v < 100} | {v / 12 for v in values} | {v * 12 for v in values} | {v / 2 for v in values if v >= _LEAST_SHARED}
    )


def _lengths(times: frozenset[float]) -> Iterator[float]:
    for a, b in combinations(sorted(times), 2):
        for minutes in (b - a, a - b + 1440):
            yield from (minutes, minutes / 60)


def _counts(text: Wording, said: Said) -> int:
    """The longest list in evidence or draft, which may be counted."""
    lines = [line for source in [text.text, *said.texts()] for line in re.split(r"(?<=[.!?])\s|\n\n", source)]
    return max((len(_SEPARATORS.findall(lowered(line))) + 1 for line in lines), default=1)


def _is_borne(q: Quantity, text: Wording, said: Said, known: _Known, counts: int, lang: str) -> bool:
    written = text.lower[q.start : q.end]
    match q.kind:
        case "code":
            return written in said.all or written.lstrip("#") in said.all
        case "time":
            return q.value in known.times or (q.value + 720) % 1440 in known.times
        case "month":
            return q.value in known.months
        case "weekday":
            return q.value in known.weekdays
        case "number":
            return q.value in known.values or _is_reckoned(q, text, known) or _is_place(q, text)
        case _:
            return q.value in known.values or q.value <= 1 or _is_reckoned(q, text, known) or _is_count(q, text, counts, lang)


_ANY = re.compile(r"\b(?:an?|any|another|every|some|half a) $")
"""Before a day or a dozen that is none in particular."""


def _is_any(q: Quantity, text: Wording) -> bool:
    return (q.kind == "weekday" or text.lower[q.start : q.end] == "dozen") and _ANY.search(text.lower, 0, q.start) is not None


def _is_reckoned(q: Quantity, text: Wording, known: _Known) -> bool:
    if q.value in known.lengths and _LENGTH.match(text.lower, q.end):
        return True
    return q.value in known.derived and _CUE.search(text.lower, *text.sentence_at(q.start)) is not None


def _is_count(q: Quantity, text: Wording, counts: int, lang: str) -> bool:
    """A number word that counts what is laid out: it has no unit behind it, and is small or no more than the longest list."""
    units = lexicon.stored("quantities")["units"][lang]
    has_unit = re.match(rf"[\s-]+(?:\w+ )?(?:{units})\b", text.lower[q.end :]) is not None
    return not has_unit and q.value <= max(counts, _SMALL)


def _is_place(q: Quantity, text: Wording) -> bool:
    """Numbers a line of a list."""
    return re.match(r"[.)]\s", text.text[q.end : q.end + 2]) is not None and text.text[: q.start].rstrip(" ").endswith("\n")


def _names(text: Wording, said: Said, people: tuple[str | None, ...], lang: str) -> Iterator[Unsourced]:
    """Names of people and things that stand nowhere else. In German every noun has a capital, so that only full names count."""
    known = frozenset(re.findall(r"[^\W_]+", " ".join([said.all, *(lowered(p) for p in people if p)])))
    bare = frozenset(lexicon.stored("claims")["not_names"].split()) | _calendar_words(lang)
    stop = lexicon.words("stop", lang)
    start, end = text.body
    patterns = [_TWO_NAMES, _BEARER] if lang == "de" else [_NAME, _TWO_NAMES, _BEARER]
    for pattern in patterns:
        for match in pattern.finditer(text.text, start, end):
            words = [w for w in re.findall(r"[^\W_]+", re.sub(r"['’]s$", "", lowered(match[0]))) if w not in bare]
            if words and words[0] in stop:
                continue
            begins = pattern is _NAME and _BEGINS.search(text.text, max(0, match.start() - 4), match.start())
            is_known = all if pattern is _BEARER else any
            if words and not begins and not text.is_quoted(match.start()) and not is_known(_is_known(w, known) for w in words):
                yield Unsourced(match.start(), match.end(), f"“{match[0]}” is named in no evidence")


def _is_known(word: str, known: frozenset[str]) -> bool:
    return word in known or word.removesuffix("s") in known or f"{word}s" in known


@cache
def _calendar_words(lang: str) -> frozenset[str]:
    kept = lexicon.stored("quantities")
    return frozenset(f"{day}{ending}" for day in [*kept["months"][lang], *kept["weekdays"][lang]] for ending in ("", "s"))


def _claims(text: Wording, said: Said, lang: str) -> Iterator[Unsourced]:
    ours = lowered(said.ours)
    for pattern, borne in _acts(lang):
        for match in pattern.finditer(text.ours):
            if not any(word in ours for word in borne):
                yield Unsourced(*match.span(), "no evidence says that this was done")
    unknown = lexicon.expressions("claims", "unknown_cause", "any").search(ours)
    for name, is_open, why in (
        ("cause", unknown, "the evidence says that the cause is not known"),
        ("solved", not _is_mended(ours), "no evidence says that it is mended"),
    ):
        if is_open:
            yield from (Unsourced(s, e, why) for s, e in _stated(name, text, said, lang) if name != "cause" or not _is_told(text, (s, e), said, lang))
    if not lexicon.expressions("claims", "history", lang).search(said.all):
        yield from (Unsourced(s, e, "nothing in evidence covers all that time") for s, e in _stated("history", text, said, lang))


@cache
def _acts(lang: str) -> list[tuple[re.Pattern[str], list[str]]]:
    kept = lexicon.stored("claims")
    return [(re.compile(rf"(?<!\w)(?<!if ){kept['we'][lang]}\s+(?:{group['said']})\b"), group["borne"].split()) for group in kept["acts"][lang]]


def _is_mended(ours: str) -> bool:
    return lexicon.expressions("claims", "mended", "any").search(ours) is not None


def _is_told(text: Wording, span: Span, said: Said, lang: str) -> bool:
    """Whether most of what stands behind the joint is on record."""
    stop = lexicon.words("stop", lang)
    known = {t.word[:5] for record in said.texts() for t in tokens(record)}
    behind = [t.word[:5] for t in text.words((span[1], text.sentence_at(span[0])[1])) if t.word not in stop]
    return bool(behind) and sum(w in known for w in behind) > len(behind) / 2


def _stated(name: str, text: Wording, said: Said, lang: str) -> Iterator[Span]:
    """Where it is said as a fact: not in a question, not under a condition, and not in the buyer's words."""
    start, end = text.body
    for match in lexicon.expressions("claims", name, lang).finditer(text.ours, start, end):
        first, last = text.sentence_at(match.start())
        before = text.lower[first : match.start()]
        hedged = re.search(r"\b(?:until|till|when|once|if|whether|wenn|bis|sobald|ob|si|jusqu|cuando|hasta|quando|até|se)\b", before)
        if not hedged and not text.text[first:last].rstrip().endswith("?") and match[0] not in said.own_lower:
            yield match.span()
