"""Several requests in one call: what each may refer to, what it costs, and what an all-or-none call leaves."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.sandbox import Options, Sandbox
from connectors.sandbox.objects import KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import refusal

_BASE = "/services/data/v64.0"


def _part(name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    return {"referenceId": name, "method": method, "url": f"{_BASE}/{path}"} | ({"body": body} if body is not None else {})


def _sent(api: httpx.Client, *parts: dict[str, Any], all_or_none: bool = False) -> list[dict[str, Any]]:
    answer = api.post("composite", json={"allOrNone": all_or_none, "compositeRequest": parts}).raise_for_status().json()
    return list(answer["compositeResponse"])


def test_a_part_uses_what_an_earlier_one_answered_and_the_call_counts_once(sandbox: Sandbox, api: httpx.Client) -> None:
    before = sandbox.counters.used
    answers = _sent(
        api,
        _part("account", "GET", "query?q=SELECT+Id,OwnerId+FROM+Account+WHERE+Name='Acme'"),
        _part("made", "POST", "sobjects/Task", {"Subject": "Ask", "WhatId": "@{account.records[0].Id}", "OwnerId": "@{account.records[0].OwnerId}"}),
        _part("read", "GET", "sobjects/Task/@{made.id}?fields=WhatId,Subject"),
        _part("lost", "GET", "sobjects/Task/@{made.nothing}"),
    )
    assert [a["httpStatusCode"] for a in answers] == [200, 201, 200, 400]
    assert answers[2]["body"]["WhatId"] == sandbox.org.id_of("Account", "a1")
    assert answers[3]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert [a["referenceId"] for a in answers] == ["account", "made", "read", "lost"]
    assert sandbox.counters.used - before == 1
    assert sandbox.counters.by_class["composite"] == 1


def test_what_depends_on_a_failed_part_is_halted_and_the_rest_is_written(sandbox: Sandbox, api: httpx.Client) -> None:
    bad = _part("bad", "POST", "sobjects/Task", {"Status": "Nope"})
    answers = _sent(api, bad, _part("after", "PATCH", "sobjects/Task/@{bad.id}", {"Subject": "x"}), _part("good", "POST", "sobjects/Task", {"Subject": "x"}))
    assert [a["httpStatusCode"] for a in answers] == [400, 400, 201]
    assert answers[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert sandbox.counters.rows == {"Task.created": 1}


def test_all_or_none_leaves_nothing_and_counts_nothing(sandbox: Sandbox, api: httpx.Client) -> None:
    parts = [_part("one", "POST", "sobjects/Task", {"Subject": "x"}), _part("two", "POST", "sobjects/Task", {"Status": "Nope"})]
    answers = _sent(api, *parts, _part("three", "POST", "sobjects/Task", {"Subject": "y"}), all_or_none=True)
    assert [a["body"][0]["errorCode"] for a in answers] == ["PROCESSING_HALTED", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "PROCESSING_HALTED"]
    assert sandbox.counters.writes == 0
    assert len(orgs.soql(api, "SELECT Id FROM Task")) == 1
    assert [a["httpStatusCode"] for a in _sent(api, parts[0], all_or_none=True)] == [201]
    assert sandbox.counters.rows == {"Task.created": 1}


def test_too_many_parts_queries_or_characters_are_refused(sandbox: Sandbox, api: httpx.Client) -> None:
    read, query = _part("r", "GET", "limits"), _part("q", "GET", "query?q=SELECT+Id+FROM+Account")
    for parts in ([{**read, "referenceId": f"r{n}"} for n in range(26)], [{**query, "referenceId": f"q{n}"} for n in range(6)]):
        assert refusal(api.post("composite", json={"compositeRequest": parts})) == (400, "LIMIT_EXCEEDED")
    assert refusal(api.post("composite", json={"compositeRequest": [read, read]})) == (400, "INVALID_INPUT")
    assert len(_sent(api, *[{**query, "referenceId": f"q{n}"} for n in range(5)], *[{**read, "referenceId": f"r{n}"} for n in range(20)])) == 25
    answers = _sent(api, _part("long", "GET", f"query?q=SELECT+Id+FROM+Account+WHERE+Name='{'x' * 16_384}'"), _part("nested", "POST", "composite", {}))
    assert [a["httpStatusCode"] for a in answers] == [414, 400]


def test_a_call_that_only_reads_is_no_write(sandbox: Sandbox, api: httpx.Client) -> None:
    _sent(api, _part("r", "GET", "limits"))
    assert sandbox.counters.calls == {"read": 1}
    _sent(api, _part("r", "GET", "limits"), _part("w", "POST", "sobjects/Task", {"Subject": "x"}))
    assert sandbox.counters.calls == {"read": 1, "write": 1}


def test_each_part_of_a_batch_stands_alone_and_counts(sandbox: Sandbox, api: httpx.Client) -> None:
    parts = [
        {"method": "POST", "url": "v64.0/sobjects/Task", "richInput": {"Subject": "x", KEY: "ut-1"}},
        {"method": "GET", "url": "v64.0/sobjects/Task/nothing"},
        {"method": "GET", "url": "v64.0/limits"},
    ]
    answer = api.post("composite/batch", json={"batchRequests": parts}).json()
    assert (answer["hasErrors"], [r["statusCode"] for r in answer["results"]]) == (True, [201, 404, 200])
    assert sandbox.counters.used == 3
    halted = api.post("composite/batch", json={"haltOnError": True, "batchRequests": parts[1:]}).json()
    assert [r["statusCode"] for r in halted["results"]] == [404, 412]
    sandbox.org.options = Options(daily_limit=3)
    assert refusal(api.post("composite/batch", json={"batchRequests": parts})) == (403, "REQUEST_LIMIT_EXCEEDED")


def _node(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"attributes": {"type": kind, "referenceId": name}, **fields}


def test_a_tree_is_planted_whole_or_not_at_all(sandbox: Sandbox, api: httpx.Client) -> None:
    contacts = {"records": [_node("Contact", "c1", LastName="Lind"), _node("Contact", "c2", LastName="Berg")]}
    good = api.post("composite/tree/Account", json={"records": [_node("Account", "a", Name="New", Contacts=contacts)]})
    assert (good.status_code, [r["referenceId"] for r in good.json()["results"]]) == (201, ["a", "c1", "c2"])
    account = good.json()["results"][0]["id"]
    assert {r["LastName"] for r in orgs.soql(api, f"SELECT LastName FROM Contact WHERE AccountId = '{account}'")} == {"Lind", "Berg"}
    bad = {"records": [_node("Account", "a", Name="Other", Contacts={"records": [_node("Contact", "c1")]})]}
    refused = api.post("composite/tree/Account", json=bad)
    assert (refused.status_code, refused.json()["results"][0]["referenceId"]) == (400, "c1")
    assert refused.json()["results"][0]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert orgs.soql(api, "SELECT Id FROM Account WHERE Name = 'Other'") == []
    assert sandbox.counters.rows == {"Account.created": 1, "Contact.created": 2}


@pytest.mark.parametrize("body", [None, [], 5, {}, {"compositeRequest": [5]}, {"batchRequests": [{}]}, {"records": [5]}, {"records": [{"attributes": 5}]}])
def test_no_body_of_a_composite_call_makes_the_org_fail(api: httpx.Client, body: Any) -> None:
    for path in ("composite", "composite/batch", "composite/tree/Account", "jobs/query", "jobs/ingest"):
        assert api.post(path, json=body).status_code == 400
