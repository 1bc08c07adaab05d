"""The `undertone` command as somebody meets it who has just installed it: in an empty directory, with nothing set up."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from service import keys, people
from service.budget import SharedBudget, Shares
from service.cli import main
from service.cli.workspace import printable
from service.config import real_time, settings
from service.connect import connect
from service.errors import Unauthenticated
from service.store import audit_log, connections, outbox, quarantine, workspaces
from service.store.pool import transaction
from service.vault import vault
from tests import builders
from tests.filled import fill

COMMANDS = [
    "analyst",
    "audit",
    "preferences",
    "connect",
    "demo",
    "detect",
    "draft",
    "erase",
    "evaluate",
    "explain",
    "export",
    "import",
    "key",
    "migrate",
    "pause",
    "people",
    "policy",
    "pull",
    "push",
    "read",
    "replay",
    "resume",
    "retrain",
    "review",
    "score",
    "serve",
    "status",
    "suggest",
    "sweep",
    "worker",
]
KEY_COMMANDS = ["create", "list", "revoke", "secret", "rotate"]
PEOPLE_COMMANDS = ["add", "email", "invite", "list", "password", "remove", "role", "sign-out"]
ANALYST_COMMANDS = ["create", "drop"]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Undertone = Callable[..., Done]


@pytest.fixture
def undertone(servers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Undertone:
    """The command inside this process, in an empty directory, from its arguments to its exit code."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, given: str = "", **environ: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["undertone", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            for name in environ:
                monkeypatch.delenv(name)
            settings.cache_clear()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, *capsys.readouterr())

    return run


@pytest.fixture
def newcomer(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The installed command in a process of its own, with an environment that knows nothing of the test's servers."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("UNDERTONE_", "DATABASE_", "REDIS_"))}

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "undertone"), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environ | more, capture_output=True, text=True, timeout=200, check=False)

    return run


@pytest.fixture
def named(workspace: UUID) -> tuple[UUID, str]:
    return workspace, f"test {workspace}"


# Start-up


def test_help_loads_none_of_the_heavy_libraries_and_no_celery():
    code = "import sys; sys.argv = ['undertone', '--help']\nfrom service.cli import main\ntry:\n    main()\nfinally:\n    print('LOADED', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    loaded = set(done.stdout.partition("LOADED ")[2].split())
    assert "service.cli.app" in loaded
    assert loaded & {"sklearn", "scipy", "plotly", "fastapi", "uvicorn", "simple_salesforce", "lxml", "celery", "kombu"} == set()


@pytest.mark.parametrize(
    "arguments",
    [[], *([c] for c in COMMANDS), *(["key", c] for c in KEY_COMMANDS), *(["people", c] for c in PEOPLE_COMMANDS), *(["analyst", c] for c in ANALYST_COMMANDS)],
    ids=" ".join,
)
def test_every_command_explains_itself(undertone, arguments):
    done = undertone(*arguments, "--help")
    assert done.code == 0
    assert "Usage:" in done.out
    first = [line.strip() for line in done.out.splitlines() if line.strip()][1]
    assert re.match(r"[A-Z].{15,}", first), first


def test_the_list_of_commands_is_the_one_that_is_tested(undertone):
    def listed(*arguments: str) -> list[str]:
        return re.findall(r"^  ([a-z-]+) ", undertone(*arguments, "--help").out.partition("Commands")[2], re.M)

    assert sorted(listed()) == sorted(COMMANDS)
    assert sorted(listed("key")) == sorted(KEY_COMMANDS)
    assert sorted(listed("people")) == sorted(PEOPLE_COMMANDS)
    assert sorted(listed("analyst")) == sorted(ANALYST_COMMANDS)


# One sentence and exit code 2 for what a person can mend


