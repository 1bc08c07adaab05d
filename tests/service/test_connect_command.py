"""`undertone connect` and its neighbours against a sandbox org: at a terminal, from a script, once more after it stopped."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from connectors.base import Stream
from connectors.records import Rejected
from connectors.sandbox import Sandbox
from connectors.sandbox import running as sandbox_running
from connectors.sandbox.stories import DEMO, last_moment
from service.cli import main
from service.config import settings
from service.connect import connect
from service.store import connections, quarantine, streams, sweeps, workspaces
from service.store.pool import transaction
from tests import builders

NOW = last_moment(DEMO)


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Undertone = Callable[..., Done]


@pytest.fixture
def undertone(servers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Undertone:
    """The command inside this process, in an empty directory, without a terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERTONE_NOW", NOW.isoformat())
    monkeypatch.setenv("COLUMNS", "200")
    settings.cache_clear()

    def run(*arguments: str, given: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["undertone", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, *capsys.readouterr())

    yield run
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def org(servers: str) -> Iterator[Sandbox]:
    with sandbox_running(DEMO, now=NOW) as sandbox:
        yield sandbox


@pytest.fixture
def named(workspace: UUID) -> tuple[UUID, str]:
    return workspace, f"test {workspace}"


def given(org: Sandbox) -> list[str]:
    settings_of = {"domain": org.domain, "consumer_key": org.credentials.client_id, "endpoint": org.url}
    return [part for name, value in settings_of.items() for part in ("--set", f"{name}={value}")]


def stored(workspace_id: UUID, name: str = "salesforce") -> connections.Connection:
    with transaction(workspace_id) as db:
        found = connections.by_name(db, name)
    assert found
    return found


# From a script


def test_the_steps_can_be_listed_before_anything_is_there_and_nothing_is_made(undertone):
    done = undertone("connect", "salesforce", "--steps", "-w", "nobody's yet")
    assert done.code == 0
    lines = [line for line in done.out.splitlines() if re.match(r"\d of 8", line)]
    assert len(lines) == 8
    assert all("  open  " in line for line in lines)
    with transaction() as db:
        assert workspaces.find(db, "nobody's yet") is None


def test_a_script_gives_settings_and_secret_and_is_told_what_comes_next(undertone, named, org):
    done = undertone("connect", "salesforce", "-w", named[1], *given(org), "--secret", "consumer_secret", given=org.credentials.client_secret)
    assert done.code == 0, done.err
    assert "Connected. Next: `undertone pull`" in done.out
    assert org.credentials.client_secret not in done.out + done.err


def test_what_was_set_before_stays_when_the_command_is_run_again(undertone, named, org):
    undertone("connect", "salesforce", "-w", named[1], *given(org), "--set", "currency=EUR", "--secret", "consumer_secret", given=org.credentials.client_secret)
    again = undertone("connect", "salesforce", "-w", named[1], "--set", "timezone_field=TimeZone__c")
    assert again.code == 0, again.err
    config = stored(named[0]).config
    assert (config["currency"], config["timezone_field"], config["domain"]) == ("EUR", "TimeZone__c", org.domain)


def test_a_wrong_secret_stops_at_the_check_and_the_same_command_goes_on_after_it(undertone, named, org):
    done = undertone("connect", "salesforce", "-w", named[1], *given(org), "--secret", "consumer_secret", given="wrong")
    assert done.code == 2
    assert "STOPS" in done.out
    assert "Mend what is marked above and run the same command again." in done.err
    steps = undertone("connect", "salesforce", "--steps", "-w", named[1]).out
    assert re.search(r"^1 of 8  done", steps, re.M)
    assert re.search(r"^4 of 8  open", steps, re.M)
    again = undertone("connect", "salesforce", "-w", named[1], "--secret", "consumer_secret", given=org.credentials.client_secret)
    assert again.code == 0, again.err


def test_the_list_of_steps_follows_what_has_been_done(undertone, named, org):
    undertone("connect", "salesforce", "-w", named[1], *given(org), "--secret", "consumer_secret", given=org.credentials.client_secret)
    before = undertone("connect", "salesforce", "--steps", "-w", named[1]).out
    assert [bool(re.search(rf"^{n} of 8  done", before, re.M)) for n in (1, 2, 3, 4, 6, 8)] == [True, True, True, True, False, False]
    undertone("pull", "-w", named[1])
    undertone("push", "--approve", "-w", named[1])
    after = undertone("connect", "salesforce", "--steps", "-w", named[1]).out
    assert [bool(re.search(rf"^{n} of 8  done", after, re.M)) for n in (6, 7, 8)] == [True, True, True]


def test_the_owner_is_found_among_the_crms_users_before_anything_is_pulled(undertone, named, org):
    user = org.org.query("SELECT Id, Email FROM User WHERE IsActive = true AND Email != null", deleted=False, version="64.0")["records"][0]
    secret = ("--secret", "consumer_secret")
    arguments = ["connect", "salesforce", "-w", named[1], *given(org), *secret, "--owner", str(user["Email"]).upper()]
    done = undertone(*arguments, given=org.credentials.client_secret)
    assert done.code == 0, done.err
    assert stored(named[0]).owner_key == user["Id"]


def test_an_owner_whom_the_crm_does_not_know_is_refused_in_words(undertone, named, org):
    secret = ("--secret", "consumer_secret")
    done = undertone("connect", "salesforce", "-w", named[1], *given(org), *secret, "--owner", "no@one.example", given=org.credentials.client_secret)
    assert done.code == 2
    assert "No active user of the CRM has the address no@one.example." in done.err


def test_files_have_no_owner_step_and_no_push_step(undertone, named):
    lines = undertone("connect", "mail_files", "--steps", "-w", named[1]).out
    assert re.findall(r"^\d of (\d)", lines, re.M) == ["3"] * 3


# pause, resume, replay


def test_a_paused_connection_is_neither_read_nor_written_and_goes_on_after_it(undertone, named, tmp_path):
    (tmp_path / "accounts.csv").write_text("account,name\nA1,Acme\n")
    connect(named[0], "account_files", "files", {"accounts": str(tmp_path / "accounts.csv")}, {})
    assert undertone("pause", "files", "--reason", "the file is being moved", "-w", named[1]).code == 0
    status = undertone("status", "-w", named[1])
    assert status.code == 1
    assert "files has been paused since" in status.out
    assert "the file is being moved." in status.out
    pulled = undertone("pull", "-w", named[1])
    assert (pulled.code, "files: not read, paused: the file is being moved" in pulled.out) == (2, True)
    assert undertone("resume", "files", "-w", named[1]).code == 0
    assert undertone("pull", "-w", named[1]).code == 0
    assert undertone("status", "-w", named[1]).code == 0


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_what_has_stopped_by_itself_is_neither_paused_nor_resumed(undertone, named, verb):
    with transaction(named[0]) as db:
        connection_id = builders.connection(db)
        connections.set_status(db, connection_id, "auth_failed", "The login was refused.")
    done = undertone(verb, "crm", "-w", named[1])
    assert done.code == 2
    assert "The login was refused." in done.err
    assert stored(named[0], "crm").status == "auth_failed"


def test_rows_in_quarantine_are_asked_for_again_by_connection_stream_or_row(undertone, named):
    with transaction(named[0]) as db:
        connection_id = builders.connection(db)
        for stream in ("emails", "tasks"):
            quarantine.add(db, connection_id, stream, [Rejected(source_key=f"{stream}-{n}", reason="no date") for n in range(2)])
    assert "4 rows will be read again" in undertone("replay", "-w", named[1]).out
    assert "2 rows will be read again" in undertone("replay", "crm", "--stream", "tasks", "-w", named[1]).out
    assert "1 row will be read again" in undertone("replay", "crm", "--row", "tasks-1", "-w", named[1]).out
    nothing = undertone("replay", "crm", "--row", "nowhere", "-w", named[1])
    assert (nothing.code, nothing.err) == (2, "undertone: No such row is in quarantine. `undertone status` lists them.\n")


@pytest.mark.parametrize("verb", ["replay", "sweep"])
def test_whoever_names_none_of_several_connections_is_told_how_to_name_one(undertone, named, verb):
    with transaction(named[0]) as db:
        builders.connection(db)
        builders.connection(db, name="second")
    done = undertone(verb, "-w", named[1])
    assert (done.code, f"Say which connection: `undertone {verb} NAME`. There are: " in done.err) == (2, True), done.err


def test_nothing_is_swept_before_it_has_been_read_and_one_that_was_is_swept_by_stream_or_kind(undertone, named, org):
    undertone("connect", "salesforce", "-w", named[1], *given(org), "--secret", "consumer_secret", given=org.credentials.client_secret)
    nothing = undertone("sweep", "-w", named[1])
    assert (nothing.code, "salesforce has no such sweep." in nothing.err) == (2, True)
    connection_id, week = stored(named[0]).connection_id, timedelta(days=7)
    with transaction(named[0]) as db:
        for stream in (Stream(name="contacts"), Stream(name="accounts")):
            lease = streams.lease(db, connection_id, stream, week)
            assert lease
            streams.finish(db, connection_id, stream.name, lease.fence, NOW, week)
        sweeps.prepare(db, connection_id, {("contacts", "ids"): week, ("accounts", "ids"): week, ("accounts", "formulas"): week}, NOW)
    assert "2 sweeps will be made by the next pull" in undertone("sweep", "salesforce", "--stream", "accounts", "-w", named[1]).out
    assert "1 sweep will be made" in undertone("sweep", "--stream", "accounts", "--kind", "formulas", "-w", named[1]).out
    with transaction(named[0]) as db:
        assert {(d.stream, d.kind) for d in sweeps.due(db, connection_id, NOW)} == {("accounts", "ids"), ("accounts", "formulas")}
    assert "3 sweeps" in undertone("sweep", "-w", named[1]).out
    assert undertone("sweep", "--stream", "nowhere", "-w", named[1]).code == 2


def test_one_stopped_connection_does_not_keep_the_others_from_being_read(undertone, named, tmp_path):
    with transaction(named[0]) as db:
        connections.set_status(db, builders.connection(db), "misconfigured", "No.")
    (tmp_path / "accounts.csv").write_text("account,name\nA1,Acme\n")
    connect(named[0], "account_files", "files", {"accounts": str(tmp_path / "accounts.csv")}, {})
    done = undertone("pull", "-w", named[1])
    assert done.code == 2
    assert "files / accounts: 1 rows new or changed" in done.out
    assert "crm: not read, misconfigured: No." in done.out


# At a terminal


class Terminal:
    """The command in a process of its own, at a terminal whose other end this is."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self._mine, theirs = pty.openpty()
        environ = {**os.environ, "UNDERTONE_NOW": NOW.isoformat(), "TERM": "dumb", "COLUMNS": "200"}
        command = [str(Path(sys.executable).parent / "undertone"), *arguments]
        self._process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environ, start_new_session=True)
        os.close(theirs)
        self.shown = ""

    def answer(self, question: str, text: str) -> None:
        self._until(question)
        os.write(self._mine, f"{text}\n".encode())

    def end(self) -> int:
        self._until(None)
        os.close(self._mine)
        return self._process.wait(timeout=60)

    def _until(self, question: str | None) -> None:
        deadline = time.monotonic() + 100
        while question is None or not self.shown.endswith(f"{question}: "):
            ready, _, _ = select.select([self._mine], [], [], 1)
            if ready:
                try:
                    read = os.read(self._mine, 65536)
                except OSError:  # Linux: the other end is closed
                    read = b""
                if not read:
                    break
                self.shown += read.decode("utf-8", "replace").replace("\r\n", "\n")
            assert time.monotonic() < deadline, self.shown
        assert question is None or self.shown.endswith(f"{question}: "), self.shown


def test_a_newcomer_is_walked_from_nothing_to_the_first_question_and_goes_on_there(named, org, tmp_path):
    first = Terminal("connect", "salesforce", "-w", named[1], "--set", f"endpoint={org.url}", folder=tmp_path)
    first.answer("My Domain of the org (acme.my, of acme.my.salesforce.com)", f"https://{org.domain}.salesforce.com/")
    first.answer("Consumer key of the app", org.credentials.client_id)
    first.answer("consumer_secret", org.credentials.client_secret)
    first.answer("Read now? [Y/n]", "n")
    assert first.end() == 0
    assert org.credentials.client_secret not in first.shown
    assert "External Client App Manager" in first.shown
    assert "Stopped here. The same command goes on with this step." in first.shown
    assert stored(named[0]).config["domain"] == org.domain
    writes = org.counters.writes

    second = Terminal("connect", "salesforce", "-w", named[1], folder=tmp_path)
    second.answer("Read now? [Y/n]", "y")
    second.answer("Write these as tasks, and new ones from now on? [y/N]", "n")
    assert second.end() == 0
    assert "My Domain of the org" not in second.shown
    assert re.search(r"users: \d+ rows", second.shown)
    assert re.search(r"create +ut-[a-z2-7]{26}", second.shown)
    assert "Nothing was written." in second.shown
    assert org.counters.writes == writes
    assert stored(named[0]).push_approved_at is None

    third = Terminal("connect", "salesforce", "-w", named[1], folder=tmp_path)
    third.answer("Write these as tasks, and new ones from now on? [y/N]", "y")
    assert third.end() == 0
    assert "Read now?" not in third.shown
    assert "Set up." in third.shown
    assert org.counters.writes > writes
    assert stored(named[0]).push_approved_at is not None
