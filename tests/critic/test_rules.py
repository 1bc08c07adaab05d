"""Every rule about a text fails its failing examples and passes its passing ones; none that is locked can be got round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ml import artifact, moves
from ml.expressions import one_of
from service.critic import Draft, Evidence, Policy, lexicon, review
from service.critic.case import Case
from service.critic.checks import CHECKS
from service.critic.kinds import KINDS
from service.critic.lexicon import LANGUAGES
from service.critic.metrics import METRICS
from service.critic.review import breaches
from service.critic.rules import Rule, rules
from service.errors import BadInput

RULES = {rule.id: rule for rule in rules()}
LOCKED = {"OBS-1", "OBS-3", "OBS-4"} | {rule.id for rule in rules() if rule.id.startswith("ETH-") and rule.severity == "E"}


def case(rule: Rule, example: Any) -> Case:
    """An example is a text, or a draft with evidence of its own; what all examples of a rule share is given once."""
    given: dict[str, Any] = dict(rule.given) | (example if isinstance(example, dict) else {"draft": example})
    evidence = tuple(Evidence(id=f"e{n}", type=kind, text=text) for n, item in enumerate(given.get("evidence", ()), 1) for kind, text in item.items())
    return Case(
        Draft(
            id=rule.id,
            text=given["draft"],
            channel=given.get("channel", "email"),
            lang=given.get("lang", "en"),
            evidence=evidence,
            recipient_name=given.get("recipient_name"),
            am_name=given.get("am_name"),
            situation=given.get("situation"),
            earlier=tuple(given.get("earlier", ())),
        )
    )


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_no_failing_example_of_a_rule_passes_it(rule: Rule) -> None:
    let_through = [example for example in rule.fails if not breaches(case(rule, example), rule)]
    assert not let_through


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_no_passing_example_of_a_rule_fails_it(rule: Rule) -> None:
    flagged = [(example, breaches(found, rule)) for example in rule.passes if breaches(found := case(rule, example), rule)]
    assert not flagged


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_no_check_that_would_find_something_is_passed_over(rule: Rule) -> None:
    """Letters in a row tell which checks need not be asked."""
    everything = frozenset(id(check) for check in rule.checks)
    for example in (*rule.fails, *rule.passes):
        assert breaches(case(rule, example), rule) == breaches(case(rule, example), rule, everything)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_every_rule_says_what_why_and_what_instead_and_has_five_examples_of_each(rule: Rule) -> None:
    assert len(rule.fails) >= 5
    assert len(rule.passes) >= 5
    assert rule.message.endswith(".")
    assert rule.why.endswith(".")
    assert rule.hint.endswith((".", "?"))
    assert set(rule.languages) <= set(LANGUAGES)


def test_no_rule_has_the_id_of_another() -> None:
    assert len(RULES) == len(rules())


def test_every_check_names_a_kind_a_function_and_a_metric_that_exist() -> None:
    checks = [check for rule in rules() for check in rule.checks]
    assert {check.kind for check in checks} <= set(KINDS)
    assert {check.settings["function"] for check in checks if check.kind == "python"} == set(CHECKS)
    assert {check.settings["metric"] for check in checks if check.kind == "metric"} <= set(METRICS)


def test_every_expression_of_a_rule_and_of_a_list_can_be_compiled() -> None:
    """They are when a text may first match, which need not be in any test."""
    settings = [value for rule in rules() for check in rule.checks for value in check.settings.values()]
    listed = [kept for file in ("checks", "claims", "departments", "phrases") for kept in lexicon.stored(file).values()]
    by_language = [kept for kept in (*settings, *listed, *artifact.words(moves.NAME).values()) if isinstance(kept, Mapping)]
    written = [expression for kept in by_language for part in kept.values() if isinstance(part, list) for expression in part if isinstance(expression, str)]
    assert len(written) > 1000
    assert all(part.regex.groups >= 0 for part in one_of(written)._parts)


def test_only_the_rules_of_ethics_and_of_observation_that_must_hold_are_locked() -> None:
    assert {rule.id for rule in rules() if rule.locked} == LOCKED & set(RULES)


@pytest.mark.parametrize("name", sorted(LOCKED & set(RULES)))
def test_no_locked_rule_is_lowered_switched_off_or_set_aside(name: str) -> None:
    with pytest.raises(BadInput):
        Policy(lowered={name: "S"})
    with pytest.raises(BadInput):
        Policy(off={name: frozenset()})
    with pytest.raises(BadInput):
        review(Draft(id=1, text="Hello."), reasons={name: "We know better."})


def test_no_error_rule_is_lowered() -> None:
    with pytest.raises(BadInput, match="STR-4"):
        Policy(lowered={"STR-4": "W"})


def test_no_rule_is_raised_and_none_that_does_not_exist_is_lowered() -> None:
    with pytest.raises(BadInput, match="only be lowered"):
        Policy(lowered={"CAL-4": "W"})
    with pytest.raises(BadInput, match="no rule XYZ-1"):
        Policy(lowered={"XYZ-1": "S"})


def test_a_team_lowers_a_warning_and_switches_it_off_for_a_channel() -> None:
    text = "Unfortunately the term is two years."
    found = review(Draft(id=1, text=text), Policy(lowered={"STR-11": "S"}))
    assert [(f.rule, f.severity) for f in found.findings if f.rule == "STR-11"] == [("STR-11", "S")]
    chat = review(Draft(id=1, text=text, channel="chat"), Policy(off={"STR-11": frozenset({"chat"})}))
    assert not [f for f in chat.findings if f.rule == "STR-11"]
    mail = review(Draft(id=1, text=text), Policy(off={"STR-11": frozenset({"chat"})}))
    assert [f for f in mail.findings if f.rule == "STR-11"]


def test_a_finding_is_set_aside_with_a_reason_that_is_returned_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    draft = Draft(id="d1", text="Rest assured that the pump runs.")
    assert review(draft).rules == ("DRF-5",)
    found = review(draft, reasons={"DRF-5": "Their own slogan."})
    assert found.verdict == "good"
    assert [(s.finding.rule, s.reason) for s in found.suppressed] == [("DRF-5", "Their own slogan.")]
    assert [(r.rule, r.reason) for r in caplog.records if hasattr(r, "reason")] == [("DRF-5", "Their own slogan.")]  # type: ignore[attr-defined]


def test_no_finding_is_set_aside_without_a_reason() -> None:
    with pytest.raises(BadInput, match="needs a reason"):
        review(Draft(id=1, text="Rest assured."), reasons={"DRF-5": " "})


def test_a_rule_without_its_checks_lets_its_failing_examples_through() -> None:
    """The examples are failed by the checks, not by how they are run."""
    rule = RULES["ETH-5"]
    assert not [example for example in rule.fails if breaches(case(rule, example), replace(rule, checks=()))]
