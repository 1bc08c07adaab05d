"""docs/analysts.md: each column is described, each example runs, and API, files and SQL give the same numbers."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from service import feedback
from service.store import analyst_logins, workspaces
from service.store import signals as stored
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.client import key, serving
from tests.command import undertone
from tests.filled import Filled, fill

GUIDE = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```(sql|sh|python)\n(.*?)^```", GUIDE, re.M | re.S)
DESCRIBED = {
    view: re.findall(r"^\| `(\w+)` \| .+ \|$", text, re.M)
    for view, text in re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", GUIDE, re.M | re.S)
}  # fmt: skip
NAME = "analysed guide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an analyst has in hand."""

    whose: Filled
    address: str
    key: str
    analyst_url: str

    def run(self, kind: str, text: str, folder: Path) -> str:
        """What an example answers, as text."""
        if kind == "sql":
            with psycopg.connect(self.analyst_url) as db:
                return "\n".join("\t".join(map(str, row)) for row in db.execute(text.encode()))
        environ = {**os.environ, "UNDERTONE_URL": self.address, "UNDERTONE_KEY": self.key, "ANALYST_URL": self.analyst_url}
        argv = ["sh", "-euc", text] if kind == "sh" else [sys.executable, "-c", text]
        done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listed(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        found, cursor = [], None
        while True:
            page = requests.get(
                f"{self.address}{path}", params={**parameters, "cursor": cursor, "limit": 7}, headers={"Authorization": f"Bearer {self.key}"}, timeout=30
            ).json()
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found


@pytest.fixture(scope="module")
def desk(servers: str) -> Iterator[Desk]:
    workspace_id = builders.workspace()
    with transaction(workspace_id) as db:
        db.execute("UPDATE workspace SET name = %s", [NAME])
    whose = fill(workspace_id, "Guided")
    with psycopg.connect(servers) as owner:
        for table in ("signal", "outlook", "suggestion"):
            owner.execute(f"UPDATE {table} SET recorded_at = %s WHERE workspace_id = %s", [datetime(2026, 3, 3, 9, tzinfo=UTC), workspace_id])
    feedback.give(workspace_id, whose.suggestion_id, "not_now", "api", NOW.date())
    feedback.give(workspace_id, whose.suggestion_id, "wrong_reading", "console", NOW.date())
    with transaction(workspace_id) as db:
        more = [builders.signal(whose.account_id, confidence=n / 40, kind="frustration") for n in range(20)]
        stored.append(db, more, "later", workspaces.next_change(db))
    secret = key(workspace_id, "read")["Authorization"].removeprefix("Bearer ")
    with serving() as address:
        yield Desk(whose=whose, address=address, key=secret, analyst_url=analyst_logins.create(workspace_id))
    analyst_logins.drop(workspace_id)


def test_no_column_of_any_view_lacks_its_description(servers):
    with psycopg.connect(servers) as owner:
        rows = owner.execute(
            "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'analytics'::regnamespace AND c.relkind = 'v' AND a.attnum > 0 GROUP BY 1"
        ).fetchall()
    assert dict(rows) == DESCRIBED


def test_there_are_five_questions_in_three_languages():
    assert len(re.findall(r"^\*\*.+\?\*\*$", GUIDE, re.M)) == len(EXAMPLES) == 5
    assert {kind for kind, _ in EXAMPLES} == {"sql", "sh", "python"}


def test_the_accounts_at_risk_come_with_what_weighs_most(desk, tmp_path):
    assert desk.run(*EXAMPLES[0], tmp_path) == "Guided\t2026-05-01\t12000.0\t-3\tusage\t-2"


def test_what_people_confirmed_is_counted(desk, tmp_path):
    lines = sorted(line.split("\t") for line in desk.run(*EXAMPLES[1], tmp_path).splitlines())
    led = [s["kind"] for s in desk.listed("/v1/signals") if s["confirmed"] is False]
    assert [line for line in lines if line[0] in led] == [[led[0], "2026-03-01", "1", "1", "0", "0.00"]]
    assert {line[3] for line in lines if line[0] not in led} == {"0"}


def test_what_was_believed_is_what_was_recorded_by_then(desk, tmp_path):
    items = json.loads(desk.run(*EXAMPLES[2], tmp_path))["items"]
    assert sorted((i["kind"], i["model_version"]) for i in items) == [("price_objection", "test"), ("usage_drop", "test")]


def test_what_came_of_suggestions_is_added_up(desk, tmp_path):
    lines = [line.split("\t") for line in desk.run(*EXAMPLES[3], tmp_path).splitlines()]
    assert [line[1:] for line in lines] == [["not_now", "1"], ["wrong_reading", "1"]]


def test_a_copy_is_kept_up_to_date_by_what_changed_alone(desk, tmp_path):
    assert desk.run(*EXAMPLES[4], tmp_path) == "22 changed, 22 in all\n"
    with transaction(desk.whose.workspace_id) as db:
        [row] = [r for r in stored.current(db) if r.signal.id == desk.whose.signal_id]
        stored.append(db, [stored.ended(row.signal, NOW.date())], "later", workspaces.next_change(db))
    assert desk.run(*EXAMPLES[4], tmp_path) == "1 changed, 22 in all\n"
    assert desk.run(*EXAMPLES[4], tmp_path) == "0 changed, 22 in all\n"


MEASURES = {
    "signals": ("kind", "confidence"),
    "usage": ("metric", "value"),
    "suggestions": ("kind", "version"),
    "outcomes": ("outcome", "change_no"),
}
"""What is counted by which column, and which is added up."""


@pytest.mark.parametrize("what", MEASURES)
def test_api_view_and_file_give_the_same_numbers(desk, tmp_path, what):
    by, measure = MEASURES[what]
    view = {"usage": "usage_days"}.get(what, what)
    with psycopg.connect(desk.analyst_url) as db:
        in_sql = {row[0]: (row[1], round(float(row[2]), 6)) for row in db.execute(f"SELECT {by}, count(*), sum({measure}) FROM {view} GROUP BY 1")}
    assert in_sql
    undertone("export", what, "--to", str(tmp_path / "file.csv"), "--workspace", NAME)
    with (tmp_path / "file.csv").open(newline="", encoding="utf-8") as file:
        assert added(list(csv.DictReader(file)), by, measure) == in_sql
    sent = requests.get(f"{desk.address}/v1/export/{what}?format=ndjson", headers={"Authorization": f"Bearer {desk.key}"}, timeout=30)
    assert added([json.loads(line) for line in sent.text.split("\n") if line], by, measure) == in_sql
    assert added(desk.listed(f"/v1/{what}"), by, measure) == in_sql


def added(rows: list[dict[str, Any]], by: str, measure: str) -> dict[str, tuple[int, float]]:
    groups = defaultdict[str, list[float]](list)
    for row in rows:
        groups[row[by]].append(float(row[measure]))
    return {name: (len(values), round(sum(values), 6)) for name, values in groups.items()}
