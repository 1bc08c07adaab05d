"""From a case to a composition: what to do about it, and a draft where an honest one is possible. Fails closed: plan and evidence stay."""

from __future__ import annotations

from collections.abc import Iterator

from ml.alternatives import sentences_for
from service.playbook import numbers
from service.playbook.describe import describe, how_sure
from service.playbook.facts import Facts, gather
from service.playbook.guard import faults
from service.playbook.phrasebook import Situation, choose, first_filled, situation
from service.playbook.quotes import holds_instruction, is_english
from service.playbook.realise import realise
from service.playbook.wording import capitalised
from service.signals import Case, Composition, Handling, Segment, Signal

TRIES = 12

_LOG_ONLY = frozenset({"positive_momentum", "routine_logistics"})


def compose(case: Case) -> Composition:
    """The same case and seed give the same composition."""
    found, facts = situation(_phrase_file(case.lead)), gather(case)
    handling = _handling(case)
    reason = _no_draft_reason(case, handling)
    draft = next(_clean_drafts(case, found, facts), None) if reason is None else None
    if reason is None and draft is None:
        reason = _nothing_honest(found, facts)
    return Composition(
        handling=handling,
        why_now=_why_now(case, found, facts),
        plan=tuple(step for frames in found.plan if (step := first_filled(frames, facts.slots))),
        draft=draft,
        no_draft_reason=reason,
        alternatives=sentences_for(case.lead.alternatives),
    )


def _phrase_file(lead: Signal) -> str:
    """Notice given is another situation than a renewal being weighed."""
    if lead.kind == "renewal_decision" and numbers.amount(lead, "decided") == 1:
        return "renewal_notice"
    return lead.kind


def _handling(case: Case) -> Handling:
    lead = case.lead
    if lead.kind == "hostile_or_injection":
        return "escalate_no_draft" if numbers.word(lead, "nature") == "threat" else "human_review"
    if any(holds_instruction(e.text) for e in lead.evidence if e.text):
        return "human_review"
    if lead.kind in _LOG_ONLY:
        return "log_only"
    return "plain_reply" if lead.kind == "unanswered_question" else "draft"


def _no_draft_reason(case: Case, handling: Handling) -> str | None:
    if handling in ("human_review", "escalate_no_draft"):
        return "a person has to read the original before anything is answered"
    if handling == "log_only":
        return "nothing here calls for an answer of its own"
    if case.recipient is None:
        return "there is no contact to whom it could be written"
    if not all(is_english(e.text) for e in case.lead.evidence if e.text and e.type == "buyer_message"):
        return "they write in another language, and a draft in English would not answer them"
    return None


def _clean_drafts(case: Case, found: Situation, facts: Facts) -> Iterator[tuple[Segment, ...]]:
    for turn in range(TRIES):
        draft = realise(case, found, facts, f"{case.seed}|{turn}")
        if draft is not None and not faults(draft, case, facts):
            yield draft


def _nothing_honest(found: Situation, facts: Facts) -> str:
    needs_quote = any(choose(found.frames[part], {**facts.slots, "quote": ""}, "") and not choose(found.frames[part], facts.slots, "") for part in found.order)
    if needs_quote and facts.quote is None:
        return "none of their words can be given back without bending them"
    return "what is known does not carry a draft that passes every check"


def _why_now(case: Case, found: Situation, facts: Facts) -> str:
    """Observation and reading apart, then how sure and on what it rests. Holds no words of the buyer."""
    observed = first_filled(found.observed, facts.slots) or describe(case.lead, case.today)
    lines = [
        f"What we see: {observed}.",
        f"What it may mean: {found.reading}.",
        f"How sure we are{found.sure_of}: {how_sure(case.lead.confidence)} ({case.lead.confidence:.2f}), from {facts.slots.get('basis', 'what is on record')}.",
    ]
    others = [describe(s, case.today) for s in case.signals[1:3]]
    return " ".join([*lines, *(f"Also: {capitalised(line)}." for line in others)])
