"""Rules as data: each family is a file in rules/, each rule says what breaks it, why that matters and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from service.critic.draft import Severity

FAMILIES = ("observation", "situations", "structure", "drafting", "pitfalls", "calibration", "ethics", "channels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One way in which a rule is broken. `kind` is a key of service.critic.kinds.KINDS, `when` names conditions that must hold (with "not " before it: that
    must not), `settings` belong to the kind."""

    kind: str
    when: tuple[str, ...]
    scope: str
    severity: Severity | None
    """Of what this check finds, where it is less sure than its rule."""
    settings: Mapping[str, Any]

    def applies(self, conditions: frozenset[str]) -> bool:
        wanted, unwanted = _told_apart(self.when)
        return wanted <= conditions and unwanted.isdisjoint(conditions)


@cache
def _told_apart(when: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """What must hold, and what must not."""
    return frozenset(name for name in when if not name.startswith("not ")), frozenset(name[4:] for name in when if name.startswith("not "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`locked`: nobody can lower it, switch it off or set its findings aside. `fail` and `pass`: examples, each a text or a draft with evidence."""

    id: str
    severity: Severity
    locked: bool
    languages: tuple[str, ...]
    message: str
    why: str
    hint: str
    checks: tuple[Check, ...]
    given: Mapping[str, Any]
    """What holds for all examples, such as the situation."""
    fails: tuple[Any, ...]
    passes: tuple[Any, ...]


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(rule for name in FAMILIES for rule in family(name))


@cache
def family(name: str) -> tuple[Rule, ...]:
    return tuple(_rule(row) for row in _stored(name))


def _stored(name: str) -> list[dict[str, Any]]:
    return yaml.load((files("service.critic") / "rules" / f"{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)  # type: ignore[no-any-return]


def _rule(row: dict[str, Any]) -> Rule:
    when = tuple(row.get("when", ()))
    return Rule(
        id=row["id"],
        severity=row["severity"],
        locked=row.get("locked", False),
        languages=tuple(row["languages"]),
        message=row["message"],
        why=row["why"],
        hint=row["hint"],
        checks=tuple(_check(check, when, row.get("scope", "body")) for check in row["checks"]),
        given=row.get("given", {}),
        fails=tuple(row["fail"]),
        passes=tuple(row["pass"]),
    )


def _check(row: dict[str, Any], when: tuple[str, ...], scope: str) -> Check:
    settings = {key: value for key, value in row.items() if key not in ("kind", "when", "scope", "severity")}
    return Check(kind=row["kind"], when=when + tuple(row.get("when", ())), scope=row.get("scope", scope), severity=row.get("severity"), settings=settings)


@cache
def held_by_tests() -> tuple[Mapping[str, Any], ...]:
    """Rules about what the service does, not about a text: each with the tests that hold it."""
    return tuple(_stored("service"))
