"""From a case to a composition: what to do about it, and a draft where an honest one is possible. Fails closed: plan and evidence stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ml.alternatives import sentences_for
from service.drafting import draft
from service.drafting.engine import compared
from service.drafting.windows import Window
from service.playbook import numbers
from service.playbook.asked import WRITTEN, plan_of_restraint, proposes_a_talk
from service.playbook.describe import describe, how_sure
from service.playbook.drafting import made, request_for, segments
from service.playbook.facts import gather
from service.playbook.instructions import holds_instruction
from service.playbook.pause import ANGRY
from service.playbook.phrasebook import Situation, first_filled, situation
from service.playbook.wording import capitalised
from service.signals import Case, Composition, Handling, Made, Segment, Signal

_LOG_ONLY = frozenset({"positive_momentum", "routine_logistics"})
_READ_FIRST = frozenset({"human_review", "escalate_no_draft"})


class Kept(Protocol):
    """What was composed from the same evidence before."""

    @property
    def handling(self) -> str: ...
    @property
    def draft(self) -> tuple[Segment, ...] | None: ...
    @property
    def no_draft_reason(self) -> str | None: ...


def compose(case: Case, windows: Sequence[Window] = (), *, kept: Kept | None = None, withheld: str | None = None, restraint: str | None = None) -> Composition:
    """The same case and seed give the same composition. `windows`: drafts that a new one must not repeat. `kept`: whose draft stays, so that none is
    written. `withheld`: why nobody is to be written to unasked. `restraint`: why they are not to be written to at all; leaving them in peace is the plan."""
    name = situation_of(case.lead)
    found, slots = situation(name), gather(case)
    handling = _handling(case)
    if restraint and handling != "escalate_no_draft":
        written = _Written(reason=restraint)
    elif kept and kept.handling == handling:
        written = _Written(draft=kept.draft, reason=kept.no_draft_reason)
    else:
        reason = withheld if withheld and handling == "draft" else _no_draft_reason(case, handling)
        written = _Written(reason=reason) if reason else _draft(case, name, windows)
    return Composition(
        handling=handling,
        why_now=_why_now(case, found, slots),
        plan=_plan(found, slots) if restraint is None or handling in _READ_FIRST else plan_of_restraint(restraint),
        draft=written.draft,
        no_draft_reason=written.reason,
        alternatives=sentences_for(case.lead.alternatives),
        pause=case.anger >= ANGRY,
        made=written.made,
    )


def _plan(found: Situation, slots: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(step for lines in found.plan if (step := first_filled(lines, slots)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A draft and what it was made from, or the reason why there is none."""

    draft: tuple[Segment, ...] | None = None
    reason: str | None = None
    made: Made | None = None


def _draft(case: Case, name: str, windows: Sequence[Window]) -> _Written:
    request = request_for(case, name, windows)
    found = draft(request)
    if found.written is None or found.handling in _READ_FIRST:
        return _Written(reason=found.reason or "a person has to read the original before anything is answered")
    if case.recipient and case.recipient.preference and case.recipient.preference.channel in WRITTEN and proposes_a_talk(compared(found.written.segments)):
        return _Written(reason="they want to be written to, and what could be drafted proposes a talk")
    return _Written(draft=segments(found.written, case.lead.evidence), made=made(request, found.written.review))


def situation_of(lead: Signal) -> str:
    """Whose phrases and rules apply. Notice given is another situation than a renewal being weighed."""
    if lead.kind == "renewal_decision" and numbers.amount(lead, "decided") == 1:
        return "renewal_notice"
    return lead.kind


def _handling(case: Case) -> Handling:
    lead = case.lead
    if lead.kind == "hostile_or_injection":
        return "escalate_no_draft" if numbers.word(lead, "nature") == "threat" else "human_review"
    if lead.kind == "stop_request":
        return "human_review"
    if any(holds_instruction(e.text) for e in lead.evidence if e.text):
        return "human_review"
    if lead.kind in _LOG_ONLY:
        return "log_only"
    return "plain_reply" if lead.kind == "unanswered_question" else "draft"


def _no_draft_reason(case: Case, handling: Handling) -> str | None:
    if handling in _READ_FIRST:
        return "a person has to read the original before anything is answered"
    if handling == "log_only":
        return "nothing here calls for an answer of its own"
    if case.recipient is None:
        return "there is no contact to whom it could be written"
    return None


def _why_now(case: Case, found: Situation, slots: Mapping[str, str]) -> str:
    """Observation and reading apart, then how sure and on what it rests. Holds no words of the buyer."""
    observed = first_filled(found.observed, slots) or describe(case.lead, case.today)
    lines = [
        f"What we see: {observed}.",
        f"What it may mean: {found.reading}.",
        f"How sure we are{found.sure_of}: {how_sure(case.lead.confidence)} ({case.lead.confidence:.2f}), from {slots.get('basis', 'what is on record')}.",
    ]
    others = [describe(s, case.today) for s in case.signals[1:3]]
    return " ".join([*lines, *(f"Also: {capitalised(line)}." for line in others)])
