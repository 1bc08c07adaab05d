"""Drafts over HTTP: who may not have any, what is refused, and that the answers are those of the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from service.api import create_app
from service.api.drafts import Drafts
from service.api.review import MOST
from service.store.pool import transaction
from tests import builders
from tests.client import TestClient, assert_problem, key

TOLD = "I cannot explain a 14% increase to the board. The new figure is hard to carry for a house of our size."
OFFER = {"id": "E2", "type": "offer", "text": "go through the figures with whoever has to sign them"}
ROW = {"id": "1", "am_name": "Ann Berg", "recipient_name": "Marta Lind", "evidence": [{"id": "E1", "type": "buyer_message", "text": TOLD}, OFFER]}
EMPTY = {"id": 2}


@pytest.fixture(scope="module")
def api(servers: str) -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def reader(servers: str) -> dict[str, str]:
    return key(builders.workspace(), "read")


def ask(api: TestClient, headers: dict[str, str], *rows: Any) -> Any:
    return api.post("/v1/drafts", json={"drafts": list(rows)}, headers=headers)


def test_no_key_no_draft(api: TestClient) -> None:
    assert_problem(ask(api, {}, ROW), 401)


def test_a_key_that_may_only_push_or_judge_gets_none(api: TestClient, workspace: UUID) -> None:
    assert "read" in assert_problem(ask(api, key(workspace, "push", "feedback"), ROW), 403)


@pytest.mark.parametrize(
    "body",
    [
        {"drafts": []},
        {"drafts": [EMPTY] * (MOST + 1)},
        {"drafts": [ROW | {"secretword": 1}]},
        {"drafts": [ROW | {"channel": "secretword"}]},
        {"drafts": [ROW | {"situation": "secretword"}]},
        {"drafts": [ROW | {"draft": "secretword"}]},
        {"drafts": [ROW | {"evidence": [{"id": "E1", "type": "buyer_message", "text": None}]}]},
        {"drafts": [{"channel": "email"}]},
        [],
    ],
)
def test_a_body_of_another_shape_is_refused_without_its_words(api: TestClient, reader: dict[str, str], body: Any) -> None:
    answer = api.post("/v1/drafts", json=body, headers=reader)
    assert_problem(answer, 422)
    assert "secretword" not in answer.text


def test_a_body_that_is_too_large_is_refused(api: TestClient, reader: dict[str, str]) -> None:
    assert_problem(ask(api, reader, ROW | {"evidence": [{"id": "E1", "type": "buyer_message", "text": "x" * 70_000}]}), 413)


def test_nothing_is_stored(api: TestClient, workspace: UUID) -> None:
    assert ask(api, key(workspace, "read"), ROW).status_code == 200
    with transaction(workspace) as db:
        for table in ("suggestion", "draft", "message_text", "evidence"):
            assert db.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,), table


def test_the_answers_are_those_of_the_command_in_their_order(api: TestClient, reader: dict[str, str]) -> None:
    answer = ask(api, reader, ROW, EMPTY)
    assert answer.status_code == 200, answer.text
    lines = "\n".join(json.dumps(row) for row in (ROW, EMPTY)).encode()
    done = subprocess.run([str(Path(sys.executable).parent / "undertone"), "draft", "-"], input=lines, capture_output=True, timeout=120, check=True)
    assert answer.json()["items"] == [json.loads(line) for line in done.stdout.splitlines()]
    first, second = answer.json()["items"]
    assert first["draft"]
    assert (second["draft"], second["reason"]) == (None, "there is nothing to go by: no message and no figures")


def test_an_answer_is_what_the_document_says(api: TestClient, reader: dict[str, str]) -> None:
    text = ask(api, reader, ROW).text
    (found,) = Drafts.model_validate_json(text).items
    assert found.report is not None
    assert found.report.verdict == "good"