MISTAKES = {
    "unknown workspace": (["status", "-w", "nope"], "There is no workspace named nope yet. `undertone connect` makes one."),
    "unknown workspace of keys": (["key", "list", "-w", "nope"], "There is no workspace named nope yet."),
    "wrong connector": (["connect", "hubspt", "-w", "new"], "There is no connector named hubspt. There are: account_files"),
    "setting without a value": (["connect", "mail_files", "--set", "path"], "written as name=value, for instance --set path=/srv/mail."),
    "unknown setting": (["connect", "mail_files", "-w", "new", "--set", "path=.", "--set", "our_domains=x.example", "--set", "colour=red"], "colour"),
    "missing setting": (
        ["connect", "mail_files", "-w", "new"],
        "It needs path and our_domains: `undertone connect mail_files --set path=PATH --set our_domains=OUR_DOMAINS`.",
    ),
    "missing secret file": (["connect", "salesforce", "--secret-file", "password=nope.txt"], "The secret file nope.txt cannot be read."),
    "empty secret": (["connect", "salesforce", "--secret", "password"], "The secret password is empty."),
    "name too long": (["connect", "mail_files", "-w", "x" * 101], "A workspace's name has 1 to 100 characters."),
    "no name": (["connect", "mail_files", "-w", ""], "A workspace's name has 1 to 100 characters."),
    "wrong scope": (["key", "create", "--scope", "admin", "-w", "known"], "Scopes are read, push, feedback, configure, administer; not: admin."),
    "key for nothing": (["key", "create", "-w", "known"], "Say what the key may do: with --role, or with --scope"),
    "role and scope": (["key", "create", "--role", "am", "--scope", "push", "-w", "known"], "with --role, or with --scope, not with both."),
    "unknown role": (["key", "create", "--role", "boss", "-w", "known"], "--role"),
    "key with a line of its own": (["key", "create", "--role", "am", "--name", "a\nb", "-w", "known"], "all of which can be printed"),
    "unknown key": (["key", "revoke", "ut_00000000", "-w", "known"], "No active key of this workspace begins so."),
    "nobody of that name": (["people", "sign-out", "nobody", "-w", "known"], "Nobody of this workspace has that name."),
    "no password": (["people", "add", "ann", "--role", "am", "-w", "known"], "A password has 12 to 200 characters"),
    "a subject without a provider": (["people", "add", "ann", "--role", "am", "--sign-in", "oidc", "--subject", "x", "-w", "known"], "UNDERTONE_OIDC_ISSUER"),
    "a subject for a password": (["people", "add", "ann", "--role", "am", "--subject", "x", "-w", "known"], "--subject goes with --sign-in oidc"),
    "a link for nobody": (["people", "invite", "nobody", "-w", "known"], "There is nobody of that name"),
    "unknown role of a person": (["people", "add", "ann", "--role", "boss", "-w", "known"], "--role"),
    "nothing to pull": (["pull", "-w", "known"], "Nothing is connected yet. `undertone connect` makes a connection."),
    "nothing to push": (["push", "--preview", "-w", "known"], "Nothing is connected yet. `undertone connect` makes a connection."),
    "unknown connection": (["pull", "-w", "known", "--connection", "crm"], "There is no connection crm. Nothing is connected yet."),
    "erasing nobody": (["erase", "nobody@acme.example", "-w", "known"], "No person of this workspace has this address; nothing was deleted."),
    "no draft to make again": (["audit", "replay", str(UUID(int=7)), "-w", "known"], "No suggestion and no draft of the workspace known has the id"),
    "a key for ever and a day": (["key", "create", "--scope", "read", "--days", "99999999999", "-w", "known"], "--days"),
    "not a number": (["status", "--most", "many", "-w", "known"], "--most"),
    "unknown command": (["puhs"], "No such command"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_with_one_clear_sentence(undertone, mistake):
    arguments, sentence = MISTAKES[mistake]
    _known()
    done = undertone(*arguments)
    assert done.code == 2, done.err
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) <= (1 if done.err.startswith("undertone:") else 4)
    assert done.out == ""


def _known() -> None:
    with transaction() as db:
        found = workspaces.find(db, "known")
    if found is None:
        workspace_id = UUID(int=42)
        with transaction(workspace_id) as db:
            workspaces.create(db, workspace_id, "known")


@pytest.mark.parametrize("name", ["UNDERTONE_KEYS", "DATABASE_URL"])
def test_a_wrong_setting_of_the_environment_is_named_and_not_printed(newcomer, name):
    done = newcomer("status", **{name: "hushhush"})
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"undertone: {name} must be [^\n]+\n", done.stderr)
    assert "hushhush" not in done.stderr


