"""The kinds of checks that rules are made of. Each gives the places in a draft that break the rule, and may say more than the rule's message."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from ml.expressions import Pattern, Runs, one_of
from service.critic.case import Case
from service.critic.metrics import METRICS
from service.critic.overlap import runs, shared
from service.critic.rules import Check, rules
from service.critic.wording import Span, tokens

Breach = tuple[int, int, str]
"""(start, end, what it says beyond the rule's message)."""
Place = tuple[int, int]
"""The `id` of a check, and an alternative of its pattern."""
Kind = Callable[[Case, Check], Iterator[Breach]]
ANY = "any"


def patterns(settings: Mapping[str, Any], key: str, lang: str) -> Pattern | None:
    kept = settings.get(key)
    return _compiled(id(kept), key, lang, _Same(kept)) if kept else None


class _Same:
    """Stands for a setting, which lives as long as the rules do, where a cache wants something that can be hashed."""

    def __init__(self, kept: Mapping[str, list[str]]) -> None:
        self.kept = kept

    def __hash__(self) -> int:
        return id(self.kept)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.kept is self.kept


@cache
def _compiled(_id: int, _key: str, lang: str, same: _Same) -> Pattern | None:
    written = [*same.kept.get(lang, ()), *same.kept.get(ANY, ())]
    return one_of(written) if written else None


_BY_PATTERN = frozenset({"existence", "phrase_near", "requires_evidence"})
"""Kinds that find nothing where nothing of `patterns` stands in the draft."""


def possible(case: Case) -> frozenset[int]:
    """The `id` of each check that may find something, as far as letters in a row tell. Patterns of the others need not ask the text again."""
    always, wanted, *runs = _told_by_runs(case.lang)
    found = dict[int, list[int]]()
    for text, told in zip((case.text.ours, case.text.lower), runs, strict=True):
        hits = dict[int, list[int]]()
        for check, alternative in told.told(text):
            hits.setdefault(check, []).append(alternative)
        for check, alternatives in hits.items():
            wanted[check].prime(text, alternatives)
        found |= hits
    return always.union(found)


@cache
def _told_by_runs(lang: str) -> tuple[frozenset[int], Mapping[int, Pattern], Runs[Place], Runs[Place]]:
    """Checks that are always asked; the patterns of the others, by what stands in our own words, and by what stands in all of them."""
    always, asked, told, quoted = set[int](), dict[int, Pattern](), list[tuple[str, Place]](), list[tuple[str, Place]]()
    for check in (check for rule in rules() for check in rule.checks):
        wanted = patterns(check.settings, "patterns", lang)
        if check.kind not in _BY_PATTERN or (wanted and wanted.runs is None):
            always.add(id(check))
        elif wanted:
            asked[id(check)] = wanted
            (quoted if check.settings.get("quotes") else told).extend((run, (id(check), n)) for run, n in wanted.runs or ())
    return frozenset(always), asked, Runs(told), Runs(quoted)


def existence(case: Case, check: Check) -> Iterator[Breach]:
    """`patterns` stand in our own words, within one sentence. Not where `unless` stands in it, nor, with `voiced`, where the buyer said it first, with
    `known`, where it stands on record, with `denied`, where the clause denies it, with `asked`, in a question, or with `news`, in a sentence of which
    most stands in evidence."""
    for start, end in _matches(case, check):
        yield start, end, ""


def _matches(case: Case, check: Check) -> Iterator[Span]:
    wanted, unless = patterns(check.settings, "patterns", case.lang), patterns(check.settings, "unless", case.lang)
    if wanted is None:
        return
    text = case.text.lower if check.settings.get("quotes") else case.text.ours
    for first, last in case.scope(check.scope):
        for match in wanted.finditer(text, first, last):
            if match.end() > match.start() and not _is_excused(case, check, match.span(), unless):
                yield match.span()


def _is_excused(case: Case, check: Check, span: Span, unless: Pattern | None) -> bool:
    first, last = case.text.sentence_at(span[0])
    if span[1] > last + 1 or _is_unclaimed(case, check, (first, last), span):
        return True
    if unless is not None and unless.search(case.text.ours, first, last):
        return True
    if check.settings.get("known") and case.text.lower[slice(*span)].strip() in case.said.all:
        return True
    if check.settings.get("voiced") and case.text.lower[slice(*span)].strip() in case.said.own_lower:
        return True
    return bool(check.settings.get("offered")) and case.is_tentative(*span)


def _is_unclaimed(case: Case, check: Check, sentence: Span, span: Span) -> bool:
    """Denied, asked, or no more than what is on record."""
    if check.settings.get("news") and case.footing.is_borne(sentence, span):
        return True
    is_denied = check.settings.get("denied") and _DENIED.search(case.text.lower, sentence[0], span[0])
    return bool(is_denied) or bool(check.settings.get("asked") and case.text.text[slice(*sentence)].rstrip(_BEHIND).endswith("?"))


_DENIED = re.compile(r"(?:\b(?:not|never|no|cannot|whether|if)\b|n't\b)[^.;:?!,]{0,40}$")
"""In front of what is said, in the same clause."""
_BEHIND = ' \n"”’»)'


def missing(case: Case, check: Check) -> Iterator[Breach]:
    """Nothing of `patterns` stands anywhere in scope."""
    wanted = patterns(check.settings, "patterns", case.lang)
    spans = case.scope(check.scope)
    if wanted is not None and not any(wanted.search(case.text.lower, *span) for span in spans):
        yield (*case.text.body, check.settings.get("why", ""))


def phrase_near(case: Case, check: Check) -> Iterator[Breach]:
    """`patterns` with `near` at most `within` words before or behind."""
    wanted, near = patterns(check.settings, "patterns", case.lang), patterns(check.settings, "near", case.lang)
    if wanted is None or near is None:
        return
    starts = [token.start for token in case.text.tokens]
    within = check.settings["within"]
    others = [bisect_right(starts, m.start()) for m in near.finditer(case.text.ours)]
    for start, end in _matches(case, check):
        first, last = bisect_right(starts, start), bisect_right(starts, end - 1)
        if any(first - within <= at <= last + within and not first <= at <= last for at in others):
            yield start, end, ""


def occurrence(case: Case, check: Check) -> Iterator[Breach]:
    """More than `most` of `patterns`, or more than `most_of_one` of one of the `families`."""
    found = list(_matches(case, check))
    most = check.settings.get("most")
    if most is not None and len(found) > most:
        yield found[most][0], found[most][1], f"{len(found)} where {most} are the most"
    families: list[tuple[int, Span]] = []
    for n, family in enumerate(check.settings.get("families", {}).get(case.lang, ())):
        pattern = _family(family)
        hits = [m.span() for s, e in case.scope(check.scope) for m in pattern.finditer(case.text.ours, s, e)]
        families += [(n, hit) for hit in hits]
        if len(hits) > check.settings["most_of_one"]:
            yield (*hits[check.settings["most_of_one"]], "the same turn twice")
    most = check.settings.get("most_families")
    if most is not None and len(families) > most:
        place = sorted(span for _, span in families)[most]
        yield (*place, f"{len(families)} of them where {most} are the most")


@cache
def _family(written: str) -> Pattern:
    return one_of([written])


def ratio(case: Case, check: Check) -> Iterator[Breach]:
    """Words of the sentences with these `moves`, or of what is `quoted`, as a share of the body: below `least` or above `most`."""
    total = len(case.text.words(case.text.body))
    if total < check.settings.get("from_words", 0):
        return
    if check.settings.get("of") == "quoted":
        counted = sum(len(case.text.words(span)) for span in case.text.quotes)
    else:
        counted = sum(len(case.text.words(s.span)) for s in case.moves if s.does(*check.settings["moves"]))
    share = counted / max(total, 1)
    if share > check.settings.get("most", 1.0) or share < check.settings.get("least", 0.0):
        yield (*case.text.body, f"{share:.0%} of the words")


def order(case: Case, check: Check) -> Iterator[Breach]:
    """A sentence with one of the moves `before` stands behind one with a move `after`, each where it first appears."""
    early, late = case.first(*check.settings["before"]), case.first(*check.settings["after"])
    if early is not None and late is not None and late < early and not case.moves[late].does(*check.settings["before"]):
        yield (*case.moves[late].span, "")


def requires_evidence(case: Case, check: Check) -> Iterator[Breach]:
    """`patterns` stand in our own words, and no evidence of the `types` has what bears them out: a match of `borne`, or the words themselves."""
    ours = "\n".join(case.said.texts(*check.settings["types"])).lower()
    borne = patterns(check.settings, "borne", case.lang)
    by_buyer = case.said.own_lower if check.settings.get("voiced", True) else ""
    if borne is not None and (borne.search(ours) or borne.search(by_buyer)):
        return
    for start, end in _matches(case, check):
        words = case.text.lower[start:end].strip()
        if words not in ours and words not in by_buyer:
            yield start, end, ""


def run_overlap(case: Case, check: Check) -> Iterator[Breach]:
    """No run of the buyer's own words, or, with `of` removed, a run of words that are not theirs."""
    if check.settings.get("of") == "removed":
        taken = runs(case.text.words(case.text.body), tokens(case.said.removed), case.lang, least=2)
        own = case.said.own_lower
        yield from ((s, e, "") for s, e in taken if case.text.lower[s:e] not in own and case.text.lower[s:e] not in case.said.ours.lower())
        return
    last = case.first("REF") if check.scope == "before_offer" else None
    end = case.moves[last].span[0] if last else case.text.body[1]
    least = 2 if len(case.said.own_tokens) < 12 else 3
    if not runs(case.text.words((case.text.body[0], end)), case.said.own_tokens, case.lang, least=least):
        yield (*(case.text.sentences[0] if case.text.sentences else case.text.body), "")


def window_overlap(case: Case, check: Check) -> Iterator[Breach]:
    """Too much stands in an earlier draft already: 4-grams beyond `most_share`, or a run of more than `most_run` words."""
    for earlier in (*case.draft.earlier, *case.said.sent):
        share, run = shared(case.text, earlier)
        if share > check.settings["most_share"] or run[2] > check.settings["most_run"]:
            yield run[0], run[1], f"{share:.0%} of it, and {run[2]} words in a row, stand in an earlier draft"


def metric(case: Case, check: Check) -> Iterator[Breach]:
    """A figure of the text (see service.critic.metrics) below `least` or above `most`; both may differ by channel."""
    found = METRICS[check.settings["metric"]](case)
    if found is None:
        return
    low, high = (_by_channel(check.settings.get(key), case.draft.channel) for key in ("least", "most"))
    if (low is not None and found.value < low) or (high is not None and found.value > high):
        yield (*found.span, f"{found.value:.3g} {check.settings.get('unit', '')}".strip())


def _by_channel(limit: Any, channel: str) -> float | None:
    return limit.get(channel.lower()) if isinstance(limit, dict) else limit


def python(case: Case, check: Check) -> Iterator[Breach]:
    """A function of service.critic.checks."""
    from service.critic.checks import CHECKS

    yield from CHECKS[check.settings["function"]](case)


KINDS: Mapping[str, Kind] = {
    "existence": existence,
    "missing": missing,
    "phrase_near": phrase_near,
    "occurrence": occurrence,
    "ratio": ratio,
    "order": order,
    "requires_evidence": requires_evidence,
    "run_overlap": run_overlap,
    "window_overlap": window_overlap,
    "metric": metric,
    "python": python,
}
