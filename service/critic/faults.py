"""What labelled replies taught about faults, beside the rules: which findings it bears out, and which sentences it takes for one that no rule sees.

Only for what people write in English: of our own drafts the moves are known and the rules are sure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ml import faults
from ml.tokens import Floats
from service.critic.case import Case
from service.critic.draft import Finding
from service.critic.footing import stem
from service.critic.rules import rules
from service.critic.wording import Span

SURE = frozenset({"DRF-1", "DRF-3", "DRF-5", "DRF-7", "DRF-10", "DRF-14", "STR-1", "STR-2", "STR-4", "STR-6", "DRF-2", "ETH-2", "DRF-12"})
"""Rules about what stands in the text for all to see, or in no evidence, and about order and parts, which no sentence shows by itself. Nor is one
doubted of which there are no examples."""
_LONG = 300
"""Characters from which a finding speaks of the whole and not of its sentences."""
_MOMENTS = {
    **dict.fromkeys(("routine_logistics", "positive_momentum", "champion_change", "renewal_decision", "competitor_evaluation", "cross_functional"), "calm"),
    "silence": "silence",
    "usage_drop": "usage",
    "renewal_notice": "notice",
}
"""Moments in which the same words are right or wrong; in all others somebody is upset."""


def settled(case: Case, found: Sequence[Finding]) -> list[Finding]:
    """Findings that the examples do not bear out are warnings; what only they find comes as well."""
    if case.lang != "en" or case.is_ours or not case.text.sentences or not case.draft.evidence:
        return list(found)
    model, described = faults.load(), faults.described(sentences(case, found))
    chance = model.chances(described)
    doubted = frozenset(model.rules) - SURE
    kept = [_borne(f, case.text.sentences, chance, model.borne_from) if f.rule in doubted and f.severity == "E" else f for f in found]
    return [*kept, *_learned(case, kept, described, chance)]


def _borne(finding: Finding, spans: Sequence[Span], chance: Floats, least: float) -> Finding:
    likely = max((chance[n] for n, span in enumerate(spans) if _meets(finding, span)), default=1.0)
    return finding if likely >= least else replace(finding, severity="W")


def _learned(case: Case, kept: Sequence[Finding], described: faults.Described, chance: Floats) -> Iterator[Finding]:
    model, by_id = faults.load(), {rule.id: rule for rule in rules()}
    for n, span in enumerate(case.text.sentences):
        if chance[n] < model.said_from:
            continue
        rule = by_id[model.likeliest(described, n)]
        if not any(f.rule == rule.id and f.severity == "E" and _meets(f, span) for f in kept):
            yield Finding(rule.id, rule.severity, *span, f"{rule.message} {_BY_EXAMPLES}", rule.hint)


_BY_EXAMPLES = "It reads like replies in which this was the fault."


def sentences(case: Case, found: Sequence[Finding]) -> list[faults.Sentence]:
    """The sentences of a draft as the model reads them. `found`: what the rules find."""
    spans = case.text.sentences
    whole = frozenset(f"whole {f.rule} {f.severity}" for f in found if f.end - f.start > _LONG)
    held = frozenset(f"when {name}" for name in case.conditions)
    told = [(f.rule, f.severity, f.start, f.end) for f in found if f.end - f.start <= _LONG]
    moment = next((_MOMENTS[s] for s in (case.draft.situation or "", *sorted(case.said.situations)) if s in _MOMENTS), "upset")
    return [_sentence(case, span, moment, whole | held | _place(n, len(spans)) | _hits(told, span)) for n, span in enumerate(spans)]


def _hits(told: Sequence[tuple[str, str, int, int]], span: Span) -> frozenset[str]:
    return frozenset(f"found {rule} {severity}" for rule, severity, start, end in told if start < span[1] and span[0] < max(end, start + 1))


def _place(n: int, count: int) -> frozenset[str]:
    return frozenset(name for name, holds in (("opens", n <= 1), ("closes", n >= count - 2)) if holds)


def _sentence(case: Case, span: Span, moment: str, signs: frozenset[str]) -> faults.Sentence:
    tokens = case.text.words(span)
    rests = tuple(_resting(case, t.word, t.start) for t in tokens)
    shares = {kind: sum(word == kind for word in rests) / max(1, len(rests)) for kind in ("#buyer", "#record", "#both", "#number")}
    written = case.text.text[slice(*span)]
    shown = {f"{kind} {min(3, int(5 * share))}" for kind, share in shares.items()} | {f"length {min(5, len(rests) // 6)}"}
    shown |= {mark for mark in "?!" if mark in written}
    words = tuple(t.word for t in tokens)
    return faults.Sentence(rests, words, moment, signs | shown)


def _resting(case: Case, word: str, start: int) -> str:
    """A word by what it rests on; one that rests on nothing, and one that everybody uses, as it stands."""
    footing = case.footing
    if any(char.isdigit() for char in word):
        return "#number"
    root = stem(word)
    if root in footing.people:
        return "#name"
    if word in footing.stop:
        return word
    if case.text.is_quoted(start):
        return "#quoted"
    theirs, ours = root in footing.own, root in footing.ours
    return "#both" if theirs and ours else "#buyer" if theirs else "#record" if ours else word


def _meets(finding: Finding, span: Span) -> bool:
    return finding.start < span[1] and span[0] < max(finding.end, finding.start + 1)
