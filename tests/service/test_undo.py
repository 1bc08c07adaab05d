"""Changes of the set-up are taken back from the history: by whom they may be, to just what they changed, and on record like any other."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from service import people, push, standing
from service.config import real_time
from service.connect import connect
from service.store import audit_log, connections
from service.store.audit_log import Entry
from service.store.connections import Connection
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.service.inside import Inside


@pytest.fixture
def revops(app, workspace: UUID) -> Inside:
    return Inside(app, workspace, "revops")


@pytest.fixture
def usage(workspace: UUID) -> UUID:
    """A connection whose folder was changed."""
    connect(workspace, "usage_files", "usage", {"path": "/data/one"}, {})
    return connect(workspace, "usage_files", "usage", {"path": "/data/two"}, {})


def stored(workspace_id: UUID, connection_id: UUID) -> Connection:
    with transaction(workspace_id) as db:
        found = connections.get(db, connection_id)
    assert found
    return found


def newest(workspace_id: UUID, action: str) -> Entry:
    with transaction(workspace_id) as db:
        return next(e for e in audit_log.listing(db, 100) if e.action == action)


def offered(browser: Inside) -> list[str]:
    """What the history has a button for."""
    return re.findall(r'aria-label="Undo ([^"]+)"', browser.get("/console/history").text)


def pressed(browser: Inside, entry: Entry) -> int:
    return int(browser.say(f"/console/history/{entry.audit_id}/undo").status_code)


# Who may not


@pytest.mark.parametrize("role", ["am", "analyst"])
def test_who_may_not_configure_sees_no_button_and_undoes_nothing(app, workspace: UUID, usage: UUID, role):
    browser = Inside(app, workspace, role)
    assert offered(browser) == []
    assert pressed(browser, newest(workspace, "change connection")) == 403
    assert stored(workspace, usage).config["path"] == "/data/two"


def test_who_may_configure_gives_nobody_another_role(revops, workspace: UUID):
    ann = _person(workspace, "ann", "am")
    people.set_role(workspace, ann, "analyst", real_time())
    entry = newest(workspace, "change role")
    assert offered(revops) == []
    assert pressed(revops, entry) == 403
    assert _role(workspace, "ann") == "analyst"


def test_a_change_of_another_workspace_is_none(app, workspace: UUID, usage: UUID):
    other = Inside(app, builders.workspace(), "admin")
    assert pressed(other, newest(workspace, "change connection")) == 404
    assert stored(workspace, usage).config["path"] == "/data/two"


def test_a_change_that_never_was_is_none(revops):
    assert revops.say(f"/console/history/{uuid4()}/undo").status_code == 404


def test_a_form_of_another_site_undoes_nothing(revops, workspace: UUID, usage: UUID):
    entry = newest(workspace, "change connection")
    assert revops.post(f"/console/history/{entry.audit_id}/undo", data={}).status_code == 403
    assert stored(workspace, usage).config["path"] == "/data/two"


def test_a_key_that_was_revoked_stays_so(app, workspace: UUID):
    admin = Inside(app, workspace, "admin")
    with transaction(workspace) as db:
        audit_log.write(db, NOW, "ann", "revoke key", "reports", before={"key": "ut_00000000"})
    assert "Undo Revoke key: reports" not in admin.get("/console/history").text
    assert pressed(admin, newest(workspace, "revoke key")) == 409


def test_the_last_admin_stays_one(app, workspace: UUID):
    admin = Inside(app, workspace, "admin")
    ann = _person(workspace, "ann", "am")
    people.set_role(workspace, ann, "admin", real_time())
    assert pressed(admin, newest(workspace, "change role")) == 409
    assert _role(workspace, "ann") == "admin"


# What is put back


def test_a_setting_is_as_it_was_and_the_undoing_can_be_undone(revops, workspace: UUID, usage: UUID):
    assert offered(revops) == ["Change connection: usage"]
    assert pressed(revops, newest(workspace, "change connection")) == 303
    assert stored(workspace, usage).config["path"] == "/data/one"
    assert pressed(revops, newest(workspace, "change connection")) == 303
    assert stored(workspace, usage).config["path"] == "/data/two"


def test_after_an_undoing_the_history_says_what_was_undone(revops, workspace: UUID, usage: UUID):
    entry = newest(workspace, "change connection")
    back = revops.say(f"/console/history/{entry.audit_id}/undo").headers["location"]
    assert "Undone: Change connection: usage" in revops.get(back).text
    assert "Undone:" not in revops.get("/console/history").text


def test_a_change_is_told_setting_by_setting_and_what_did_not_change_not_at_all(revops, workspace: UUID, usage: UUID):
    text = revops.get("/console/history").text
    assert "<li>path: /data/one → /data/two</li>" in text
    assert "<li>path: /data/one</li>" in text
    assert "nothing" not in re.sub(r"<p.*?</p>", "", text, flags=re.S)


def test_what_others_changed_since_stays(revops, workspace: UUID):
    settings = {"domain": "acme.my.salesforce.com", "consumer_key": "key"}
    connect(workspace, "salesforce", "crm", {**settings, "seats_field": "Seats__c"}, {})
    crm = connect(workspace, "salesforce", "crm", {**settings, "seats_field": "Licences__c"}, {})
    entry = newest(workspace, "change connection")
    connect(workspace, "salesforce", "crm", {**settings, "seats_field": "Licences__c", "arr_field": "Value__c"}, {})
    assert pressed(revops, entry) == 303
    found = stored(workspace, crm).config
    assert (found["seats_field"], found["arr_field"]) == ("Seats__c", "Value__c")


def test_a_connection_that_is_held_stays_held(revops, workspace: UUID, usage: UUID):
    entry = newest(workspace, "change connection")
    standing.pause(workspace, usage, "an audit")
    assert pressed(revops, entry) == 303
    found = stored(workspace, usage)
    assert (found.config["path"], found.status, found.status_reason) == ("/data/one", "paused", "an audit")


def test_what_is_as_it_was_before_offers_no_undoing(revops, workspace: UUID, usage: UUID):
    entry = newest(workspace, "change connection")
    connect(workspace, "usage_files", "usage", {"path": "/data/one"}, {})
    assert pressed(revops, entry) == 409


def test_a_pause_and_its_end_are_taken_back(revops, workspace: UUID, usage: UUID):
    standing.pause(workspace, usage, "an audit")
    assert pressed(revops, newest(workspace, "pause connection")) == 303
    assert stored(workspace, usage).status == "active"
    assert pressed(revops, newest(workspace, "resume connection")) == 303
    assert (stored(workspace, usage).status, stored(workspace, usage).status_reason) == ("paused", "an audit")


def test_tasks_that_were_approved_are_written_no_more_until_somebody_approves_anew(revops, workspace: UUID, usage: UUID):
    push.approve(workspace, usage, NOW)
    assert pressed(revops, newest(workspace, "approve tasks")) == 303
    assert stored(workspace, usage).push_approved_at is None
    assert pressed(revops, newest(workspace, "withdraw tasks")) == 303
    assert stored(workspace, usage).push_approved_at is not None


def test_whoever_was_told_before_is_told_again(revops, workspace: UUID, usage: UUID):
    for key in ("005A", "005B"):
        standing.give_owner(workspace, stored(workspace, usage), key, "ann")
    assert pressed(revops, newest(workspace, "set owner")) == 303
    assert stored(workspace, usage).owner_key == "005A"


def test_a_role_is_given_back_by_an_admin(app, workspace: UUID):
    admin = Inside(app, workspace, "admin")
    ann = _person(workspace, "ann", "am")
    people.set_role(workspace, ann, "analyst", real_time())
    assert offered(admin) == ["Change role: ann"]
    assert pressed(admin, newest(workspace, "change role")) == 303
    assert _role(workspace, "ann") == "am"
    assert newest(workspace, "change role").changed_by.startswith("key ut_")


def _person(workspace_id: UUID, name: str, role: str) -> UUID:
    people.add_by_subject(workspace_id, name, people.known_role(role), "https://login.example.com", str(uuid4()), real_time() - timedelta(hours=1))
    return next(p.person_id for p in people.listing(workspace_id) if p.name == name)


def _role(workspace_id: UUID, name: str) -> str:
    return next(p.role for p in people.listing(workspace_id) if p.name == name)
