"""Bulk query jobs: what they refuse, how they end, and that their sets of results hold each row once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox import Fault, Options, Sandbox, admin, running
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client, refusal

_MAILS = "SELECT Id, Subject, TextBody, Incoming, MessageDate, HtmlBody, RelatedTo.Name FROM EmailMessage"


@pytest.fixture(scope="module")
def untouched(story: Path) -> Iterator[httpx.Client]:
    """An org that no test changes."""
    with running(story, now=orgs.NOW) as sandbox, orgs.api(sandbox) as client:
        yield client


def _job(api: httpx.Client, query: str, operation: str = "query", **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.post("jobs/query", json={"operation": operation, "query": query, **more}).raise_for_status().json()
    return made


def _finished(api: httpx.Client, query: str, operation: str = "query", **more: Any) -> str:
    job_id = str(_job(api, query, operation, **more)["id"])
    while api.get(f"jobs/query/{job_id}").json()["state"] in ("UploadComplete", "InProgress"):
        pass
    return job_id


def _rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Id FROM TaskStatus", "INVALIDENTITY"),
        ("SELECT Id FROM TaskPriority", "INVALIDENTITY"),
        ("SELECT Id FROM TaskRelation", "INVALIDENTITY"),
        ("SELECT COUNT() FROM Task", "API_ERROR"),
        ("SELECT COUNT(Id) FROM Task", "API_ERROR"),
        ("SELECT COUNT(Id), Name FROM Account GROUP BY Name", "API_ERROR"),
        ("SELECT Id FROM Task LIMIT 5 OFFSET 5", "API_ERROR"),
        ("SELECT FIELDS(ALL) FROM Task LIMIT 5", "API_ERROR"),
        ("SELECT Nothing__c FROM Task", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
        ("SELECT Id FROM", "MALFORMED_QUERY"),
    ],
)
def test_what_the_bulk_api_cannot_do_is_refused_at_once(untouched: httpx.Client, query: str, code: str) -> None:
    assert refusal(untouched.post("jobs/query", json={"operation": "query", "query": query})) == (400, code)


@pytest.mark.parametrize("change", [{"operation": "insert"}, {"columnDelimiter": "COLON"}, {"lineEnding": "CR"}, {"contentType": "JSON"}])
def test_a_job_that_no_org_would_take_is_refused(untouched: httpx.Client, change: dict[str, str]) -> None:
    assert refusal(untouched.post("jobs/query", json={"operation": "query", "query": "SELECT Id FROM Task"} | change)) == (400, "INVALIDJOB")


def test_the_sets_of_results_hold_each_row_once_and_in_no_order(sandbox: Sandbox, api: httpx.Client) -> None:
    job_id, locator, subjects, counts = _finished(api, _MAILS), "", [], []
    while locator != "null":
        answer = api.get(f"jobs/query/{job_id}/results", params={"maxRecords": 10, "locator": locator} if locator else {"maxRecords": 10})
        head, *rows = _rows(answer.text)
        assert head == ["Id", "Subject", "TextBody", "Incoming", "MessageDate", "HtmlBody", "RelatedTo.Name"]
        locator = answer.headers["Sforce-Locator"]
        counts.append((int(answer.headers["Sforce-NumberOfRecords"]), len(rows)))
        subjects += [row[1] for row in rows]
    expected = [f"Mail {n}" for n in range(orgs.MAILS)]
    assert counts == [(10, 10), (10, 10), (5, 5)]
    assert sorted(subjects) == sorted(expected)
    assert subjects != expected
    assert api.get(f"jobs/query/{job_id}").json()["numberRecordsProcessed"] == orgs.MAILS


def test_values_are_written_as_the_bulk_api_writes_them(sandbox: Sandbox, api: httpx.Client) -> None:
    hostile = 'a "quoted", line\r\nnext\x00 🌱; \u202eend'
    mail = sandbox.org.id_of("EmailMessage", "m3")
    admin.edit(sandbox.org, "EmailMessage", mail, {"TextBody": hostile})
    answer = api.get(f"jobs/query/{_finished(api, f'{_MAILS} WHERE Id = {mail!r}')}/results")
    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.text.startswith('"Id","Subject","TextBody",')
    assert answer.text.endswith('","true","2026-01-02T10:00:03.000Z","","Acme"\n')
    assert f'"{hostile.replace(chr(34), chr(34) * 2)}"' in answer.text
    numbers = api.get(f"jobs/query/{_finished(api, 'SELECT Seats__c, ARR__c, ParentId FROM Account WHERE Name = ' + repr('Acme'))}/results").text
    assert numbers == '"Seats__c","ARR__c","ParentId"\n"50.0","12.5",""\n'


@pytest.mark.parametrize(("name", "delimiter"), [("COMMA", ","), ("TAB", "\t"), ("PIPE", "|"), ("SEMICOLON", ";"), ("CARET", "^"), ("BACKQUOTE", "`")])
def test_lines_end_and_columns_part_as_asked(untouched: httpx.Client, name: str, delimiter: str) -> None:
    job_id = _finished(untouched, "SELECT Id, Name FROM Account", columnDelimiter=name, lineEnding="CRLF")
    text = untouched.get(f"jobs/query/{job_id}/results").text
    assert text.startswith(f'"Id"{delimiter}"Name"\r\n')
    assert sorted(row[1] for row in _rows(text, delimiter)[1:]) == ["Acme", "Zeta", "acre"]


def test_an_asked_order_is_kept(api: httpx.Client) -> None:
    text = api.get(f"jobs/query/{_finished(api, 'SELECT Name FROM Account ORDER BY Name DESC')}/results").text
    assert [row[0] for row in _rows(text)[1:]] == ["Zeta", "acre", "Acme"]


def test_only_query_all_sees_what_was_deleted_and_archived(sandbox: Sandbox, api: httpx.Client) -> None:
    admin.archive(sandbox.org, "Task", [sandbox.org.id_of("Task", "t1")])
    admin.bin_row(sandbox.org, "Account", sandbox.org.id_of("Account", "a1"))
    for object_name, live in (("Task", 0), ("Account", 2)):
        seen = [
            len(_rows(api.get(f"jobs/query/{_finished(api, f'SELECT Id FROM {object_name}', operation)}/results").text)) - 1
            for operation in ("query", "queryAll")
        ]
        assert seen == [live, live + 1]


def test_a_small_job_answers_what_was_there_when_it_was_made(sandbox: Sandbox, api: httpx.Client) -> None:
    job_id = _finished(api, "SELECT Name FROM Account")
    admin.edit(sandbox.org, "Account", sandbox.org.id_of("Account", "a1"), {"Name": "Renamed"})
    admin.purge(sandbox.org, "Account", sandbox.org.id_of("Account", "a3"))
    answer = api.get(f"jobs/query/{job_id}/results")
    assert sorted(row[0] for row in _rows(answer.text)[1:]) == ["Acme", "Zeta", "acre"]
    assert answer.headers["Sforce-NumberOfRecords"] == "3"


def test_a_job_comes_on_by_being_asked_after_and_has_no_results_before(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(bulk_polls=1)) as sandbox, orgs.api(sandbox) as api:
        job = _job(api, "SELECT Id FROM Account")
        assert (job["state"], job["object"], job["apiVersion"], job["contentType"]) == ("UploadComplete", "Account", 64.0, "CSV")
        assert refusal(api.get(f"jobs/query/{job['id']}/results")) == (400, "INVALIDJOBSTATE")
        assert [api.get(f"jobs/query/{job['id']}").json()["state"] for _ in range(3)] == ["InProgress", "JobComplete", "JobComplete"]
        assert [j["id"] for j in api.get("jobs/query").json()["records"]] == [job["id"]]


def test_a_job_can_be_aborted_and_deleted_but_not_after_its_end(story: Path) -> None:
    with running(story, now=orgs.NOW, options=Options(bulk_polls=9)) as sandbox, orgs.api(sandbox) as api:
        path = f"jobs/query/{_job(api, 'SELECT Id FROM Account')['id']}"
        api.get(path)
        assert refusal(api.delete(path)) == (400, "INVALIDJOBSTATE")
        assert api.patch(path, json={"state": "Aborted"}).json()["state"] == api.get(path).json()["state"] == "Aborted"
        assert refusal(api.patch(path, json={"state": "Aborted"})) == (400, "INVALIDJOBSTATE")
        assert api.delete(path).status_code == 204
        assert refusal(api.get(path)) == (404, "NOT_FOUND")


def test_results_are_not_given_to_another_version_than_the_jobs(sandbox: Sandbox, api: httpx.Client) -> None:
    job_id = _finished(api, "SELECT Id FROM Account")
    with orgs.api(sandbox, version="63.0") as other:
        assert other.get(f"jobs/query/{job_id}/results").status_code == 409


@pytest.mark.parametrize("locator", ["bm9uc2Vuc2U", "OTk5", "LTE", "MA", "%%%"])
def test_a_locator_that_the_job_did_not_give_is_refused(untouched: httpx.Client, locator: str) -> None:
    assert refusal(untouched.get(f"jobs/query/{_finished(untouched, 'SELECT Id FROM Account')}/results", params={"locator": locator})) == (
        400,
        "INVALIDLOCATOR",
    )


def test_a_job_is_gone_after_a_week_and_a_forgotten_one_at_once(sandbox: Sandbox, api: httpx.Client) -> None:
    old, forgotten = _finished(api, "SELECT Id FROM Account"), _finished(api, "SELECT Id FROM Account")
    sandbox.faults.add(Fault(kind="job_forgotten", on="bulk_query_results"))
    assert [refusal(api.get(f"jobs/query/{forgotten}{end}"))[0] for end in ("/results", "")] == [404, 404]
    assert api.get(f"jobs/query/{old}/results").status_code == 200
    admin.advance(sandbox.org, timedelta(days=7).total_seconds())
    assert api.get(f"jobs/query/{old}/results").status_code == 404


@pytest.mark.parametrize(("kind", "state"), [("job_failed", "Failed"), ("job_aborted", "Aborted")])
def test_a_doomed_job_ends_without_results(sandbox: Sandbox, api: httpx.Client, kind: str, state: str) -> None:
    sandbox.faults.add(Fault(kind=kind, key="Account"))
    spared, doomed = _finished(api, "SELECT Id FROM Contact"), _finished(api, "SELECT Id FROM Account")
    assert api.get(f"jobs/query/{spared}").json()["state"] == "JobComplete"
    job = api.get(f"jobs/query/{doomed}").json()
    assert (job["state"], "errorMessage" in job) == (state, state == "Failed")
    assert refusal(api.get(f"jobs/query/{doomed}/results")) == (400, "INVALIDJOBSTATE")
    assert api.get(f"jobs/query/{_finished(api, 'SELECT Id FROM Account')}/results").status_code == 200


def test_a_download_can_be_cut_short_miscounted_and_taken_up_again(sandbox: Sandbox, api: httpx.Client) -> None:
    job_id = _finished(api, _MAILS)
    sandbox.faults.add(
        Fault(kind="cut_mid_body", on="bulk_query_results", amount=700),
        Fault(kind="short_page", on="bulk_query_results", amount=2),
        Fault(kind="wrong_count", on="bulk_query_results"),
    )
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(f"jobs/query/{job_id}/results", headers={"Accept-Encoding": "identity"})
    short = api.get(f"jobs/query/{job_id}/results")
    assert (len(_rows(short.text)) - 1, short.headers["Sforce-NumberOfRecords"]) == (2, "2")
    wrong = api.get(f"jobs/query/{job_id}/results", params={"locator": short.headers["Sforce-Locator"]})
    assert (len(_rows(wrong.text)) - 1, wrong.headers["Sforce-NumberOfRecords"]) == (orgs.MAILS - 2, str(orgs.MAILS - 1))


def test_the_token_of_a_download_may_die_between_two_sets(sandbox: Sandbox, api: httpx.Client, sf: Client) -> None:
    job_id = _finished(api, _MAILS)
    locator = api.get(f"jobs/query/{job_id}/results", params={"maxRecords": 5}).headers["Sforce-Locator"]
    sandbox.tokens.expire()
    assert refusal(api.get(f"jobs/query/{job_id}/results", params={"locator": locator})) == (401, "INVALID_SESSION_ID")
    with orgs.api(sandbox) as again:
        assert len(_rows(again.get(f"jobs/query/{job_id}/results", params={"locator": locator}).text)) - 1 == orgs.MAILS - 5


def test_hidden_fields_and_empty_objects_are_so_in_bulk_too(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.org.options = replace(sandbox.org.options, hidden=frozenset({"Account.ARR__c"}), empty=frozenset({"EmailMessage"}))
    assert refusal(api.post("jobs/query", json={"operation": "query", "query": "SELECT ARR__c FROM Account"})) == (400, "INVALID_FIELD")
    answer = api.get(f"jobs/query/{_finished(api, 'SELECT Id FROM EmailMessage')}/results")
    assert (answer.text, answer.headers["Sforce-Locator"], answer.headers["Sforce-NumberOfRecords"]) == ('"Id"\n', "null", "0")
