"""What happens in the org meanwhile: who is said to have done it, what moves, and what the connector's user still sees."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import requests

from connectors.sandbox import Sandbox, admin
from connectors.sandbox.objects import KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import refusal, soql, task

_STAMPS = "Id, LastModifiedById, LastModifiedDate, SystemModstamp"


def _row(api: httpx.Client, object_name: str, row_id: str, fields: str = _STAMPS) -> dict[str, Any]:
    return soql(api, f"SELECT {fields} FROM {object_name} WHERE Id = '{row_id}'")[0]


def _pushed(sandbox: Sandbox, api: httpx.Client, **fields: Any) -> str:
    return str(api.post("sobjects/Task", json=task("ut-1", sandbox, **fields)).raise_for_status().json()["id"])


def test_an_edit_is_never_the_integration_users(sandbox: Sandbox, api: httpx.Client) -> None:
    row_id = _pushed(sandbox, api)
    assert _row(api, "Task", row_id)["LastModifiedById"] == sandbox.org.user_id
    admin.edit(sandbox.org, "Task", row_id, {"Subject": "Mine"})
    assert _row(api, "Task", row_id)["LastModifiedById"] == sandbox.org.id_of("User", "u1")
    admin.close_task(sandbox.org, row_id, by="u2")
    closed = _row(api, "Task", row_id, f"{_STAMPS}, IsClosed, Status, CompletedDateTime")
    assert (closed["LastModifiedById"], closed["IsClosed"], closed["Status"]) == (sandbox.org.id_of("User", "u2"), True, "Completed")
    assert closed["CompletedDateTime"] == closed["SystemModstamp"] == closed["LastModifiedDate"]
    for act in (admin.bin_row, admin.undelete):
        act(sandbox.org, "Task", row_id, by=sandbox.org.id_of("User", "u1"))
    assert _row(api, "Task", row_id)["LastModifiedById"] == sandbox.org.id_of("User", "u1")
    with pytest.raises(KeyError):
        admin.edit(sandbox.org, "Task", row_id, {"Subject": "x"}, by="nobody")


def test_system_processes_move_one_stamp_and_edit_nothing(sandbox: Sandbox, api: httpx.Client) -> None:
    mails = [sandbox.org.id_of("EmailMessage", f"m{n}") for n in range(3)]
    before = {r["Id"]: r for r in soql(api, f"SELECT {_STAMPS} FROM EmailMessage")}
    admin.touch(sandbox.org, "EmailMessage", mails)
    after = {r["Id"]: r for r in soql(api, f"SELECT {_STAMPS} FROM EmailMessage")}
    moved = {row_id for row_id in after if after[row_id]["SystemModstamp"] != before[row_id]["SystemModstamp"]}
    assert moved == set(mails)
    assert len({after[row_id]["SystemModstamp"] for row_id in mails}) == 1
    assert all(after[row_id]["LastModifiedDate"] == before[row_id]["LastModifiedDate"] for row_id in mails)


def test_children_of_merged_accounts_move_and_are_not_said_to_be_edited(sandbox: Sandbox, api: httpx.Client) -> None:
    winner, loser = (sandbox.org.id_of("Account", key) for key in ("a2", "a1"))
    pushed = _pushed(sandbox, api)
    children = {name: soql(api, f"SELECT {_STAMPS} FROM {name}")[0] for name in ("Contact", "Opportunity", "Event", "EmailMessage")}
    children["Task"] = _row(api, "Task", pushed)
    admin.merge(sandbox.org, "Account", winner, loser, by="u1")
    fields = {"Contact": "AccountId", "Opportunity": "AccountId", "Event": "WhatId", "EmailMessage": "RelatedToId", "Task": "WhatId"}
    for name, before in children.items():
        after = _row(api, name, before["Id"], f"{_STAMPS}, {fields[name]}")
        assert after[fields[name]] == winner
        assert after["SystemModstamp"] > before["SystemModstamp"]
        assert (after["LastModifiedById"], after["LastModifiedDate"]) == (before["LastModifiedById"], before["LastModifiedDate"])
    assert _row(api, "Task", pushed, "AccountId")["AccountId"] == winner
    assert _row(api, "Account", winner)["LastModifiedById"] == sandbox.org.id_of("User", "u1")
    gone = api.get("queryAll", params={"q": "SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true"}).json()["records"]
    assert [(row["Id"], row["MasterRecordId"]) for row in gone] == [(loser, winner)]


def test_merged_contacts_take_their_tasks_and_roles_along(sandbox: Sandbox, api: httpx.Client) -> None:
    loser = sandbox.org.id_of("Contact", "c1")
    winner = admin.insert(sandbox.org, "Contact", {"LastName": "Lind", "AccountId": sandbox.org.id_of("Account", "a1")}, key="c2")
    admin.merge(sandbox.org, "Contact", winner, loser)
    assert [row["WhoId"] for row in soql(api, "SELECT WhoId FROM Task")] == [winner]
    assert [row["ContactId"] for row in soql(api, "SELECT ContactId FROM OpportunityContactRole")] == [winner]
    assert [row["Name"] for row in soql(api, "SELECT Name FROM Contact")] == ["Lind"]
    with pytest.raises(ValueError, match="only accounts and contacts"):
        admin.merge(sandbox.org, "Task", winner, loser)


def test_what_is_no_longer_shared_is_gone_without_a_trace(sandbox: Sandbox, api: httpx.Client) -> None:
    account = sandbox.org.id_of("Account", "a1")
    row_id = _pushed(sandbox, api)
    admin.unshare(sandbox.org, "Account", [account])
    admin.unshare(sandbox.org, "Task", [row_id])
    for way in ("query", "queryAll"):
        assert account not in [r["Id"] for r in api.get(way, params={"q": "SELECT Id FROM Account"}).json()["records"]]
    assert soql(api, "SELECT Account.Name FROM Contact")[0]["Account"] is None
    for method, path in (("GET", f"sobjects/Account/{account}"), ("PATCH", f"sobjects/Task/{row_id}"), ("GET", f"sobjects/Task/{KEY}/ut-1")):
        assert refusal(api.request(method, path, json={"Subject": "x"} if method == "PATCH" else None)) == (404, "NOT_FOUND")
    refused = api.post("sobjects/Task", json=task("ut-2", sandbox))
    assert refusal(refused) == (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY")
    twice = api.patch(f"sobjects/Task/{KEY}/ut-1", json={"Subject": "x"})
    assert (refusal(twice), "<unknown>" in twice.text) == ((400, "DUPLICATE_VALUE"), True)
    admin.share(sandbox.org, "Task", [row_id])
    assert api.get(f"sobjects/Task/{row_id}").status_code == 200


def test_archived_tasks_are_seen_by_query_all_alone(sandbox: Sandbox, api: httpx.Client) -> None:
    row_id = sandbox.org.id_of("Task", "t1")
    admin.archive(sandbox.org, "Task", [row_id])
    seen = [api.get(way, params={"q": "SELECT Id, IsArchived FROM Task"}).json()["records"] for way in ("query", "queryAll")]
    assert [[(r["Id"], r["IsArchived"]) for r in rows] for rows in seen] == [[], [(row_id, True)]]
    assert api.get(f"sobjects/Task/{row_id}").json()["IsArchived"] is True


def test_a_formula_shows_its_parents_value_and_moves_no_stamp(sandbox: Sandbox, api: httpx.Client) -> None:
    contact, account = sandbox.org.id_of("Contact", "c1"), sandbox.org.id_of("Account", "a1")
    admin.add_field(sandbox.org, "Account", "Tier__c")
    admin.add_field(sandbox.org, "Contact", "Account_Tier__c", formula="Account.Tier__c")
    admin.edit(sandbox.org, "Account", account, {"Tier__c": "Gold"})
    before = _row(api, "Contact", contact, "SystemModstamp, Account_Tier__c")
    admin.edit(sandbox.org, "Account", account, {"Tier__c": "Silver"})
    after = _row(api, "Contact", contact, "SystemModstamp, Account_Tier__c")
    assert (before["Account_Tier__c"], after["Account_Tier__c"]) == ("Gold", "Silver")
    assert before["SystemModstamp"] == after["SystemModstamp"]
    assert api.get(f"sobjects/Contact/{contact}").json()["Account_Tier__c"] == "Silver"
    assert [r["Id"] for r in soql(api, "SELECT Id FROM Contact WHERE Account_Tier__c = 'silver'")] == [contact]
    about = next(f for f in api.get("sobjects/Contact/describe").json()["fields"] if f["name"] == "Account_Tier__c")
    assert (about["calculated"], about["createable"], about["updateable"]) == (True, False, False)
    assert refusal(api.patch(f"sobjects/Contact/{contact}", json={"Account_Tier__c": "x"})) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    admin.hide_field(sandbox.org, "Account", "Tier__c")
    assert _row(api, "Contact", contact, "Account_Tier__c")["Account_Tier__c"] == "Silver"
    for formula in ("Account.Nothing__c", "Nobody.Name", "Nothing__c"):
        with pytest.raises(ValueError, match="leads to no field"):
            admin.add_field(sandbox.org, "Contact", "Broken__c", formula=formula)


def test_a_roll_up_changes_and_nothing_says_when(sandbox: Sandbox, api: httpx.Client) -> None:
    account = sandbox.org.id_of("Account", "a1")
    admin.add_field(sandbox.org, "Account", "Open_Amount__c", type="currency", rolled_up=True)
    before = _row(api, "Account", account)
    admin.recalculate(sandbox.org, "Account", account, {"Open_Amount__c": 9.0})
    assert _row(api, "Account", account) == before
    assert _row(api, "Account", account, "Open_Amount__c")["Open_Amount__c"] == 9.0
    about = next(f for f in api.get("sobjects/Account/describe").json()["fields"] if f["name"] == "Open_Amount__c")
    assert (about["calculated"], about["updateable"]) == (True, False)


def test_fields_come_go_and_are_renamed_with_their_values(sandbox: Sandbox, api: httpx.Client) -> None:
    account = sandbox.org.id_of("Account", "a1")
    admin.add_field(sandbox.org, "Account", "Renewal__c", type="date")
    assert api.patch(f"sobjects/Account/{account}", json={"Renewal__c": "2026-05-01"}).status_code == 204
    admin.rename_field(sandbox.org, "Account", "Renewal__c", "Renewal_Date__c")
    assert _row(api, "Account", account, "Renewal_Date__c")["Renewal_Date__c"] == "2026-05-01"
    admin.drop_field(sandbox.org, "Account", "Renewal_Date__c")
    assert refusal(api.get("query", params={"q": "SELECT Renewal_Date__c FROM Account"})) == (400, "INVALID_FIELD")
    assert "Renewal_Date__c" not in api.get(f"sobjects/Account/{account}").json()
    admin.add_field(sandbox.org, "Account", "Renewal_Date__c", type="date")
    assert [r["Id"] for r in soql(api, "SELECT Id FROM Account WHERE Renewal_Date__c > 2026-01-01")] == [account]
    for name in ("Plain", "ARR__c"):
        with pytest.raises(ValueError, match="cannot be added"):
            admin.add_field(sandbox.org, "Account", name)


def test_what_an_admin_requires_forbids_or_removes_is_refused(sandbox: Sandbox, api: httpx.Client) -> None:
    def tried(**fields: Any) -> tuple[int, str]:
        answer = api.post("sobjects/Task", json=task(None, sandbox, **fields))
        return (201, "") if answer.status_code == 201 else refusal(answer)

    admin.add_field(sandbox.org, "Task", "Region__c", required=True)
    assert tried() == (400, "REQUIRED_FIELD_MISSING")
    admin.require_field(sandbox.org, "Task", "Region__c", required=False)
    assert tried() == (201, "")
    admin.add_validation_rule(sandbox.org, "Task", "Priority", "High", "No task is urgent")
    assert tried(Priority="High") == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    admin.drop_validation_rules(sandbox.org)
    assert tried(Priority="High") == (201, "")
    admin.remove_choice(sandbox.org, "Task", "Status", "Deferred")
    assert tried(Status="Deferred") == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
    assert "Deferred" not in [r["ApiName"] for r in soql(api, "SELECT ApiName FROM TaskStatus")]
    admin.add_choice(sandbox.org, "Task", "Status", "Deferred")
    assert tried(Status="Deferred") == (201, "")
    admin.deactivate_user(sandbox.org, sandbox.org.id_of("User", "u1"))
    assert tried(OwnerId=sandbox.org.id_of("User", "u1")) == (400, "OPERATION_WITH_INACTIVE_USER_EXCEPTION")


def test_a_key_that_stops_being_unique_lets_two_rows_have_it(sandbox: Sandbox, api: httpx.Client) -> None:
    _pushed(sandbox, api)
    admin.lose_unique(sandbox.org, "Task", KEY)
    _pushed(sandbox, api)
    assert api.patch(f"sobjects/Task/{KEY}/ut-1", json={"Subject": "x"}).status_code == 300
    about = next(f for f in api.get("sobjects/Task/describe").json()["fields"] if f["name"] == KEY)
    assert (about["externalId"], about["unique"]) == (True, False)


def test_a_queue_can_own_a_task_and_a_plain_group_cannot(sandbox: Sandbox, api: httpx.Client) -> None:
    queue, group = (admin.insert(sandbox.org, "Group", {"Name": name, "Type": kind}) for name, kind in (("Renewals", "Queue"), ("All", "Regular")))
    row_id = _pushed(sandbox, api, OwnerId=queue)
    assert queue.startswith("00G")
    assert soql(api, f"SELECT Owner.Name, Owner.Type FROM Task WHERE Id = '{row_id}'")[0]["Owner"] | {"attributes": 0} == {
        "attributes": 0,
        "Name": "Renewals",
        "Type": "Group",
    }
    assert refusal(api.patch(f"sobjects/Task/{row_id}", json={"OwnerId": group})) == (400, "INVALID_CROSS_REFERENCE_KEY")


def test_cases_and_contracts_lead_to_their_account(sandbox: Sandbox, api: httpx.Client) -> None:
    account = sandbox.org.id_of("Account", "a1")
    contract = api.post("sobjects/Contract", json={"AccountId": account, "StartDate": "2026-01-15", "ContractTerm": 13}).json()["id"]
    case = api.post("sobjects/Case", json={"AccountId": account, "Subject": "Broken", "Status": "Closed"}).json()["id"]
    assert (contract[:3], case[:3]) == ("800", "500")
    assert api.get(f"sobjects/Contract/{contract}").json()["EndDate"] == "2027-02-14"
    assert api.get(f"sobjects/Case/{case}").json()["IsClosed"] is True
    for what in (contract, case):
        assert api.get(f"sobjects/Task/{api.post('sobjects/Task', json={'WhatId': what}).json()['id']}").json()["AccountId"] == account
    mail = admin.insert(sandbox.org, "EmailMessage", {"ParentId": case, "Subject": "Re"})
    assert soql(api, f"SELECT Parent.AccountId FROM EmailMessage WHERE Id = '{mail}'")[0]["Parent"]["AccountId"] == account


def test_every_verb_is_reached_over_http_and_rows_are_named_by_key(sandbox: Sandbox, api: httpx.Client) -> None:
    def say(**body: Any) -> requests.Response:
        return requests.post(f"{sandbox.url}/sandbox/admin", json=body, timeout=5)

    assert say(verb="edit", object_name="Account", row_id="a1", changes={"Name": "Renamed"}, by="u2").json() == {"result": None}
    assert _row(api, "Account", sandbox.org.id_of("Account", "a1"), "Name")["Name"] == "Renamed"
    made = say(verb="insert", object_name="Account", values={"Name": "New"}, key="a9").json()["result"]
    assert say(verb="merge", object_name="Account", winner_id="a9", loser_id=sandbox.org.id_of("Account", "a1")).status_code == 200
    assert soql(api, "SELECT AccountId FROM Contact")[0]["AccountId"] == made
    assert say(verb="unshare", object_name="Account", row_ids=["a2"]).status_code == 200
    assert say(verb="close_task", row_id="t1").status_code == say(verb="set_options", hidden=["Event"], page_size=5).status_code == 200
    assert refusal(api.get("sobjects/Event/describe")) == (404, "NOT_FOUND")
    assert say(verb="advance", seconds=60).status_code == say(verb="revoke").status_code == 200
    assert refusal(api.get("limits")) == (401, "INVALID_SESSION_ID")
    for body, told in (
        ({"verb": "sing"}, "verb must be one of add_choice, add_field"),
        ({"verb": "edit", "object_name": "Account"}, "missing a required argument"),
        ({"verb": "edit", "object_name": "Account", "row_id": "zz", "changes": {}}, "there is no 'zz'"),
        ({"verb": "edit", "object_name": "Nothing", "row_id": "a1", "changes": {}}, "there is no 'nothing'"),
        ({"verb": "set_options", "colour": "red"}, "there is no option colour"),
        ({"verb": "add_field", "object_name": "Account", "name": "Plain"}, "a custom field ends in __c"),
    ):
        refused = say(**body)
        assert (refused.status_code, told in refused.text) == (400, True)
    assert requests.post(f"{sandbox.url}/sandbox/admin", json={"verb": "expire"}, headers={"Origin": "https://elsewhere.example"}, timeout=5).status_code == 403


def test_time_goes_on_only_where_it_stood_still(sandbox: Sandbox) -> None:
    before = sandbox.org.clock.now()
    admin.advance(sandbox.org, 90.5)
    assert (sandbox.org.clock.now() - before).total_seconds() == 90.5
    assert before == orgs.NOW
