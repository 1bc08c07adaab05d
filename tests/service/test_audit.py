"""The audit: nobody can change it, it holds no word of anybody, and it makes each draft that was shown again, or says honestly why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from service import audit
from service.api import create_app
from service.audit import Audited
from service.cli.app import app
from service.errors import NotFound
from service.signals import SignalKind
from service.store import accounts, drafts, messages, signals, suggestions, workspaces
from service.store.messages import MessageScore
from service.store.pool import transaction
from service.suggest import suggest
from tests import builders
from tests.builders import NOW
from tests.client import TestClient, assert_problem, key
from tests.command import undertone
from tests.filled import Filled, fill

SAID: tuple[tuple[SignalKind, str], ...] = (
    ("price_objection", "I cannot explain a 14% increase to the board. The new figure is hard to carry for a house of our size."),
    ("risk_reliability", "The backup of 3 May failed and nobody told us. The auditors asked about it on Monday."),
    ("budget_cut", "We were asked to cut a tenth from every contract. Yours is on the list."),
)


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture
def ours(workspace: UUID) -> Filled:
    return fill(workspace, "Ours")


def only(whose: Filled) -> Audited:
    (found,) = audit.audit(whose.workspace_id, whose.suggestion_id)
    return found


def verdicts(workspace_id: UUID) -> list[str]:
    with transaction(workspace_id) as db:
        ids = [i for (i,) in db.execute("SELECT suggestion_id FROM suggestion_open ORDER BY 1")]
    return [one.verdict for i in ids for one in audit.audit(workspace_id, i)]


def erase(whose: Filled, address: str) -> None:
    done = CliRunner().invoke(app, ["erase", address, "-w", f"test {whose.workspace_id}"], catch_exceptions=False)
    assert "Deleted the words of 1 message." in done.output


def address_of(whose: Filled) -> str:
    """The one contact's; the mail is taken to have come from there."""
    with transaction(whose.workspace_id) as db:
        (address,) = db.execute("SELECT lower(email) FROM contact").fetchone() or (None,)
        db.execute("UPDATE interaction SET from_email = %s", [address])
    return str(address)


def test_nobody_can_change_what_was_written_down(ours):
    for statement in ("UPDATE draft SET sha256 = ''", "DELETE FROM draft"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(ours.workspace_id) as db:
            db.execute(statement.encode())


def test_another_workspace_finds_no_draft_by_its_id_or_its_suggestions(api, ours):
    stranger = builders.workspace()
    for id_ in (ours.suggestion_id, only(ours).draft_id):
        with pytest.raises(NotFound):
            audit.audit(stranger, id_)
    assert_problem(api.get(f"/v1/suggestions/{ours.suggestion_id}/audit", headers=key(stranger)), 404)
    assert_problem(api.get(f"/v1/suggestions/{ours.suggestion_id}/audit", headers=key(ours.workspace_id, "push")), 403)


def test_no_word_or_name_of_anybody_stands_in_it(ours):
    with transaction(ours.workspace_id) as db:
        (row,) = db.execute("SELECT d::text FROM draft d").fetchone() or ("",)
    for word in ("board", "defend", "Bo", "Lind", "Berg", "Ann"):
        assert word not in str(row), word


def test_what_rested_on_erased_words_cannot_be_made_again_and_says_so(ours):
    assert only(ours).verdict == "same"
    erase(ours, address_of(ours))
    assert only(ours).verdict == "inputs_erased"
    with transaction(ours.workspace_id) as db:
        for (table,) in db.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migration'"):
            query = sql.SQL("SELECT count(*) FROM {} t WHERE t::text LIKE %s").format(sql.Identifier(table))
            assert db.execute(query, ["%explain the new price%"]).fetchone() == (0,), table


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE contact SET name = 'Robin Lind'",
        "UPDATE crm_user SET name = 'Anna Berg'",
        "UPDATE message_text SET body = replace(body, 'new price', 'new sum__')",
    ],
)
def test_a_name_or_a_message_that_is_no_longer_the_same_is_told_as_such(ours, change):
    with transaction(ours.workspace_id) as db:
        assert db.execute(change.encode()).rowcount == 1
    assert only(ours).verdict == "inputs_changed"


@pytest.mark.parametrize(("engine", "verdict"), [("drafting-0-000000000000", "other_version"), (None, "differs")])
def test_one_that_comes_out_otherwise_is_another_versions_or_a_fault(ours, servers, engine, verdict):
    """The owner alone can put such a row there."""
    with psycopg.connect(servers) as owner:
        where = [ours.workspace_id]
        owner.execute("ALTER TABLE draft NO FORCE ROW LEVEL SECURITY")
        owner.execute("UPDATE draft SET sha256 = '\\x00' WHERE workspace_id = %s", where)
        if engine:
            owner.execute("UPDATE draft SET engine_version = %s WHERE workspace_id = %s", [engine, *where])
        owner.execute("ALTER TABLE draft FORCE ROW LEVEL SECURITY")
    assert only(ours).verdict == verdict
    done = CliRunner().invoke(app, ["audit", "replay", str(ours.suggestion_id), "-w", f"test {ours.workspace_id}"])
    assert done.exit_code == (1 if verdict == "differs" else 0)


