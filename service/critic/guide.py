"""docs/rules.md, made from the rules: `python -m service.critic.guide > docs/rules.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from service.critic.rules import FAMILIES, Rule, family, held_by_tests

_HEAD = """# Rules

What the critic holds a draft against. E is never shown as it is, W is cleared by the person who sends it, S is a hint. A team may lower W and S rules or
switch them off for a channel, and may set a finding aside with a reason that is kept; a rule marked *locked* stays as it is. [critic.md](critic.md) says how a
draft is reviewed. This page is made from `service/critic/rules/`.
"""


def page() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for name in FAMILIES:
        yield f"## {name.capitalize()}\n"
        for rule in family(name):
            yield from _told(rule)
    yield "## Held by tests\n"
    yield "Rules about what the service does. An empty cell of tests is not built yet.\n"
    yield "| rule | | what | tests | open |"
    yield "|---|---|---|---|---|"
    for row in held_by_tests():
        tests = "<br>".join(f"`{name}`" for name in row["tests"])
        yield f"| {row['id']} | {row['severity']} | {row['what']} | {tests} | {row.get('open', '')} |"


def _told(rule: Rule) -> Iterator[str]:
    marks = [rule.severity, *(["locked"] if rule.locked else []), ", ".join(rule.languages)]
    yield f"**{rule.id}** ({'; '.join(marks)}) {rule.message}"
    yield f"{rule.why} *{rule.hint}*"
    yield f"✗ {_example(rule.fails[0])}  "
    yield f"✓ {_example(rule.passes[0])}\n"


def _example(example: object) -> str:
    text = example["draft"] if isinstance(example, dict) else str(example)
    return " ".join(text.split()).replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(page())
