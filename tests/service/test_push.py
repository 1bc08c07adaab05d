"""Push against the sandbox org: what may not happen to people's tasks, then what does."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from connectors.records import Account, User
from connectors.sandbox import Fault, Options, Sandbox
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.stories import DEMO, last_moment
from service.connect import connect
from service.errors import Refused
from service.pull import pull
from service.push import approve, preview, push
from service.store import accounts, landing, outbox, signals, suggestions, workspaces
from service.store.pool import transaction
from service.suggest import suggest
from service.task import key_of
from tests import builders
from tests.e2e.kills import keys_of_tasks

NOW = last_moment(DEMO)


class Org:
    """A sandbox org, a workspace connected to it, and suggestions waiting to be pushed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.workspace = builders.workspace()
        config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}
        self.crm = connect(self.workspace, "salesforce", "crm", config, {"consumer_secret": sandbox.credentials.client_secret})
        with transaction(self.workspace) as db:
            landing.land(db, self.crm, User, [User(key=sandbox.org.id_of("User", "u02"), name="Laura Penhaligon", email=None)])
            owner = sandbox.org.id_of("User", "u02")
            known = [Account(key=sandbox.org.id_of("Account", f"a{n:02d}"), name=f"Account {n}", owner_key=owner) for n in range(1, 7)]
            landing.land(db, self.crm, Account, known)

    def suggestions(self, count: int) -> list[UUID]:
        made = [uuid4() for _ in range(count)]
        with transaction(self.workspace) as db:
            profiles = accounts.profiles(db)
            for suggestion_id, profile in zip(made, profiles, strict=False):
                found = builders.signal(profile.account_id)
                change = workspaces.next_change(db)
                signals.append(db, [found], "m", change)
                suggestions.append(db, builders.suggestion(suggestion_id, profile.account_id, found.id), change)
            outbox.add(db, made, self.crm)
        return made

    def again(self, suggestion_ids: list[UUID]) -> None:
        with transaction(self.workspace) as db:
            outbox.add(db, suggestion_ids, self.crm)

    def task(self, suggestion_id: UUID) -> dict[str, object]:
        key = key_of(self.workspace, suggestion_id)
        query = f"SELECT Id, Subject, Description, Status, OwnerId, ActivityDate, Priority, IsDeleted FROM Task WHERE Undertone_Key__c = '{key}'"
        rows = self.sandbox.org.query(query, deleted=True, version="64.0")["records"]
        assert len(rows) == 1
        return dict(rows[0])

    def edit(self, suggestion_id: UUID, **fields: object) -> None:
        from connectors.sandbox import admin

        admin.edit(self.sandbox.org, "Task", str(self.task(suggestion_id)["Id"]), fields)

    def statuses(self) -> dict[str, int]:
        with transaction(self.workspace) as db:
            rows = outbox.ledger(db)
        return {status: sum(r.status == status for r in rows) for status in {r.status for r in rows}}


@pytest.fixture(params=["unique", "missing"], ids=["keyed", "guarded"])
def org(servers: str, request: pytest.FixtureRequest) -> Iterator[Org]:
    with sandbox_running(DEMO, now=NOW, options=Options(key_field=request.param)) as sandbox:
        yield Org(sandbox)


@pytest.fixture
def keyed(servers: str) -> Iterator[Org]:
    with sandbox_running(DEMO, now=NOW) as sandbox:
        yield Org(sandbox)


def test_nothing_is_pushed_before_a_person_has_said_yes(org: Org):
    org.suggestions(2)
    before = org.sandbox.counters.writes
    with pytest.raises(Refused, match="a person must look first"):
        push(org.workspace, org.crm)
    assert [c.action for c in preview(org.workspace, org.crm)] == ["create", "create"]
    assert org.sandbox.counters.writes == before


def test_a_second_push_writes_nothing(org: Org):
    made = org.suggestions(3)
    approve(org.workspace, org.crm, NOW)
    assert push(org.workspace, org.crm).created == 3
    before = org.sandbox.counters.writes
    org.again(made)
    report = push(org.workspace, org.crm)
    assert (report.created, report.updated) == (0, 0)
    assert org.sandbox.counters.writes == before


