"""The files in examples/: what README says of them runs and comes true, and nobody in them exists."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.command import undertone

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
LINES = sorted(
    {line for file in (ROOT / "README.md", EXAMPLES / "README.md") for line in re.findall(r"^\./dev run (.*examples/.*)$", file.read_text("utf-8"), re.M)}
)


def test_no_address_in_them_could_be_anybodys():
    for file in EXAMPLES.iterdir():
        for address in re.findall(r"[\w.+-]+@([\w.-]+)", file.read_text("utf-8")):
            assert address.endswith(".example"), (file.name, address)


@pytest.mark.parametrize("line", LINES)
def test_each_line_runs_and_leaves_no_row_out(line: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = undertone(*shlex.split(line), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert b"left out" not in done.stderr
    assert b"problem" not in done.stderr
    assert done.stdout


def test_the_stories_are_found_as_they_are_told(tmp_path: Path):
    [line] = [line for line in LINES if line.startswith("import")]
    assert undertone(*shlex.split(line), "--out", str(tmp_path / "found.jsonl"), cwd=ROOT).returncode == 0
    rows = [json.loads(row) for row in (tmp_path / "found.jsonl").read_text("utf-8").splitlines()]
    june = {(row["account"], row["kind"]) for row in rows if row["detected_at"] >= "2026-05-26"}
    assert {("Tern Street Clinics", "price_objection"), ("Millbrook Bakeries", "usage_drop"), ("Fenwick Joinery", "unanswered_question")} <= june
    assert not [account for account, _ in june if account == "Ostler Logistics"]
    assert {row["draft"].partition(",")[0].split()[-1] for row in rows if row["draft"]} == {"Clara", "Sam", "Beth"}
