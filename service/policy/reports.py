"""What is said of a draft as this workspace wants it: without the rules that are off, with the words that the team does not use.

A draft itself is the same in every workspace and under every policy, so that its record makes it again.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from service.critic.case import Case
from service.critic.draft import Draft, Finding, Review
from service.critic.review import MOST_FINDINGS
from service.critic.rules import rules
from service.critic.team import TEAM, findings
from service.policy.document import Policy
from service.signals import Report


def report_of(policy: Policy, report: Report, text: str, channel: str, lang: str) -> Report:
    off = sum(rule.id in policy.rules_off and lang in rule.languages for rule in rules())
    kept = tuple((rule, severity) for rule, severity in report.findings if rule not in policy.rules_off)
    ours = ((TEAM, "W"),) if _of_team(policy, text, channel, lang) else ()
    return Report(checked=report.checked - off + bool(policy.lexicon), findings=(*kept, *ours))


def review_of(policy: Policy, review: Review, text: str, channel: str, lang: str) -> Review:
    """The same of a draft that is reviewed but not kept."""
    kept = [f for f in review.findings if f.rule not in policy.rules_off]
    return replace(review, findings=tuple(sorted([*kept, *_of_team(policy, text, channel, lang)], key=lambda f: (f.start, f.rule))))


def _of_team(policy: Policy, text: str, channel: str, lang: str) -> list[Finding]:
    return list(islice(findings(Case(Draft(id="of the team", text=text, channel=channel, lang=lang)), policy.lexicon), MOST_FINDINGS))
