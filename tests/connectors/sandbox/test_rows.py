"""Writing rows: what is refused, what a key does, and what follows from it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceMalformedRequest, SalesforceMoreThanOneRecord, SalesforceResourceNotFound

from connectors.sandbox import Fault, Options, Sandbox, admin, running
from connectors.sandbox.objects import FEEDBACK, KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client, task, upsert


def _row(sf: Client, key: str) -> dict[str, Any]:
    found: dict[str, Any] = sf.Task.get_by_custom_id(KEY, key)
    return found


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Subject": "x" * 256}, "STRING_TOO_LONG"),
        ({"Description": "x" * 32_001}, "STRING_TOO_LONG"),
        ({KEY: "x" * 41}, "STRING_TOO_LONG"),
        ({"Status": "Almost"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({FEEDBACK: "great"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Status": None}, "REQUIRED_FIELD_MISSING"),
        ({"IsClosed": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"SystemModstamp": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"AccountId": "0015000000Gv7qJAAR"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Mood__c": "x"}, "INVALID_FIELD"),
        ({"WhatId": "0015000000Gv7qJAAR"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"WhatId": "0035000000Gv7qJ"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"WhatId": "Acme"}, "MALFORMED_ID"),
        ({"ActivityDate": "tomorrow"}, "JSON_PARSER_ERROR"),
        ({"Subject": 5}, "JSON_PARSER_ERROR"),
        ({"Subject": "\ud800"}, "JSON_PARSER_ERROR"),
        ({"CallDurationInSeconds": 10**400}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_row_against_the_rules_is_refused_and_nothing_is_written(sandbox: Sandbox, sf: Client, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as raised:
        sf.Task.create(task(None, sandbox, **fields))
    assert orgs.code(raised) == code
    assert sandbox.counters.writes == 0
    assert sf.query("SELECT COUNT() FROM Task")["totalSize"] == 1


def test_an_owner_who_left_and_an_account_that_is_gone_are_refused(sandbox: Sandbox, sf: Client) -> None:
    gone, left = sandbox.org.id_of("Account", "a3"), sandbox.org.id_of("User", "u2")
    admin.bin_row(sandbox.org, "Account", gone)
    for fields, code in (({"OwnerId": left}, "OPERATION_WITH_INACTIVE_USER_EXCEPTION"), ({"WhatId": gone}, "ENTITY_IS_DELETED")):
        with pytest.raises(SalesforceMalformedRequest) as raised:
            sf.Task.create(task(None, sandbox, **fields))
        assert orgs.code(raised) == code


def test_what_cannot_be_written_through_the_api_stays_as_it_is(sandbox: Sandbox, sf: Client) -> None:
    with pytest.raises(SalesforceMalformedRequest):
        sf.EmailMessage.delete(sandbox.org.id_of("EmailMessage", "m0"))
    with pytest.raises(SalesforceMalformedRequest):
        sf.User.update(sandbox.org.id_of("User", "u1"), {"IsActive": False})
    with pytest.raises(SalesforceMalformedRequest) as raised:
        sf.Task.update(sandbox.org.id_of("Task", "t1"), {"TaskSubtype": "Task"})
    assert orgs.code(raised) == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_a_task_is_created_read_changed_closed_and_deleted(sandbox: Sandbox, sf: Client) -> None:
    made = sf.Task.create(task("ut-1", sandbox, Description="  line\r\nüñî 🌱 “quoted”  ", Subject=" Ask "))
    assert made == {"id": made["id"], "success": True, "errors": []}
    row = sf.Task.get(made["id"])
    assert (row["Subject"], row["Description"], row["Status"], row["IsClosed"]) == ("Ask", "line\r\nüñî 🌱 “quoted”", "Not Started", False)
    assert row["AccountId"] == row["WhatId"]
    assert row["OwnerId"] == sandbox.org.user_id
    assert sf.Task.update(made["id"], {"Status": "Completed", FEEDBACK: "used", "Description": ""}) == 204
    closed = sf.Task.get(made["id"])
    assert (closed["IsClosed"], closed["CompletedDateTime"], closed["Description"]) == (True, closed["SystemModstamp"], None)
    assert closed["CreatedDate"] == row["CreatedDate"] < closed["SystemModstamp"]
    assert sf.Task.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        sf.Task.delete(made["id"])
    assert sandbox.counters.rows == {"Task.created": 1, "Task.updated": 1, "Task.deleted": 1}


def test_the_account_of_a_task_follows_from_its_opportunity_or_contact(sandbox: Sandbox, sf: Client) -> None:
    account, opportunity, contact = (sandbox.org.id_of(*k) for k in (("Account", "a1"), ("Opportunity", "o1"), ("Contact", "c1")))
    for fields in ({"WhatId": opportunity}, {"WhatId": None, "WhoId": contact}):
        assert sf.Task.get(sf.Task.create(task(None, sandbox, **fields))["id"])["AccountId"] == account


def test_upsert_creates_then_updates_and_says_which(sandbox: Sandbox, sf: Client) -> None:
    body = {"Subject": "Ask"}
    path = f"{sandbox.url}/services/data/v{{}}/sobjects/Task/{KEY}/ut%2F1"
    headers = {"Authorization": f"Bearer {sf.session_id}"}
    answers = [requests.patch(path.format(version), json=body, headers=headers, timeout=5) for version in ("64.0", "64.0", "45.0")]
    assert [(a.status_code, a.json().get("created") if a.content else None) for a in answers] == [(201, True), (200, False), (204, None)]
    assert sf.query(f"SELECT COUNT() FROM Task WHERE {KEY} = 'ut/1'")["totalSize"] == 1
    assert requests.patch(path.format("64.0") + "x?updateOnly=true", json=body, headers=headers, timeout=5).status_code == 404
    refused = requests.patch(path.format("64.0"), json={**body, KEY: "ut/1"}, headers=headers, timeout=5)
    assert refused.json()[0]["errorCode"] == "INVALID_FIELD"


def test_a_key_is_taken_once_whatever_its_case_and_free_again_in_the_recycle_bin(sandbox: Sandbox, sf: Client) -> None:
    first = sf.Task.create(task("ut-1", sandbox))["id"]
    with pytest.raises(SalesforceMalformedRequest) as raised:
        sf.Task.create(task("UT-1", sandbox))
    assert orgs.code(raised) == "DUPLICATE_VALUE"
    assert first[:15] in orgs.told(raised)[0]["message"]
    sf.Task.delete(first)
    with pytest.raises(SalesforceResourceNotFound):
        _row(sf, "ut-1")
    assert upsert(sf, [task("ut-1", sandbox)])[0]["created"] is True


@pytest.mark.parametrize("way", ["create", "upsert"])
def test_of_writers_who_race_for_one_key_a_single_one_creates(sandbox: Sandbox, sf: Client, way: str) -> None:
    def attempt(_: int) -> bool:
        try:
            return bool(sf.Task.create(task("ut-1", sandbox))["success"] if way == "create" else upsert(sf, [task("ut-1", sandbox)])[0]["created"])
        except SalesforceMalformedRequest:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(24))) == 1
    assert sandbox.counters.rows["Task.created"] == 1
    assert sf.query(f"SELECT COUNT() FROM Task WHERE {KEY} = 'ut-1'")["totalSize"] == 1


def test_a_key_that_is_not_unique_makes_two_rows_and_then_answers_300(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(key_field="external")) as sandbox:
        sf = orgs.client(sandbox)
        made = [sf.Task.create(task("ut-1", sandbox))["id"] for _ in range(2)]
        for act in (lambda: _row(sf, "ut-1"), lambda: sf.Task.upsert(f"{KEY}/ut-1", {"Subject": "x"})):
            with pytest.raises(SalesforceMoreThanOneRecord) as raised:
                act()
            assert [url.rsplit("/", 1)[1] for url in orgs.told(raised)] == made
        assert upsert(sf, [task("ut-1", sandbox)])[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"


def test_a_missing_key_field_is_not_found(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(key_field="missing")) as sandbox:
        sf = orgs.client(sandbox)
        with pytest.raises(SalesforceResourceNotFound) as raised:
            upsert(sf, [task("ut-1", sandbox)])
        assert orgs.code(raised) == "NOT_FOUND"
        with pytest.raises(SalesforceMalformedRequest):
            sf.Task.create(task("ut-1", sandbox))


def test_in_a_collection_each_row_has_its_own_outcome_in_order(sandbox: Sandbox, sf: Client) -> None:
    sandbox.faults.add(Fault(kind="row_locked", key="ut-locked"))
    rows = [task(key, sandbox) for key in ("ut-0", "ut-twice", "ut-locked", "UT-twice", None)] + [task("ut-5", sandbox, Subject="x" * 300)]
    outcomes = upsert(sf, rows)
    codes = [o["errors"][0]["statusCode"] if o["errors"] else "" for o in outcomes]
    assert codes == ["", "DUPLICATE_VALUE", "UNABLE_TO_LOCK_ROW", "DUPLICATE_VALUE", "MISSING_ARGUMENT", "STRING_TOO_LONG"]
    assert [o["success"] for o in outcomes] == [True] + [False] * 5
    assert sandbox.counters.rows == {"Task.created": 1}
    assert upsert(sf, rows[:3:2])[1]["created"] is True


def test_all_or_none_writes_none_if_one_is_refused(sandbox: Sandbox, sf: Client) -> None:
    outcomes = upsert(sf, [task("ut-0", sandbox), task("ut-1", sandbox, Status="x")], allOrNone=True)
    assert [o["errors"][0]["statusCode"] for o in outcomes] == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
    assert sandbox.counters.writes == 0
    assert sf.query("SELECT COUNT() FROM Task")["totalSize"] == 1


def test_two_hundred_rows_go_in_one_call_and_one_more_does_not(sandbox: Sandbox, sf: Client) -> None:
    rows = [task(f"ut-{n}", sandbox) for n in range(201)]
    with pytest.raises(SalesforceMalformedRequest):
        upsert(sf, rows)
    assert sandbox.counters.writes == 0
    assert all(o["created"] for o in upsert(sf, rows[:200]))
    assert sandbox.counters.by_class["collection_upsert"] == 2


def test_rows_are_created_read_changed_and_deleted_by_list(sandbox: Sandbox, sf: Client) -> None:
    made = [o["id"] for o in sf.restful("composite/sobjects", method="POST", json={"records": [task(f"ut-{n}", sandbox) for n in range(2)]})]
    changed = [{"attributes": {"type": "Task"}, "id": row_id, "Priority": "High"} for row_id in made]
    assert all(o["success"] for o in sf.restful("composite/sobjects", method="PATCH", json={"records": changed}))
    asked = {"ids": [*made, "00T5gS0000000zz"], "fields": [KEY, "Priority"]}
    found = sf.restful("composite/sobjects/Task", method="POST", json=asked)
    assert [row and (row[KEY], row["Priority"]) for row in found] == [("ut-0", "High"), ("ut-1", "High"), None]
    assert all(o["success"] for o in sf.restful("composite/sobjects", method="DELETE", params={"ids": ",".join(made)}))
    assert sf.restful("composite/sobjects/Task", params={"ids": made[0], "fields": "Id"}) == [None]


@settings(max_examples=40, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=9), v)))
def test_no_body_makes_the_org_fail(module_client: Client, body: Any) -> None:
    for path, method in ((orgs.UPSERT, "PATCH"), ("composite/sobjects", "POST"), ("sobjects/Task", "POST"), (f"sobjects/Task/{KEY}/k", "PATCH")):
        try:
            module_client.restful(path, method=method, data=json.dumps(body))
        except SalesforceGeneralError as error:
            pytest.fail(f"status {error.status}")
        except (SalesforceMalformedRequest, SalesforceResourceNotFound):
            continue


@pytest.fixture(scope="module")
def module_client(story: Path) -> Any:
    with running(story, now=orgs.NOW) as sandbox:
        yield orgs.client(sandbox)
