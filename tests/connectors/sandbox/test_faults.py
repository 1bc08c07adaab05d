"""What goes wrong on purpose, and what stands afterwards."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceRefusedRequest

from connectors.sandbox import Fault, Options, Sandbox, admin, running
from connectors.sandbox.faults import KINDS, Faults
from connectors.sandbox.objects import KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client, refusal, soql, task, upsert

_COUNT = f"SELECT COUNT() FROM Task WHERE {KEY} != null"


@pytest.mark.parametrize(("kind", "rows"), [("cut_before_commit", 0), ("cut_after_commit", 2)])
def test_a_cut_answer_leaves_nothing_or_everything_written(sandbox: Sandbox, sf: Client, kind: Any, rows: int) -> None:
    sandbox.faults.add(Fault(kind=kind, on="collection_upsert"))
    with pytest.raises(requests.ConnectionError):
        upsert(sf, [task(f"ut-{n}", sandbox) for n in range(2)])
    assert sf.query(_COUNT)["totalSize"] == rows == sandbox.counters.writes
    assert [o["created"] for o in upsert(sf, [task(f"ut-{n}", sandbox) for n in range(2)])] == [rows == 0] * 2


def test_a_fault_hits_the_calls_it_names_from_the_one_it_names_and_then_no_more(sandbox: Sandbox, sf: Client) -> None:
    sandbox.faults.add(Fault(kind="unavailable", on="query", skip=1, times=2))
    sf.limits()
    outcomes = []
    for _ in range(4):
        try:
            outcomes.append(sf.query(_COUNT)["totalSize"])
        except SalesforceGeneralError as error:
            outcomes.append(error.status)
            assert b"<html>" in str(error.content).encode()
    assert outcomes == [0, 503, 503, 0]
    assert sandbox.faults.waiting() == []


def test_an_expired_session_on_the_nth_call_costs_one_new_token(sandbox: Sandbox, sf: Client) -> None:
    sandbox.faults.add(Fault(kind="expired_session", on="query", skip=1))
    for _ in range(3):
        sf.query(_COUNT)
    assert sandbox.counters.calls["token"] == 2
    assert sandbox.counters.refused == {"INVALID_SESSION_ID": 1}


@pytest.mark.parametrize(("kind", "status"), [("limit_exceeded", 403), ("concurrent_limit", 403), ("too_many_requests", 429)])
def test_a_limit_is_told_by_its_code(sandbox: Sandbox, sf: Client, kind: Any, status: int) -> None:
    sandbox.faults.add(Fault(kind=kind, on="query"))
    with pytest.raises((SalesforceRefusedRequest, SalesforceGeneralError)) as raised:
        sf.query(_COUNT)
    assert raised.value.status == status
    assert orgs.code(raised) == "REQUEST_LIMIT_EXCEEDED"
    assert ("ConcurrentRequests" in orgs.told(raised)[0]["message"]) == (kind == "concurrent_limit")


def test_a_slow_answer_outlasts_the_client_and_is_written_all_the_same(story: Path) -> None:
    with running(story, now=orgs.NOW) as sandbox:
        sandbox.faults.add(Fault(kind="slow", on="create", seconds=60))
        with pytest.raises(requests.ReadTimeout):
            orgs.client(sandbox).restful("sobjects/Task", method="POST", json=task("ut-1", sandbox), timeout=0.2)
        assert sandbox.counters.writes == 0
    assert sandbox.counters.rows["Task.created"] == 1


def test_a_locked_row_alone_is_refused_as_often_as_said(sandbox: Sandbox, sf: Client) -> None:
    sandbox.faults.add(Fault(kind="row_locked", key="ut-1", times=2))
    tries = [[bool(o["success"]) for o in upsert(sf, [task(f"ut-{n}", sandbox) for n in range(3)])] for _ in range(3)]
    assert tries == [[True, False, True], [True, False, True], [True, True, True]]
    assert sandbox.counters.rows == {"Task.created": 3, "Task.updated": 4}


def test_faults_and_counters_are_reached_over_http(sandbox: Sandbox, sf: Client) -> None:
    address = f"{sandbox.url}/sandbox/faults"
    unknown = requests.post(address, json={"kind": "rain"}, timeout=5)
    assert (unknown.status_code, all(name in unknown.text for name in KINDS)) == (400, True)
    for wrong in ({"on": "quary"}, {"times": "3"}, {"amount": 0.5}):
        assert requests.post(address, json={"kind": "slow", **wrong}, timeout=5).status_code == 400
    assert requests.post(address, json=[{"kind": "slow", "hue": "red"}], timeout=5).status_code == 400
    assert requests.post(address, json=[{"kind": "unavailable", "on": "query"}, {"kind": "slow", "seconds": 9.0}], timeout=5).status_code == 204
    assert [f.kind for f in sandbox.faults.waiting()] == ["unavailable", "slow"]
    listed = requests.get(address, timeout=5).json()
    assert ([f["kind"] for f in listed["waiting"]], set(listed["kinds"])) == (["unavailable", "slow"], set(KINDS))
    assert requests.delete(address, timeout=5).status_code == 204
    assert sf.query(_COUNT)["totalSize"] == 0
    counted = requests.get(f"{sandbox.url}/sandbox/counters", timeout=5).json()
    assert counted == {"calls": {"token": 1, "read": 1}, "by_class": {"token": 1, "query": 1}, "rows": {}, "refused": {}}


def test_a_revoked_app_is_refused_in_few_calls_by_a_client_that_counts(story: Path) -> None:
    with running(story, now=orgs.NOW) as sandbox:
        sandbox.tokens.revoke()
        form = {"grant_type": "client_credentials", "client_id": sandbox.credentials.client_id, "client_secret": sandbox.credentials.client_secret}
        answer = requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=5)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        assert sandbox.counters.calls == {"token": 1}


def test_access_that_is_revoked_in_the_middle_stays_so_until_it_is_restored(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="revoked_credentials", on="query", skip=1))
    assert len(soql(api, "SELECT Id FROM Account")) == 3
    assert refusal(api.get("query", params={"q": "SELECT Id FROM Account"})) == refusal(api.get("limits")) == (401, "INVALID_SESSION_ID")
    form = {"grant_type": "client_credentials", "client_id": sandbox.credentials.client_id, "client_secret": sandbox.credentials.client_secret}
    assert requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=5).json()["error"] == "invalid_grant"
    admin.restore(sandbox.org)
    assert requests.post(f"{sandbox.url}/services/oauth2/token", data=form, timeout=5).status_code == 200


def test_a_login_page_comes_as_if_it_were_an_answer(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="html_ok", on="create"))
    answer = api.post("sobjects/Task", json=task("ut-1", sandbox))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert sandbox.counters.writes == 0


def test_an_error_that_nobody_has_heard_of_has_the_code_and_status_asked_for(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="unknown_error", on="limits", code="FLUX_CAPACITOR_EMPTY", amount=500), Fault(kind="unknown_error", on="limits"))
    assert [refusal(api.get("limits")) for _ in range(2)] == [(500, "FLUX_CAPACITOR_EMPTY"), (400, "UNHEARD_OF")]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_body_ends_after_so_many_bytes(sandbox: Sandbox, api: httpx.Client, encoding: str) -> None:
    sandbox.faults.add(Fault(kind="cut_mid_body", on="describe", amount=300))
    got = bytearray()
    with pytest.raises(httpx.RemoteProtocolError), api.stream("GET", "sobjects/Task/describe", headers={"Accept-Encoding": encoding}) as answer:
        for piece in answer.iter_raw():
            got += piece
    assert len(got) == 300
    assert int(answer.headers["Content-Length"]) > 300


def test_a_cut_body_was_written_all_the_same(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="cut_mid_body", on="create", amount=5))
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("sobjects/Task", json=task("ut-1", sandbox))
    assert sandbox.counters.rows == {"Task.created": 1}


def test_a_body_trickles_piece_by_piece(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="slow_body", on="describe", seconds=10**6))
    with api.stream("GET", "sobjects/Task/describe", headers={"Accept-Encoding": "identity"}) as answer:
        pieces = answer.iter_raw()
        first = len(next(pieces))
        sandbox.server.closing.set()  # whoever waits is woken
        assert 0 < first < int(answer.headers["Content-Length"]) / 5
        assert first + sum(map(len, pieces)) == int(answer.headers["Content-Length"])


def test_a_short_page_says_that_there_is_more_and_leads_to_it(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(page_size=20)) as sandbox:
        sf = orgs.client(sandbox)
        sandbox.faults.add(Fault(kind="short_page"), Fault(kind="short_page", amount=3))
        pages = [sf.query("SELECT Id FROM EmailMessage ORDER BY MessageDate")]
        while not pages[-1]["done"]:
            pages.append(sf.query_more(pages[-1]["nextRecordsUrl"], identifier_is_url=True))
        assert [len(page["records"]) for page in pages] == [10, 3, orgs.MAILS - 13]
        assert {page["totalSize"] for page in pages} == {orgs.MAILS}
        assert len({row["Id"] for page in pages for row in page["records"]}) == orgs.MAILS
        sandbox.faults.add(Fault(kind="short_page"))
        assert sf.query("SELECT Id FROM Account LIMIT 1")["done"] is True


def test_a_total_may_be_wrong(sandbox: Sandbox, sf: Client) -> None:
    sandbox.faults.add(Fault(kind="wrong_count", amount=-2))
    sf.limits()
    assert [sf.query("SELECT Id FROM Account")["totalSize"] for _ in range(2)] == [1, 3]


def test_a_dead_cursor_is_dead_for_ever_and_others_live(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(page_size=10)) as sandbox, orgs.api(sandbox) as api:
        first, second = (api.get("query", params={"q": "SELECT Id FROM EmailMessage"}).json()["nextRecordsUrl"].rsplit("/", 1)[1] for _ in range(2))
        sandbox.faults.add(Fault(kind="dead_cursor"))
        assert [refusal(api.get(f"query/{first}")) for _ in range(2)] == [(400, "INVALID_QUERY_LOCATOR")] * 2
        assert api.get(f"query/{second}").status_code == 200


def test_a_late_row_is_seen_once_its_time_has_come_and_a_late_change_shows_the_old_row_till_then(sandbox: Sandbox, api: httpx.Client) -> None:
    old = upsert_one(api, sandbox, "ut-old")
    sandbox.faults.add(Fault(kind="late_visible", key="Task", times=2, seconds=180))
    new = upsert_one(api, sandbox, "ut-new")
    admin.edit(sandbox.org, "Task", old, {"Subject": "Changed"})
    query = f"SELECT Id, Subject FROM Task WHERE {KEY} != null ORDER BY Id"
    assert [(r["Id"], r["Subject"]) for r in soql(api, query)] == [(old, "Ask first")]
    assert len(soql(api, "SELECT Id FROM Task")) == 2
    assert [api.get(f"sobjects/Task/{row_id}").json()["Subject"] for row_id in (old, new)] == ["Changed", "Ask first"]
    assert api.patch(f"sobjects/Task/{KEY}/ut-new", json={"Priority": "High"}).json()["created"] is False
    admin.advance(sandbox.org, 181)
    assert [(r["Id"], r["Subject"]) for r in soql(api, query)] == [(old, "Changed"), (new, "Ask first")]
    assert soql(api, f"SELECT SystemModstamp FROM Task WHERE Id = '{old}'")[0]["SystemModstamp"] < "2026-03-02T09:00:01"
    assert sandbox.org.tables.find(sandbox.org.sobject("Task"), KEY, "ut-old")[0]["Subject"] == "Changed"


def upsert_one(api: httpx.Client, sandbox: Sandbox, key: str) -> str:
    body = {name: value for name, value in task(None, sandbox).items() if name != "attributes"}
    return str(api.patch(f"sobjects/Task/{KEY}/{key}", json=body).raise_for_status().json()["id"])


def test_a_burst_of_writes_has_one_stamp(sandbox: Sandbox, sf: Client, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="equal_stamps", key="Task", times=5))
    upsert(sf, [task(f"ut-{n}", sandbox) for n in range(7)])
    stamps = [r["SystemModstamp"] for r in soql(api, f"SELECT SystemModstamp FROM Task WHERE {KEY} != null ORDER BY Id")]
    assert len(set(stamps[:5])) == 1
    assert len(set(stamps)) == 3


def test_several_rows_are_said_to_have_a_key_though_there_is_one(sandbox: Sandbox, sf: Client, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="several", key="ut-1", times=2))
    answer = api.patch(f"sobjects/Task/{KEY}/ut-1", json={"Subject": "x"})
    assert (answer.status_code, len(answer.json())) == (300, 2)
    outcomes = upsert(sf, [task("ut-1", sandbox), task("ut-2", sandbox)])
    assert [o["errors"][0]["statusCode"] if o["errors"] else "" for o in outcomes] == ["DUPLICATE_EXTERNAL_ID", ""]
    assert upsert(sf, [task("ut-1", sandbox)])[0]["created"] is True


@pytest.mark.parametrize(
    ("alert", "header", "version", "passes"),
    [
        (True, "allowSave=true", "64.0", True),
        (True, "allowSave=true", "51.0", False),
        (True, "", "64.0", False),
        (True, "allowSave=false", "64.0", False),
        (False, "allowSave=true", "64.0", False),
    ],
)
def test_a_duplicate_rule_lets_an_alert_pass_if_asked_to(sandbox: Sandbox, alert: bool, header: str, version: str, passes: bool) -> None:
    sandbox.faults.add(Fault(kind="duplicate_rule", key="ut-1", alert=alert))
    with orgs.api(sandbox, version) as api:
        body = {"records": [task("ut-1", sandbox), task("ut-2", sandbox)]}
        answer = api.patch(f"composite/sobjects/Task/{KEY}", json=body, headers={"Sforce-Duplicate-Rule-Header": header}).json()
        assert [o["success"] for o in answer] == [passes, True]
        if not passes:
            assert (answer[0]["errors"][0]["statusCode"], answer[0]["errors"][0]["duplicateResult"]["allowSave"]) == ("DUPLICATES_DETECTED", alert)


def test_an_org_whose_clock_is_wrong_is_wrong_in_all_it_says(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="clock_skew", seconds=-600))
    made = api.post("sobjects/Task", json=task("ut-1", sandbox))
    assert abs(parsedate_to_datetime(made.headers["Date"]) - orgs.NOW + timedelta(minutes=10)) < timedelta(seconds=1)
    stamp = f"SELECT SystemModstamp FROM Task WHERE {KEY} = 'ut-1'"
    assert soql(api, stamp)[0]["SystemModstamp"].startswith("2026-03-02T08:50:00")
    sandbox.faults.clear()
    assert api.patch(f"sobjects/Task/{KEY}/ut-1", json={"Subject": "x"}).status_code == 200
    assert soql(api, stamp)[0]["SystemModstamp"].startswith("2026-03-02T09:00:00")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from(["", "query", "create"])), max_size=4))
def test_every_fault_hits_as_often_as_it_says_and_no_call_twice(plan: list[tuple[int, int, str]]) -> None:
    faults = Faults()
    faults.add(*[Fault(kind="slow", skip=skip, times=times, on=on) for skip, times, on in plan])
    hit = [faults.for_call(path_class) for _ in range(40) for path_class in ("query", "create")]
    assert len([f for f in hit if f]) == sum(times for _, times, _ in plan)
    assert faults.waiting() == []


def test_a_kind_that_is_not_there_is_refused_with_all_that_are() -> None:
    with pytest.raises(ValueError, match=f"kind must be one of {', '.join(KINDS)}"):
        Fault(kind="rain")
    with pytest.raises(ValueError, match="on means nothing"):
        Fault(kind="row_locked", on="query")
