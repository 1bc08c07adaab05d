"""What a contact has asked for wins: nobody who opted out is written to, nobody is called who wants to be written to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from service import audit, preferences
from service.api import create_app
from service.cli.app import app
from service.playbook import compose, render
from service.playbook.asked import proposes_a_talk
from service.playbook.drafting import compared
from service.signals import Preference, Recipient
from service.store import accounts, signals, suggestions, workspaces
from service.store.pool import transaction
from service.suggest import suggest
from service.task import tasks_of
from tests import builders, cases
from tests.builders import NOW
from tests.client import TestClient, assert_problem, key
from tests.filled import Filled, fill

LATER = NOW + timedelta(hours=1)
GERMAN = "Der Export ist am Montag zweimal abgebrochen. Wir haben die Liste von Hand neu geschrieben."


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture(autouse=True)
def on_the_day(hold_clock: Callable[[datetime], None]) -> None:
    hold_clock(NOW)


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


def put(api: TestClient, whose: Filled, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return api.put(f"/v1/contacts/{whose.contact_id}/preferences", json=body, headers=headers or key(whose.workspace_id))


def asked(whose: Filled, **fields: Any) -> suggestions.SuggestionRow:
    """They have asked for this, and suggestions have been looked at anew."""
    preferences.state(whose.workspace_id, whose.contact_id, Preference(**fields, stated_at=NOW), "api")
    suggest(whose.workspace_id, LATER)
    with transaction(whose.workspace_id) as db:
        row = suggestions.get(db, whose.suggestion_id)
    assert row is not None
    return row


def description(whose: Filled) -> str:
    task = tasks_of(whose.workspace_id, [whose.suggestion_id])[whose.suggestion_id].task
    assert task is not None
    return task.description


def count(workspace_id: UUID) -> int:
    with transaction(workspace_id) as db:
        return int((db.execute("SELECT count(*) FROM contact_preference").fetchone() or (0,))[0])


def test_only_who_may_judge_records_what_they_asked_for_and_only_in_their_workspace(api, ours):
    for headers, status in (({}, 401), (key(ours.workspace_id, "read", "push"), 403), (key(builders.workspace()), 404)):
        assert api.put(f"/v1/contacts/{ours.contact_id}/preferences", json={}, headers=headers).status_code == status
    assert count(ours.workspace_id) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"channel": "fax"},
        {"language": "German"},
        {"language": "D\u00e9"},
        {"language": "de\n"},
        {"no_contact_until": "soon"},
        {"no_contact_until": "9999-01-01"},
        {"opted_out": "yes"},
        {"evidence_id": "x"},
        {"email": "bo@acme.example"},
    ],
    ids=str,
)
def test_what_is_no_preference_is_refused_and_leaves_no_row(api, ours, body):
    assert_problem(put(api, ours, **body), 422)
    assert count(ours.workspace_id) == 0


def test_nobodys_words_but_their_own_are_evidence_of_what_they_asked_for(api, ours):
    other = fill(builders.workspace(), "Theirs")
    with transaction(other.workspace_id) as db:
        foreign = signals.current(db, [other.account_id])[0].signal.evidence
    for evidence_id in (uuid4(), *(e.id for e in foreign)):
        assert "evidence_id" in assert_problem(put(api, ours, opted_out=True, evidence_id=str(evidence_id)), 422)
    with transaction(ours.workspace_id) as db:
        said = next(e for s in signals.current(db, [ours.account_id]) for e in s.signal.evidence if e.contact_id)
    assert put(api, ours, opted_out=True, evidence_id=str(said.id)).json()["evidence_id"] == str(said.id)


def test_nobody_can_change_what_was_recorded(api, ours):
    put(api, ours, opted_out=True)
    for statement in ("UPDATE contact_preference SET opted_out = false", "DELETE FROM contact_preference"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(ours.workspace_id) as db:
            db.execute(statement.encode())


def test_whoever_opted_out_gets_no_draft_and_the_task_says_why(ours):
    row = asked(ours, opted_out=True)
    assert row.draft is None
    assert row.contact_id is None
    text = description(ours)
    assert "1. Leave them in peace: they asked not to be written to (recorded on 2 March)." in text
    assert "No draft: they asked not to be written to" in text


def test_a_draft_that_waits_in_the_outbox_is_held_back_at_once(ours):
    """Recorded after the last run and before the push."""
    preferences.state(ours.workspace_id, ours.contact_id, Preference(opted_out=True, stated_at=NOW), "api")
    assert "No draft: the person it was for has opted out" in description(ours)


def test_whoever_may_be_written_to_again_has_a_draft_again(ours):
    asked(ours, opted_out=True)
    assert asked(ours, opted_out=False).draft is not None


def test_an_opt_out_that_the_crm_knows_of_is_told_as_such(ours):
    with transaction(ours.workspace_id) as db:
        db.execute("UPDATE contact SET opted_out = true")
    suggest(ours.workspace_id, LATER)
    with transaction(ours.workspace_id) as db:
        row = suggestions.get(db, ours.suggestion_id)
    assert (row.draft, row.no_draft_reason) == (None, "they asked not to be written to, as the CRM has it")


def test_nothing_is_drafted_or_due_before_the_day_they_named(workspace: UUID):
    until = date(2026, 3, 20)
    with transaction(workspace) as db:
        account_id = builders.account(db, builders.connection(db))
        (contact,) = accounts.contacts(db, [account_id])
        signals.append(db, [builders.signal(account_id, contact_id=contact.contact_id)], "m", workspaces.next_change(db))
    preferences.state(workspace, contact.contact_id, Preference(no_contact_until=until, stated_at=NOW), "api")
    suggest(workspace, NOW)
    with transaction(workspace) as db:
        (row,) = suggestions.open_suggestions(db)
    assert (row.draft, row.no_draft_reason, row.due) == (None, "they asked for nothing before 20 March", until)


def test_once_the_day_has_come_there_is_a_draft(ours):
    row = asked(ours, no_contact_until=LATER.date() + timedelta(days=1))
    assert row.draft is None
    suggest(ours.workspace_id, LATER + timedelta(days=1))
    with transaction(ours.workspace_id) as db:
        row = suggestions.get(db, ours.suggestion_id)
    assert row.draft is not None


@pytest.mark.parametrize("channel", ["chat", "call"])
def test_a_draft_is_made_for_the_channel_they_want_and_can_be_made_again(ours, channel):
    row = asked(ours, channel=channel)
    assert row.draft is not None
    assert row.last_draft.channel == channel
    assert [one.verdict for one in audit.audit(ours.workspace_id, ours.suggestion_id)] == ["same", "same"]
    assert "WHAT THEY ASKED FOR\nTo be reached" in description(ours)


@pytest.mark.parametrize("kind", [k for k in cases.WORDS if k not in ("hostile_or_injection", "positive_momentum", "routine_logistics")])
def test_nobody_who_wants_to_be_written_to_is_offered_a_talk(kind):
    who = Recipient(contact_id=cases.BO, name="Marta Lind", preference=Preference(channel="email", stated_at=NOW))
    found = [compose(cases.case(kind, recipient=who, seed=seed)).draft for seed in "abc"]
    assert not [d for d in found if d and proposes_a_talk(compared(d))]


def test_the_language_they_want_is_the_language_of_the_draft():
    who = Recipient(contact_id=cases.BO, name="Marta Lind", preference=Preference(language="de", stated_at=NOW))
    case = cases.case("frustration", GERMAN, recipient=who)
    composed = compose(case)
    assert composed.draft is not None, composed.no_draft_reason
    text = render(composed.draft, cases.bodies(case), "email", "de")
    assert "„" in text
    assert {s.type for s in composed.made.pieces} == {"buyer_message"}
    english = compose(cases.case("frustration", recipient=who))
    assert english.draft is None
    assert "another language" in str(english.no_draft_reason)


def test_a_language_without_phrases_has_no_draft_and_says_so(ours):
    assert "no phrases for the language 'pl'" in str(asked(ours, language="pl").no_draft_reason)


def test_of_contacts_that_were_merged_the_more_careful_wish_counts_until_somebody_says_otherwise(ours):
    with transaction(ours.workspace_id) as db:
        twin = db.execute(
            "INSERT INTO contact (workspace_id, connection_id, key, account_id, survivor_id) VALUES (%s, %s, 'twin', %s, %s) RETURNING contact_id",
            [ours.workspace_id, ours.connection_id, ours.account_id, None],
        ).fetchone()
    preferences.state(ours.workspace_id, twin[0], Preference(opted_out=True, stated_at=NOW), "api")
    preferences.state(ours.workspace_id, ours.contact_id, Preference(channel="email", stated_at=NOW), "api")
    with transaction(ours.workspace_id) as db:
        db.execute("UPDATE contact SET survivor_id = %s WHERE contact_id = %s", [ours.contact_id, twin[0]])
    found = preferences.stated(ours.workspace_id, ours.contact_id)
    assert (found.opted_out, found.channel) == (True, "email")
    preferences.state(ours.workspace_id, ours.contact_id, Preference(opted_out=False, stated_at=NOW), "api")
    assert preferences.stated(ours.workspace_id, ours.contact_id).opted_out is False


def test_an_opt_out_outlives_the_erasure_of_their_words(api, ours):
    put(api, ours, opted_out=True)
    with transaction(ours.workspace_id) as db:
        (address,) = db.execute("SELECT email FROM contact").fetchone()
    CliRunner().invoke(app, ["erase", address, "-w", f"test {ours.workspace_id}"], catch_exceptions=False)
    assert preferences.stated(ours.workspace_id, ours.contact_id).opted_out is True


def test_the_command_changes_what_is_named_and_leaves_the_rest(ours):
    def run(*more: str) -> str:
        return CliRunner().invoke(app, ["preferences", "bo@ours.example", *more, "-w", f"test {ours.workspace_id}"], catch_exceptions=False).output

    assert run() == "Nothing is recorded that they asked for.\n"
    assert run("--channel", "chat", "--language", "de") == "To be reached in the chat.\nTo be written to in German.\n"
    assert run("--no-contact-until", "2026-03-20").splitlines()[-1] == "Nothing before 20 March."
    assert run("--opt-out").splitlines()[0] == "Not to be written to at all."
    assert run("--opt-in").splitlines()[0] == "To be reached in the chat."


def test_an_answer_says_what_is_recorded(api, ours):
    nothing = api.get(f"/v1/contacts/{ours.contact_id}/preferences", headers=key(ours.workspace_id, "read")).json()
    assert (nothing["opted_out"], nothing["stated_at"]) == (False, None)
    body = {"channel": "email", "language": "de", "no_contact_until": "2026-03-20", "opted_out": False}
    found = put(api, ours, **body).json()
    assert {name: found[name] for name in body} == body
    assert found == api.get(f"/v1/contacts/{ours.contact_id}/preferences", headers=key(ours.workspace_id, "read")).json()