def test_what_a_person_changed_is_never_overwritten(keyed: Org):
    (made,) = keyed.suggestions(1)
    approve(keyed.workspace, keyed.crm, NOW)
    push(keyed.workspace, keyed.crm)
    keyed.edit(made, Status="In Progress", Priority="Low", ActivityDate="2027-01-04", Description="Called her, all fine. My own notes.")
    _new_text(keyed, made)
    push(keyed.workspace, keyed.crm)
    task = keyed.task(made)
    assert (task["Status"], task["Priority"], task["ActivityDate"]) == ("In Progress", "Low", "2027-01-04")
    assert task["Description"] == "Called her, all fine. My own notes."


def test_new_evidence_updates_the_text_of_the_same_task(keyed: Org):
    (made,) = keyed.suggestions(1)
    approve(keyed.workspace, keyed.crm, NOW)
    push(keyed.workspace, keyed.crm)
    _new_text(keyed, made)
    assert push(keyed.workspace, keyed.crm).updated == 1
    assert "Something new was said." in str(keyed.task(made)["Description"])


@pytest.mark.parametrize("ending", ["closed", "deleted"])
def test_a_closed_or_deleted_task_is_never_made_again(keyed: Org, ending: str):
    (made,) = keyed.suggestions(1)
    approve(keyed.workspace, keyed.crm, NOW)
    push(keyed.workspace, keyed.crm)
    if ending == "closed":
        keyed.edit(made, Status="Completed")
    else:
        from connectors.sandbox import admin

        admin.bin_row(keyed.sandbox.org, "Task", str(keyed.task(made)["Id"]))
    before = keyed.sandbox.counters.rows["Task.created"]
    _new_text(keyed, made)
    push(keyed.workspace, keyed.crm)
    assert keyed.sandbox.counters.rows["Task.created"] == before


def test_a_cut_answer_makes_no_second_task_and_leaves_none_behind(keyed: Org):
    made = keyed.suggestions(5)
    approve(keyed.workspace, keyed.crm, NOW)
    keyed.sandbox.faults.add(Fault(kind="cut_after_commit", on="collection_upsert"))
    report = push(keyed.workspace, keyed.crm)
    assert report.waiting == 5
    _hurry(keyed)
    push(keyed.workspace, keyed.crm)
    assert sorted(keys_of_tasks(keyed.sandbox)) == sorted(key_of(keyed.workspace, s) for s in made)
    assert keyed.statuses() == {"sent": 5}


def test_a_crm_that_is_away_costs_nothing_but_time(keyed: Org):
    keyed.suggestions(2)
    approve(keyed.workspace, keyed.crm, NOW)
    keyed.sandbox.faults.add(Fault(kind="unavailable", times=100))
    report = push(keyed.workspace, keyed.crm)
    assert report.created == 0
    assert report.messages or report.waiting
    keyed.sandbox.faults.clear()
    _hurry(keyed)
    assert push(keyed.workspace, keyed.crm).created == 2


def test_feedback_and_closing_come_back_and_end_the_suggestion(keyed: Org):
    (made,) = keyed.suggestions(1)
    with transaction(keyed.workspace) as db:
        row = suggestions.get(db, made)
        assert row is not None
        assert suggestions.claim_account(db, row.account_id, made)
    approve(keyed.workspace, keyed.crm, NOW)
    push(keyed.workspace, keyed.crm)
    keyed.edit(made, Status="Completed", Undertone_Feedback__c="wrong_reading")
    from datetime import timedelta

    pull(keyed.workspace, keyed.crm, NOW + timedelta(minutes=30))
    suggest(keyed.workspace, NOW)
    with transaction(keyed.workspace) as db:
        closed = suggestions.get(db, made)
    assert closed is not None
    assert (closed.state, closed.close_reason, closed.feedback) == ("closed", "task_closed", "wrong_reading")


def _new_text(org: Org, suggestion_id: UUID) -> None:
    from dataclasses import replace

    with transaction(org.workspace) as db:
        row = suggestions.get(db, suggestion_id)
        assert row is not None
        bare = suggestions.Suggestion(**{name: getattr(row, name) for name in suggestions.Suggestion.__dataclass_fields__})
        suggestions.append(db, replace(bare, version=row.version + 1, why_now="Something new was said."), workspaces.next_change(db))
        outbox.add(db, [suggestion_id], org.crm)


def _hurry(org: Org) -> None:
    """As if the pause were over."""
    with transaction(org.workspace) as db:
        db.execute("UPDATE outbox SET run_at = now() - interval '1 second', lease_until = NULL WHERE state = 'ready'")
