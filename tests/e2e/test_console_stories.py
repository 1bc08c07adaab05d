"""Three people in a real browser, one after the other, on an org of the sandbox with the product's own processes: RevOps sets up and turns on, the
account manager takes a task from the CRM to its outcome, the analyst finds the same numbers on every way. Each test begins where the one before ended."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import psycopg
import pytest

from connectors.sandbox import Sandbox
from connectors.sandbox import running as sandbox_running
from service import keys, people, processes, servers
from service.config import real_time, settings
from service.embedded import free_port
from service.store import analyst_logins, workspaces
from service.store.pool import transaction
from tests.chromium import WIDE, chromium
from tests.client import wait_for
from tests.e2e.orgs import STORY, write_story

pytestmark = pytest.mark.browser

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "four plain words here"
WORKSPACE = "stories"
CALM = ("Thanks, the rosters of this week work well for us.", "All fine here. The new hall is in the plan now, thank you.", "Good call on Tuesday, thanks.")
ANGRY = "This is outrageous. Your update wiped our rosters for the third time and nobody picks up the phone. I am angry, and I want to know when this is fixed."
FELT = "Left alone with it, again."
PATIENCE = 90_000
"""Milliseconds until a page must have followed what a worker does, on a busy machine."""


def letters() -> list[dict[str, Any]]:
    """Half a year of a calm contact at Acme, and then one letter."""
    said = [(NOW - timedelta(days=7 * week), CALM[week % len(CALM)]) for week in range(24, 0, -1)] + [(NOW - timedelta(days=2), ANGRY)]
    fixed = {"account": "acme", "from": "bo@acme.example", "to": ["ann@vendor.example"], "cc": [], "subject": "Rosters", "in_reply_to": None, "incoming": True}
    return [{**fixed, "key": f"e{n}", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "body": body, "message_id": f"<{n}@acme.example>"} for n, (at, body) in enumerate(said)]


@dataclass
class Company:
    workspace_id: UUID
    sandbox: Sandbox
    address: str

    def task(self) -> dict[str, Any]:
        """The task about Acme, as it lies in the CRM."""
        org = self.sandbox.org
        [row] = org.tables.fetch(
            "SELECT Id, Subject, Description FROM Task WHERE WhatId = ? AND Description LIKE '%Undertone%'", (org.id_of("Account", "acme"),)
        )
        return dict(zip(("id", "subject", "description"), row, strict=True))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("org")
    write_story(folder)
    (folder / "story.json").write_text(json.dumps(STORY))
    (folder / "emails.ndjson").write_text("\n".join(json.dumps(letter) for letter in letters()))
    port = free_port()
    environment = {"UNDERTONE_NOW": NOW.isoformat(), "UNDERTONE_PORT": str(port), "UNDERTONE_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with sandbox_running(folder, now=NOW) as sandbox, servers.throwaway(**environment) as home:
        servers.migrate()
        workspace_id = uuid4()
        with transaction(workspace_id) as db:
            workspaces.create(db, workspace_id, WORKSPACE)
        for name, role in (("rita", "revops"), ("ann", "am")):
            people.add(workspace_id, name, role, PASSWORD, real_time())  # type: ignore[arg-type]
        people.set_email(workspace_id, "ann", "ann@vendor.example", real_time())
        with processes.started([processes.api(), processes.worker(1), processes.beat()], home / "logs"):
            wait_for(f"{settings().public_url}/v1/health")
            yield Company(workspace_id, sandbox, settings().public_url)


@pytest.fixture
def tab(company: Company) -> Iterator[Any]:
    """A browser of somebody's own; what its console says of faults fails the test."""
    said: list[str] = []
    with chromium() as opened:
        page = opened.new_context(base_url=company.address, viewport=WIDE, accept_downloads=True).new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        yield page
    assert said == []


def sign_in(tab: Any, name: str) -> None:
    tab.fill("#workspace", WORKSPACE)
    tab.fill("#name", name)
    tab.fill("#password", PASSWORD)
    tab.click("form[action$='/password'] button")


def until_tasks_are_there(tab: Any, company: Company) -> None:
    tab.goto(f"{company.sandbox.url}/sandbox/tasks")
    for _ in range(int(PATIENCE / 500)):
        if tab.locator("article").count():
            return
        tab.wait_for_timeout(500)
        tab.reload()
    pytest.fail("no task has come into the CRM")


