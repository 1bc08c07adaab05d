"""What is said of a draft beside it: what it was checked against, what is left to clear, and until when it is good."""

from __future__ import annotations

from datetime import date
from functools import cache

from ml.calendar import calendar_for
from service.critic.rules import rules
from service.critic.team import MESSAGE, TEAM
from service.signals import Report

FRESH = 5
"""Business days after which a draft is stale."""


def good_until(made_on: date) -> date:
    return calendar_for(None).add(made_on, FRESH)


def lines(report: Report) -> list[str]:
    """One line, and a second one where something is left to look at."""
    clear = [f"{rule} ({messages()[rule]})" for rule, severity in report.findings if severity == "W" and rule in messages()]
    hints = [rule for rule, severity in report.findings if severity == "S"]
    rest = [*([f"Yours to clear: {'; '.join(clear)}"] if clear else []), *([f"Hints: {', '.join(hints)}"] if hints else [])]
    return [f"Checked against {report.checked} rules; none that would block it is broken.", *([f"{'. '.join(rest)}."] if rest else [])]


@cache
def messages() -> dict[str, str]:
    """What each rule says, without the full stop."""
    return {**{rule.id: rule.message.rstrip(".") for rule in rules()}, TEAM: MESSAGE.rstrip(".")}
