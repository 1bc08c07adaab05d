"""The policy's page and the history: who may change, that nothing is saved by trying, that what somebody mistyped stands there again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from service import flow, keys, policy
from service.config import real_time
from service.console import session
from service.console.policy import MOST_SERIES
from service.console.session import COOKIE, LASTS, Session
from service.store import audit_log
from service.store.pool import transaction
from service.suggest import suggest
from tests import builders
from tests.builders import NOW
from tests.client import TestClient
from tests.filled import fill
from tests.service.test_backtest import short_one
from tests.service.test_usage_live import end_of, filled, morning, run

ADDRESS = "http://testserver"
OURS = {"Origin": ADDRESS}


class Visit:
    """Somebody at the console, with a role."""

    def __init__(self, app: Any, workspace: UUID, role: keys.Role) -> None:
        key = keys.create(workspace, "test", sorted(keys.ROLES[role]), real_time(), None)
        self.session = Session(workspace, key[3:11])
        cookie = session.seal(self.session, "console session", real_time() + LASTS)
        self.client = TestClient(app, base_url=ADDRESS, follow_redirects=False, cookies={COOKIE: cookie})

    def send(self, group: str, do: str = "save", version: int = 0, **fields: Any) -> Any:
        given = {"do": do, "from": version, "why": "as agreed", "token": session.form_token(self.session), **fields}
        return self.client.post(f"/console/policy/{group}", data=given, headers=OURS)

    def see(self, path: str = "/console/policy") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200
        return str(answer.text)


@pytest.fixture
def revops(app: Any, workspace: UUID) -> Visit:
    return Visit(app, workspace, "revops")


def version(workspace: UUID) -> int:
    with transaction(workspace) as db:
        return policy.standing(db).version


FORMS: dict[str, dict[str, Any]] = {
    "budget": {"usage_budget": "0,3"},
    "tasks": {"most_open": "3", "quiet_from": "18:00", "quiet_until": "08:00", "quiet_zone": "Europe/Berlin", "quotes": "link"},
    "accounts": {"whose": "these", "owner": ["U1"], "least_value": "5000", "left_out": "ours\n"},
    "rules": {"rule": ["STR-9", "STR-11"], "reason": ["we write long mails", ""]},
    "lexicon": {"lexicon": "touch base -> talk\r\n\r\nsynergy"},
}
SAID = {
    "budget": "False alarms of usage per account and year: 0.15 → 0.3",
    "tasks": "Quiet hours: none → 18:00-08:00 Europe/Berlin",
    "accounts": "Accounts left out: A-Ours",
    "rules": "Rule STR-9: on → off (we write long mails)",
    "lexicon": 'Words not to be used, added: "touch base" (say "talk"), "synergy"',
}


# Who may not


@pytest.mark.parametrize("role", ["am", "analyst"])
def test_whoever_may_not_configure_sees_it_and_can_change_nothing(app, workspace, role):
    reader = Visit(app, workspace, role)
    text = reader.see()
    assert "RevOps and administrators change it" in text
    assert 'name="do"' not in text
    for group, fields in FORMS.items():
        assert reader.send(group, **fields).status_code == 403
    assert version(workspace) == 0


def test_nothing_is_saved_without_saying_why(revops, workspace):
    answer = revops.send("budget", usage_budget="0.3", why=" ")
    assert answer.status_code == 422
    assert "Say in a line why" in answer.text
    assert version(workspace) == 0


def test_nothing_is_saved_over_what_somebody_else_has_changed_since(revops, workspace):
    policy.change(workspace, {"most_open": 3}, "bo", "", None, NOW)
    answer = revops.send("tasks", most_open="4", quotes="shown")
    assert answer.status_code == 409
    assert "bo made version 1" in answer.text
    assert version(workspace) == 1


@pytest.mark.parametrize(
    ("group", "fields", "said"),
    [
        ("budget", {"usage_budget": "lots"}, "usage_budget must be"),
        ("tasks", {"most_open": "3", "quiet_from": "18:00", "quotes": "shown"}, "Quiet hours need a beginning, an end and a time zone"),
        ("accounts", {"whose": "everybody", "left_out": "<b>Nobody</b>"}, "No account is called"),
        ("rules", {"rule": ["DRF-3"], "reason": ["we know better"]}, "Only W and S rules can"),
        ("lexicon", {"lexicon": "<i>a</i>\n<i>a</i>"}, "twice"),
    ],
)
def test_what_is_refused_stands_there_again_beside_the_reason(revops, workspace, group, fields, said):
    answer = revops.send(group, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert "<b>Nobody" not in answer.text
    assert "<i>" not in answer.text
    typed = next(str(v) for v in fields.values() if v not in ("shown", "everybody"))
    assert group == "rules" or typed.splitlines()[0].replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert version(workspace) == 0


# What they can


@pytest.mark.parametrize("group", FORMS)
def test_each_group_is_saved_shown_again_and_told_in_the_history(revops, workspace, group):
    fill(workspace, "Ours")
    answer = revops.send(group, **FORMS[group])
    assert answer.headers["location"] == f"/console/policy?saved=1#{group}"
    assert "Saved as version 1" in revops.see("/console/policy?saved=1")
    again = revops.send(group, version=1, **FORMS[group])
    assert again.headers["location"] == f"/console/policy?saved=0#{group}"
    history = revops.see("/console/history").replace("&#34;", '"')
    assert SAID[group] in history
    assert "as agreed" in history


def test_the_page_of_a_policy_gives_back_what_was_entered(revops, workspace):
    fill(workspace, "Ours")
    for n, (group, fields) in enumerate(FORMS.items()):
        revops.send(group, version=n, **fields)
    text = revops.see()
    for value in ('value="0.3"', 'value="18:00"', 'value="Europe/Berlin"', 'value="5000"', 'value="we write long mails"', "touch base -&gt; talk\nsynergy"):
        assert value in text
    assert re.search(r'<textarea id="left_out"[^>]*>\n\nOurs</textarea>', text) or re.search(r'<textarea id="left_out"[^>]*>\nOurs</textarea>', text)


def test_trying_accounts_counts_them_and_saves_nothing(revops, workspace):
    ours = fill(workspace, "Ours")
    with transaction(workspace) as db:
        builders.account(db, ours.connection_id, key="K2", name="Kept", renewal=None)
    text = revops.send("accounts", "try", why="", whose="everybody", left_out="Ours").text
    assert "1 of 2 accounts</strong> would be in. 1 open suggestion would close." in " ".join(text.split())
    assert version(workspace) == 0
    assert suggest(workspace, NOW).closed == 0


def test_trying_a_budget_lists_what_it_would_have_told_and_saves_nothing(revops, workspace, hold_clock):
    panel = short_one()
    filled(workspace, panel)
    run(workspace, end_of(panel))
    hold_clock(morning(end_of(panel)))
    text = revops.send("budget", "try", why="", usage_budget="5").text
    assert "At a budget of 5 you would have had" in text
    assert re.search(r'<a href="/console/accounts/[0-9a-f-]{36}#usage">account \d+</a>', text)
    assert version(workspace) == 0


def test_with_much_usage_a_worker_tries_the_budget_and_the_page_shows_the_same(revops, workspace, hold_clock):
    panel = short_one()
    filled(workspace, panel)
    run(workspace, end_of(panel))
    hold_clock(morning(end_of(panel)))
    at_once = revops.send("budget", "try", why="", usage_budget="5").text
    with transaction(workspace) as db:
        db.execute(
            "INSERT INTO usage_series (workspace_id, series_no, account_id, metric) SELECT s.workspace_id, m.most + n, s.account_id, 'extra ' || n"
            " FROM usage_series s, (SELECT max(series_no) AS most FROM usage_series) m, generate_series(1, %s) n WHERE s.series_no = 0",
            [MOST_SERIES],
        )
    asked = revops.send("budget", "try", why="", usage_budget="5")
    assert asked.status_code == 303
    flow.job(workspace, UUID(asked.headers["location"].rpartition("/")[2]))
    link = re.search(r'href="([^"]+)" class="next"|class="next" href="([^"]+)"', revops.see(asked.headers["location"]))
    assert link
    shown = revops.see((link[1] or link[2]).replace("&amp;", "&"))
    told = re.compile(r"At a budget of 5 you would have had [^<]+")
    assert told.search(shown)[0] == told.search(at_once)[0]
    assert version(workspace) == 0


def test_a_budget_is_tried_on_nothing_where_no_usage_was_read(revops):
    assert "nothing to try a budget on" in revops.send("budget", "try", usage_budget="5").text


def test_the_history_undoes_and_offers_no_undoing_of_what_is_undone(revops, workspace):
    revops.send("tasks", most_open="3", quotes="shown")
    undo = {"token": session.form_token(revops.session)}
    assert revops.client.post("/console/policy/versions/1/undo", data=undo, headers=OURS).headers["location"] == "/console/history?version=1"
    text = revops.see("/console/history?version=1")
    assert "Undone: Policy, version 1" in text
    assert "Undo Policy, version 2" in text
    assert "Undo Policy, version 1" not in text
    assert "undoes version 1" in text


def test_the_history_holds_every_change_of_the_set_up_once_whatever_page_it_is_on(revops, workspace):
    with transaction(workspace) as db:
        for n in range(205):
            audit_log.write(
                db, NOW + timedelta(minutes=n // 2), "bo", "pause connection", f"crm {n:03}", before={"status": "active"}, after={"status": "paused"}
            )
    for n in range(3):
        policy.change(workspace, {"most_open": n + 1}, "bo", "", None, NOW + timedelta(minutes=30 * n))
    found, path = [], "/console/history"
    while path:
        text = revops.see(path)
        found += [title for title in re.findall(r"<h2>([^<]+?)(?: <|<)", text) if not title.startswith("Create key")]
        older = re.search(r'href="(/console/history\?before=[^"]+)"', text)
        path = older[1] if older else ""
    assert sorted(found) == sorted([*(f"Pause connection: crm {n:03}" for n in range(205)), *(f"Policy, version {n}" for n in (1, 2, 3))])
    assert "status: active → paused" in revops.see("/console/history")