def test_a_database_that_is_not_there_is_said_in_a_sentence(newcomer):
    done = newcomer("status", DATABASE_URL="postgresql://u:hushhush@127.0.0.1:9/d", REDIS_URL="redis://127.0.0.1:9/0")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1] == "undertone: The database did not give a connection in time. Try again in a few seconds."
    assert "hushhush" not in done.stderr


def test_the_very_first_command_may_be_any(newcomer, state_dir, tmp_path):
    """Servers of its own, no schema, no workspace: still one sentence, and the second command works."""
    first = newcomer("status", UNDERTONE_HOME=str(state_dir / "newcomer"))
    assert (first.returncode, first.stderr) == (2, "undertone: There is no workspace named default yet. `undertone connect` makes one.\n")
    again = newcomer("migrate", UNDERTONE_HOME=str(state_dir / "newcomer"))
    assert (again.returncode, again.stdout) == (0, "The schema is up to date.\n")
    assert list(tmp_path.iterdir()) == []


# connect


def test_connecting_stores_the_secret_sealed_and_says_what_comes_next(undertone, tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    (tmp_path / "secret").write_text("hushhush\n")
    name = f"new {tmp_path.name}{os.getpid()}"
    arguments = [
        "connect",
        "mail_files",
        "-w",
        name,
        "--set",
        f"path={mail}",
        "--set",
        "our_domains=vendor.example",
        "--secret-file",
        f"token={tmp_path / 'secret'}",
    ]
    done = undertone(*arguments)
    assert done.code == 0, done.err
    assert "Connected. Next: `undertone pull`" in done.out
    assert "hushhush" not in done.out + done.err
    with transaction() as db:
        workspace_id = workspaces.find(db, name)
    assert workspace_id
    with transaction(workspace_id) as db:
        [row] = connections.all_connections(db)
        sealed = connections.secrets_of(db, row.connection_id)["token"]
    assert b"hushhush" not in sealed.ciphertext
    assert "hushhush" not in json.dumps(row.config)


# status


def test_status_of_what_is_well_exits_with_0(undertone, named):
    fill(named[0], "Well")
    done = undertone("status", "-w", named[1])
    assert done.code == 0
    assert "1 suggestions open" in done.out


@pytest.mark.parametrize("trouble", ["connection", "stream", "blocked", "dead"])
def test_status_exits_with_1_when_something_needs_a_person(undertone, named, trouble):
    found = fill(named[0], "Troubled")
    with transaction(named[0]) as db:
        if trouble == "connection":
            connections.set_status(db, found.connection_id, "auth_failed", "The login was refused. [/b] Connect again.")
        if trouble == "stream":
            db.execute(
                "INSERT INTO stream (workspace_id, connection_id, name, error) VALUES (%s, %s, 'emails', 'not allowed')", [named[0], found.connection_id]
            )
        if trouble == "blocked":
            db.execute(
                "INSERT INTO push_ledger (workspace_id, suggestion_id, connection_id, key, status, error) VALUES (%s, %s, %s, 'ut-x', 'blocked', 'no owner')",
                [named[0], found.suggestion_id, found.connection_id],
            )
        if trouble == "dead":
            db.execute("UPDATE outbox SET state = 'dead'")
    done = undertone("status", "-w", named[1])
    assert done.code == 1
    words = {"connection": "The login was refused. [/b] Connect again.", "stream": "not allowed", "blocked": "no owner", "dead": "1 given up"}
    assert words[trouble] in done.out


@pytest.mark.parametrize(("share", "said"), [(0.8, "; Undertone stops at 80% (api_share)"), (None, ""), ("most", "")])
def test_status_shows_how_many_calls_are_used_and_where_undertone_stops(undertone, named, share, said):
    with transaction(named[0]) as db:
        connection_id = connections.create(db, "salesforce", "crm", {"api_share": share})
    mine = SharedBudget(named[0], connection_id, Shares(), real_time(), run="pull")
    mine.seen(3_799, 15_000)
    mine.take()
    lines = undertone("status", "-w", named[1]).out.splitlines()
    assert f"calls of the last day, whoever made them: 3,800 of 15,000 used (25%){said}" in lines


def test_status_shows_hostile_text_as_text(undertone, named):
    from connectors.records import Rejected

    with transaction(named[0]) as db:
        connection_id = builders.connection(db)
        quarantine.add(db, connection_id, "emails", [Rejected(source_key="\x1b[2J[bold]a[/x]\r\nfake: line", reason="no date\x07")])
    done = undertone("status", "-w", named[1])
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "[bold]a[/x]" in done.out
    assert "\nfake" not in done.out


def test_no_character_that_moves_the_cursor_is_printable():
    assert printable("a\x1b[2Jb\r\n\x07\u202ec\u2028") == "a\ufffd[2Jb\ufffd\ufffd\ufffd\ufffdc\ufffd"
    assert printable("\u00c5ngstr\u00f6m \u65e5\u672c") == "\u00c5ngstr\u00f6m \u65e5\u672c"


# key


def test_a_key_is_shown_once_listed_by_its_prefix_and_revoked(undertone, named):
    done = undertone("key", "create", "--scope", "read", "--scope", "push", "--name", "report [/b]", "-w", named[1])
    key = done.out.strip()
    assert done.code == 0
    assert keys.authenticate(key, real_time()).scopes == {"read", "push"}
    listed = undertone("key", "list", "-w", named[1]).out
    assert f"ut_{key[3:11]}_..." in listed
    assert "report [/b]" in listed
    assert "push, read" in listed
    assert "active" in listed
    assert key[12:] not in listed
    assert undertone("key", "revoke", key[:11], "-w", named[1]).out == "Revoked.\n"
    assert "revoked" in undertone("key", "list", "-w", named[1]).out
    with pytest.raises(Unauthenticated):
        keys.authenticate(key, real_time())


def test_no_key_and_no_mail_address_is_cut_in_a_narrow_terminal(undertone, named):
    keys.create(named[0], "a long name for the nightly report", ["read", "push", "feedback", "configure"], real_time(), timedelta(days=9))
    [row] = _keys(named[0])
    assert f"ut_{row.prefix}_..." in undertone("key", "list", "-w", named[1], COLUMNS="80").out
    undertone("people", "add", "ann", "--role", "am", "--email", "ann.lindholm@northwind.example", "-w", named[1], given="four plain words here\n")
    assert "ann.lindholm@northwind.example" in undertone("people", "list", "-w", named[1], COLUMNS="80").out


def _keys(workspace_id: UUID) -> list[workspaces.ApiKeyRow]:
    with transaction(workspace_id) as db:
        return workspaces.api_keys(db)


def test_a_role_makes_a_key_with_its_scopes_and_is_listed(undertone, named):
    key = undertone("key", "create", "--role", "revops", "-w", named[1]).out.strip()
    assert keys.authenticate(key, real_time()).scopes == {"read", "push", "configure"}
    [line] = [line for line in undertone("key", "list", "-w", named[1]).out.splitlines() if key[3:11] in line]
    assert "revops" in line


def test_a_key_that_has_run_out_is_listed_so(undertone, named):
    keys.create(named[0], "old", ["read"], real_time(), timedelta(seconds=-1))
    assert "expired" in undertone("key", "list", "-w", named[1]).out


def test_a_key_ends_after_a_year_unless_said_otherwise(undertone, named):
    undertone("key", "create", "--scope", "read", "-w", named[1])
    undertone("key", "create", "--scope", "read", "--days", "0", "-w", named[1])
    with transaction(named[0]) as db:
        first, second = workspaces.api_keys(db)
    assert first.expires_at is not None
    assert timedelta(days=364) < first.expires_at - real_time() < timedelta(days=366)
    assert second.expires_at is None


# people


def test_a_person_is_added_by_a_piped_password_listed_changed_and_removed(undertone, named):
    def signs_in(password: str) -> bool:
        try:
            return bool(people.sign_in(named[1], "ann [/b]", password, real_time()))
        except Unauthenticated:
            return False

    added = undertone("people", "add", "ann [/b]", "--role", "am", "-w", named[1], given="four plain words here\n")
    assert (added.code, added.out) == (0, "Added.\n")
    assert signs_in("four plain words here")
    listed = undertone("people", "list", "-w", named[1]).out
    assert re.search(r"ann \[/b\].*am.*active", listed)
    assert "words" not in listed
    assert undertone("people", "password", "ann [/b]", "-w", named[1], given="another four plain words").out == "Changed.\n"
    assert signs_in("another four plain words")
    assert not signs_in("four plain words here")
    assert undertone("people", "sign-out", "ann [/b]", "-w", named[1]).out == "Signed out everywhere.\n"
    assert undertone("people", "remove", "ann [/b]", "-w", named[1]).out == "Removed.\n"
    assert not signs_in("another four plain words")


def test_a_person_is_invited_by_a_link_or_known_by_a_subject_and_every_change_is_on_record(undertone, named):
    provider = {"UNDERTONE_OIDC_ISSUER": "https://login.example.com", "UNDERTONE_OIDC_CLIENT_ID": "u", "UNDERTONE_OIDC_CLIENT_SECRET": "s"}
    for more in (["--invite"], ["--sign-in", "oidc"]):
        added = undertone("people", "add", f"bo{len(more)}", "--role", "am", *more, "-w", named[1])
        assert re.fullmatch(r"http://\S+/console/sign-in/invitation\?code=\S+\n", added.out)
        assert "It is good once" in added.err
    assert undertone("people", "invite", "bo1", "-w", named[1]).out.startswith("http://")
    assert undertone("people", "add", "cy", "--role", "am", "--sign-in", "oidc", "--subject", "s-1", "-w", named[1], **provider).out == "Added.\n"
    assert undertone("people", "role", "cy", "analyst", "-w", named[1]).out == "Changed.\n"
    listed = undertone("people", "list", "-w", named[1]).out
    assert re.search(r"bo1.*password.*invited until", listed)
    assert re.search(r"cy.*analyst.*oidc.*active", listed)
    with transaction(named[0]) as db:
        done = [(e.changed_by, e.action, e.subject) for e in audit_log.listing(db, 5)]
    by = "command line"
    assert done[:2] == [(by, "change role", "cy"), (by, "add person", "cy")]
    assert sorted(done[2:]) == [(by, "invite person", "bo1"), (by, "invite person", "bo1"), (by, "invite person", "bo2")]


def test_a_new_encryption_key_can_be_used_as_it_is_printed(undertone, named):
    pair = undertone("key", "secret").out.strip()
    assert undertone("key", "list", "-w", named[1], UNDERTONE_KEYS=pair).code == 0
    assert undertone("key", "list", "-w", named[1], UNDERTONE_KEYS=f"{pair},{pair}").code == 2


def test_rotating_moves_secrets_to_the_first_key_and_says_how_many(undertone, named):
    assert undertone("key", "rotate", "-w", named[1]).out == "All secrets are under the first key already.\n"
    with transaction(named[0]) as db:
        connection_id = builders.connection(db)
        connections.save_secret(db, connection_id, "token", vault(settings()).seal("hush", named[0], connection_id, "token"))
    pair = undertone("key", "secret").out.strip()
    assert undertone("key", "rotate", "-w", named[1], UNDERTONE_KEYS=pair).out == "1 secret encrypted anew.\n"
    assert undertone("key", "rotate", "-w", named[1], UNDERTONE_KEYS=pair).out == "All secrets are under the first key already.\n"


# steps


def test_pulling_names_each_stream_and_its_rows(undertone, named, tmp_path):
    (tmp_path / "accounts.csv").write_text("account,name,website\nA1,Acme,acme.example\n")
    connect(named[0], "account_files", "files", {"accounts": str(tmp_path / "accounts.csv")}, {})
    done = undertone("pull", "-w", named[1])
    assert done.code == 0
    assert "files / accounts: 1 rows new or changed" in done.out


def test_scoring_and_suggesting_say_what_they_did(undertone, named):
    fill(named[0], "Scored")
    assert "suggestions opened" in undertone("suggest", "-w", named[1]).out


def test_pushing_to_what_only_delivers_is_refused_in_words(undertone, tmp_path):
    workspace_id = builders.workspace()
    (tmp_path / "accounts.csv").write_text("account,name\nA1,Acme\n")
    connect(workspace_id, "account_files", "files", {"accounts": str(tmp_path / "accounts.csv")}, {})
    done = undertone("push", "--approve", "-w", f"test {workspace_id}")
    assert done.code == 2
    assert "only delivers; tasks cannot be written to it" in done.err
    with transaction(workspace_id) as db:
        assert outbox.counts(db) == {}
