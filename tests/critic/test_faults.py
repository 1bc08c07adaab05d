"""What labelled replies taught: what it may not overrule, what it bears out, and what only it sees."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml import faults
from ml.artifact import BrokenArtifact
from service.critic import Draft, Evidence, learning, review
from service.critic.case import Case
from service.critic.draft import Finding, Marked
from service.critic.faults import SURE, sentences, settled
from service.critic.review import found
from service.critic.rules import rules

EVIDENCE = (
    Evidence(
        id="m1",
        type="buyer_message",
        text="The hall scanner lost Saturday's tickets again and we let 90 people in unread. I am fed up with it. Who looks at this?",
    ),
    Evidence(id="t1", type="ticket", text="T-51: hall scanner, Saturday's tickets not stored. Owner Petra Lind. Cause not known."),
    Evidence(id="o1", type="offer", text="lend a second scanner from Thursday"),
)
RIGHT = Draft(
    id="d1",
    text="Dear Noor,\n\nThe hall scanner lost Saturday's tickets again and 90 people went in unread. Being fed up with that is fair. "
    "Petra Lind has it, as T-51, and the cause is not known. I could lend you a second scanner from Thursday. "
    "Is it the lost tickets that weigh most, or the queue at the door?\n\nTilda",
    evidence=EVIDENCE,
    recipient_name="Noor Haddad",
    am_name="Tilda Berg",
    situation="frustration",
)


def test_what_stands_in_the_text_for_all_to_see_is_never_doubted() -> None:
    but = replace(RIGHT, text=RIGHT.text.replace("is fair. Petra", "is fair, but Petra"))
    assert "DRF-1" in review(but).rules
    never_borne = [Finding(rule, "E", 0, 5, "", "") for rule in SURE]
    assert [f.severity for f in settled(Case(RIGHT), never_borne) if f.rule in SURE] == ["E"] * len(SURE)


def test_a_rule_without_examples_is_not_doubted() -> None:
    unknown = next(rule.id for rule in rules() if rule.id not in faults.load().rules)
    assert Finding(unknown, "E", 0, 5, "", "") in settled(Case(RIGHT), [Finding(unknown, "E", 0, 5, "", "")])


@pytest.mark.parametrize(
    "draft",
    [
        replace(RIGHT, lang="de"),
        replace(RIGHT, evidence=()),
        replace(RIGHT, marked=(Marked(0, len(RIGHT.text), "INFO"),)),
    ],
    ids=["another language", "nothing to hold it against", "our own draft"],
)
def test_it_has_no_say_about(draft: Draft) -> None:
    of_rules = list(found(Case(draft)))
    assert settled(Case(draft), of_rules) == of_rules


def test_a_finding_that_the_examples_do_not_bear_out_is_a_warning() -> None:
    start = RIGHT.text.index("Petra Lind has it")
    doubtful = Finding("SIT-13", "E", start, start + 17, "", "")
    assert [f.severity for f in settled(Case(RIGHT), [doubtful]) if f.start == start] == ["W"]


def test_a_right_reply_stays_right() -> None:
    assert review(RIGHT).verdict == "good"


@pytest.mark.parametrize(
    "fault",
    [
        "Every other festival we look after has already moved to the bigger package.",
        "Most people your age find these scanners tricky at first.",
        "I noticed you opened my last mail three times before you wrote.",
    ],
)
def test_a_fault_that_is_said_in_other_words_is_found(fault: str) -> None:
    wrong = replace(RIGHT, text=RIGHT.text.replace(" I could lend", f" {fault} I could lend"))
    assert review(wrong).verdict == "bad"


def test_a_finding_by_examples_says_so_and_spans_its_sentence() -> None:
    fault = "After all the hours I put into your account, that stings a bit."
    text = RIGHT.text.replace(" I could lend", f" {fault} I could lend")
    case = Case(replace(RIGHT, text=text))
    spans = [text[f.start : f.end].strip() for f in settled(case, []) if "reads like" in f.why]
    assert fault in spans


def test_a_name_in_the_reply_changes_no_chance() -> None:
    other = replace(RIGHT, text=RIGHT.text.replace("Noor", "Zsófia").replace("Tilda", "Wu"), recipient_name="Zsófia Haddad", am_name="Wu Berg")
    chances = [faults.load().chances(faults.described(sentences(Case(draft), []))) for draft in (RIGHT, other)]
    assert np.allclose(*chances)


def test_every_edit_of_the_examples_changes_a_reply_and_breaks_a_rule_that_there_is() -> None:
    known = {rule.id for rule in rules()}
    replies = list(learning.replies())
    assert len({reply.draft.id for reply in replies}) == len(replies)
    assert all(reply.rule is None or reply.rule in known for reply in replies)
    assert all(reply.base is None or reply.draft.text != reply.base for reply in replies)
    assert min(Counter(reply.rule for reply in replies if reply.rule).values()) >= 60


def test_the_model_is_of_the_examples_at_hand() -> None:
    meta = json.loads((faults.artifact.MODELS / "faults.json").read_text("utf-8"))
    assert meta["data"] == hashlib.sha256(learning.CASES.read_bytes()).hexdigest()
    assert meta["replies"] == sum(1 for _ in learning.replies())


def test_a_model_that_was_changed_is_not_loaded_and_the_message_says_how_to_make_it_again(tmp_path: Path) -> None:
    for name in ("faults.json", "faults.npz"):
        (tmp_path / name).write_bytes((faults.artifact.MODELS / name).read_bytes())
    (tmp_path / "faults.npz").write_bytes(b"other")
    with pytest.raises(BrokenArtifact, match=r"python -m service\.critic\.learning"):
        faults.loaded(tmp_path)
