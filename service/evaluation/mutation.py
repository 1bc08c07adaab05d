"""A passing draft with one digit, name, date or quoted word changed into one that no evidence holds: does the critic see it?"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from service.critic import review
from service.critic.draft import Marked
from service.critic.quantities import quantities, value
from service.critic.wording import Wording
from service.drafting import Request
from service.drafting.engine import as_draft
from service.evaluation.figure import Figure, Section, at_least, share, table
from service.evaluation.shown import Sample, marks, reviewed
from service.evaluation.workers import Spread

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_DATE = re.compile(rf"\b(?:{'|'.join([*(m for m in _MONTHS if m not in ('March', 'May')), *_DAYS])}|(?<=\d )(?:March|May))\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b")
_WORD = re.compile(r"\b[A-Za-z]{3,}\b")
_NUMBER_WORD = re.compile(r"\b(?:three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|third|fourth|fifth)\b", re.IGNORECASE)
OTHER_NAMES = "Theodora Wendell Ottoline Casimir Zuleika Barnaby Philippa Leander Rosalind Evander".split()
OTHER_WORDS = "lantern gravel orchard violin saddle pebble harvest ribbon candle anchor feather kettle".split()
OTHER_NUMBERS = "thirteen seventeen nineteen sixteen eighteen fifteen".split()
TRIES = 20
Place = tuple[int, int]
Change = tuple[int, int, str]
"""What stands there instead of text[start:end]."""


def _digits(text: Wording, request: Request, draws: random.Random) -> Iterator[Change]:
    known = _values(request)
    for match in _places(_NUMBER, text, draws):
        at = draws.choice([n for n, char in enumerate(match[0]) if char.isdigit()])
        new = match[0][:at] + draws.choice([d for d in "123456789" if d != match[0][at]]) + match[0][at + 1 :]
        if not _stands(new, request) and not {value(part) for part in re.split(r"[:]", new)} & known:
            yield match.start(), match.end(), new


def _dates(text: Wording, request: Request, draws: random.Random) -> Iterator[Change]:
    held = {int(q.value) for e in request.evidence for q in quantities(e.text, "en") if q.kind == "month"}
    for match in _places(_DATE, text, draws):
        names = [m for n, m in enumerate(_MONTHS, 1) if n not in held] if match[0] in _MONTHS else _DAYS
        options = [name for name in names if name != match[0] and not _stands(name[:3], request)]
        if options:
            yield match.start(), match.end(), draws.choice(options)


def _names(text: Wording, request: Request, draws: random.Random) -> Iterator[Change]:
    """People and things inside a sentence, as evidence spells them."""
    calendar = {*_MONTHS, *_DAYS}
    for match in _places(_NAME, text, draws):
        if match[0] not in calendar and not text.is_quoted(match.start()) and _stands(match[0], request):
            yield match.start(), match.end(), _new(OTHER_NAMES, request, draws)


def _greeted(text: Wording, request: Request, draws: random.Random) -> Iterator[Change]:
    """The name that is greeted."""
    for part in (request.recipient_name or "").split():
        at = text.text.find(part, 0, text.body[0]) if len(part) > 2 else -1
        if at >= 0:
            yield at, at + len(part), _new(OTHER_NAMES, request, draws)


def _quoted(text: Wording, request: Request, draws: random.Random) -> Iterator[Change]:
    for match in _places(_WORD, text, draws):
        if text.is_quoted(match.start()):
            new = _new(OTHER_WORDS, request, draws)
            yield match.start(), match.end(), new.capitalize() if match[0][0].isupper() else new


def _number_words(text: Wording, request: Request, draws: random.Random) -> Iterator[Change]:
    known = _values(request)
    for match in _places(_NUMBER_WORD, text, draws):
        new = draws.choice(OTHER_NUMBERS)
        if not {q.value for q in quantities(new, "en")} & known and not match[0].lower().endswith(("rd", "th")):
            yield match.start(), match.end(), new


KINDS: Mapping[str, Callable[[Wording, Request, random.Random], Iterator[Change]]] = {
    "digit": _digits,
    "name": _names,
    "date": _dates,
    "quoted word": _quoted,
    "name in the greeting": _greeted,
    "number word": _number_words,
}
GATED = ("digit", "name", "date", "quoted word")
BESIDE = "outside the gate"


def _places(pattern: re.Pattern[str], text: Wording, draws: random.Random) -> list[re.Match[str]]:
    """In the body, in random order."""
    found = list(pattern.finditer(text.text, *text.body))
    return draws.sample(found, len(found))[:TRIES]


def _values(request: Request) -> set[float]:
    return {q.value for e in request.evidence for q in quantities(e.text, "en")}


def _stands(word: str, request: Request) -> bool:
    held = re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE)
    return any(held.search(text) for text in (*(e.text for e in request.evidence), request.recipient_name or "", request.am_name or ""))


def _new(options: Sequence[str], request: Request, draws: random.Random) -> str:
    return draws.choice([word for word in options if not _stands(word, request)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    kind: str
    text: str
    moves: tuple[Marked, ...]


def mutants(sample: Sample) -> Iterator[Mutant]:
    """One of each kind that the draft has a place for."""
    text = Wording(sample.written.text)
    moves = marks(sample.request, sample.drafted, sample.written)
    for kind, changes in KINDS.items():
        draws = random.Random(f"{kind} {sample.request.id} {sample.request.seed}")  # noqa: S311
        change = next(changes(text, sample.request, draws), None)
        if change:
            start, end, new = change
            yield Mutant(kind=kind, text=text.text[:start] + new + text.text[end:], moves=tuple(_moved(moves, start, end, len(new) - (end - start))))


def _moved(moves: Sequence[Marked], start: int, end: int, by: int) -> Iterator[Marked]:
    for move in moves:
        yield replace(move, start=move.start + by * (move.start >= end), end=move.end + by * (move.end > start))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    kind: str
    is_killed: bool
    rules: tuple[str, ...]


def fates(sample: Sample) -> list[Fate]:
    """Of a draft that passes before it is changed; of another none."""
    if reviewed(sample.request, sample.drafted, sample.written).verdict == "bad":
        return []
    found = [(m.kind, review(as_draft(sample.request, sample.drafted.situation, m.text, m.moves))) for m in mutants(sample)]
    return [Fate(kind=kind, is_killed=r.verdict == "bad", rules=r.rules) for kind, r in found]


def mutation(samples: Sequence[Sample], spread: Spread) -> Section:
    found = [fate for of in spread("mutated drafts", fates, samples) for fate in of]
    gated = [f for f in found if f.kind in GATED]
    figures = [
        Figure(
            name="changes that the critic finds",
            value=share(sum(f.is_killed for f in gated), len(gated)),
            gate=at_least(0.995),
            aim=at_least(1.0),
            how=f"{len(gated):,} changes in {len(samples):,} passing drafts, one of each kind that a draft has a place for, to what no evidence holds",
            digits=4,
        )
    ]
    for kind in KINDS:
        of = [f for f in found if f.kind == kind]
        how = f"{len(of):,} changes" + ("" if kind in GATED else f", {BESIDE}")
        figures.append(Figure(name=f"{kind} changed", value=share(sum(f.is_killed for f in of), len(of)), how=how, digits=4))
    return Section(title="Changed drafts", figures=figures, notes=[_by_rule(found)])


def _by_rule(found: Sequence[Fate]) -> str:
    """Which rules find what."""
    rules = sorted({rule for f in found for rule in f.rules})
    rows = [(rule, *(sum(rule in f.rules for f in found if f.kind == kind) for kind in KINDS)) for rule in rules]
    return table(("found by", *KINDS), rows)
