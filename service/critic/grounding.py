"""Whether what a draft claims is borne out by evidence: numbers, dates, names, acts, causes. By extraction alone, whoever wrote the draft."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from ml.expressions import Pattern, one_of
from service.critic import lexicon
from service.critic.quantities import Quantity, quantities
from service.critic.reckoning import Known, follows, known_of, literal
from service.critic.said import Said
from service.critic.wording import Span, Wording, lowered, tokens

_SMALL = 4
"""Up to here a number word counts what the draft itself lays out: two versions, three rooms."""
_SUPPOSED = 12
_SUPPOSES = re.compile(r"\b(?:would be|would make|say,|for example|for instance|suppose|zum beispiel|par exemple|por ejemplo|por exemplo)\b")
"""An example may hold numbers of its own, up to a dozen."""
_SEPARATORS = re.compile(r"[,;:\n]| and | or | und | oder | et | ou | y | o | e ")
_NAME = re.compile(r"(?<![\w'’])(?!I['’])[A-ZÀ-ÖØ-Þ][\w'’-]*[a-zà-öø-ÿ][\w'’-]*")
_BEARER = re.compile(
    r"(?:^|(?<=[.!?;] )|(?<=\n))[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+(?: [A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+)?"
    r"(?= (?:(?:now|also|already) )?(?:(?:has|owns|carries|took|holds) (?:it|this|that|them|the (?:case|ticket|fix|file|matter))\b"
    r"|has (?:[A-Z]{1,5}-?\d|(?:reproduced|confirmed|requested|agreed|had|asked)\b)))"
    r"|(?<=[Oo]wner: )[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+|(?<=[Oo]wner is )[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+"
)
"""Somebody who is said to have the matter in hand."""
_BEGINS = re.compile(r"(?:^|[.!?:;…\n\"“”„«»'’‘()\[\]¿¡•*-])\s*$")
_TWO_NAMES = re.compile(
    r"(?:^|(?<=[.!?] )|(?<=\n))([A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+ [A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+)\b"
    r"(?= (?:has|is|owns|will|can|at|on|from|and|was|took|writes|looks|hat|a |est|lleva|tiene|tem|está))"
)


@dataclass(frozen=True, slots=True)
class Unsourced:
    start: int
    end: int
    why: str


def unsourced(text: Wording, said: Said, recipient: str | None, am: str | None, lang: str, *, may_reckon: bool = True) -> list[Unsourced]:
    """What nothing in evidence bears out. Without any evidence nothing can be said. `may_reckon`: a person adds up and takes shares; our engine never does."""
    if not said.evidence:
        return []
    known = known_of(said, lang) if may_reckon else literal(known_of(said, lang))
    found = [*_numbers(text, said, known, lang), *_names(text, said, (recipient, am), lang), *_claims(text, said, lang)]
    return sorted(found, key=lambda u: u.start)


def _numbers(text: Wording, said: Said, known: Known, lang: str) -> Iterator[Unsourced]:
    counts = cache(lambda: _counts(text, said))  # hardly any number is a count
    start, end = text.body
    for q in quantities(text.text, lang):
        if not start <= q.start < end or text.is_quoted(q.start):
            continue
        if not _is_any(q, text, known) and not _is_borne(q, text, said, known, counts, lang):
            yield Unsourced(q.start, q.end, f"“{text.text[q.start : q.end]}” is in no evidence")


def _counts(text: Wording, said: Said) -> int:
    """The longest list in evidence or draft, which may be counted."""
    lines = [line for source in [text.text, *said.texts()] for line in re.split(r"(?<=[.!?])\s|\n\n", source)]
    return max((len(_SEPARATORS.findall(lowered(line))) + 1 for line in lines), default=1)


def _is_borne(q: Quantity, text: Wording, said: Said, known: Known, counts: Callable[[], int], lang: str) -> bool:
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
            return q.value in known.values or follows(q, text, known, lang) or _is_place(q, text)
        case _:
            return q.value in known.values or q.value <= 1 or follows(q, text, known, lang) or _is_count(q, text, counts, lang)


_ANY = re.compile(r"\b(?:an?|any|another|every|some|half a) (?:\w+ )?$")
"""Before a day or a dozen that is none in particular."""


def _is_any(q: Quantity, text: Wording, known: Known) -> bool:
    """A day that comes round is promised by a draft of ours only where evidence has it."""
    before = _ANY.search(text.lower, 0, q.start) if q.kind == "weekday" or text.lower[q.start : q.end] == "dozen" else None
    return before is not None and not (known.is_literal and before[0].startswith("every"))


def _is_count(q: Quantity, text: Wording, counts: Callable[[], int], lang: str) -> bool:
    """A number word that counts what is laid out: it has no unit behind it, and is small or no more than the longest list."""
    units = lexicon.stored("quantities")["units"][lang]
    has_unit = re.match(rf"[\s-]+(?:\w+ )?(?:{units})\b", text.lower[q.end :]) is not None
    if re.match(r"[\s-]+(?:times|mal|fois|veces|vezes)\b", text.lower[q.end :]):
        return q.value <= counts()
    if q.value <= _SUPPOSED and _SUPPOSES.search(text.lower, *text.sentence_at(q.start)):
        return True
    return not has_unit and (q.value <= _SMALL or q.value <= counts())


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
            borne = is_known(_is_known(w, known) for w in words) and ("-" not in match[0] or not words or _is_known(words[0], known))
            if words and not begins and not text.is_quoted(match.start()) and not borne:
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
    causes, solved, history = (list(_stated(name, text, said, lang)) for name in ("cause", "solved", "history"))  # the evidence is read where one is found
    if causes and lexicon.expressions("claims", "unknown_cause", "any").search(ours):
        yield from (Unsourced(*span, "the evidence says that the cause is not known") for span in causes if not _is_told(text, span, said, lang))
    if solved and not _is_mended(ours):
        yield from (Unsourced(*span, "no evidence says that it is mended") for span in solved)
    if history and not lexicon.expressions("claims", "history", lang).search(said.all):
        yield from (Unsourced(*span, "nothing in evidence covers all that time") for span in history)


@cache
def _acts(lang: str) -> list[tuple[Pattern, list[str]]]:
    kept = lexicon.stored("claims")
    return [
        (one_of([rf"(?<!\w)(?<!if )(?<!whether )(?<!told you ){kept['we'][lang]}\s+(?:{group['said']})\b"]), group["borne"].split())
        for group in kept["acts"][lang]
    ]


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
