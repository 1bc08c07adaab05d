"""The fields of a policy, their defaults, and what each of them may be. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ml.usage import DEFAULT_BUDGET
from service import quiet
from service.critic import Policy as CriticPolicy
from service.critic.rules import rules
from service.critic.team import Phrase
from service.errors import BadInput
from service.quiet import QuietHours

LEAST_BUDGET, MOST_BUDGET = 0.01, 5.0
"""False alarms per account and year."""
MOST_OPEN = 20
MOST_PHRASES, LONGEST_PHRASE = 200, 100
MOST_KEYS, LONGEST_KEY = 5000, 200
LONGEST_REASON = 300
LARGEST_VALUE = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Which accounts get suggestions. `owners`: keys of users in the CRM, None for everybody's. An account whose yearly value nobody knows is not left out
    for it: unknown is not small."""

    owners: tuple[str, ...] | None = None
    least_value: float | None = None
    left_out: tuple[str, ...] = ()
    """Keys of accounts in the CRM."""

    def holds(self, key: str, owner_key: str | None, value: float | None) -> bool:
        if key in self.left_out or (self.owners is not None and owner_key not in self.owners):
            return False
        return self.least_value is None or value is None or value >= self.least_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`usage_budget`: false alarms of usage drops that are accepted per account and year. `most_open`: suggestions that one owner has open at a time.
    `rules_off`: W and S rules of the critic, each with the reason."""

    usage_budget: float = DEFAULT_BUDGET
    most_open: int = 5
    quiet_hours: QuietHours | None = None
    quotes_in_task: bool = True
    rules_off: Mapping[str, str] = field(default_factory=dict)
    lexicon: tuple[Phrase, ...] = ()
    accounts: Accounts = field(default_factory=Accounts)

    @property
    def critic(self) -> CriticPolicy:
        return CriticPolicy(off={rule: frozenset() for rule in self.rules_off}, team=self.lexicon)

    def with_fields(self, given: Mapping[str, Any]) -> Policy:
        """With fields as they stand in a document. Raises BadInput, naming the field and what it may be."""
        for name in given:
            if name not in _READ:
                message = f"There is no such field in a policy. Its fields are {', '.join(known_fields())}."
                raise BadInput(message)
        return replace(self, **{name: _READ[name](value) for name, value in given.items()})


def known_fields() -> list[str]:
    return [f.name for f in fields(Policy)]


def read(document: Mapping[str, Any]) -> Policy:
    """As it was stored: what is missing has its default, and a rule that there is no more is off for nobody."""
    known = {rule.id for rule in rules() if rule.severity != "E" and not rule.locked}
    off = {rule: reason for rule, reason in document.get("rules_off", {}).items() if rule in known}
    return Policy().with_fields({**{name: document[name] for name in known_fields() if name in document}, "rules_off": off})


def to_document(policy: Policy) -> dict[str, Any]:
    return {
        "usage_budget": policy.usage_budget,
        "most_open": policy.most_open,
        "quiet_hours": as_text(policy.quiet_hours),
        "quotes_in_task": policy.quotes_in_task,
        "rules_off": dict(policy.rules_off),
        "lexicon": [{"phrase": p.phrase, "say_instead": p.say_instead} for p in policy.lexicon],
        "accounts": {
            "owners": list(policy.accounts.owners) if policy.accounts.owners is not None else None,
            "least_value": policy.accounts.least_value,
            "left_out": list(policy.accounts.left_out),
        },
    }


def as_text(hours: QuietHours | None) -> str | None:
    """ "18:00-08:00 Europe/Berlin" """
    return f"{hours.start:%H:%M}-{hours.end:%H:%M} {hours.zone}" if hours else None


def _budget(value: Any) -> float:
    if not _is_number(value) or not LEAST_BUDGET <= value <= MOST_BUDGET:
        message = f"usage_budget must be a number from {LEAST_BUDGET} to {MOST_BUDGET:g}: false alarms that are accepted per account and year."
        raise BadInput(message)
    return float(value)


def _most_open(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MOST_OPEN:
        message = f"most_open must be a whole number from 1 to {MOST_OPEN}: suggestions that one owner has open at a time."
        raise BadInput(message)
    return value


def _quiet_hours(value: Any) -> QuietHours | None:
    if value is None:
        return None
    if not isinstance(value, str):
        message = 'quiet_hours must be a text like "18:00-08:00 Europe/Berlin", or nothing.'
        raise BadInput(message)
    return quiet.parse(value)


def _quotes(value: Any) -> bool:
    if not isinstance(value, bool):
        message = "quotes_in_task must be true or false: whether tasks in the CRM quote the buyer's words."
        raise BadInput(message)
    return value


def _rules_off(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        message = "rules_off must name each rule with the reason why it is off."
        raise BadInput(message)
    CriticPolicy(off={rule: frozenset() for rule in value if isinstance(rule, str)})
    return {_text(rule, "rules_off", LONGEST_REASON): _text(reason, f"the reason why {rule} is off", LONGEST_REASON) for rule, reason in value.items()}


def _lexicon(value: Any) -> tuple[Phrase, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST_PHRASES:
        message = f"lexicon must be a list of at most {MOST_PHRASES} phrases, each with `phrase` and, if you like, `say_instead`."
        raise BadInput(message)
    found = [_phrase(one) for one in value]
    keys = [p.key for p in found]
    twice = next((p.phrase for n, p in enumerate(found) if p.key in keys[:n]), None)
    if twice is not None:
        message = f'lexicon holds "{twice}" twice.'
        raise BadInput(message)
    return tuple(found)


def _phrase(value: Any) -> Phrase:
    if not isinstance(value, Mapping) or not {"phrase"} <= value.keys() <= {"phrase", "say_instead"}:
        message = "Each entry of lexicon has `phrase` and, if you like, `say_instead`."
        raise BadInput(message)
    instead = value.get("say_instead")
    made = Phrase(
        phrase=_text(value["phrase"], "a phrase of lexicon", LONGEST_PHRASE),
        say_instead=_text(instead, "say_instead", LONGEST_PHRASE) if instead is not None else None,
    )
    if not any(c.isalnum() for c in made.phrase):
        message = "A phrase of lexicon has at least one letter or digit."
        raise BadInput(message)
    return made


def _accounts(value: Any) -> Accounts:
    if not isinstance(value, Mapping) or not value.keys() <= {"owners", "least_value", "left_out"}:
        message = "accounts holds `owners`, `least_value` and `left_out`, and nothing else."
        raise BadInput(message)
    least = value.get("least_value")
    if least is not None and (not _is_number(least) or not 0 <= least <= LARGEST_VALUE):
        message = "accounts.least_value must be a yearly value from 0 up, in the currency of the account, or nothing."
        raise BadInput(message)
    owners = value.get("owners")
    return Accounts(
        owners=_keys(owners, "accounts.owners") if owners is not None else None,
        least_value=float(least) if least is not None else None,
        left_out=_keys(value.get("left_out") or [], "accounts.left_out"),
    )


def _keys(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST_KEYS:
        message = f"{name} must be a list of at most {MOST_KEYS:,} keys, as the CRM has them."
        raise BadInput(message)
    return tuple(dict.fromkeys(_text(key, f"a key of {name}", LONGEST_KEY) for key in value))


def _text(value: Any, what: str, longest: int) -> str:
    line = " ".join(value.split()) if isinstance(value, str) else ""
    if not 1 <= len(line) <= longest or not line.isprintable():
        message = f"{what[:1].upper()}{what[1:]} must be a text of 1 to {longest} characters, all of which can be printed."
        raise BadInput(message)
    return line


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_READ: Mapping[str, Callable[[Any], Any]] = {
    "usage_budget": _budget,
    "most_open": _most_open,
    "quiet_hours": _quiet_hours,
    "quotes_in_task": _quotes,
    "rules_off": _rules_off,
    "lexicon": _lexicon,
    "accounts": _accounts,
}
