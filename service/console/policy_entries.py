"""What stands in the fields of the policy's page: made from a policy, and read back into one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.errors import BadInput
from service.policy import Policy
from service.store.accounts import Placed

ARROW = "->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """As texts, so that what somebody mistyped stands there again. `left_out` and `lexicon` have a line for each."""

    usage_budget: str
    most_open: str
    quiet_from: str
    quiet_until: str
    quiet_zone: str
    quotes_in_task: bool
    whose: str
    """ "everybody" or "these" """
    owners: Sequence[str]
    least_value: str
    left_out: str
    reasons: Mapping[str, str]
    """Rule to why it is off."""
    lexicon: str
    why: str = ""


def entries_of(policy: Policy, accounts: Sequence[Placed]) -> Entries:
    hours, scope = policy.quiet_hours, policy.accounts
    return Entries(
        usage_budget=f"{policy.usage_budget:g}",
        most_open=str(policy.most_open),
        quiet_from=f"{hours.start:%H:%M}" if hours else "",
        quiet_until=f"{hours.end:%H:%M}" if hours else "",
        quiet_zone=hours.zone if hours else "",
        quotes_in_task=policy.quotes_in_task,
        whose="everybody" if scope.owners is None else "these",
        owners=scope.owners or (),
        least_value=f"{scope.least_value:.15g}" if scope.least_value is not None else "",
        left_out="\n".join(_names(scope.left_out, accounts)),
        reasons=policy.rules_off,
        lexicon="\n".join(f"{p.phrase} {ARROW} {p.say_instead}" if p.say_instead else p.phrase for p in policy.lexicon),
    )


def budget(entered: Entries) -> dict[str, Any]:
    return {"usage_budget": _number(entered.usage_budget)}


def tasks(entered: Entries) -> dict[str, Any]:
    parts = (entered.quiet_from, entered.quiet_until, entered.quiet_zone.strip())
    if any(parts) and not all(parts):
        message = "Quiet hours need a beginning, an end and a time zone; leave all three empty for none."
        raise BadInput(message)
    return {
        "most_open": _number(entered.most_open),
        "quiet_hours": f"{parts[0]}-{parts[1]} {parts[2]}" if all(parts) else None,
        "quotes_in_task": entered.quotes_in_task,
    }


def accounts(entered: Entries, known: Sequence[Placed], stands: Policy) -> dict[str, Any]:
    return {
        "accounts": {
            "owners": list(entered.owners) if entered.whose == "these" else None,
            "least_value": _number(entered.least_value) if entered.least_value.strip() else None,
            "left_out": _keys(entered.left_out.splitlines(), known, stands.accounts.left_out),
        }
    }


def rules(entered: Entries) -> dict[str, Any]:
    return {"rules_off": {rule: reason for rule, reason in entered.reasons.items() if reason.strip()}}


def lexicon(entered: Entries) -> dict[str, Any]:
    lines = [line.partition(ARROW) for line in entered.lexicon.splitlines() if line.strip()]
    return {"lexicon": [{"phrase": phrase, **({"say_instead": instead} if arrow else {})} for phrase, arrow, instead in lines]}


def _number(text: str) -> Any:
    """What is no number goes on as it is, to be refused with the field's own sentence."""
    plain = text.strip().replace(",", ".")
    for kind in (int, float):
        try:
            return kind(plain)
        except ValueError:
            continue
    return text


def _names(keys: Sequence[str], known: Sequence[Placed]) -> list[str]:
    """The name where one account alone has it, else the key."""
    by_key, by_name = {a.key: a.name for a in known}, _by_name(known)
    return [by_key[key] if key in by_key and len(by_name[by_key[key].lower()]) == 1 else key for key in keys]


def _keys(lines: Sequence[str], known: Sequence[Placed], before: Sequence[str]) -> list[str]:
    """`before`: keys that may stay although nobody knows them any more."""
    by_name, keys = _by_name(known), {a.key for a in known}
    found = []
    for line in (text.strip() for text in lines if text.strip()):
        named = by_name.get(line.lower(), [])
        if line in keys or line in before:
            found.append(line)
        elif len(named) == 1:
            found.append(named[0])
        else:
            which = "More than one account is" if named else "No account is"
            message = f'{which} called "{line[:60]}". {"Name it by its key in the CRM." if named else "Write its name or its key as the CRM has them."}'
            raise BadInput(message)
    return list(dict.fromkeys(found))


def _by_name(known: Sequence[Placed]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for account in known:
        found.setdefault(account.name.lower(), []).append(account.key)
    return found
