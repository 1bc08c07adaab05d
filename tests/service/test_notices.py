"""The owner of a connection is told by one task in the CRM: never two, never by a connection that may not write, never again once told."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from connectors.records import User
from connectors.sandbox import Fault, Options, Sandbox, admin
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.stories import DEMO, last_moment
from service import notices
from service.connect import connect
from service.push import approve
from service.store import connections, landing
from service.store import notices as store
from service.store.notices import Notice
from service.store.pool import transaction
from tests import builders

NOW = last_moment(DEMO)
DAY = timedelta(days=1)


class Office:
    """A workspace with two connections to one sandbox org; `crm` may write tasks."""

    def __init__(self, sandbox: Sandbox, name: str = "") -> None:
        self.sandbox = sandbox
        self.workspace = builders.workspace()
        self.config = {"domain": sandbox.domain, "consumer_key": sandbox.credentials.client_id, "endpoint": sandbox.url}
        self.secrets = {"consumer_secret": sandbox.credentials.client_secret}
        self.crm = connect(self.workspace, "salesforce", "crm", self.config, self.secrets)
        self.other = connect(self.workspace, "salesforce", "second", self.config, self.secrets)
        approve(self.workspace, self.crm, NOW)
        self.boss, self.seller = (sandbox.org.id_of("User", u) for u in ("u01", "u02"))
        with transaction(self.workspace) as db:
            people = [User(key=self.boss, name="B", email="boss@vendor.example"), User(key=self.seller, name="S", email=None, manager_key=self.boss)]
            landing.land(db, self.crm, User, people)

    def stop(self, connection_id: UUID, status: connections.Status = "misconfigured", reason: str = "The login was refused.") -> None:
        with transaction(self.workspace) as db:
            connections.set_status(db, connection_id, status, reason)

    def read(self, connection_id: UUID, age: timedelta, error: str | None = None) -> None:
        """The stream `emails` was last read so long ago."""
        with transaction(self.workspace) as db:
            db.execute(
                "INSERT INTO stream (workspace_id, connection_id, name, succeeded_at, error, error_since) VALUES (%s, %s, 'emails', %s, %s, %s)"
                " ON CONFLICT (workspace_id, connection_id, name) DO UPDATE"
                " SET succeeded_at = excluded.succeeded_at, error = excluded.error, error_since = excluded.error_since",
                [self.workspace, connection_id, NOW - age, error, NOW - age if error else None],
            )

    def mend(self, connection_id: UUID) -> None:
        with transaction(self.workspace) as db:
            connections.set_status(db, connection_id, "active", None)

    def tasks(self) -> list[dict[str, object]]:
        query = "SELECT Id, Subject, Description, OwnerId, WhatId, Priority, IsDeleted FROM Task WHERE Subject LIKE 'Undertone: %'"
        return [dict(row) for row in self.sandbox.org.query(query, deleted=True, version="64.0")["records"]]

    def notice(self) -> Notice:
        with transaction(self.workspace) as db:
            [found] = store.standing(db)
        return found

    def due_again(self) -> None:
        with transaction(self.workspace) as db:
            db.execute("UPDATE notice SET run_at = now(), lease_until = NULL")


@pytest.fixture
def office(servers: str) -> Iterator[Office]:
    with sandbox_running(DEMO, now=NOW) as sandbox:
        yield Office(sandbox)


@pytest.fixture(params=["unique", "external", "missing"])
def any_office(servers: str, request: pytest.FixtureRequest) -> Iterator[Office]:
    with sandbox_running(DEMO, now=NOW, options=Options(key_field=request.param)) as sandbox:
        yield Office(sandbox)


# What may not happen


def test_nobody_is_told_while_all_is_well(office: Office):
    office.read(office.other, timedelta(hours=1))
    before = sum(office.sandbox.counters.by_class.values())
    assert notices.post(office.workspace, NOW) == 0
    assert sum(office.sandbox.counters.by_class.values()) == before


def test_one_trouble_makes_one_task_however_often_it_is_looked_at(any_office: Office):
    any_office.stop(any_office.other)
    assert [notices.post(any_office.workspace, NOW + n * DAY) for n in range(3)] == [1, 0, 0]
    [task] = any_office.tasks()
    assert task["Subject"] == "Undertone: second has stopped and needs a hand"
    assert any_office.notice().remote_id == task["Id"]


def test_two_workers_at_once_make_one_task(any_office: Office):
    any_office.stop(any_office.other)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: notices.post(any_office.workspace, NOW), range(4)))
    assert sum(made) == 1
    assert len(any_office.tasks()) == 1


def test_a_late_writer_may_write_nothing_and_no_second_crm_is_asked_once_a_task_may_stand_in_the_first(office: Office):
    office.stop(office.other)
    with transaction(office.workspace) as db:
        db.execute("UPDATE connection SET push_approved_at = NULL")
    notices.post(office.workspace, NOW)
    notice, hold = office.notice().notice_id, timedelta(minutes=1)
    with transaction(office.workspace) as db:
        assert store.lease(db, notice, office.crm, hold) == 1
        assert store.lease(db, notice, office.crm, hold) is None
        assert store.due(db) == []
        db.execute("UPDATE notice SET lease_until = now() - interval '1 second'")
        assert not store.mark_sending(db, notice, 1)
        assert store.lease(db, notice, office.crm, hold) == 2
        assert not store.mark_sending(db, notice, 1)
        assert store.mark_sending(db, notice, 2)
        db.execute("UPDATE notice SET lease_until = NULL")
        assert store.lease(db, notice, office.other, hold) is None
        assert store.lease(db, notice, office.crm, hold) == 3


def test_a_cut_answer_makes_no_second_task(any_office: Office):
    any_office.stop(any_office.other)
    any_office.sandbox.faults.add(Fault(kind="cut_after_commit", on="collection_upsert"), Fault(kind="cut_after_commit", on="create"))
    notices.post(any_office.workspace, NOW)
    any_office.sandbox.faults.clear()
    any_office.due_again()
    notices.post(any_office.workspace, NOW)
    [task] = any_office.tasks()
    assert (any_office.notice().status, any_office.notice().remote_id) == ("sent", task["Id"])


@pytest.mark.parametrize("ending", ["closed", "deleted"])
def test_a_task_that_was_closed_or_deleted_does_not_come_back(office: Office, ending: str):
    office.stop(office.other)
    notices.post(office.workspace, NOW)
    [task] = office.tasks()
    if ending == "closed":
        admin.edit(office.sandbox.org, "Task", str(task["Id"]), {"Status": "Completed"})
    else:
        admin.bin_row(office.sandbox.org, "Task", str(task["Id"]))
    office.due_again()
    notices.post(office.workspace, NOW + DAY)
    assert len(office.tasks()) == 1


def test_a_second_failing_attempt_to_mend_it_is_the_same_trouble(office: Office):
    office.stop(office.other)
    notices.post(office.workspace, NOW)
    office.mend(office.other)
    notices.post(office.workspace, NOW + DAY)
    office.stop(office.other, reason="Still refused.")
    assert notices.post(office.workspace, NOW + DAY) == 0
    assert len(office.tasks()) == 1


def test_nothing_is_written_before_somebody_has_approved_the_connection(servers: str):
    with sandbox_running(DEMO, now=NOW) as sandbox:
        office = Office(sandbox)
        with transaction(office.workspace) as db:
            db.execute("UPDATE connection SET push_approved_at = NULL")
        office.stop(office.other)
        assert notices.post(office.workspace, NOW) == 0
        assert (office.tasks(), office.notice().status) == ([], "pending")


@pytest.mark.parametrize("status", ["auth_failed", "misconfigured", "paused"])
def test_a_stopped_connection_is_never_written_to(office: Office, status: connections.Status):
    office.stop(office.crm, status)
    before = sum(office.sandbox.counters.by_class.values())
    assert notices.post(office.workspace, NOW) == 0
    assert sum(office.sandbox.counters.by_class.values()) == before
    assert office.notice().status == "pending"


def test_a_parked_connection_is_not_asked(office: Office):
    office.stop(office.other)
    with transaction(office.workspace) as db:
        db.execute("UPDATE connection SET parked_until = %s WHERE connection_id = %s", [NOW + DAY, office.crm])
    assert notices.post(office.workspace, NOW) == 0
    assert office.tasks() == []


def test_what_is_mended_before_it_could_be_told_is_never_told(office: Office):
    office.stop(office.crm)
    notices.post(office.workspace, NOW)
    office.mend(office.crm)
    office.read(office.crm, -2 * DAY)
    assert notices.post(office.workspace, NOW + 2 * DAY) == 0
    assert office.tasks() == []
    with transaction(office.workspace) as db:
        assert store.standing(db) == []


@pytest.mark.parametrize("error", [None, "503"])
def test_what_may_mend_itself_is_not_told_on_the_first_day(office: Office, error: str | None):
    office.read(office.crm, timedelta(hours=20) if error else timedelta(days=2, hours=20), error)
    assert notices.post(office.workspace, NOW) == 0
    assert office.tasks() == []


# What does


def test_a_connection_that_cannot_be_read_but_takes_tasks_tells_its_owner_itself(office: Office):
    office.read(office.crm, 9 * DAY)
    assert notices.post(office.workspace, NOW) == 1
    [task] = office.tasks()
    assert task["Subject"] == "Undertone: crm has not been read lately"
    assert "has not been read since" in str(task["Description"])
    assert "/console/connections" in str(task["Description"])
    assert (task["WhatId"], task["Priority"]) == (None, "High")


def test_the_next_trouble_after_it_worked_again_is_told_again(office: Office):
    office.stop(office.other)
    notices.post(office.workspace, NOW)
    office.mend(office.other)
    office.read(office.other, -DAY)
    notices.post(office.workspace, NOW + DAY)
    office.stop(office.other, reason="Refused again.")
    assert notices.post(office.workspace, NOW + 2 * DAY) == 1
    assert len(office.tasks()) == 2


def test_one_connection_that_cannot_be_asked_leaves_it_to_another(office: Office):
    approve(office.workspace, office.other, NOW)
    third = connect(office.workspace, "salesforce", "third", office.config | {"endpoint": "http://127.0.0.1:9"}, office.secrets)
    approve(office.workspace, third, NOW)
    office.read(third, 9 * DAY)
    assert notices.post(office.workspace, NOW) == 1
    assert office.notice().target_id == office.crm


def test_the_task_goes_to_the_connections_owner_else_to_whoever_manages_most(office: Office):
    office.stop(office.other)
    notices.post(office.workspace, NOW)
    assert office.tasks()[0]["OwnerId"] == office.boss
    with transaction(office.workspace) as db:
        assert store.owners(db, office.crm, office.seller)[0] == office.seller
        db.execute("UPDATE crm_user SET active = false WHERE key = %s", [office.seller])
        assert office.seller not in store.owners(db, office.crm, office.seller)


def test_keys_differ_by_trouble_and_are_fit_for_a_crm():
    keys = {notices.key_of(UUID(int=1), UUID(int=c), NOW + n * DAY) for c in (2, 3) for n in (0, 1)}
    assert len(keys) == 4
    assert all(len(k) == 29 and k.isascii() and k == k.lower() for k in keys)


def test_a_trouble_keeps_its_key_from_version_to_version_so_that_its_task_is_found_again():
    since = datetime(2026, 10, 31, 20, 0, tzinfo=UTC)
    assert notices.key_of(UUID(int=1), UUID(int=2), since) == "ut-qo5tugkmf76ahneqgzfmnbvlil"
