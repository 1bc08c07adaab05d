"""What differs between two policies, as lines that a person reads. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.critic.team import Phrase
from service.policy.document import Accounts, Policy, as_text
from service.quiet import QuietHours

MOST_NAMED = 5
NAMES = {
    "usage_budget": "False alarms of usage per account and year",
    "most_open": "Suggestions that one owner has open",
    "quiet_hours": "Quiet hours",
    "quotes_in_task": "Buyers' words in tasks",
}


def difference(before: Policy, after: Policy) -> list[str]:
    return [
        *(line for name, what in NAMES.items() if (line := _changed(what, getattr(before, name), getattr(after, name)))),
        *_rules(before.rules_off, after.rules_off),
        *_lexicon(before.lexicon, after.lexicon),
        *_accounts(before.accounts, after.accounts),
    ]


def _changed(what: str, before: Any, after: Any) -> str | None:
    return None if before == after else f"{what}: {_said(before)} → {_said(after)}"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "shown" if value else "left to the link"
    if isinstance(value, QuietHours):
        return as_text(value) or ""
    return f"{value:,g}" if isinstance(value, int | float) else "none" if value is None else str(value)


def _rules(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for rule in sorted(before.keys() | after.keys()):
        if rule not in after:
            yield f"Rule {rule}: off → on"
        elif rule not in before:
            yield f"Rule {rule}: on → off ({after[rule]})"
        elif before[rule] != after[rule]:
            yield f"Rule {rule}, why it is off: {before[rule]} → {after[rule]}"


def _lexicon(before: Sequence[Phrase], after: Sequence[Phrase]) -> Iterator[str]:
    old, new = {p.key: p for p in before}, {p.key: p for p in after}
    yield from _listed("Words not to be used, added", [_phrase(p) for key, p in new.items() if key not in old])
    yield from _listed("Words not to be used, taken out", [_phrase(p) for key, p in old.items() if key not in new])
    yield from _listed("Words not to be used, changed", [_phrase(p) for key, p in new.items() if key in old and old[key] != p])
    if old == new and before != after:
        yield "Words not to be used: in another order"


def _phrase(p: Phrase) -> str:
    return f'"{p.phrase}" (say "{p.say_instead}")' if p.say_instead else f'"{p.phrase}"'


def _accounts(before: Accounts, after: Accounts) -> Iterator[str]:
    if before.owners != after.owners:
        yield f"Accounts of: {_owners(before)} → {_owners(after)}"
    if line := _changed("Least yearly value of accounts", before.least_value, after.least_value):
        yield line
    yield from _listed("Accounts left out", [k for k in after.left_out if k not in before.left_out])
    yield from _listed("Accounts no longer left out", [k for k in before.left_out if k not in after.left_out])
    if before.left_out != after.left_out and set(before.left_out) == set(after.left_out):
        yield "Accounts left out: in another order"


def _owners(accounts: Accounts) -> str:
    if accounts.owners is None:
        return "everybody"
    return _few(accounts.owners) if accounts.owners else "nobody"


def _listed(what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{what}: {_few(names)}"


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown
