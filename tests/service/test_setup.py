"""RevOps sets up a connection in the browser, against a sandbox org and without a script: who may not, what is never shown, and from nothing to on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.routing import iter_route_contexts

from connectors.base import Stream
from connectors.records import Rejected
from connectors.sandbox import Sandbox
from service import flow, jobs, keys, long_jobs
from service.api import create_app
from service.config import real_time
from service.console import session
from service.console.config_form import changed, form_of
from service.console.session import COOKIE, LASTS, Session
from service.guides import guide_of
from service.store import audit_log, connections, quarantine, streams, sweeps
from service.store.audit_log import Entry
from service.store.pool import transaction
from tests import builders
from tests.client import TestClient
from tests.service.push_world import NOW, World, org

ADDRESS = "http://testserver"
WRONG = "a-wrong-secret-of-theirs"


@pytest.fixture(scope="module")
def sandbox(servers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with org(tmp_path_factory.mktemp("org"), "keyed") as running:
        yield running


@pytest.fixture(autouse=True)
def clean(hold_clock) -> Iterator[None]:
    hold_clock(NOW)
    yield
    jobs.redis().delete(jobs.QUEUE)


class Visitor:
    """Somebody in a browser: forms carry the token of their session."""

    def __init__(self, app: Any, workspace_id: UUID, *scopes: keys.Scope) -> None:
        prefix = keys.create(workspace_id, "test", scopes, real_time(), None)[3:11] if scopes else None
        self.session = Session(workspace_id, prefix)
        cookie = session.seal(self.session, "console session", real_time() + LASTS)
        self.client = TestClient(app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, cookies={COOKIE: cookie})

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def post(self, path: str, /, **form: str) -> Any:
        return self.client.post(path, data={"token": session.form_token(self.session), **form}, headers={"Origin": ADDRESS})

    def press(self, path: str, /, **form: str) -> str:
        """What is right leads to another page; its address."""
        answer = self.post(path, **form)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


@pytest.fixture
def revops(app: Any, workspace: UUID) -> Visitor:
    return Visitor(app, workspace, "read", "push", "configure")


def made(workspace_id: UUID, connector: str = "salesforce", name: str = "crm") -> str:
    """The page of a connection that nobody has filled in."""
    with transaction(workspace_id) as db:
        return f"/console/connections/{builders.connection(db, connector, name)}"


def id_of(page: str) -> UUID:
    return UUID(page.rpartition("/")[2])


def worked(workspace_id: UUID) -> long_jobs.Job:
    """The worker does what waits; the last of it."""
    with transaction(workspace_id) as db:
        waiting = [j for (j,) in db.execute("SELECT job_id FROM job WHERE state = 'queued' ORDER BY made_at").fetchall()]
    for job_id in waiting:
        flow.job(workspace_id, job_id)
    found = long_jobs.find(workspace_id, waiting[-1])
    assert found
    return found


def stored(workspace_id: UUID, page: str) -> connections.Connection:
    with transaction(workspace_id) as db:
        found = connections.get(db, id_of(page))
    assert found
    return found


def log(workspace_id: UUID) -> list[Entry]:
    """But for the key that the visitor signed in with."""
    with transaction(workspace_id) as db:
        return [entry for entry in audit_log.listing(db, 100) if entry.action != "create key"]


def settings(box: Sandbox, secret: str) -> dict[str, str]:
    return {"domain": box.domain, "consumer_key": box.credentials.client_id, "endpoint": box.url, "auth": "client_credentials", "consumer_secret": secret}


# Who may not

ACTIONS = sorted(
    str(r.path) for r in iter_route_contexts(create_app().routes) if str(r.path).startswith("/console/connections") and "POST" in (r.methods or ())
)


@pytest.mark.parametrize("path", ACTIONS)
def test_nobody_without_the_scope_does_anything_to_a_connection(app, workspace: UUID, path):
    page = made(workspace)
    before = stored(workspace, page)
    reader = Visitor(app, workspace, "read", "push", "feedback")
    answer = reader.post(path.format(connection_id=id_of(page)), connector="account_files", accounts="/etc/passwd", email="a@b.example")
    assert answer.status_code == 403
    assert stored(workspace, page) == before
    assert log(workspace) == []


def test_who_may_configure_and_not_push_does_not_switch_it_on(app, workspace: UUID):
    page = made(workspace)
    visitor = Visitor(app, workspace, "read", "configure")
    for action in ("approve", "retry"):
        assert visitor.post(f"{page}/{action}").status_code == 403
    assert stored(workspace, page).push_approved_at is None
    assert "/approve" not in visitor.get(f"{page}/tasks") + visitor.get(page)


def test_who_may_only_read_sees_the_steps_and_no_form(app, workspace: UUID):
    page = made(workspace)
    reader = Visitor(app, workspace, "read")
    for path in (page, f"{page}/tasks", "/console/connections/new?connector=salesforce", "/console/connections/new"):
        assert re.findall(r'<form[^>]*action="/console/connections', reader.get(path)) == []


def test_a_form_for_a_new_connection_does_not_set_up_another_one_anew(revops, workspace: UUID):
    page = made(workspace, "usage_files", "usage")
    before = stored(workspace, page)
    answer = revops.post("/console/connections/new", connector="usage_files", name="usage", path="/elsewhere")
    assert answer.status_code == 400
    assert "A connection of this name is there already" in answer.text
    assert stored(workspace, page) == before


HOSTILE = ["a\x00b", "\u202e<b>", "x" * 5000, "1e400", "{}"]


@pytest.mark.parametrize("path", ACTIONS)
def test_no_value_of_a_field_is_a_fault_of_ours(revops, workspace: UUID, path):
    page = made(workspace)
    fields = "reason stream row email name domain currency api_share renewal_types our_domains path accounts seats_field auth kind private_key endpoint".split()
    for value in HOSTILE:
        for connector in ("salesforce", "mail_files", value):
            answer = revops.post(path.format(connection_id=id_of(page)), **{**dict.fromkeys(fields, value), "connector": connector})
            assert answer.status_code < 500, (value, connector)


# What is never shown


def test_no_secret_is_shown_again_anywhere(revops, workspace: UUID, sandbox):
    page = revops.press("/console/connections/new", connector="salesforce", name="crm", **settings(sandbox, WRONG))
    worked(workspace)
    told = revops.get(page) + revops.get("/console/connections") + str(log(workspace))
    with transaction(workspace) as db:
        told += str(db.execute("SELECT about, said, result FROM job").fetchall())
    assert WRONG not in told
    assert "stored; leave it empty to keep it" in told


def test_a_setting_that_is_wrong_is_named_and_nothing_is_stored(revops, workspace: UUID):
    answer = revops.post("/console/connections/new", connector="salesforce", name="crm", domain="login", consumer_key="k", consumer_secret=WRONG)
    assert answer.status_code == 400
    assert "Setting domain of connector salesforce" in answer.text
    assert WRONG not in answer.text
    with transaction(workspace) as db:
        assert connections.all_connections(db) == []


@pytest.mark.parametrize("part", ["fields", "tasks"])
def test_what_cannot_be_asked_says_why(revops, workspace: UUID, part):
    page = made(workspace)
    if part == "tasks":
        assert "Nothing waits to be written" in revops.get(f"{page}/{part}")
    else:
        assert "are not complete" in revops.get(f"{page}/{part}")
    assert revops.client.get(f"/console/connections/{uuid4()}/{part}").status_code == 404


# From nothing to on


def test_revops_connects_checks_maps_reads_looks_and_turns_it_on(revops, workspace: UUID, sandbox):
    page = revops.press("/console/connections/new", connector="salesforce", name="crm", **settings(sandbox, WRONG))
    assert "Waiting for a worker." in revops.get(page)
    worked(workspace)
    assert 'class="error"' in revops.get(page), "the wrong secret is found"
    assert revops.press(f"{page}/settings", **settings(sandbox, sandbox.credentials.client_secret), api_share="0.5") == page
    assert "0 that stop it" in worked(workspace).said
    assert steps(revops.get(page)) == {"settings": True, "metadata": True, "secrets": True, "check": True, "pull": False, "preview": False, "on": False}
    assert due(workspace, page) is False, "nothing is read before somebody asks for it"

    revops.press(f"{page}/fields", seats_field="", arr_field="ARR__c")
    worked(workspace)
    assert stored(workspace, page).config["seats_field"] is None
    assert revops.press(f"{page}/read").startswith("/console/jobs/")
    job = worked(workspace)
    assert (job.state, job.result["link"]) == ("done", "/console"), job.said
    shown = revops.get(page)
    assert steps(shown)["pull"]
    assert "of 100,000, whoever made them; Undertone stops at 50%" in shown
    assert "0 minutes behind" in shown or "5 minutes behind" in shown

    revops.press(f"{page}/approve")
    assert stored(workspace, page).push_approved_at == NOW
    assert steps(revops.get(page))["on"]
    assert [(e.action, e.subject) for e in reversed(log(workspace)) if not e.action.startswith("begin")] == [
        *[("make connection", "crm"), ("change connection", "crm"), ("change connection", "crm"), ("approve tasks", "crm")]
    ]


def steps(shown: str) -> dict[str, bool]:
    """Of a connection's page, by the words of the guide."""
    titles = {s.title: s.name for s in guide_of("salesforce").steps}
    found = re.findall(r'<li class="(done|next|open)">\s*<h3>(.*?) <span', shown)
    every = {titles[title.replace("&#39;", "'")]: state == "done" for state, title in found}
    return {name: done for name, done in every.items() if name != "fields"}


def due(workspace_id: UUID, page: str) -> bool:
    with transaction() as db:
        return (workspace_id, id_of(page)) in connections.claim_due(db, 1000, timedelta(0))


def test_the_dry_run_counts_and_the_page_shows_exactly_what_would_be_written(app, sandbox):
    world = World(sandbox, "keyed")
    world.suggest(2)
    revops, page = Visitor(app, world.workspace, "read", "push", "configure"), f"/console/connections/{world.crm}"
    writes = sandbox.counters.calls["write"]
    revops.press(f"{page}/dry-run")
    job = worked(world.workspace)
    assert job.said == "2 to create, 0 to update, 0 to leave as they are. Nothing was written."
    tasks = revops.get(f"{page}/tasks")
    assert "2 to create, 0 to update, 0 to leave as they are." in tasks
    assert tasks.count("<dt>Subject</dt>") == tasks.count("<dt>WhatId</dt>") == 2
    assert sandbox.counters.calls["write"] == writes
    assert "A passage names the price" not in str(job.result)


def test_another_field_is_shown_with_what_would_be_read_before_it_is_saved(app, sandbox):
    world = World(sandbox, "keyed")
    revops, page = Visitor(app, world.workspace, "read", "configure"), f"/console/connections/{world.crm}"
    before = stored(world.workspace, page)
    answer = revops.post(f"{page}/fields/preview", region_field="BillingCountry", timezone_field="Nowhere__c")
    assert answer.status_code == 200
    assert "Nothing is saved yet" in answer.text
    assert re.search(r'value="Seats__c".*?<td>4</td>', answer.text, re.S)
    assert re.search(r'value="Nowhere__c".*?No such field is shown.*?nothing', answer.text, re.S)
    assert stored(world.workspace, page) == before
    wrong = revops.post(f"{page}/fields/preview", seats_field="not a name")
    assert wrong.status_code == 400
    assert "must be the API name of one field" in wrong.text
    assert 'value="not a name"' in wrong.text, "what was typed is not lost"


def test_what_was_read_by_other_fields_is_read_again(app, sandbox):
    world = World(sandbox, "keyed")
    page = f"/console/connections/{world.crm}"
    flow.pull(world.workspace, world.crm)
    Visitor(app, world.workspace, "read", "configure").press(f"{page}/fields", region_field="BillingCountry")
    with transaction(world.workspace) as db:
        cursors = {s.name: s.cursor_at for s in streams.states(db)}
    assert cursors["accounts"] is None
    assert cursors["users"] is not None


def test_a_reading_that_failed_is_not_ticked_as_done_and_says_why(app, sandbox):
    world = World(sandbox, "keyed")
    page = f"/console/connections/{world.crm}"
    flow.pull(world.workspace, world.crm)
    revops = Visitor(app, world.workspace, "read", "configure")
    assert steps(revops.get(page))["pull"]
    revops.press(f"{page}/read")
    with transaction(world.workspace) as db:
        db.execute("UPDATE job SET state = 'failed', said = 'The org <is> away.', ended_at = now()")
    assert not steps(revops.get(page))["pull"]
    assert '<p class="problem" role="alert"><strong>Not done.</strong> The org &lt;is&gt; away.' in revops.get(page)


# What goes on afterwards


def test_a_pause_leaves_a_check_as_good_as_it_was_and_new_settings_do_not(revops, workspace: UUID, sandbox):
    right = settings(sandbox, sandbox.credentials.client_secret)
    page = revops.press("/console/connections/new", connector="salesforce", name="crm", **right)
    worked(workspace)
    for action in ("pause", "resume"):
        revops.press(f"{page}/{action}", reason="They move.")
        assert steps(revops.get(page))["check"]
    revops.press(f"{page}/settings", **right, api_share="0.4")
    assert not steps(revops.get(page))["check"]


def test_what_was_done_in_a_browser_is_not_said_to_be_done_on_the_command_line(app, workspace: UUID):
    page = made(workspace)
    Visitor(app, workspace).press(f"{page}/pause", reason="They move.")
    assert [e.changed_by for e in log(workspace)] == ["link from the machine"]


