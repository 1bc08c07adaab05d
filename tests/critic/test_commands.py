"""Reviews for scripts and over HTTP: what no line can do, and that every row is answered."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from service import keys
from service.api import create_app
from service.api.review import MOST
from service.critic import review
from service.critic.draft import MOST_CHARS
from service.critic.rows import LONGEST_NAME, MOST_EVIDENCE, draft, review_lines
from service.json_lines import BadLine
from tests import command
from tests.client import TestClient

COMMAND = str(Path(sys.executable).parent / "undertone")
ROW = {
    "id": "r1",
    "channel": "email",
    "lang": "en",
    "draft": "Dear Kim,\n\nRest assured that secretword runs.\n\nIda",
    "evidence": [{"id": "e1", "type": "ticket", "text": "The pump stood still."}],
    "recipient_name": "Kim Osei",
    "am_name": "Ida Beck",
}
BROKEN = [
    "not json secretword",
    "[]",
    "{}",
    json.dumps(ROW | {"id": ""}),
    json.dumps(ROW | {"id": True}),
    json.dumps(ROW | {"draft": ["secretword"]}),
    json.dumps(ROW | {"evidence": "secretword"}),
    json.dumps(ROW | {"evidence": ["secretword"]}),
    json.dumps(ROW | {"evidence": [{"id": "e1", "text": "secretword"}]}),
    json.dumps(ROW | {"evidence": [{"id": "e1", "type": "ticket", "text": "x"}] * (MOST_EVIDENCE + 1)}),
    json.dumps(ROW | {"channel": 3}),
    json.dumps(ROW | {"situation": "secretword"}),
    json.dumps(ROW | {"situation": ["silence"]}),
    json.dumps(ROW | {"lang": "secretword"}),
    json.dumps(ROW | {"lang": "it"}),
    json.dumps(ROW | {"recipient_name": "x" * (LONGEST_NAME + 1)}),
    json.dumps(ROW | {"earlier": [1]}),
    json.dumps(ROW | {"earlier": "secretword"}),
]


def undertone(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return command.undertone("review", *arguments, given=given)


@pytest.mark.parametrize("line", BROKEN)
def test_no_broken_line_loses_the_good_ones_beside_it_or_gives_its_words_away(line: str) -> None:
    good = json.dumps(ROW)
    rows = [row for batch in review_lines(f"{good}\n\n{line}\n{good}\n".encode().splitlines(keepends=True)) for row in batch]
    assert [isinstance(row, BadLine) for row in rows] == [False, True, False]
    assert isinstance(rows[1], BadLine)
    assert rows[1].line == 3
    assert "secretword" not in rows[1].error


def test_null_is_not_given_and_further_columns_are_left_alone() -> None:
    row = ROW | {"channel": None, "situation": None, "label": "bad", "rules": ["DRF-5"]}
    assert review(draft(row)) == review(draft(ROW))


def test_of_a_very_long_draft_the_beginning_is_reviewed() -> None:
    assert len(draft(ROW | {"draft": "word " * MOST_CHARS}).text) == MOST_CHARS


def test_a_file_comes_out_whole_with_a_line_for_each_line(tmp_path: Path) -> None:
    given, out = tmp_path / "drafts.jsonl", tmp_path / "reviews.jsonl"
    given.write_text("".join(json.dumps(ROW | {"id": n}) + "\n" for n in range(150)) + "nonsense\n")
    done = undertone(str(given), "--out", str(out))
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert done.returncode == 2
    assert b"1 of 151 lines could not be reviewed" in done.stderr
    assert [row["id"] for row in rows] == [*range(150), None]
    assert (rows[0]["verdict"], rows[0]["rules"]) == ("bad", ["DRF-5"])
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_where_no_line_could_be_reviewed_nothing_is_said_of_others() -> None:
    done = undertone("-", given=b"nonsense\n")
    assert done.stderr == b"undertone: 1 of 1 lines could not be reviewed; the answer to each says why.\n"


def test_drafts_are_not_written_over(tmp_path: Path) -> None:
    given = tmp_path / "drafts.jsonl"
    given.write_text(json.dumps(ROW))
    done = undertone(str(given), "--out", str(given))
    assert done.returncode == 2
    assert json.loads(given.read_text()) == ROW


def test_a_pipe_goes_in_and_out() -> None:
    done = subprocess.run([COMMAND, "review", "-"], input=json.dumps(ROW).encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(asdict(review(draft(ROW)))))


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture
def headers(workspace: UUID) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.create(workspace, 'test', ['read'], datetime.now(UTC), None)}"}


def ask(api: TestClient, headers: dict[str, str], *drafts: dict[str, Any]) -> Any:
    return api.post("/v1/review", json={"drafts": list(drafts)}, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        {"drafts": []},
        {"drafts": [ROW] * (MOST + 1)},
        {"drafts": [ROW | {"secretword": 1}]},
        {"drafts": [ROW | {"channel": "secretword"}]},
        {"drafts": [ROW | {"situation": "secretword"}]},
        {"drafts": [ROW | {"lang": "it"}]},
        {"drafts": [{"id": 1}]},
        [],
    ],
)
def test_a_body_of_another_shape_is_refused_without_its_words(api: TestClient, headers: dict[str, str], body: Any) -> None:
    answer = api.post("/v1/review", json=body, headers=headers)
    assert answer.status_code == 422
    assert "secretword" not in answer.text


def test_no_key_no_review(api: TestClient) -> None:
    assert ask(api, {}, ROW).status_code == 401


def test_the_answer_is_that_of_the_command(api: TestClient, headers: dict[str, str]) -> None:
    answer = ask(api, headers, ROW)
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"] == [json.loads(undertone("-", given=json.dumps(ROW).encode()).stdout)]


def test_a_finding_is_set_aside_by_http_and_a_locked_one_is_not(api: TestClient, headers: dict[str, str]) -> None:
    aside = ask(api, headers, ROW | {"set_aside": {"DRF-5": "Their own words."}}).json()["items"][0]
    assert aside["verdict"] == "good"
    assert aside["suppressed"][0]["reason"] == "Their own words."
    refused = ask(api, headers, ROW | {"set_aside": {"ETH-5": "We know better."}})
    assert refused.status_code == 422
    assert "ETH-5" in refused.text
