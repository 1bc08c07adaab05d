"""Bulk ingest jobs: rows in a file, each with its own outcome."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from connectors.sandbox import Fault, Sandbox
from connectors.sandbox.objects import KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import refusal


def _carried_out(api: httpx.Client, operation: str, text: str, **more: Any) -> str:
    job = api.post("jobs/ingest", json={"operation": operation, "object": "Task", "contentType": "CSV", "lineEnding": "LF", **more}).raise_for_status().json()
    assert job["state"] == "Open"
    assert api.put(f"jobs/ingest/{job['id']}/batches", content=text.encode(), headers={"Content-Type": "text/csv"}).status_code == 201
    assert api.patch(f"jobs/ingest/{job['id']}", json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    return str(job["id"])


def _outcome(api: httpx.Client, job_id: str, which: str) -> list[dict[str, str]]:
    api.get(f"jobs/ingest/{job_id}").raise_for_status()
    return list(csv.DictReader(io.StringIO(api.get(f"jobs/ingest/{job_id}/{which}/").text)))


def test_each_row_of_a_file_succeeds_or_fails_alone(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(kind="row_locked", key="ut-2"))
    text = f"Subject,{KEY},IsClosed,Priority\nGood,ut-1,,High\nLocked,ut-2,,\nBarred,ut-3,true,\nBad,ut-4,,Urgent\n"
    job_id = _carried_out(api, "upsert", text, externalIdFieldName=KEY)
    good = _outcome(api, job_id, "successfulResults")
    assert [(row["sf__Created"], row["Subject"], row[KEY]) for row in good] == [("true", "Good", "ut-1")]
    codes = [row["sf__Error"].split(":")[0] for row in _outcome(api, job_id, "failedResults")]
    assert codes == ["UNABLE_TO_LOCK_ROW", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]
    about = api.get(f"jobs/ingest/{job_id}").json()
    assert (about["state"], about["numberRecordsProcessed"], about["numberRecordsFailed"]) == ("JobComplete", 4, 3)
    assert sandbox.counters.rows == {"Task.created": 1}


def test_rows_are_inserted_changed_emptied_and_deleted(sandbox: Sandbox, api: httpx.Client) -> None:
    made = _outcome(api, _carried_out(api, "insert", "Subject,CallDurationInSeconds\nA,60\nB,5\n"), "successfulResults")
    first, second = (row["sf__Id"] for row in made)
    _carried_out(api, "update", f"Id,Subject,CallDurationInSeconds\n{first},A2,#N/A\n{second},,7\n")
    row = orgs.soql(api, f"SELECT Subject, CallDurationInSeconds FROM Task WHERE Id IN ('{first}', '{second}') ORDER BY Id")
    assert [(r["Subject"], r["CallDurationInSeconds"]) for r in row] == [("A2", None), ("B", 7)]
    _carried_out(api, "delete", f"Id\n{first}\n")
    _carried_out(api, "hardDelete", f"Id\n{second}\n")
    kept = api.get("queryAll", params={"q": f"SELECT Id, IsDeleted FROM Task WHERE Id IN ('{first}', '{second}')"}).json()["records"]
    assert [(r["Id"], r["IsDeleted"]) for r in kept] == [(first, True)]


@pytest.mark.parametrize("kind", ["job_failed", "job_aborted"])
def test_rows_of_a_doomed_job_stay_unprocessed_and_unwritten(sandbox: Sandbox, api: httpx.Client, kind: str) -> None:
    sandbox.faults.add(Fault(kind=kind))
    job_id = _carried_out(api, "insert", "Subject\nA\nB\n")
    assert [row["Subject"] for row in _outcome(api, job_id, "unprocessedrecords")] == ["A", "B"]
    assert sandbox.counters.writes == 0


def test_a_file_that_is_no_table_fails_the_job(api: httpx.Client) -> None:
    for text in ("", "Subject,Priority\nA\n", 'Subject\n"A'):
        about = api.get(f"jobs/ingest/{_carried_out(api, 'insert', text)}").json()
        assert (about["state"], about["errorMessage"].split(" ")[0]) == ("Failed", "InvalidBatch")


def test_a_job_takes_data_once_and_only_while_it_is_open(api: httpx.Client) -> None:
    job_id = _carried_out(api, "insert", "Subject\nA\n")
    assert refusal(api.put(f"jobs/ingest/{job_id}/batches", content=b"Subject\nB\n")) == (400, "INVALIDJOBSTATE")
    assert refusal(api.patch(f"jobs/ingest/{job_id}", json={"state": "UploadComplete"})) == (400, "INVALIDJOBSTATE")
    opened = api.post("jobs/ingest", json={"operation": "insert", "object": "Task"}).json()["id"]
    assert refusal(api.get(f"jobs/ingest/{opened}/successfulResults")) == (400, "INVALIDJOBSTATE")
    assert api.patch(f"jobs/ingest/{opened}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert api.delete(f"jobs/ingest/{opened}").status_code == 204
    assert [j["id"] for j in api.get("jobs/ingest").json()["records"]] == [job_id]


def test_jobs_on_nothing_are_refused(api: httpx.Client) -> None:
    for body, answer in (
        ({"operation": "sing", "object": "Task"}, (400, "INVALIDJOB")),
        ({"operation": "insert", "object": "TaskStatus"}, (400, "INVALIDENTITY")),
        ({"operation": "upsert", "object": "Task", "externalIdFieldName": "Subject"}, (404, "NOT_FOUND")),
    ):
        assert refusal(api.post("jobs/ingest", json=body)) == answer
