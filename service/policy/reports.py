"""The report of a draft as this workspace wants it: without the rules that are off, with the words that the team does not use.

A draft itself is the same in every workspace and under every policy, so that its record makes it again.
"""

from __future__ import annotations

from service.critic.case import Case
from service.critic.draft import Draft
from service.critic.rules import rules
from service.critic.team import TEAM, findings
from service.policy.document import Policy
from service.signals import Report


def report_of(policy: Policy, report: Report, text: str, channel: str, lang: str) -> Report:
    off = sum(rule.id in policy.rules_off and lang in rule.languages for rule in rules())
    kept = tuple((rule, severity) for rule, severity in report.findings if rule not in policy.rules_off)
    case = Case(Draft(id="report", text=text, channel=channel, lang=lang))
    ours = ((TEAM, "W"),) if next(findings(case, policy.lexicon), None) else ()
    return Report(checked=report.checked - off + bool(policy.lexicon), findings=(*kept, *ours))
