"""Starting, outliving a restart, and the page on which the org's people see their tasks."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from connectors.sandbox import Sandbox, StoryError, running
from connectors.sandbox.__main__ import main
from connectors.sandbox.objects import FEEDBACK, KEY
from tests.connectors.sandbox import orgs
from tests.connectors.sandbox.orgs import Client, task, upsert

_HOSTILE = "<script>alert('x')</script> & \"quoted\" {{ 7 * 7 }}"


def test_a_folder_that_is_no_story_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--story", str(tmp_path)]) == 1
    assert f"{tmp_path}/story.json cannot be read as a story" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("users", "{", "users.ndjson line 3 is not JSON"),
        ("contacts", '{"key": "c2", "account": "nowhere", "name": "x", "email": "x", "title": "x"}', "contacts.ndjson line 2: KeyError"),
        ("tasks", '{"key": "t2", "at": "2026-01-05T10:00:00", "status": "Completed"}', "tasks.ndjson line 2: ValueError"),
        ("emails", "5", "emails.ndjson line 26 is no object"),
    ],
)
def test_a_bad_line_of_a_story_is_named(tmp_path: Path, file: str, line: str, told: str) -> None:
    folder = orgs.story(tmp_path)
    with (folder / f"{file}.ndjson").open("a") as rows:
        rows.write(line + "\n")
    with pytest.raises(StoryError, match=re.escape(told)), running(folder):
        pass


def test_a_state_file_of_another_story_is_not_served(story: Path, tmp_path: Path) -> None:
    state = tmp_path / "org.sqlite"
    with running(story, state=state):
        pass
    other = orgs.story(tmp_path)
    (other / "events.ndjson").write_text("")
    with pytest.raises(StoryError, match="another story"), running(other, state=state):
        pass
    state.with_name("text").write_text("no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(StoryError, match="cannot be used as a state file"), running(story, state=state.with_name("text")):
        pass


def test_the_org_outlives_its_restart_but_tokens_and_cursors_do_not(story: Path, tmp_path: Path) -> None:
    state = tmp_path / "org.sqlite"
    with running(story, now=orgs.NOW, state=state) as first:
        made = upsert(orgs.client(first), [task("ut-1", first)])[0]["id"]
        old = orgs.client(first)
        stamp = old.Task.get(made)["SystemModstamp"]
    with running(story, now=orgs.NOW, state=state) as second:
        answer = requests.get(f"{second.url}/services/data/v64.0/limits", headers={"Authorization": f"Bearer {old.session_id}"}, timeout=5)
        assert answer.status_code == 401
        sf = orgs.client(second)
        assert upsert(sf, [task("ut-1", second)]) == [{"id": made, "success": True, "errors": [], "created": False}]
        assert sf.Task.get(made)["SystemModstamp"] > stamp
        assert sf.query("SELECT COUNT() FROM User")["totalSize"] == 3


def test_a_fixed_clock_orders_writes_and_a_real_one_stamps_whole_seconds(story: Path) -> None:
    for now, stamps in ((orgs.NOW, 3), (lambda: datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC), 1)):
        with running(story, now=now) as sandbox:
            upsert(orgs.client(sandbox), [task(f"ut-{n}", sandbox) for n in range(3)])
            rows = orgs.client(sandbox).query(f"SELECT SystemModstamp FROM Task WHERE {KEY} != null ORDER BY Id")["records"]
            seen = [row["SystemModstamp"] for row in rows]
            assert seen == sorted(seen)
            assert len(set(seen)) == stamps


def test_the_command_answers_says_where_and_ends_when_told(story: Path) -> None:
    command = [sys.executable, "-m", "connectors.sandbox", "--story", str(story), "--now", "2026-03-02T09:00:00Z"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        assert requests.get(f"{found[0]}/sandbox/tasks", timeout=10).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_well_when_told_so_the_moment_it_speaks(story: Path, number: signal.Signals) -> None:
    script = f"""if True:
        import os, sys
        from connectors.sandbox.__main__ import main

        class Impatient:
            def write(self, text):
                os.kill(os.getpid(), {number:d})

            def flush(self):
                pass

        sys.stdout = Impatient()
        sys.exit(main(sys.argv[1:]))
    """
    ended = subprocess.run([sys.executable, "-c", script, "--story", str(story)], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_task_page_shows_what_was_written_and_runs_none_of_it(sandbox: Sandbox, sf: Client) -> None:
    upsert(sf, [task("ut-1", sandbox, Subject=_HOSTILE, Description=_HOSTILE), task("ut-2", sandbox, Subject="Newer", ActivityDate="2026-03-01")])
    page = requests.get(f"{sandbox.url}/sandbox/tasks", timeout=5)
    assert "<script" not in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; form-action 'self'")
    assert page.text.index("Newer") < page.text.index("&lt;script&gt;") < page.text.index("Other tasks and calls")
    assert "due 2026-03-01, overdue" in page.text
    assert requests.get(f"{sandbox.url}/sandbox/style.css", timeout=5).headers["Content-Type"] == "text/css; charset=utf-8"


def test_a_person_closes_a_task_on_the_page_and_the_api_sees_it(sandbox: Sandbox, sf: Client) -> None:
    made = upsert(sf, [task("ut-1", sandbox)])[0]["id"]
    form = {"id": made, "status": "Completed", "feedback": "edited"}
    answer = requests.post(f"{sandbox.url}/sandbox/tasks", data=form, headers={"Origin": sandbox.url}, timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/sandbox/tasks#{made}")
    row = sf.Task.get(made)
    assert (row["Status"], row["IsClosed"], row[FEEDBACK]) == ("Completed", True, "edited")
    refused = requests.post(f"{sandbox.url}/sandbox/tasks", data=form | {"status": "Gone"}, timeout=5)
    assert refused.status_code == 400
    assert "The task was not changed" in refused.text


def test_nobody_else_changes_or_reads_the_page(sandbox: Sandbox, sf: Client) -> None:
    made = upsert(sf, [task("ut-1", sandbox)])[0]["id"]
    form = {"id": made, "status": "Completed"}
    page = f"{sandbox.url}/sandbox/tasks"
    for headers in ({"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "elsewhere.example"}):
        assert requests.post(page, data=form, headers=headers, timeout=5).status_code == 403
    assert requests.get(page, headers={"Host": "elsewhere.example"}, timeout=5).status_code == 403
    assert sf.Task.get(made)["IsClosed"] is False
