"""A whole review: what no draft can do, what a score cannot be bought with, and how the drafts at hand are told apart."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from service.critic import CHANNELS, Draft, Evidence, review
from service.critic.case import Case
from service.critic.lexicon import LANGUAGES
from service.critic.review import found
from service.critic.rows import draft

ROWS = [json.loads(line) for line in (Path(__file__).parent / "drafts_dev.jsonl").read_text("utf-8").splitlines()]
LEARNED = 160
"""Rows by which the patterns were written; the others were only counted."""
MESSAGE = Evidence(id="e1", type="buyer_message", text="The vents shut at noon again and the seedlings died. I am angry, and I have told you twice.")
GOOD = Draft(
    id="g",
    text="Dear Kim,\n\nThe vents shut at noon again and the seedlings died. Being angry about that is fair.\n\nInes Kohl has V-12. The cause is not known yet. "
    "I could lend you a hand timer until it is.\n\nIs it the seedlings that weigh most, or having told us twice?\n\nAda",
    evidence=(
        MESSAGE,
        Evidence(id="e2", type="ticket", text="V-12, owner Ines Kohl, cause not known"),
        Evidence(id="e3", type="offer", text="Ada may lend a hand timer"),
    ),
    recipient_name="Kim Osei",
    am_name="Ada Wren",
    situation="frustration",
)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "?", "Hello", "“", "'", "\x00", "🙂", "Dear ,\n\n\n\n", "a" * 30_000, "\ud800", "Ada " * 40])
def test_no_text_raises(text: str) -> None:
    for lang in (*LANGUAGES, "xx", ""):
        for situation in ("frustration", "silence", "usage_drop", "renewal_decision", None, "no such"):
            review(replace(GOOD, text=text, lang=lang, situation=situation))


@pytest.mark.parametrize(
    "evidence", [(), (replace(MESSAGE, text=""),), (replace(MESSAGE, text="> only quoted"),), (Evidence(id="1", type="no such", text="x"),)]
)
def test_no_evidence_raises(evidence: tuple[Evidence, ...]) -> None:
    for situation in ("frustration", None):
        review(replace(GOOD, evidence=evidence, situation=situation))


@settings(max_examples=40, deadline=None)
@given(strategies.text(max_size=200), strategies.text(max_size=200), strategies.sampled_from(CHANNELS), strategies.sampled_from(LANGUAGES))
def test_no_finding_points_outside_its_draft(text: str, message: str, channel: str, lang: str) -> None:
    found = review(Draft(id=1, text=text, channel=channel, lang=lang, evidence=(replace(MESSAGE, text=message),)))
    assert all(0 <= f.start <= f.end <= len(text) for f in found.findings)
    assert all(0 <= score <= 1 for score in asdict(found.scores).values())


def test_a_good_draft_is_good() -> None:
    found = review(GOOD)
    assert found.verdict == "good", found.findings
    assert found.rules == ()


def test_a_verdict_is_bad_exactly_when_a_rule_of_error_level_is_broken() -> None:
    for row in ROWS[:40]:
        found = review(draft(row))
        assert found.rules == tuple(dict.fromkeys(f.rule for f in found.findings if f.severity == "E"))
        assert (found.verdict == "bad") == bool(found.rules)


def test_more_sympathy_raises_no_score() -> None:
    gushing = replace(
        GOOD, text=GOOD.text.replace("is fair.", "is fair. It must have been hard, I can imagine, and it makes sense. No wonder. Anyone would feel the same.")
    )
    before, after = review(GOOD).scores, review(gushing).scores
    assert all(after_ <= before_ for before_, after_ in zip(asdict(before).values(), asdict(after).values(), strict=True))
    assert "PIT-2" in review(gushing).rules


def test_there_is_no_single_score() -> None:
    assert set(asdict(review(GOOD))) == {"id", "verdict", "rules", "findings", "scores", "suppressed"}
    assert set(asdict(review(GOOD).scores)) == {"structure", "specificity", "coverage", "novelty", "style", "brevity", "readability"}


def test_what_stood_in_an_earlier_draft_is_no_longer_new() -> None:
    again = replace(GOOD, earlier=(GOOD.text,))
    assert review(GOOD).scores.novelty == 1
    assert review(again).scores.novelty < 0.1
    assert "DRF-6" in review(again).rules


def test_the_same_draft_gives_the_same_review() -> None:
    assert review(GOOD) == review(GOOD)


def test_a_name_changes_nothing_but_itself() -> None:
    other = replace(GOOD, text=GOOD.text.replace("Kim", "Ngozi"), recipient_name="Ngozi Osei")
    assert review(other).rules == review(GOOD).rules
    assert review(other).scores == review(GOOD).scores


def figures(rows: list[dict[str, Any]]) -> tuple[float, float, float]:
    """(share of bad drafts in which the rules find an error, of good ones, of bad ones in which they find the broken rule)."""
    errors = [(row, {f.rule for f in found(Case(draft(row))) if f.severity == "E"}) for row in rows]
    bad, good = ([(row, rules) for row, rules in errors if row["label"] == label] for label in ("bad", "good"))
    called = [sum(bool(rules) for _, rules in part) / len(part) for part in (bad, good)]
    return called[0], called[1], sum(row["rules"][0] in rules for row, rules in bad) / len(bad)


def test_the_drafts_that_the_patterns_were_written_by_are_told_apart_by_the_rules() -> None:
    recall, false_alarms, named = figures(ROWS[:LEARNED])
    assert recall >= 0.98
    assert false_alarms <= 0.02
    assert named >= 0.97


def test_a_title_that_the_record_lacks_only_warns_where_a_person_wrote_it() -> None:
    findings = review(replace(GOOD, text=GOOD.text.replace("Dear Kim", "Dear Ms Osei"))).findings
    assert [(f.rule, f.severity) for f in findings if f.rule == "DRF-12"] == [("DRF-12", "W")]


def test_a_title_against_the_record_is_an_error() -> None:
    findings = review(replace(GOOD, text=GOOD.text.replace("Dear Kim", "Dear Ms Osei"), recipient_name="Mr Kim Osei")).findings
    assert [(f.rule, f.severity) for f in findings if f.rule == "DRF-12"] == [("DRF-12", "E")]
