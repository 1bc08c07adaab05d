"""A message or an account that cannot be read or scored: the others go on, an outage is no such thing, and people are told where they look."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from service import unscored as told
from service.cli.app import app as command_line
from service.config import real_time, settings
from service.console import session
from service.console.session import COOKIE, Session
from service.errors import Unavailable
from service.messages import reader_of
from service.score import score
from service.store import accounts, messages, signals, suggestions, unscored, workspaces
from service.store.pool import transaction
from service.suggest import suggest
from service.unscored import each_alone
from tests import builders
from tests.builders import NOW
from tests.client import TestClient, key

DAY = timedelta(days=1)
BROKEN = "UPDATE message_text SET own_starts = '{0,5}', own_ends = '{3}' WHERE interaction_id = %s"
"""What no parser of ours writes: a span without an end."""


@pytest.fixture
def two(workspace: UUID) -> dict[str, UUID]:
    """Two accounts, each with a mail that has been scored."""
    with transaction(workspace) as db:
        crm = builders.connection(db)
        found = {name: builders.account(db, crm, key=name, name=name) for name in ("Acme", "Birch")}
        builders.land_emails(db, crm, [builders.email(key=f"M-{name}", account_key=name, from_email=f"bo@{name.lower()}.example") for name in found])
    score(workspace, NOW)
    return found


def spoil_account(workspace: UUID, key: str) -> None:
    """Its newest score is of a form that no reader of ours writes."""
    with transaction(workspace) as db:
        account_id, mail = db.execute("SELECT account_id, interaction_id FROM interaction WHERE key = %s", [f"M-{key}"]).fetchone() or (None, None)
        version = reader_of(workspace).version
    owner_does(
        "UPDATE message_score SET situations = %s WHERE interaction_id = %s AND model_version = %s",
        [json.dumps([{"x": 1}]), mail, version],
    )
    with transaction(workspace) as db:
        accounts.mark_due(db, [account_id])


def heal_account(workspace: UUID, key: str) -> None:
    with transaction(workspace) as db:
        [(mail,)] = db.execute("SELECT interaction_id FROM interaction WHERE key = %s", [f"M-{key}"]).fetchall()
    owner_does("UPDATE message_score SET situations = '[]' WHERE interaction_id = %s", [mail])


def owner_does(statement: str, given: list[Any]) -> None:
    """What the application itself has no right to."""
    with psycopg.connect(str(settings().database_owner_url)) as db:
        db.execute(statement.encode(), given)


def state(workspace: UUID) -> unscored.Unscored:
    with transaction(workspace) as db:
        return unscored.read(db)


def visit(app: Any, workspace_id: UUID) -> TestClient:
    browser = TestClient(app, base_url="http://testserver", raise_server_exceptions=False, follow_redirects=False)
    browser.cookies.set(COOKIE, session.seal(Session(workspace_id, None), "console session", real_time() + timedelta(hours=1)), path="/console")
    return browser


def test_where_all_could_be_scored_nothing_is_said(app, workspace, two):
    assert told.troubles(state(workspace)) == []
    browser = visit(app, workspace)
    assert "could not be" not in browser.get("/console/connections").text
    assert "cannot be scored" not in browser.get(f"/console/accounts/{two['Acme']}").text


def test_an_outage_is_never_taken_for_a_fault_of_an_account(workspace):
    def gone(_: UUID) -> None:
        raise Unavailable("The database went away.")

    with pytest.raises(Unavailable):
        each_alone([workspace], gone, "account", workspace)


def test_an_account_that_cannot_be_scored_holds_up_no_other_and_is_due_no_longer_today(workspace, two):
    spoil_account(workspace, "Acme")
    with transaction(workspace) as db:
        accounts.mark_due(db, [two["Birch"]])
    report = score(workspace, NOW)
    assert (report.accounts, report.failed) == (2, 1)
    with transaction(workspace) as db:
        assert accounts.due(db, 10) == []
    [failed] = state(workspace).failed
    assert (failed.what, failed.account_id, failed.account) == ("account", two["Acme"], "Acme")


def test_it_is_tried_again_on_the_next_day_keeps_its_first_day_and_is_forgotten_once_it_goes_well(workspace, two):
    spoil_account(workspace, "Acme")
    score(workspace, NOW)
    since = state(workspace).failed[0].since
    score(workspace, NOW + DAY)
    assert state(workspace).failed[0].since == since
    heal_account(workspace, "Acme")
    score(workspace, NOW + 2 * DAY)
    assert state(workspace).failed == ()


def test_a_message_that_cannot_be_read_takes_no_other_with_it_and_is_not_tried_twice_a_day(workspace, two):
    with transaction(workspace) as db:
        mails = dict(db.execute("SELECT key, interaction_id FROM interaction").fetchall())
        db.execute(BROKEN, [mails["M-Acme"]])
    owner_does("DELETE FROM message_score WHERE interaction_id = ANY(%s)", [list(mails.values())])
    report = score(workspace, NOW)
    assert report.messages == 1
    [failed] = state(workspace).failed
    assert (failed.what, failed.account, failed.number) == ("message", "Acme", 1)
    with transaction(workspace) as db:
        assert messages.unscored(db, reader_of(workspace).version, 10, NOW.date()) == []
        assert len(messages.unscored(db, reader_of(workspace).version, 10, (NOW + DAY).date())) == 1
        assert len(messages.unscored(db, "another reader", 10, NOW.date())) == 2


def test_a_message_whose_words_are_erased_is_no_longer_one_that_could_not_be_read(workspace, two):
    with transaction(workspace) as db:
        [(mail,)] = db.execute("SELECT interaction_id FROM interaction WHERE key = 'M-Acme'").fetchall()
        unscored.record(db, "message", {mail: "ValueError"}, "any", NOW.date())
    assert len(state(workspace).failed) == 1
    with transaction(workspace) as db:
        messages.erase_person(db, "bo@acme.example")
    assert state(workspace).failed == ()


def test_status_and_the_api_say_so_as_well(app, workspace, two):
    spoil_account(workspace, "Acme")
    score(workspace, NOW)
    with transaction(workspace) as db:
        name = workspaces.name(db)
    said = CliRunner().invoke(command_line, ["status", "--workspace", name])
    assert said.exit_code == 1
    assert "NEEDS YOU  1 account cannot be scored since" in said.output
    answer = TestClient(app).get("/v1/connections", headers=key(workspace, "read")).json()
    assert [(s["level"], "Acme" in s["sentence"]) for s in answer["scoring"]] == [("act", True)]


def test_whoever_asks_has_it_tried_at_once(workspace, two):
    spoil_account(workspace, "Acme")
    score(workspace, NOW)
    with transaction(workspace) as db:
        name = workspaces.name(db)
    heal_account(workspace, "Acme")
    said = CliRunner().invoke(command_line, ["score", "--workspace", name])
    assert said.exit_code == 0, said.output
    assert state(workspace).failed == ()


def test_the_page_of_connections_names_the_account_and_what_to_do_and_every_page_leads_there(app, workspace, two):
    spoil_account(workspace, "Acme")
    score(workspace, NOW)
    browser = visit(app, workspace)
    page = browser.get("/console/connections").text
    assert 'id="scoring"' in page
    assert "1 account cannot be scored since" in page
    assert ": Acme. Its outlook" in page
    assert "<code>undertone score</code>" in page
    assert "Birch" not in page
    assert 'href="/console/connections#scoring"' in browser.get("/console").text


def test_the_accounts_own_page_says_up_to_when_it_is_true_and_the_others_say_nothing(app, workspace, two):
    spoil_account(workspace, "Acme")
    score(workspace, NOW)
    browser = visit(app, workspace)
    page = browser.get(f"/console/accounts/{two['Acme']}").text
    assert "This account cannot be scored since" in page
    assert "What they voiced could not be put together" in page
    assert "This account cannot" not in browser.get(f"/console/accounts/{two['Birch']}").text


def test_a_mail_whose_own_words_could_not_be_told_apart_is_named_on_the_page_by_its_day(app, workspace, two):
    with transaction(workspace) as db:
        db.execute("UPDATE message_text SET quote_strip = 'failed' WHERE interaction_id = (SELECT interaction_id FROM interaction WHERE key = 'M-Acme')")
    browser = visit(app, workspace)
    assert "A message of theirs could not be read and counts for nothing here: 2 Mar 2026." in browser.get(f"/console/accounts/{two['Acme']}").text
    assert "In 1 message the writer's own words could not be told" in browser.get("/console/connections").text.replace("&#39;", "'")
    assert 'class="strip' not in browser.get("/console").text


def test_accounts_that_wait_for_hours_are_told_and_those_of_a_minute_ago_are_not(workspace, two):
    with transaction(workspace) as db:
        accounts.mark_due(db, two.values())
    assert told.troubles(state(workspace)) == []
    with transaction(workspace) as db:
        db.execute("UPDATE score_due SET since = now() - interval '5 hours'")
    [found] = told.troubles(state(workspace))
    assert found.level == "act"
    assert "2 accounts wait to be scored since" in found.sentence
    assert "`undertone serve`" in found.sentence


def test_nobody_hears_of_what_failed_in_another_workspace(app, workspace, two):
    spoil_account(workspace, "Acme")
    score(workspace, NOW)
    other = builders.workspace()
    assert state(other).failed == ()
    assert "Acme" not in visit(app, other).get("/console/connections").text


def test_only_somebody_who_may_configure_can_ask_for_another_try(app, workspace, two):
    spoil_account(workspace, "Acme")
    score(workspace, NOW)
    token = session.form_token(Session(workspace, None))
    browser = visit(app, workspace)
    assert browser.post("/console/scoring/again", data={"token": "wrong"}).status_code in (400, 403)
    with transaction(workspace) as db:
        assert accounts.due(db, 10) == []
    assert browser.post("/console/scoring/again", data={"token": token}).status_code in (303, 403)


def test_an_account_for_which_no_suggestion_can_be_written_holds_up_no_other(workspace):
    without_a_suggestion(workspace)


def without_a_suggestion(workspace: UUID) -> dict[str, UUID]:
    """Two accounts that are silent, of which one's signal is of a form that no detector of ours writes."""
    with transaction(workspace) as db:
        crm = builders.connection(db)
        found = {name: builders.account(db, crm, key=name, name=name) for name in ("Acme", "Birch")}
        signals.append(db, [builders.signal(i, kind="silence") for i in found.values()], "reading-1", workspaces.next_change(db))
    owner_does("UPDATE signal SET numbers = '3' WHERE account_id = %s", [found["Acme"]])
    report = suggest(workspace, NOW)
    assert (report.opened, report.failed) == (1, 1)
    with transaction(workspace) as db:
        assert [s.account_name for s in suggestions.open_suggestions(db)] == ["Birch"]
    return found


def test_an_account_without_a_suggestion_is_told_where_people_look_until_one_is_written(app, workspace):
    found = without_a_suggestion(workspace)
    browser = visit(app, workspace)
    page = browser.get("/console/connections").text
    assert "For 1 account no suggestion can be written since" in page
    assert ": Acme." in page
    assert "<code>undertone suggest</code>" in page
    [line] = told.of_account(state(workspace), found["Acme"], NOW, [])
    assert "No suggestion can be written for this account since" in line
    assert told.of_account(state(workspace), found["Birch"], NOW, []) == []
    owner_does("UPDATE signal SET numbers = (SELECT numbers FROM signal WHERE account_id = %s) WHERE account_id = %s", [found["Birch"], found["Acme"]])
    assert suggest(workspace, NOW).failed == 0
    assert told.troubles(state(workspace)) == []
    assert "no suggestion can be written" not in browser.get("/console/connections").text
