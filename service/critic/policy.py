"""What a team made of the rules: lowered, off for a channel, words of their own. What is locked stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.critic.draft import Severity
from service.critic.rules import Rule, rules
from service.critic.team import Phrase
from service.errors import BadInput

_RANK: Mapping[Severity, int] = {"E": 2, "W": 1, "S": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`lowered`: rule to severity. `off`: rule to the channels where it does not apply; an empty set means all of them.
    `team`: phrases that are not to be used."""

    lowered: Mapping[str, Severity] = field(default_factory=dict)
    off: Mapping[str, frozenset[str]] = field(default_factory=dict)
    team: tuple[Phrase, ...] = ()

    def __post_init__(self) -> None:
        known = {rule.id: rule for rule in rules()}
        for name in (*self.lowered, *self.off):
            if name not in known:
                message = f"There is no rule {name}. docs/rules.md lists them."
                raise BadInput(message)
            if known[name].locked or known[name].severity == "E":
                message = f"Rule {name} cannot be lowered or switched off. Only W and S rules can."
                raise BadInput(message)
        for name, severity in self.lowered.items():
            if _RANK[severity] > _RANK[known[name].severity]:
                message = f"Rule {name} is {known[name].severity} and can only be lowered, not raised to {severity}."
                raise BadInput(message)

    def severity(self, rule: Rule, channel: str) -> Severity | None:
        """None: the rule does not apply here."""
        channels = self.off.get(rule.id)
        if channels is not None and (not channels or channel in channels):
            return None
        return self.lowered.get(rule.id, rule.severity)


DEFAULT = Policy()
