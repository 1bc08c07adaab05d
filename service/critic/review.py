"""A draft against every rule: where it breaks which, why that matters, and seven figures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice

from service.critic.case import Case
from service.critic.draft import Draft, Finding, Reasons, Review, Severity, Suppressed
from service.critic.faults import settled
from service.critic.kinds import KINDS, possible
from service.critic.policy import DEFAULT, Policy
from service.critic.rules import Rule, rules
from service.critic.scores import scores
from service.critic.team import findings as of_team
from service.errors import BadInput

MOST_FINDINGS = 3
"""Of one rule; whoever mends three sees the rest."""
_log = logging.getLogger(__name__)


def review(draft: Draft, policy: Policy = DEFAULT, reasons: Reasons | None = None) -> Review:
    """`reasons`: rules whose findings a person sets aside, and why; of a locked rule none can be. Raises BadInput."""
    return review_case(Case(draft), policy, reasons)


def review_case(case: Case, policy: Policy = DEFAULT, reasons: Reasons | None = None) -> Review:
    """For who wants to see of the case what the review does not tell: what each sentence does."""
    of_rules = settled(case, list(found(case, policy)))
    everything = [*of_rules, *islice(of_team(case, policy.team), MOST_FINDINGS)]
    kept, aside = _sorted(sorted(everything, key=lambda f: (f.start, f.rule)), reasons or {}, case.draft.id)
    broken = tuple(dict.fromkeys(f.rule for f in kept if f.severity == "E"))
    return Review(
        id=case.draft.id,
        verdict="bad" if broken else "good",
        rules=broken,
        findings=kept,
        scores=scores(case, kept),
        suppressed=aside,
    )


def found(case: Case, policy: Policy = DEFAULT) -> Iterator[Finding]:
    """What the rules find."""
    may_find = possible(case)
    for rule in rules():
        severity = policy.severity(rule, case.draft.channel)
        if severity is None:
            continue
        for start, end, more, lower in breaches(case, rule, may_find):
            yield Finding(rule.id, lower or severity, start, end, f"{rule.message} {more[:1].upper()}{more[1:]}".strip() if more else rule.message, rule.hint)


def breaches(case: Case, rule: Rule, may_find: frozenset[int] | None = None) -> Sequence[tuple[int, int, str, Severity | None]]:
    """Of one rule, each place once; the severity where a check is less sure than its rule. `may_find`: the checks that are worth asking, where
    that is known."""
    may_find = possible(case) if may_find is None else may_find
    found: dict[tuple[int, int], tuple[str, Severity | None]] = {}
    for check in rule.checks:
        if id(check) in may_find and check.applies(case.conditions):
            for start, end, more in KINDS[check.kind](case, check):
                found.setdefault((start, end), (more, check.severity))
    return [(*place, *what) for place, what in sorted(found.items())[:MOST_FINDINGS]]


def _sorted(found: Sequence[Finding], reasons: Reasons, draft: str | int) -> tuple[tuple[Finding, ...], tuple[Suppressed, ...]]:
    locked = {rule.id for rule in rules() if rule.locked}
    for name, reason in reasons.items():
        if name in locked:
            message = f"Findings of rule {name} cannot be set aside. Change the draft."
            raise BadInput(message)
        if not reason.strip():
            message = f"Setting findings of rule {name} aside needs a reason."
            raise BadInput(message)
    aside = tuple(Suppressed(f, reasons[f.rule]) for f in found if f.rule in reasons)
    for one in aside:
        _log.info("A finding was set aside.", extra={"draft": str(draft), "rule": one.finding.rule, "reason": one.reason})
    return tuple(f for f in found if f.rule not in reasons), aside
