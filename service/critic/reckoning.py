"""What follows from the numbers on record: sums and differences, other units of the same length of time, days between two dates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import combinations

from service.critic import lexicon
from service.critic.quantities import Quantity, quantities
from service.critic.said import Said
from service.critic.wording import Wording, lowered

_LEAST_SHARED = 10
"""Of smaller numbers nobody takes a percentage."""
_MOST_NUMBERS = 40
"""Of one clause."""
_MOST_OF_PIECE = 8
"""Of a piece of evidence whose numbers are multiplied with one another."""
_MOST_PRODUCT = 100_000
_NUMERIC = ("number", "word", "ordinal")
_OURS = ("ticket", "usage", "billing", "quote", "contract", "product", "incident", "project", "crm_note", "offer")
_CLAUSES = re.compile(r"[;\n]|[.!?](?=\s|$)")
_CUE = re.compile(
    r"\b(?:less|fewer|more|higher|lower|longer|shorter|later|earlier|drop\w*|fell|down|up|rise|rose|grew|differ\w*|together|total|in all|sum|open"
    r"|left|remain\w*|missing|other|rest|percent|per cent|times|half|each|twice|between|saves?|saving"
    r"|weniger|mehr|prozent|zusammen|insgesamt|übrig|offen|unterschied"
    r"|moins|plus|pour cent|ensemble|au total|reste\w*|différence|menos|más|por ciento|juntos|en total|quedan|faltan|diferencia"
    r"|mais|por cento|no total|restam|faltam|diferença)\b|%"
)
"""Words by which a sentence says that it reckons."""
_SUMMED = re.compile(
    r"\b(?:(?:that|this|it|which|they|and)(?:'s| is| are| makes?| make| comes? to| came to)|makes?|in total|total|in all|altogether|adds? up"
    r"|sum|come[sd]? to|amounts?|together|so about|insgesamt|zusammen|macht|summe|au total|en tout|soit|en total|en conjunto|son|no total|ao todo|são|dá)\b"
)
"""Words before or behind a product of two numbers."""
_MINUTES = {"minute": 1.0, "hour": 60.0, "day": 1440.0, "week": 10080.0, "month": 43_800.0, "quarter": 131_400.0, "year": 525_600.0}
"""By which lengths of time are told in another unit."""
_NEAR, _MOST_OFF = 0.04, 0.3
"""Share of a length, and of a unit, by which two ways of telling it may differ."""
_HOUR_AND = re.compile(r"\b(?:an|one|eine|une|una|uma|(?P<hours>\d+)) (?:hours?|stunden?|heures?|horas?) (?:and|und|et|y|e) $")
_MEASURED = re.compile(r"[\s-]+([a-zà-ÿ]+)(?:[\s-]+([a-zà-ÿ]+))?")


@dataclass(frozen=True)
class Known:
    values: frozenset[float]
    derived: frozenset[float]
    """What follows from two numbers of one clause."""
    products: frozenset[float]
    """Of two numbers of one piece of evidence."""
    lengths: frozenset[float]
    """Hours and minutes between two times of one clause."""
    spans: frozenset[float]
    """Lengths of time that are named, and those between two dates, in minutes."""
    times: frozenset[float]
    months: frozenset[float]
    weekdays: frozenset[float]
    is_literal: bool = False
    """Nothing may follow from what is known."""


def known_of(said: Said, lang: str) -> Known:
    return _known(tuple(said.messages), tuple(said.texts(*_OURS)), tuple(said.texts("quote", "billing", "contract")), lang)


@lru_cache(maxsize=256)
def _known(messages: tuple[str, ...], records: tuple[str, ...], priced: tuple[str, ...], lang: str) -> Known:
    """Remembered, for evidence stays as it is while a person types."""
    clauses = [clause for text in [*messages, *records] for clause in _CLAUSES.split(text)]
    spoken = [_read(clause, lang) for clause in [*clauses, *priced]]  # two prices are compared however they are set apart
    whole = [_read(text, lang) for text in [*messages, *records]]

    def of(*kinds: str) -> frozenset[float]:
        return frozenset(q.value for found in spoken for q in found if q.kind in kinds)

    numbers = [frozenset(q.value for q in found if q.kind in _NUMERIC) for found in spoken]
    times = [frozenset(q.value for q in found if q.kind == "time") for found in spoken]
    values = of(*_NUMERIC)
    hours = frozenset(hour for t in of("time") if t % 60 == 0 for hour in (t // 60, t // 60 % 12))
    lengths = [length for text in [*messages, *records] for length in _spans(text, lang)]
    return Known(
        values | hours,
        frozenset(value for one in numbers for value in _derived(one)),
        frozenset(value for found in whole for value in _products([q.value for q in found if q.kind in _NUMERIC])),
        frozenset(length for one in times for length in _lengths(one)),
        frozenset([*lengths, *_between(whole)]),
        of("time") | frozenset(60 * n for n in values if 0 < n <= 24),
        of("month"),
        of("weekday") | frozenset(_weekdays(whole)),
    )


def literal(known: Known) -> Known:
    """Without what follows."""
    return replace(known, derived=frozenset(), products=frozenset(), lengths=frozenset(), spans=frozenset(), is_literal=True)


def _read(text: str, lang: str) -> tuple[Quantity, ...]:
    return quantities(text, lang) + (quantities(text, "en") if lang != "en" else ())


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


def _products(values: list[float]) -> Iterator[float]:
    """Of any two, and of one that is said several times the sum; of all of them, too."""
    kept = [v for v in values if v > 1][:_MOST_OF_PIECE]
    yield from (a * b for a, b in combinations(kept, 2) if a * b <= _MOST_PRODUCT)
    yield from (v * n for v, n in Counter(kept).items() if n > 2)
    for size in (2, 3, 4):
        yield from (sum(kept[at : at + size]) for at in range(len(kept) - size + 1))


def _lengths(times: frozenset[float]) -> Iterator[float]:
    for a, b in combinations(sorted(times), 2):
        for minutes in (b - a, a - b + 1440):
            yield from (minutes, minutes / 60)


@cache
def _units(lang: str) -> dict[str, str]:
    kept = lexicon.stored("quantities")["lengths"]
    return {word: unit for of in ("en", lang) for unit, words in kept[of].items() for word in words.split()}


def unit_behind(lower: str, end: int, lang: str) -> str | None:
    """The unit of time behind a number, one word between them at most."""
    units = _units(lang)
    match = _MEASURED.match(lower, end)
    return next((units[word] for word in (match.groups() if match else ()) if word in units), None)


def _spans(text: str, lang: str) -> Iterator[float]:
    lower = lowered(text)
    for q in _read(text, lang):
        unit = unit_behind(lower, q.end, lang) if q.kind in ("number", "word") else None
        if unit:
            yield q.value * _MINUTES[unit]
        elif lower[q.start : q.end] == "fortnight":
            yield q.value * _MINUTES["day"]


_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def _between(whole: Iterable[tuple[Quantity, ...]]) -> Iterator[float]:
    """Minutes between any two days on record."""
    days = sorted({_BEFORE_MONTH[int(m.value) - 1] + d.value for found in whole for d, m in _dates(found)})
    for a, b in combinations(days[:_MOST_NUMBERS], 2):
        yield from ((b - a) * _MINUTES["day"], (b - a + 1) * _MINUTES["day"], (365 - b + a) * _MINUTES["day"])


def _weekdays(whole: Iterable[tuple[Quantity, ...]]) -> Iterator[float]:
    """Of all dates on record, where the weekday of one is: Tuesday 10 June makes the 14th a Saturday."""
    dated = [(_BEFORE_MONTH[int(m.value) - 1] + int(d.value), min(d.start, m.start), found) for found in whole for d, m in _dates(found)]
    anchors = [(day, q.value) for day, start, found in dated for q in found if q.kind == "weekday" and 0 < start - q.end <= 3]
    yield from ((weekday - 1 + day - anchor) % 7 + 1 for anchor, weekday in anchors[:1] for day, *_ in dated)


def _dates(found: tuple[Quantity, ...]) -> Iterator[tuple[Quantity, Quantity]]:
    """A day beside a month, in either order."""
    days = [q for q in found if q.kind in ("number", "ordinal", "word") and 1 <= q.value <= 31]
    for month in (q for q in found if q.kind == "month"):
        yield from ((day, month) for day in days if 0 <= month.start - day.end <= 5 or 0 <= day.start - month.end <= 2)


def follows(q: Quantity, text: Wording, known: Known, lang: str) -> bool:
    """Whether a number that stands nowhere follows from some that do."""
    unit = unit_behind(text.lower, q.end, lang)
    if unit is not None and _is_length(q.value * _MINUTES[unit], unit, known):
        return True
    if q.value in known.lengths and unit in ("hour", "minute"):
        return True
    hour = _HOUR_AND.search(text.lower, 0, q.start)
    if hour and 60 * float(hour["hours"] or 1) + q.value in known.spans | known.products:
        return True
    sentence = text.sentence_at(q.start)
    if q.value in known.derived and _CUE.search(text.lower, *sentence):
        return True
    if q.value in known.products and _SUMMED.search(text.lower, *sentence) is not None:
        return True
    return not known.is_literal and _is_shown(q, text.text[slice(*sentence)], sentence[0], known, lang)


def _is_shown(q: Quantity, sentence: str, start: int, known: Known, lang: str) -> bool:
    """The sentence says that it reckons, and holds one of the two numbers that it comes from: 35,000 at 0.55, so 19,250."""
    is_share = _SHARE.match(sentence, q.end - start) is not None
    if not is_share and not _SHOWN.search(sentence, 0, q.start - start):
        return False
    others = {other.value for other in quantities(sentence, lang) if other.kind in _NUMERIC and other.start + start != q.start}
    beside = [value for value in others if value > 1 and (value in known.values or value in known.derived or value in known.products)]
    if is_share:
        return any(_near(q.value, found) for a in beside for b in known.values if b > 0 for found in (100 * (b - a) / b, 100 * (b - a) / a))
    return any(_near(q.value, found) for a in beside for b in known.values if b > 0 for found in (a * b, a / b, b / a))


def _near(told: float, found: float) -> bool:
    """As it would be told: to the tenth, or to the whole."""
    return told >= _LEAST_SHOWN and (abs(told - found) < 0.005 or told in (round(found, 1), round(found)))


_SHARE = re.compile(r" ?(?:%|percent|per cent)")
_SHOWN = re.compile(r"\b(?:so|makes?|that(?:'s| is)|which is|comes? to|in total|about|=)\b[^.;]{0,12}$", re.IGNORECASE)
_LEAST_SHOWN = 3
"""Of smaller numbers too much would follow."""


def _is_length(minutes: float, unit: str, known: Known) -> bool:
    """One on record, told in another unit: 90 days are three months, and 29 weeks are not 30."""
    most = _MOST_OFF * _MINUTES[unit]
    return any(abs(minutes - span) <= min(_NEAR * span, most) for span in known.spans)
