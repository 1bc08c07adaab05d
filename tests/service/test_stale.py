"""A draft does not last: after five business days, or once they have written again, nobody can say that they used it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.api import create_app
from service.critic.rules import rules
from service.playbook.report import lines
from service.signals import Report
from service.store import messages, signals, suggestions, workspaces
from service.store.messages import MessageScore
from service.store.pool import transaction
from service.suggest import suggest
from service.task import tasks_of
from tests import builders
from tests.builders import NOW
from tests.client import TestClient, assert_problem, key
from tests.filled import Filled, fill

Hold = Callable[[datetime], None]


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    """With a draft, made on Monday 2 March."""
    return fill(workspace, "Ours")


def say(api: TestClient, whose: Filled, verdict: str) -> Any:
    return api.post(f"/v1/suggestions/{whose.suggestion_id}/feedback", json={"verdict": verdict}, headers=key(whose.workspace_id))


def shown(api: TestClient, whose: Filled) -> dict[str, Any]:
    return dict(api.get(f"/v1/suggestions/{whose.suggestion_id}", headers=key(whose.workspace_id)).json())


def description(whose: Filled) -> str:
    task = tasks_of(whose.workspace_id, [whose.suggestion_id])[whose.suggestion_id].task
    assert task is not None
    return task.description


def writes(whose: Filled, *, read: bool = False, **fields: object) -> None:
    """The contact writes once more; `read`: and the reader has been over it."""
    with transaction(whose.workspace_id) as db:
        mail = builders.email(
            account_key=f"A-{whose.mark}",
            **{"contact_key": f"C-A-{whose.mark}", "from_email": None, "occurred_at": NOW + timedelta(hours=2), "body": "One more thing.", **fields},
        )
        builders.land_emails(db, whose.connection_id, [mail])
        if read:
            (written,) = db.execute("SELECT interaction_id FROM interaction WHERE key = %s", [mail.key]).fetchone() or (None,)
            score = MessageScore(interaction_id=written, sentiment=0.0, confidence=0.9, situations=[], reading=builders.reading())
            messages.append_scores(db, [score], "test", workspaces.next_change(db))


@pytest.mark.parametrize("verdict", ["used", "edited"])
def test_a_draft_is_not_accepted_after_five_business_days(api, ours, hold_clock: Hold, verdict):
    hold_clock(NOW + timedelta(days=8))
    assert "good until 9 March" in assert_problem(say(api, ours, verdict), 409)
    with transaction(ours.workspace_id) as db:
        assert db.execute("SELECT count(*) FROM feedback").fetchone() == (0,)
    assert "9 March" in shown(api, ours)["stale"]


@pytest.mark.parametrize("read", [True, False])
def test_a_draft_is_not_accepted_once_they_have_written_again(api, ours, hold_clock: Hold, read):
    hold_clock(NOW + timedelta(hours=3))
    writes(ours, read=read)
    assert "they have written" in assert_problem(say(api, ours, "used"), 409)
    assert say(api, ours, "not_now").status_code == 201


def test_a_draft_that_waits_in_the_outbox_is_held_back_once_they_have_written(api, ours):
    writes(ours)
    text = description(ours)
    assert "No draft: they have written since it was made" in text
    assert "HOW IT WAS CHECKED" not in text


def test_a_message_that_changes_nothing_else_takes_the_draft_out_of_the_task(api, ours, hold_clock: Hold):
    hold_clock(NOW + timedelta(hours=3))
    writes(ours, read=True)
    suggest(ours.workspace_id, NOW + timedelta(hours=3))
    assert shown(api, ours)["draft"] is None
    assert "they have written since" in description(ours)
    assert_problem(say(api, ours, "used"), 409)
    with transaction(ours.workspace_id) as db:
        before = suggestions.get(db, ours.suggestion_id)
    suggest(ours.workspace_id, NOW + timedelta(hours=4))
    with transaction(ours.workspace_id) as db:
        assert suggestions.get(db, ours.suggestion_id) == before


@pytest.mark.parametrize(
    "fields",
    [
        {"direction": "out", "contact_key": None, "from_email": "ann@vendor.example", "to_emails": ("bo@ours.example",)},
        {"automatic": True},
        {"occurred_at": NOW - timedelta(days=400)},
        {"contact_key": None, "from_email": "somebody@else.example"},
    ],
    ids=["ours", "automatic", "old", "somebody else"],
)
def test_what_is_no_new_message_of_theirs_leaves_the_draft_fresh(api, ours, hold_clock: Hold, fields):
    hold_clock(NOW + timedelta(days=7))
    writes(ours, **fields)
    assert shown(api, ours)["stale"] is None
    assert say(api, ours, "used").status_code == 201


def test_the_task_says_what_was_checked_and_until_when_it_is_good(api, ours, hold_clock: Hold):
    hold_clock(NOW)
    text = description(ours)
    checked = sum("en" in rule.languages for rule in rules())
    assert "Good until 9 March or until they write again" in text
    assert f"HOW IT WAS CHECKED\nChecked against {checked} rules; none that would block it is broken." in text
    answer = shown(api, ours)
    assert (answer["good_until"], answer["report"]["checked"]) == ("2026-03-09", checked)
    assert {f["severity"] for f in answer["report"]["findings"]} <= {"W", "S"}


def test_what_is_left_to_clear_is_named_with_what_the_rule_says_and_hints_by_their_rule():
    one, two = lines(Report(checked=70, findings=(("CH-1", "W"), ("CAL-5", "S"))))
    assert one == "Checked against 70 rules; none that would block it is broken."
    assert two == "Yours to clear: CH-1 (The subject line is too long, urgent or a trick). Hints: CAL-5."
    assert len(lines(Report(checked=70, findings=()))) == 1


def test_what_they_wrote_makes_a_fresh_draft_where_it_says_something_new(api, ours, hold_clock: Hold):
    later = NOW + timedelta(days=1)
    hold_clock(later)
    words = "We were asked to cut a tenth from every contract. Yours is on the list."
    writes(ours, read=True, body=words, occurred_at=later)
    with transaction(ours.workspace_id) as db:
        written, contact = db.execute("SELECT interaction_id, contact_id FROM interaction ORDER BY occurred_at DESC").fetchone() or (None, None)
        said = builders.words(written, 0, len(words), contact)
        found = builders.signal(ours.account_id, kind="budget_cut", confidence=0.95, contact_id=contact, evidence=(said,), detected_at=later.date())
        signals.append(db, [found], "test", workspaces.next_change(db))
    suggest(ours.workspace_id, later)
    with transaction(ours.workspace_id) as db:
        row = suggestions.get(db, ours.suggestion_id)
    assert row is not None
    assert row.draft is not None
    assert row.last_draft is not None
    assert (row.last_draft.made_on, row.last_draft.answered) == (later.date(), False)
    assert say(api, ours, "used").status_code == 201
