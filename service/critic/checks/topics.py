"""Whether a draft speaks of what its moment calls for: figures, both sides, each department, the weak point, the question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ml.expressions import Pattern
from service.critic import lexicon
from service.critic.case import Case
from service.critic.quantities import quantities
from service.critic.wording import tokens

Breach = tuple[int, int, str]


def _list(name: str, lang: str = "any") -> Pattern:
    return lexicon.expressions("checks", name, lang)


_STEM = 4


def usage_told(case: Case) -> Iterator[Breach]:
    """A figure and a time from the usage evidence, and exactly one open question."""
    texts = case.said.texts("usage")
    if texts and not case.said.own.strip():
        figures = {q.value for text in texts for q in quantities(text, case.lang) if q.kind in ("number", "word")}
        said = [q for q in quantities(case.text.text, case.lang) if q.kind in ("number", "word") and q.value in figures]
        if not said:
            yield (*case.text.body, "the size of the drop is missing")
        elif not _names_time(case):
            yield (*case.text.body, "the time it covers is missing")
    asked = len(case.text.questions)
    if asked != 1 and "spoken" not in case.conditions:
        yield (*(case.text.questions[-1] if asked else case.text.body), f"{asked} open questions where one is wanted")


def _names_time(case: Case) -> bool:
    return any(q.kind in ("month", "weekday") for q in quantities(case.text.text, case.lang)) or _list("time_words").search(case.text.lower) is not None


_THEIR_WORDS = 3
"""Words of theirs by which a sentence gives back what they hold to."""


def both_sides(case: Case) -> Iterator[Breach]:
    """What they protect and what we do, outside the questions."""
    told = [s for s in case.text.sentences if s not in case.text.questions]
    theirs = any(
        (_list("theirs", case.lang).search(case.text.ours, *span) or case.footing.resting(span, case.footing.own) >= _THEIR_WORDS) and _is_interest(case, span)
        for span in told
    )
    ours = any(_list("ours", case.lang).search(case.text.ours, *span) for span in told)
    if not theirs and any(_list("our_side").search(case.text.ours, *span) for span in told):
        yield (*case.text.body, "what they protect is not said")
    if not ours and any(_list("their_side").search(case.text.ours, *span) for span in told):
        yield (*case.text.body, "what we protect is not said")


def _is_interest(case: Case, span: tuple[int, int]) -> bool:
    """Not the offer itself: "you would see on your screen" is no interest of theirs."""
    return (
        not any(s.span == span and s.does("REF") and not _list("both").search(case.text.ours, *span) for s in case.moves)
        or re.search(r"\bwhat you\b", case.text.ours[slice(*span)]) is not None
    )


def departments_named(case: Case) -> Iterator[Breach]:
    """Each department in the buyer's words stands in the draft, too."""
    draft = {_root(t.word) for t in case.text.words(case.text.body)}
    missing = [name for name in _departments(case) if not all(_root(w) in draft for w in name.split()[-1:])]
    if missing:
        yield (*case.text.body, "not named: " + ", ".join(missing))


def _departments(case: Case) -> list[str]:
    """The last word of each department that wants, says or thinks something, is left open, or stands there as a name."""
    own = case.said.own_lower
    named = [m.span() for m in lexicon.named("departments", case.lang).finditer(own)]
    found = [own[s:e] for s, e in named if _departments_list("acts").match(own, e) or _is_titled(case, s, e)]
    if case.lang == "en":
        found += [m[1] for m in _departments_list("subjects").finditer(own)]
    return list(dict.fromkeys(name.split()[-1] for name in found))


def _departments_list(name: str) -> Pattern:
    return lexicon.expressions("departments", name, "any")


def _is_titled(case: Case, start: int, end: int) -> bool:
    """Written as a name inside a sentence: Finance, IT. In German every noun is."""
    own = case.said.own
    inside = re.search(r"[\w,;] $", own[max(0, start - 3) : start]) is not None
    return case.lang != "de" and inside and own[start].isupper() and (end - start > 2 or own[start:end].isupper())


def _root(word: str) -> str:
    return word.removesuffix("'s").rstrip("s")[:7]


def weakness_named(case: Case) -> Iterator[Breach]:
    """Asked for a weak point, the draft names one that the product evidence has, or says that it will be supplied."""
    if not _list("asks_weakness").search(case.said.own_lower):
        return
    stop = lexicon.words("stop", case.lang)
    own = {t.word[:_STEM] for t in case.said.own_tokens}
    facts = {t.word[:_STEM] for text in case.said.texts("product") for t in tokens(text) if t.word not in stop and len(t.word) > 3} - own
    said = {t.word[:_STEM] for t in case.text.words(case.text.body)}
    if len(facts & said) < min(2, len(facts) or 2) and not _promises(case):
        yield (*case.text.body, "the weak point is not named")


def _promises(case: Case) -> bool:
    return (
        re.search(
            r"\b(?:will|.ll|could|can) (?:\w+ )?(?:send|supply|give|list|find)\b.{0,40}\b(?:weak|limits?|gaps?|short|unfinished"
            r"|known (?:issues|faults))",
            case.text.ours,
        )
        is not None
    )
