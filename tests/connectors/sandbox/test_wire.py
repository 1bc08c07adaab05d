"""The shape of answers: rows, pages, ids, descriptions, headers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceRefusedRequest, SalesforceResourceNotFound

from connectors.sandbox import Options, Sandbox, admin, ids, running
from connectors.sandbox.objects import KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client

_MAILS = "SELECT Id FROM EmailMessage ORDER BY MessageDate, Id"


def _get(sandbox: Sandbox, sf: Client, path: str, **headers: str) -> requests.Response:
    return requests.get(sandbox.url + path, headers={"Authorization": f"Bearer {sf.session_id}", **headers}, timeout=5)


def test_a_row_has_its_attributes_its_parents_and_times_as_salesforce_writes_them(sandbox: Sandbox, sf: Client) -> None:
    fields = "Id, subject, Incoming, MessageDate, SystemModstamp, HtmlBody, TextBody, ToAddress, ReplyToEmailMessage.MessageIdentifier, RelatedTo.Name"
    answer = sf.query(f"SELECT {fields} FROM emailmessage ORDER BY MessageDate LIMIT 2")
    first, second = answer["records"]
    assert (answer["totalSize"], answer["done"]) == (2, True)
    assert first["attributes"] == {"type": "EmailMessage", "url": f"/services/data/v64.0/sobjects/EmailMessage/{first['Id']}"}
    assert first["MessageDate"] == first["SystemModstamp"] == "2026-01-02T10:00:00.000+0000"
    assert (first["Subject"], first["Incoming"], first["HtmlBody"]) == ("Mail 0", True, None)
    assert first["TextBody"] == "Grüße, “hello”\r\n"
    assert first["ToAddress"] == "ann@us.example; al@us.example"
    assert first["ReplyToEmailMessage"] is None
    assert second["ReplyToEmailMessage"]["MessageIdentifier"] == "<0@x>"
    assert second["RelatedTo"]["Name"] == "Acme"


def test_every_row_of_the_story_is_there_under_its_prefix(sandbox: Sandbox, sf: Client) -> None:
    counts = {"Account": 3, "Contact": 1, "Opportunity": 1, "OpportunityContactRole": 1, "Task": 1, "Event": 1, "EmailMessage": orgs.MAILS, "User": 3}
    prefixes = {"Account": "001", "Contact": "003", "User": "005", "Opportunity": "006", "OpportunityContactRole": "00K", "Task": "00T", "Event": "00U"}
    for name, count in counts.items():
        rows = sf.query(f"SELECT Id FROM {name}")["records"]
        assert len(rows) == count
        assert {row["Id"][:3] for row in rows} == {prefixes.get(name, "02s")}
    call = sf.query("SELECT TaskSubtype, IsClosed, CompletedDateTime, Account.Name, Who.Name, Owner.Email FROM Task")["records"][0]
    assert (call["TaskSubtype"], call["IsClosed"], call["CompletedDateTime"]) == ("Call", True, "2026-01-05T10:00:00.000+0000")
    assert (call["Account"]["Name"], call["Who"]["Name"], call["Owner"]["Email"]) == ("Acme", "Bo van Lind", "ann@us.example")
    assert [row["ApiName"] for row in sf.query("SELECT ApiName FROM TaskStatus WHERE IsClosed = true")["records"]] == ["Completed"]


@pytest.mark.parametrize("uneven", [False, True])
def test_pages_hold_fewer_rows_than_asked_and_together_each_row_once(story: Path, uneven: bool) -> None:
    with running(story, now=orgs.NOW, options=Options(page_size=7, uneven_pages=uneven)) as sandbox:
        sf = orgs.client(sandbox)
        pages = [sf.query(_MAILS)]
        while not pages[-1]["done"]:
            pages.append(sf.query_more(pages[-1]["nextRecordsUrl"], identifier_is_url=True))
        rows = [row["Id"] for page in pages for row in page["records"]]
        assert rows == [sandbox.org.id_of("EmailMessage", f"m{n}") for n in range(orgs.MAILS)]
        assert {page["totalSize"] for page in pages} == {orgs.MAILS}
        assert len(pages) == sandbox.counters.by_class["query"] + sandbox.counters.by_class["query_more"] >= 4
        assert "nextRecordsUrl" not in pages[-1]


def test_a_cursor_keeps_to_the_rows_it_found_and_may_die(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(page_size=10)) as sandbox:
        sf = orgs.client(sandbox)
        more = sf.query(_MAILS)["nextRecordsUrl"]
        admin.purge(sandbox.org, "EmailMessage", sandbox.org.id_of("EmailMessage", "m12"))
        assert len(sf.query_more(more, identifier_is_url=True)["records"]) == 9
        sandbox.org.forget_cursors()
        with pytest.raises(SalesforceMalformedRequest) as raised:
            sf.query_more(more, identifier_is_url=True)
        assert orgs.code(raised) == "INVALID_QUERY_LOCATOR"


def test_deleted_and_merged_rows_are_seen_by_query_all_alone(sandbox: Sandbox, sf: Client) -> None:
    winner, loser = (sandbox.org.id_of("Account", key) for key in ("a2", "a1"))
    admin.merge(sandbox.org, "Account", winner, loser)
    assert orgs.names(sf, "ORDER BY Name") == ["acre", "Zeta"]
    gone = sf.query("SELECT Id, MasterRecordId, SystemModstamp FROM Account WHERE IsDeleted = true", include_deleted=True)["records"]
    assert [(row["Id"], row["MasterRecordId"]) for row in gone] == [(loser, winner)]
    assert gone[0]["SystemModstamp"] > "2026-03-02T09:00:00.000+0000"
    assert sf.query(f"SELECT COUNT() FROM EmailMessage WHERE RelatedToId = '{winner}'")["totalSize"] == orgs.MAILS
    with pytest.raises(SalesforceResourceNotFound) as raised:
        sf.Account.get(loser)
    assert orgs.code(raised) == "ENTITY_IS_DELETED"


def test_a_late_row_shows_up_with_the_old_stamp_it_was_committed_with(sandbox: Sandbox, sf: Client) -> None:
    late = [sandbox.org.id_of("EmailMessage", "m3")]
    admin.hide(sandbox.org, "EmailMessage", late)
    assert sf.query("SELECT COUNT() FROM EmailMessage")["totalSize"] == orgs.MAILS - 1
    admin.reveal(sandbox.org, "EmailMessage", late)
    assert sf.query("SELECT SystemModstamp FROM EmailMessage WHERE Subject = 'Mail 3'")["records"][0]["SystemModstamp"].endswith("10:00:03.000+0000")


def test_the_describe_tells_what_the_key_field_is(sandbox: Sandbox, sf: Client) -> None:
    def key_field() -> dict[str, object] | None:
        return next((f for f in sf.Task.describe()["fields"] if f["name"] == KEY), None)

    assert {"externalId": True, "unique": True, "createable": True, "updateable": True, "length": 40}.items() <= (key_field() or {}).items()
    sandbox.org.options = Options(key_field="external", read_only=frozenset({f"Task.{KEY}"}))
    assert {"externalId": True, "unique": False, "createable": False}.items() <= (key_field() or {}).items()
    sandbox.org.options = Options(key_field="missing")
    assert key_field() is None
    status = next(f for f in sf.Task.describe()["fields"] if f["name"] == "Status")
    assert "Completed" in [choice["value"] for choice in status["picklistValues"]]
    assert {o["name"]: o["keyPrefix"] for o in sf.describe()["sobjects"]}["Task"] == "00T"


def test_what_is_hidden_does_not_exist_for_the_user(sandbox: Sandbox, sf: Client) -> None:
    sandbox.org.options = Options(hidden=frozenset({"Account.ARR__c", "Event"}), empty=frozenset({"EmailMessage"}))
    assert sf.query("SELECT COUNT() FROM EmailMessage")["totalSize"] == 0
    for text, code in (("SELECT ARR__c FROM Account", "INVALID_FIELD"), ("SELECT Id FROM Event", "INVALID_TYPE")):
        with pytest.raises(SalesforceMalformedRequest) as raised:
            sf.query(text)
        assert orgs.code(raised) == code
    with pytest.raises(SalesforceResourceNotFound):
        sf.Event.describe()
    assert "ARR__c" not in sf.Account.get(sandbox.org.id_of("Account", "a1"))


def test_calls_are_counted_and_the_daily_limit_ends_them(sandbox: Sandbox, sf: Client) -> None:
    sf.query(_MAILS)
    assert sf.api_usage["api-usage"] == (1, 100_000)
    sandbox.org.options = replace(sandbox.org.options, daily_limit=2)
    assert sf.limits()["DailyApiRequests"] == {"Max": 2, "Remaining": 0}
    with pytest.raises(SalesforceRefusedRequest) as raised:
        sf.query(_MAILS)
    assert orgs.code(raised) == "REQUEST_LIMIT_EXCEEDED"
    assert sandbox.counters.calls == {"token": 1, "read": 3}


def test_versions_are_listed_and_a_retired_one_is_gone(sandbox: Sandbox, sf: Client) -> None:
    assert {"label": "v64", "url": "/services/data/v64.0", "version": "64.0"} in requests.get(f"{sandbox.url}/services/data", timeout=5).json()
    assert [_get(sandbox, sf, f"/services/data/v{v}/limits").status_code for v in ("64.0", "30.0", "99.0")] == [200, 410, 404]
    assert _get(sandbox, sf, "/services/data/v64.0/nothing").json()[0]["errorCode"] == "NOT_FOUND"


def test_large_answers_are_packed_the_org_tells_its_own_time_and_long_addresses_are_refused(sandbox: Sandbox, sf: Client) -> None:
    answer = _get(sandbox, sf, "/services/data/v64.0/sobjects/Task/describe")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert abs(parsedate_to_datetime(answer.headers["Date"]) - orgs.NOW) < timedelta(seconds=1)
    assert _get(sandbox, sf, f"/services/data/v64.0/query?q={'x' * 16_384}").status_code == 414
    assert _get(sandbox, sf, "/services/data/v64.0/limits", **{"Content-Length": "x"}).status_code == 411


@settings(max_examples=60)
@given(st.integers(0, 62**9 - 1), st.integers(0, 62**9 - 1))
def test_ids_differ_even_for_a_reader_that_is_blind_to_case(one: int, other: int) -> None:
    first, second = ids.record_id("00T", one), ids.record_id("00T", other)
    assert ids.full_id(first) == ids.full_id(first[:15]) == first
    assert (first.lower() == second.lower()) == (one == other)


def test_the_checksum_is_salesforces_own() -> None:
    assert ids.with_checksum("0015000000Gv7qJ") == "0015000000Gv7qJAAR"
    with pytest.raises(ValueError, match="0015000000Gv7qJAAA"):
        ids.full_id("0015000000Gv7qJAAA")


def test_a_single_field_a_parent_or_the_mere_head_can_be_asked_for(sandbox: Sandbox, sf: Client) -> None:
    base = "/services/data/v64.0/sobjects"
    task, mail, contact = (sandbox.org.id_of(*key) for key in (("Task", "t1"), ("EmailMessage", "m3"), ("Contact", "c1")))
    assert _get(sandbox, sf, f"{base}/EmailMessage/{mail}/TextBody").json() == "Grüße, “hello”\r\n"
    assert _get(sandbox, sf, f"{base}/EmailMessage/{mail}/HtmlBody").status_code == 204
    assert _get(sandbox, sf, f"{base}/Task/{task}/Who").json()["Id"] == contact
    assert _get(sandbox, sf, f"{base}/Contact/{contact}/Account").json()["Name"] == "Acme"
    assert _get(sandbox, sf, f"{base}/Task/{task}/Nothing").status_code == 404
    for path, status in ((f"{base}/Task/{task}", 200), (f"{base}/Task/00T5gS0000000zz", 404), (f"{base}/Task/describe", 200), ("/services/data", 200)):
        answer = requests.head(sandbox.url + path, headers={"Authorization": f"Bearer {sf.session_id}"}, timeout=5)
        assert (answer.status_code, answer.content) == (status, b"")


def test_nothing_was_looked_at_lately_and_nothing_can_be_searched(sandbox: Sandbox, sf: Client) -> None:
    assert _get(sandbox, sf, "/services/data/v64.0/recent").json() == []
    refused = _get(sandbox, sf, "/services/data/v64.0/search?q=FIND")
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (403, "FUNCTIONALITY_NOT_ENABLED")


def test_a_page_of_large_rows_ends_early(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(page_characters=1_000)) as sandbox:
        rows, sizes = sandbox.org.query("SELECT TextBody, Id FROM EmailMessage", deleted=False, version="64.0"), []
        while True:
            sizes.append(len(rows["records"]))
            if rows["done"]:
                break
            rows = sandbox.org.query_more(rows["nextRecordsUrl"].rpartition("/")[2], "64.0")
        assert sum(sizes) == orgs.MAILS
        assert 1 < max(sizes) < orgs.MAILS


def test_a_body_may_come_in_chunks_but_not_in_nonsense(sandbox: Sandbox, sf: Client) -> None:
    headers = {"Authorization": f"Bearer {sf.session_id}"}
    address = f"{sandbox.url}/services/data/v64.0/sobjects/Task"
    assert requests.post(address, data=iter([b'{"Subject"', b': "x"}']), headers=headers, timeout=5).status_code == 201
    nonsense = {**headers, "Transfer-Encoding": "chunked"}
    assert requests.post(address, data=b"no chunk at all\r\n", headers=nonsense, timeout=5).status_code == 413
