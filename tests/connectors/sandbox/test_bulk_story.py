"""A huge org: made quickly, its long text made up when it is read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox import Options, admin, bulk_story, running
from connectors.sandbox.__main__ import main
from connectors.sandbox.generated import generated_text
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import soql


def test_rows_are_added_to_the_accounts_that_are_there(tmp_path: Path) -> None:
    with running(bulk_story.write(tmp_path, now=orgs.NOW, accounts=3), now=orgs.NOW) as sandbox, orgs.api(sandbox) as api:
        bulk_story.fill(sandbox.org, tasks=30, emails=90, characters=500)
        for _ in range(2):
            bulk_story.fill(sandbox.org, tasks=10)
        assert soql(api, "SELECT COUNT(Id) n, COUNT_DISTINCT(AccountId) a, COUNT_DISTINCT(SystemModstamp) t FROM Task")[0]["n"] == 50
        spread = soql(api, "SELECT COUNT_DISTINCT(RelatedToId) a, MIN(SystemModstamp) began, MAX(SystemModstamp) ended FROM EmailMessage")[0]
        assert spread["a"] == 3
        assert "2025-03" <= spread["began"] < "2025-04"
        assert spread["ended"] < "2026-03-02T09"
        mails = soql(api, "SELECT Id, TextBody, Incoming FROM EmailMessage")
        assert {len(m["TextBody"]) for m in mails} == {500}
        assert len({m["TextBody"] for m in mails}) == 90
        assert sum(m["Incoming"] for m in mails) == 60
        read = api.get(f"sobjects/EmailMessage/{mails[0]['Id']}").json()
        assert read["TextBody"] == mails[0]["TextBody"]


def test_a_text_of_its_own_is_not_made_up(tmp_path: Path) -> None:
    with running(bulk_story.write(tmp_path, now=orgs.NOW, accounts=1), now=orgs.NOW) as sandbox, orgs.api(sandbox) as api:
        bulk_story.fill(sandbox.org, emails=1)
        own = admin.insert(sandbox.org, "EmailMessage", {"TextBody": "mine"})
        assert soql(api, f"SELECT TextBody FROM EmailMessage WHERE Id = '{own}'")[0]["TextBody"] == "mine"


def test_all_rows_may_have_one_stamp(tmp_path: Path) -> None:
    with running(bulk_story.write(tmp_path, now=orgs.NOW, accounts=1), now=orgs.NOW) as sandbox, orgs.api(sandbox) as api:
        bulk_story.fill(sandbox.org, tasks=200, one_stamp=True)
        assert soql(api, "SELECT COUNT(Id) n, COUNT_DISTINCT(SystemModstamp) t FROM Task")[0]["t"] == 1


def test_a_result_too_large_to_be_kept_is_read_set_by_set_and_counts_what_is_left(tmp_path: Path) -> None:
    options = Options(bulk_page_rows=4_000)
    with running(bulk_story.write(tmp_path, now=orgs.NOW), now=orgs.NOW, options=options) as sandbox, orgs.api(sandbox) as api:
        bulk_story.fill(sandbox.org, tasks=6_000, characters=40)
        job = api.post("jobs/query", json={"operation": "query", "query": "SELECT Id, Description FROM Task"}).json()["id"]
        api.get(f"jobs/query/{job}")
        admin.purge(sandbox.org, "Task", soql(api, "SELECT Id FROM Task LIMIT 1")[0]["Id"])
        seen, locator = [], ""
        while locator != "null":
            answer = api.get(f"jobs/query/{job}/results", params={"locator": locator} if locator else {})
            rows = list(csv.DictReader(io.StringIO(answer.text)))
            assert len(rows) == int(answer.headers["Sforce-NumberOfRecords"]) <= 4_000
            seen += [row["Id"] for row in rows]
            assert {len(row["Description"]) for row in rows} == {40}
            locator = answer.headers["Sforce-Locator"]
        assert len(seen) == len(set(seen)) == 5_999
        assert seen != sorted(seen)


@given(st.integers(1, 10**9), st.integers(0, 5_000))
def test_made_up_text_has_its_length_and_stays_the_same(number: int, length: int) -> None:
    text = generated_text(number, length)
    assert len(text) == length
    assert text == generated_text(number, length)


def test_a_huge_org_goes_without_a_story_but_not_into_a_state_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, told in (([], "give --story"), (["--add-tasks", "5", "--state", str(tmp_path / "x")], "leave --state out")):
        with pytest.raises(SystemExit):
            main(arguments)
        assert told in capsys.readouterr().err
    assert main(["--add-tasks", "5", "--fault", '{"kind": "rain"}']) == 1
    assert "kind must be one of" in capsys.readouterr().err
