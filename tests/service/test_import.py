"""`undertone import`: one's own files, replayed. What must not happen first: a bad row that takes a good one with it, half an output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest

from tests import command

Run = Callable[..., subprocess.CompletedProcess[bytes]]
FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two accounts: at Acme a question stays open, at Birch usage halves."""
    (tmp_path / "mail").mkdir()
    people = {"bo": "Bo Lind <bo@acme.example>", "ann": "Ann Berg <ann@vendor.example>"}
    for n in range(6):
        _mail(tmp_path, f"a{n}", people["ann"], people["bo"], 7 * n, "How did the week go?", "Hello Bo,\n\nhow did the week go with the new rota?\n\nAnn")
        _mail(tmp_path, f"b{n}", people["bo"], people["ann"], 7 * n + 1, "Re: How did the week go?", "Hello Ann,\n\nfine, the rota is up.\n\nBo", f"<a{n}@x>")
    _mail(tmp_path, "q", people["bo"], people["ann"], 50, "Two sites", "Hello Ann,\n\nCan the planner show two sites on one page?\n\nBo")
    (tmp_path / "accounts.csv").write_text(
        "Account;Name;Website;Owner name;Owner email\nA;Acme;acme.example;Ann Berg;ann@vendor.example\nB;Birch;birch.example;Ann Berg;ann@vendor.example\n"
    )
    counts = np.random.default_rng(3).poisson(40, 220)
    lines = [
        f"{name},active_users,{date(2026, 1, 1) + timedelta(days=d)},{c // 2 if name == 'B' and d > 180 else c}" for name in "AB" for d, c in enumerate(counts)
    ]
    (tmp_path / "usage.csv").write_text("account,metric,day,value\n" + "\n".join(lines) + "\nB,active_users,2026-08-20,NaN\nB,active_users,soon,4\n")
    return tmp_path


def _mail(folder: Path, key: str, sender: str, to: str, day: int, subject: str, body: str, answers: str | None = None) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"], message["Date"] = sender, to, subject, FIRST + timedelta(days=day)
    message["Message-ID"] = f"<{key}@x>"
    if answers:
        message["In-Reply-To"] = answers
    message.set_content(body)
    (folder / "mail" / f"{key}.eml").write_bytes(message.as_bytes())


GIVEN = {"mail": "mail", "usage": "usage.csv", "accounts": "accounts.csv", "now": "2026-08-09", "out": "out.jsonl"}


def arguments(options: dict[str, str]) -> list[str]:
    return ["import", *(part for name, value in options.items() if value for part in (f"--{name}", value))]


@pytest.fixture
def run(folder: Path) -> Run:
    """The command with the files given, and options changed or (empty) left out."""
    return lambda **options: command.undertone(*arguments(GIVEN | options), cwd=folder)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mail": "", "usage": ""}, "accounts alone say nothing"),
        ({"accounts": "nowhere.csv"}, "There is no file or folder nowhere.csv"),
        ({"now": "yesterday"}, "--now must be a day like"),
        ({"usage": "accounts.csv"}, "has no column"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_writes_nothing(run: Run, folder: Path, options: dict[str, str], sentence: str):
    done = run(**options)
    assert done.returncode == 2
    assert sentence in done.stderr.decode()
    assert not (folder / "out.jsonl").exists()


def test_good_rows_count_beside_bad_ones_and_every_signal_has_its_row(run: Run, folder: Path):
    done = run()
    assert done.returncode == 0, done.stderr
    assert b"usage.csv, line 442: the value is missing" in done.stderr
    assert b"usage.csv, line 443: the day is missing" in done.stderr
    rows = {(r["account"], r["kind"]): r for r in map(json.loads, (folder / "out.jsonl").read_text().splitlines())}
    assert set(rows) == {("Acme", "unanswered_question"), ("Birch", "usage_drop")}
    question, drop = rows["Acme", "unanswered_question"], rows["Birch", "usage_drop"]
    assert question["quotes"] == [{"text": "Can the planner show two sites on one page?", "message_id": "<q@x>"}]
    assert question["detected_at"] == "2026-03-04"
    assert question["handling"] == "plain_reply"
    assert "can the planner show two sites on one page" in question["draft"].lower()
    assert "2026-06-30" < drop["detected_at"] < "2026-07-29"
    assert 0.3 < drop["numbers"]["size"] < 0.7
    assert drop["alternatives"]
    assert drop["line"].startswith("Active users went from about ")
    assert set(drop) == {"account", "kind", "line", "detected_at", "confidence", "quotes", "numbers", "alternatives", "handling", "draft", "evidence"}


def test_nothing_later_than_the_day_is_known(run: Run, folder: Path):
    assert run(now="2026-03-03").returncode == 0
    assert (folder / "out.jsonl").read_text() == ""


def test_the_same_files_give_the_same_rows_in_a_process_of_its_own(run: Run, folder: Path):
    assert run(out="here.jsonl").returncode == 0
    installed = Path(sys.executable).with_name("undertone")
    done = subprocess.run([installed, *arguments(GIVEN)], cwd=folder, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    rows = (folder / "out.jsonl").read_text()
    assert rows
    assert rows == (folder / "here.jsonl").read_text()


def test_without_an_output_file_it_prints_a_table(run: Run):
    done = run(out="", usage="")
    assert b"A question of" in done.stdout


def test_whoever_writes_is_greeted_by_the_name_their_mail_bears(run: Run, folder: Path):
    assert run().returncode == 0
    drafts = [row["draft"] for row in map(json.loads, (folder / "out.jsonl").read_text().splitlines()) if row["kind"] == "unanswered_question"]
    assert [draft.partition(",")[0].split()[-1] for draft in drafts] == ["Bo"]


def test_a_file_of_contacts_says_what_people_are_called_and_the_mail_does_not(run: Run, folder: Path):
    (folder / "contacts.csv").write_text("email,name,account\nbo@acme.example,Robert Lind,A\n")
    assert run(contacts="contacts.csv").returncode == 0
    [draft] = [row["draft"] for row in map(json.loads, (folder / "out.jsonl").read_text().splitlines()) if row["kind"] == "unanswered_question"]
    assert draft.partition(",")[0].split()[-1] == "Robert"


def test_the_table_fits_eighty_columns_and_says_where_drafts_are_to_be_read(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = run(out="")
    lines = done.stdout.decode().splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if "\u2026" in line]
    shown = " ".join(" ".join(lines).split())
    assert "Acme 2026-03-04 A question of 24 0.75 Can the planner show two" in shown
    assert "One of them comes with a draft. Read them by the same command with --out drafts.jsonl" in done.stderr.decode()