def test_a_suggestion_that_never_showed_a_draft_has_nothing_on_record(workspace: UUID):
    with transaction(workspace) as db:
        account_id = builders.account(db, builders.connection(db))
        found = builders.signal(account_id)
        signals.append(db, [found], "m", workspaces.next_change(db))
        made = builders.suggestion(uuid4(), account_id, found.id)
        suggestions.append(db, made, workspaces.next_change(db))
    assert audit.audit(workspace, made.suggestion_id) == []
    with pytest.raises(NotFound):
        audit.audit(workspace, uuid4())


def test_a_draft_comes_out_the_same_byte_for_byte_by_either_id(api, ours):
    by_suggestion = only(ours)
    (by_draft,) = audit.audit(ours.workspace_id, by_suggestion.draft_id)
    assert by_suggestion == by_draft
    assert by_draft.verdict == "same"
    (item,) = api.get(f"/v1/suggestions/{ours.suggestion_id}/audit", headers=key(ours.workspace_id, "read")).json()["items"]
    assert (item["verdict"], item["sentence"]) == ("same", "same, byte for byte")
    assert item["sha256"] == by_draft.sha256
    done = CliRunner().invoke(app, ["audit", "replay", str(by_draft.draft_id), "-w", f"test {ours.workspace_id}"], catch_exceptions=False)
    assert "same, byte for byte" in done.output
    assert done.exit_code == 0


def test_what_it_must_not_repeat_is_as_it_was_however_many_were_opened_since(workspace: UUID):
    """Two runs with two drafts each, and a third that makes one of them anew: each was compared with others than those that stand there now."""
    with transaction(workspace) as db:
        crm = builders.connection(db)
    for run in range(2):
        for name in (f"acme{run}", f"zeta{run}"):
            _written(workspace, crm, name, SAID[run], NOW + timedelta(days=run))
        suggest(workspace, NOW + timedelta(days=run))
    _written(workspace, crm, "acme0", SAID[2], NOW + timedelta(days=3))
    suggest(workspace, NOW + timedelta(days=3))
    with transaction(workspace) as db:
        rows = db.execute("SELECT known_through, opened_from, version FROM draft ORDER BY change_no").fetchall()
    assert [(first is None, version) for _, first, version in rows] == [(True, 1), (False, 1), (True, 1), (False, 1), (True, 2)]
    assert len({known for known, _, _ in rows}) == 3
    assert verdicts(workspace) == ["same"] * 5
    with transaction(workspace) as db:
        one, other = db.execute("SELECT suggestion_id, change_no FROM suggestion WHERE version = 1 ORDER BY change_no LIMIT 2").fetchall()
        compared_with = [d.suggestion_id for d in drafts.opened(db, one[1], other[1])]
        assert compared_with == [one[0]]
        assert [d.suggestion_id for d in drafts.past(db, NOW.date(), 1, other[1])] == [other[0]]


def _written(workspace: UUID, crm: UUID, name: str, said: tuple[SignalKind, str], at: datetime) -> None:
    """An account whose contact writes this, which the reader has been over and which is a signal."""
    kind, body = said
    with transaction(workspace) as db:
        account_id = builders.account(db, crm, key=name, name=name)
        mail = builders.email(account_key=name, contact_key=f"C-{name}", from_email=None, body=body, occurred_at=at)
        builders.land_emails(db, crm, [mail])
        written, contact = db.execute("SELECT interaction_id, contact_id FROM interaction WHERE key = %s", [mail.key]).fetchone() or (None, None)
        score = MessageScore(interaction_id=written, sentiment=-0.5, confidence=0.9, situations=[], reading=builders.reading())
        messages.append_scores(db, [score], "test", workspaces.next_change(db))
        evidence = (replace(builders.words(written, 0, len(body), contact), observed_at=at),)
        found = builders.signal(account_id, kind=kind, confidence=0.9, contact_id=contact, evidence=evidence, detected_at=at.date())
        signals.append(db, [found], "test", workspaces.next_change(db))


def test_it_says_what_the_draft_rests_on_and_what_made_it(ours):
    found: Any = only(ours)
    with transaction(ours.workspace_id) as db:
        known = {e.id for s in signals.current(db, [ours.account_id]) for e in s.signal.evidence}
        (row,) = drafts.audited(db, ours.suggestion_id)
        assert accounts.names(db, ours.account_id, row.contact_id, row.owner_key) == ("Bo Lind", "Ann Berg")
    assert {UUID(i) for i in found.evidence} <= known
    assert found.engine_version.startswith("drafting-")
    assert found.rules_version.startswith("rules-")


@pytest.mark.parametrize(
    ("given", "said"), [("7", "like 3f2b8c1e-5d47-4a90-9c6b-1e7f0a2d4b58"), ("\x1b[31m", "this is none"), (str(UUID(int=7)), "has the id")]
)
def test_an_id_that_is_none_or_nobodys_is_answered_with_where_to_find_one(workspace: UUID, given: str, said: str):
    with transaction(workspace) as db:
        name = workspaces.name(db)
    done = undertone("audit", "replay", given, "--workspace", name)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert "`undertone export suggestions`" in done.stderr.decode()
    assert "\x1b" not in done.stderr.decode()