def test_a_connection_is_held_with_a_reason_and_goes_on(revops, workspace: UUID):
    page = made(workspace)
    revops.press(f"{page}/pause", reason="The org moves <today>.")
    assert "The org moves &lt;today&gt;." in revops.get(page)
    assert stored(workspace, page).status == "paused"
    revops.press(f"{page}/resume")
    assert stored(workspace, page).status == "active"
    assert [e.action for e in log(workspace)] == ["resume connection", "pause connection"]
    assert log(workspace)[0].changed_by.startswith("key ut_")


def test_what_has_stopped_by_itself_can_be_neither_held_nor_let_go_on(revops, workspace: UUID):
    page = made(workspace)
    with transaction(workspace) as db:
        connections.set_status(db, id_of(page), "auth_failed", "invalid_client")
    for action in ("pause", "resume"):
        answer = revops.post(f"{page}/{action}")
        assert answer.status_code == 409
        assert "stopped" in answer.text
    assert stored(workspace, page).status == "auth_failed"


def test_rows_of_the_quarantine_are_read_again_one_by_one_by_stream_or_all(revops, workspace: UUID):
    page = made(workspace)
    with transaction(workspace) as db:
        quarantine.add(db, id_of(page), "accounts", [Rejected(source_key=k, reason="no <b>name</b>") for k in ("A1", "A2")])
        quarantine.add(db, id_of(page), "emails", [Rejected(source_key="M1", reason="no date")])
    shown = revops.get(page)
    assert "no &lt;b&gt;name&lt;/b&gt;" in shown
    assert shown.count('name="row"') == 3
    for form, asked in (({"stream": "accounts", "row": "A2"}, {"A2"}), ({"stream": "accounts"}, {"A1", "A2"}), ({}, {"A1", "A2", "M1"})):
        revops.press(f"{page}/replay", **form)
        with transaction(workspace) as db:
            assert {k for (k,) in db.execute("SELECT source_key FROM quarantine WHERE replay_asked_at IS NOT NULL")} == asked
    assert due(workspace, page)
    assert revops.post(f"{page}/replay", row="A9").status_code == 409
    assert [e.after["rows"] for e in log(workspace) if e.action == "replay rows" and e.after] == [3, 2, 1]


def test_rows_are_compared_when_somebody_asks(revops, workspace: UUID):
    page = made(workspace)
    assert revops.post(f"{page}/compare").status_code == 409
    with transaction(workspace) as db:
        lease = streams.lease(db, id_of(page), Stream(name="accounts"), timedelta(minutes=1))
        assert lease
        streams.finish(db, id_of(page), "accounts", lease.fence, NOW, timedelta(minutes=15))
        sweeps.prepare(db, id_of(page), {("accounts", "ids"): timedelta(days=7)}, NOW)
    revops.press(f"{page}/compare")
    with transaction(workspace) as db:
        assert [d.stream for d in sweeps.due(db, id_of(page), NOW)] == ["accounts"]


def test_whoever_is_told_is_a_user_whom_the_crm_knows(app, sandbox):
    world = World(sandbox, "keyed")
    revops, page = Visitor(app, world.workspace, "read", "configure"), f"/console/connections/{world.crm}"
    assert revops.post(f"{page}/owner", email="no@one.example").status_code == 400
    revops.press(f"{page}/owner", email="mo@vendor.example")
    assert stored(world.workspace, page).owner_key == world.id_of("User", "mo")


# The form


def test_only_what_was_changed_in_the_form_is_taken():
    how = guide_of("salesforce")
    config = {"domain": "acme.my", "consumer_key": "k", "currency": "EUR", "renewal_types": ["Renewal", "Extension"], "auth": "client_credentials"}
    form = form_of("salesforce", how, config)
    shown = {i.name: i.value for i in [*form.first, *form.more]}
    assert shown["renewal_types"] == "Renewal, Extension"
    assert changed("salesforce", how, config, shown) == {}
    assert changed("salesforce", how, config, shown | {"currency": "", "api_share": "0.5", "unknown": "x"}) == {"currency": None, "api_share": "0.5"}


def test_every_connector_has_a_form_with_a_hint_for_each_thing_that_must_be_said():
    for connector in ("salesforce", "account_files", "mail_files", "usage_files"):
        form = form_of(connector, guide_of(connector), {})
        assert [i.name for i in form.first if i.required and not i.hint] == []
        assert all(i.kind in ("secret", "long secret") for i in [*form.first, *form.more] if i.name in ("consumer_secret", "private_key", "password"))
