"""What goes wrong on purpose, and what stands afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceRefusedRequest

from connectors.sandbox import Fault, Sandbox, running
from connectors.sandbox.objects import KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client, task, upsert

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


@pytest.mark.parametrize(("kind", "status"), [("limit_exceeded", 403), ("too_many_requests", 429)])
def test_a_limit_is_told_by_its_code(sandbox: Sandbox, sf: Client, kind: Any, status: int) -> None:
    sandbox.faults.add(Fault(kind=kind, on="query"))
    with pytest.raises((SalesforceRefusedRequest, SalesforceGeneralError)) as raised:
        sf.query(_COUNT)
    assert raised.value.status == status
    assert orgs.code(raised) == "REQUEST_LIMIT_EXCEEDED"


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
    assert requests.post(address, json={"kind": "rain"}, timeout=5).status_code == 400
    assert requests.post(address, json=[{"kind": "slow", "hue": "red"}], timeout=5).status_code == 400
    assert requests.post(address, json=[{"kind": "unavailable", "on": "query"}, {"kind": "slow", "seconds": 9.0}], timeout=5).status_code == 204
    assert [f.kind for f in sandbox.faults.waiting()] == ["unavailable", "slow"]
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
