"""Numbers, dates and times of a text, however they are written, as values that can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from service.critic import lexicon
from service.critic.wording import lowered

Kind = Literal["number", "word", "ordinal", "time", "month", "weekday", "code"]
_CODE = re.compile(r"\b(?:[a-z]{1,6}-?\d[\w-]*|#\d+)\b")
_TIME = re.compile(r"\b([01]?\d|2[0-3])(?:[:h]|(?<=\d)\.(?=[0-5]\d\s*(?:uhr|am|pm|h)\b))([0-5]\d)\b")
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:[.,   '’]\d{3})+(?:[.,]\d+)?(?![\d])|\d+(?:[.,]\d+)?")
_ISO = re.compile(r"\b(?:19|20)\d\d-(\d\d)-(\d\d)\b")
_NUMERIC_DATE = re.compile(r"(?<![\d.,])([0-3]?\d)\.(0?[1-9]|1[0-2])\.(?:(?:20)?\d\d(?!\d))?(?=\W|$)")
_NUMERIC_DATE_IN_FULL = re.compile(r"(?<![\d.,])([0-3]?\d)\.(0?[1-9]|1[0-2])\.(?:20)?\d\d(?!\d)")
"""In English "3.1." at the end of a sentence is a number."""
_SPOKEN_TIME = re.compile(
    r"\b(?:(twenty-five|twenty|five|ten|a quarter|quarter|half) past|(?:(?<=at )|(?<=until )|(?<=from )|(?<=till )|(?<=by ))(twenty-five|twenty|five|ten) to"
    r"|(a quarter|quarter) to) (one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b(?! (?:weeks|days|hours|minutes|months|years|people))"
)
_MINUTES = {"twenty-five": 25, "twenty": 20, "five": 5, "ten": 10, "a quarter": 15, "quarter": 15, "half": 30}
_ONE_BEHIND = r"(?:-one| et une?| y un[oa]?| e uma?)?"
_DIGIT, _LETTERS = re.compile(r"\d"), re.compile(r"[^\W\d_]+")
_SHORT_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ABBREVIATED = 3
"""Letters of a month beside its day: 4 Feb."""


@dataclass(frozen=True, slots=True)
class Quantity:
    kind: Kind
    value: float
    """Minutes of the day for a time, 1..12 for a month, 1..7 for a weekday; of a code the place in its text."""
    start: int
    end: int


@lru_cache(maxsize=512)
def quantities(text: str, lang: str) -> tuple[Quantity, ...]:
    """In the order of the text. A number inside a code or a time is not one by itself."""
    lower = lowered(text)
    has_digit, words = _DIGIT.search(lower) is not None, _LETTERS.findall(lower)
    numbers, days, shortened = (not telling.isdisjoint(words) for telling in _telling(lang))
    spoken = tuple(_spoken_times(lower)) if lang == "en" and numbers else ()
    found = (
        *spoken,
        *(_digits(lower, lang) if has_digit else ()),
        *(q for q in (_words(lower, lang) if numbers else ()) if not any(s.start < q.end and q.start < s.end for s in spoken)),
        *(_shortened(lower, lang) if shortened else ()),
        *(_calendar(text, lower, lang) if days else ()),
    )
    return tuple(sorted(found, key=lambda q: q.start))


@cache
def _telling(lang: str) -> tuple[frozenset[str], ...]:
    """Words of which a text has to hold some to name a number, a day or month, or one of these in short."""
    kept = lexicon.stored("quantities")
    days, named = [*kept["months"][lang], *kept["weekdays"][lang]], [word for words in _word_values(lang) for word in words]
    short = [*(name[:_ABBREVIATED] for name in kept["months"][lang]), *_SHORT_DAYS]
    return _parts(named), _parts([*days, *(f"{day}s" for day in days)]), _parts([*short, *(f"{name}{ending}" for name in short for ending in "st")])


def _parts(names: Iterable[str]) -> frozenset[str]:
    return frozenset(part for name in names for part in _LETTERS.findall(name))


def _spoken_times(lower: str) -> Iterator[Quantity]:
    """Five past nine, a quarter to seven."""
    hours = _word_values("en")[0]
    for match in _SPOKEN_TIME.finditer(lower):
        hour = hours.get(match[4], 1)
        minutes = _MINUTES[match[1]] if match[1] else 60 - _MINUTES[match[2] or match[3]]
        yield Quantity("time", (60 * (hour if match[1] else hour - 1) + minutes) % 1440, *match.span())


def _digits(lower: str, lang: str) -> Iterator[Quantity]:
    taken: list[tuple[int, int]] = []
    for match in _ISO.finditer(lower):
        yield Quantity("month", int(match[1]), *match.span(1))
    for match in (_NUMERIC_DATE_IN_FULL if lang == "en" else _NUMERIC_DATE).finditer(lower):
        taken.append(match.span())
        yield Quantity("number", int(match[1]), *match.span(1))
        yield Quantity("month", int(match[2]), *match.span(2))
    for match in _CODE.finditer(lower):
        taken.append(match.span())
        yield Quantity("code", match.start(), *match.span())
    for match in _TIME.finditer(lower):
        taken.append(match.span())
        yield Quantity("time", 60 * int(match[1]) + int(match[2]), *match.span())
    for match in _NUMBER.finditer(lower):
        if not any(start <= match.start() < end for start, end in taken):
            yield Quantity("number", value(match[0]), *match.span())


def value(written: str) -> float:
    """9,400 and 9.400 and 9 400 are the same; 2.5 and 2,5 are, too."""
    bare = re.sub(r"[   '’]", "", written)
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", bare):
        return float(re.sub(r"[.,]", "", bare))
    head, _, tail = bare.replace(",", ".").rpartition(".")
    return float(f"{head.replace('.', '')}.{tail}") if head else float(tail)


@cache
def _word_values(lang: str) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    kept = lexicon.stored("quantities")
    return tuple({str(word): int(of) for word, of in (kept[name][lang] or {}).items()} for name in ("numbers", "scales", "ordinals"))  # type: ignore[return-value]


@cache
def _number_words(lang: str) -> re.Pattern[str]:
    numbers, scales, ordinals = _word_values(lang)
    named = "|".join(sorted({*numbers, *scales, *ordinals}, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{named})(?:[\s-]+(?:and |y |e |und |et )?(?:{named}))*{_ONE_BEHIND}(?!\w)")


def _words(lower: str, lang: str) -> Iterator[Quantity]:
    numbers, scales, ordinals = _word_values(lang)
    for match in _number_words(lang).finditer(lower):
        parts = [p for p in re.split(r"[\s-]+", match[0]) if p in numbers or p in scales or p in ordinals]
        total = group = 0
        for part in parts:
            if part in scales:
                group = max(group, 1) * scales[part]
                total, group = (total + group, 0) if scales[part] >= 1000 else (total, group)
            else:
                group += numbers.get(part, ordinals.get(part, 0))
        group += 1 if re.search(r"(?:-one| une?| un[oa]?| uma?)$", match[0]) else 0
        yield Quantity("ordinal" if parts[-1] in ordinals else "word", total + group, *match.span())


@cache
def _named_days(lang: str) -> tuple[re.Pattern[str], dict[str, int], dict[str, int]]:
    kept = lexicon.stored("quantities")
    months = {name: n for n, name in enumerate(kept["months"][lang], 1)}
    days = {name: n for n, name in enumerate(kept["weekdays"][lang], 1)}
    return re.compile(rf"(?<!\w)(?:{'|'.join([*months, *days])})s?(?!\w)"), months, days


@cache
def _short_months(lang: str) -> re.Pattern[str]:
    names = "|".join(f"{name[:_ABBREVIATED]}t?" for name in lexicon.stored("quantities")["months"][lang])
    return re.compile(rf"(?<=\d )({names})\b(?!\w)|\b({names})\.?(?= \d{{1,2}}\b)")


_SHORT_DAY = re.compile(
    r"(?<!\w)(mon|tue|wed|thu|fri|sat(?! at\b)|sun)(?:\.|(?=,? ?\d)"
    r"|(?=[ ,;)]+(?:\d|mon|tue|wed|thu|fri|sat|sun|and|at|am|pm|morning|afternoon|evening|night)\b))"
)
_STARTS = re.compile(r"(?:^|[.!?:;\n\"“])\s*$")


def _is_day(after: str) -> bool:
    return after[:2].strip().isdigit()


def _shortened(lower: str, lang: str) -> Iterator[Quantity]:
    _, months, days = _named_days(lang)
    short = {name[:_ABBREVIATED]: n for name, n in months.items()}
    for match in _short_months(lang).finditer(lower):
        if (written := match[1] or match[2]) not in months:
            yield Quantity("month", short[written[:_ABBREVIATED]], *match.span())
    shorter = {name[:_ABBREVIATED]: n for name, n in days.items()} if lang == "en" else {}
    for match in _SHORT_DAY.finditer(lower) if shorter else ():
        yield Quantity("weekday", shorter[match[1]], *match.span(1))


def _calendar(text: str, lower: str, lang: str) -> Iterator[Quantity]:
    pattern, months, days = _named_days(lang)
    for match in pattern.finditer(lower):
        name = match[0] if match[0] in months or match[0] in days else match[0][:-1]
        if name in days:
            yield Quantity("weekday", days[name], *match.span())
        elif (
            lang != "en"
            or name not in ("may", "march")
            or (text[match.start()].isupper() and (not _STARTS.search(text[: match.start()]) or _is_day(lower[match.end() :])))
        ):
            yield Quantity("month", months[name], *match.span())
