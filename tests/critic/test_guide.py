"""The page of rules is the rules; each rule about the service names tests that are there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from service.critic.guide import page
from service.critic.rules import held_by_tests, rules

ROOT = Path(__file__).parents[2]


def test_the_page_of_rules_is_current() -> None:
    assert (ROOT / "docs" / "rules.md").read_text("utf-8") == page(), "run python -m service.critic.guide > docs/rules.md"


def test_no_rule_about_the_service_stands_among_those_about_a_text() -> None:
    assert not {row["id"] for row in held_by_tests()} & {rule.id for rule in rules()}


@pytest.mark.parametrize("row", held_by_tests(), ids=lambda row: row["id"])
def test_a_rule_about_the_service_names_tests_that_are_there_or_says_what_is_open(row: dict[str, object]) -> None:
    assert row["tests"] or row.get("open")
    for name in row["tests"]:  # type: ignore[attr-defined]
        file, _, function = name.partition("::")
        found = {node.name for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}
        assert function in found, name


def test_nothing_in_the_program_can_send_a_mail() -> None:
    senders = {"smtplib", "aiosmtplib", "sendgrid", "mailjet_rest", "postmarker", "yagmail"}
    for package in ("service", "workers", "connectors", "ml"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                named = (
                    [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                )
                assert not senders & {name.partition(".")[0] for name in named}, path