def test_revops_connects_looks_at_what_would_be_written_and_turns_it_on(tab, company):
    box = company.sandbox
    tab.goto("/console/connections")
    sign_in(tab, "rita")
    tab.goto("/console/connections/new")
    tab.click("text=Salesforce")
    for field, value in {"domain": box.domain, "consumer_key": box.credentials.client_id, "consumer_secret": box.credentials.client_secret}.items():
        tab.fill(f"#{field}", value)
    tab.click("summary:has-text('More settings')")
    tab.fill("#endpoint", box.url)
    tab.click("text=Connect and check")
    tab.wait_for_selector("text=0 that stop it")
    assert box.credentials.client_secret not in tab.content()
    tab.click("text=Read, score and suggest now")
    tab.wait_for_selector("a.next")  # the page follows the worker by itself
    tab.goto("/console/connections")
    tab.click("section.card a >> nth=0")
    tab.click("text=Look at the tasks >> nth=0")
    assert "1 to create, 0 to update" in tab.inner_text("main")
    assert company.sandbox.org.tables.fetch("SELECT count(*) FROM Task WHERE Description LIKE '%Undertone%'", ()) == [(0,)]
    tab.click("text=Write tasks from now on")
    tab.wait_for_selector("text=Tasks are written, approved on 2 Mar 2026")
    until_tasks_are_there(tab, company)
    assert tab.locator("article").count() == 1


def test_the_account_manager_takes_the_task_to_its_outcome(tab, company):
    link = re.search(r"http://\S+/console/suggestions/[0-9a-f-]{36}", company.task()["description"])
    assert link
    tab.goto(link[0])
    sign_in(tab, "ann")
    tab.wait_for_selector("#suggestion")
    assert "Read their message again, slowly" in tab.inner_text("#suggestion .pause")
    draft = tab.input_value("#text")
    assert draft
    tab.fill("#text", f"{draft}\n\nPer your last mail you must calm down, and we guarantee that it will never happen again.")
    tab.wait_for_selector("#critic .verdict.blocks")
    tab.fill("#text", draft)
    tab.wait_for_selector("#critic .verdict:not(.blocks)")
    tab.click("text=I changed it and sent it")
    assert tab.evaluate("document.querySelector('#felt').validity.valueMissing")  # nothing was said before the line on what they feel
    tab.fill("#felt", FELT)
    tab.click("text=I changed it and sent it")
    tab.wait_for_selector(".said-so")
    outcomes = asked(company, "/v1/outcomes?fields=kind,type,outcome,source")["items"]
    assert [(o["outcome"], o["source"]) for o in outcomes] == [("edited", "console")]


def asked(company: Company, path: str) -> Any:
    key = keys.create(company.workspace_id, "story", ["read"], real_time(), None)
    with urlopen(Request(f"{company.address}{path}", headers={"Authorization": f"Bearer {key}"}), timeout=30) as answer:
        return json.load(answer)


def test_the_analyst_finds_the_same_numbers_on_every_way(tab, company, tmp_path: Path):
    key = keys.create(company.workspace_id, "analyst", keys.ROLES["analyst"], real_time(), None)
    tab.goto("/console/signals")
    tab.fill("#key", key)
    tab.press("#key", "Enter")
    tab.wait_for_selector("table.signals")
    shown = [tuple(cell.strip() for cell in row) for row in tab.eval_on_selector_all("table.signals tbody tr", _CELLS)]
    with tab.expect_download() as download:
        tab.click("text=CSV")
    download.value.save_as(tmp_path / "signals.csv")
    with (tmp_path / "signals.csv").open(newline="", encoding="utf-8") as file:
        in_file = sorted((r["account"], r["kind"], round(float(r["confidence"]), 2)) for r in csv.DictReader(file))
    by_api = sorted((s["account"], s["kind"], round(s["confidence"], 2)) for s in asked(company, "/v1/signals?limit=200")["items"])
    with psycopg.connect(analyst_logins.create(company.workspace_id)) as db:
        by_sql = sorted((a, k, round(c, 2)) for a, k, c in db.execute("SELECT account, kind, confidence FROM signals"))
    assert by_api
    assert by_api == by_sql == in_file == sorted((account, kind, float(confidence)) for account, kind, confidence in shown)


_CELLS = (
    "rows => rows.map(row => [['.name', 'textContent'], ['.kind', 'title'], ['.confidence', 'textContent']].map(([name, of]) => row.querySelector(name)[of]))"
)
