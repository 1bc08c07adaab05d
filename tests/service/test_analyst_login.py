"""The analysts' login: it sees not one byte of another workspace and no words, and it writes nothing; then, what it does see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from service import feedback
from service.config import settings
from service.errors import Conflict, NotFound, SettingError
from service.store import analyst_logins
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW
from tests.command import undertone
from tests.filled import WORDS, Filled, fill

Db = psycopg.Connection[tuple[Any, ...]]
VIEWS = ("signals", "suggestions", "outcomes", "scores", "verdicts", "corrections", "readings", "usage_days", "accounts", "precision_by_month")
RELATIONS = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('public', 'analytics') AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1, 2"
)
COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    " AND has_column_privilege(attrelid, attnum, 'SELECT') ORDER BY attnum"
)


def told(mark: str) -> Filled:
    found = fill(builders.workspace(), mark)
    feedback.give(found.workspace_id, found.suggestion_id, "wrong_reading", "console", NOW.date(), note=f"{mark} note")
    feedback.correct(found.workspace_id, found.interaction_id, "situations", ["price_objection"], "api")
    return found


@pytest.fixture(scope="module")
def ours(servers: str) -> Filled:
    return told("Ours")


@pytest.fixture(scope="module")
def theirs(servers: str) -> Filled:
    return told("CANARYtheirs")


@pytest.fixture(scope="module")
def url(ours: Filled, theirs: Filled) -> Iterator[str]:
    analyst_logins.create(theirs.workspace_id)
    yield analyst_logins.create(ours.workspace_id)
    for one in (ours, theirs):
        analyst_logins.drop(one.workspace_id)


@pytest.fixture
def analyst(url: str) -> Iterator[Db]:
    with psycopg.connect(url, autocommit=True) as db:
        # Not what protects anything, and so not to be relied on by a test of what does.
        db.execute("SET default_transaction_read_only = off")
        yield db


def readable(db: Db) -> Iterator[tuple[str, str]]:
    """(relation, all that may be read of it as text)."""
    for schema, name in db.execute(RELATIONS).fetchall():
        columns = [c for (c,) in db.execute(COLUMNS, [f"{schema}.{name}"])]
        if columns:
            query = sql.SQL("SELECT to_jsonb(r)::text FROM (SELECT {} FROM {}) r").format(
                sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, name)
            )
            yield f"{schema}.{name}", "\n".join(row for (row,) in db.execute(query))


def assert_nothing_foreign(db: Db, theirs: Filled) -> None:
    for relation, text in readable(db):
        assert theirs.mark not in text, relation
        assert not [i for i in theirs.ids if i in text], relation


# Who may not


def test_no_byte_of_another_workspace_can_be_read(analyst, theirs):
    assert_nothing_foreign(analyst, theirs)


def test_no_setting_and_no_role_opens_another_workspace(analyst, theirs):
    analyst.execute("SELECT set_config('undertone.workspace', %s, false)", [str(theirs.workspace_id)])
    assert_nothing_foreign(analyst, theirs)
    for role in ("undertone_app", "undertone_owner", "undertone_sweeper"):
        for statement in ("SET ROLE {}", "SET SESSION AUTHORIZATION {}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                analyst.execute(sql.SQL(statement).format(sql.Identifier(role)))
    analyst.execute("SET ROLE undertone_analyst")
    assert_nothing_foreign(analyst, theirs)
    for setting in ("row_security = off", "session_replication_role = replica"):
        with pytest.raises(psycopg.Error):
            analyst.execute(f"SET {setting}")
            for _ in readable(analyst):
                pass


def test_no_word_of_a_buyer_no_note_and_no_draft_can_be_read(analyst, ours):
    for relation, text in readable(analyst):
        for words in (WORDS[:20], "Ours note", "bo@ours.example", "Bo Lind"):
            assert words not in text, relation
    for column in ("message_text.body", "contact.email", "feedback.note", "feedback.felt", "suggestion.draft", "interaction.from_email", "api_key.sha256",
                   "secret.ciphertext", "suggestion.why_now", "analyst_login.login", "account.owner_key"):  # fmt: skip
        table, name = column.split(".")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(f"SELECT {name} FROM public.{table}")


def test_nothing_that_is_there_can_be_changed(analyst):
    for schema, name in analyst.execute(RELATIONS).fetchall():
        for statement in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {}", "LOCK TABLE {}", "DROP TABLE {}", "ALTER TABLE {} ADD x int"):
            with pytest.raises(psycopg.Error):
                analyst.execute(sql.SQL(statement).format(sql.Identifier(schema, name)))
        for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
            assert analyst.execute("SELECT has_table_privilege(%s, %s)", [f"{schema}.{name}", right]).fetchone() == (False,)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.x (a int)",
        "CREATE TABLE analytics.x (a int)",
        "CREATE TEMP TABLE x (a int)",
        "CREATE SCHEMA x",
        "CREATE FUNCTION analytics.x() RETURNS int LANGUAGE sql RETURN 1",
        "CREATE ROLE x",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "COPY analytics.signals TO PROGRAM 'cat'",
        "COPY analytics.signals TO '/tmp/x'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT next_change()",
        "SELECT * FROM find_api_key('x')",
        "SELECT find_workspace('default')",
        "SELECT * FROM claim_due_pulls(1, '1s')",
        "GRANT undertone_app TO CURRENT_USER",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
    ],
)
def test_nothing_new_can_be_written_and_no_door_opened(analyst, statement):
    with pytest.raises(psycopg.Error):
        analyst.execute(statement)


def test_of_what_runs_with_other_rights_it_may_call_one_function_alone(analyst):
    schemas = "('public'::regnamespace, 'analytics'::regnamespace)"
    query = f"SELECT proname FROM pg_proc WHERE pronamespace IN {schemas} AND prosecdef AND has_function_privilege(oid, 'EXECUTE')"
    assert analyst.execute(query).fetchall() == [("analyst_workspace",)]


def test_no_view_reads_with_its_owners_rights(servers):
    with psycopg.connect(servers) as owner:
        query = (
            "SELECT relname, 'security_invoker=true' = ANY(reloptions) FROM pg_class WHERE relnamespace = 'analytics'::regnamespace AND relkind IN ('v', 'm')"
        )
        assert sorted(owner.execute(query).fetchall()) == sorted((view, True) for view in VIEWS)


def test_a_login_that_no_workspace_names_sees_nothing(servers, ours):
    url = analyst_logins.create(builders.workspace())
    login = url.partition("//")[2].partition(":")[0]
    with psycopg.connect(url) as analyst:
        for view in VIEWS:
            assert analyst.execute(f"SELECT count(*) FROM {view}").fetchone() == (0,)
    with psycopg.connect(servers) as owner:
        owner.execute("SET row_security = off")
        owner.execute("DELETE FROM analyst_login WHERE login = %s", [login])
    with psycopg.connect(url) as analyst:
        assert analyst.execute("SELECT count(*) FROM signals").fetchone() == (0,)


def test_a_login_that_stands_in_two_workspaces_sees_neither(servers, ours):
    first, second = builders.workspace(), builders.workspace()
    url = analyst_logins.create(first)
    with transaction(second) as db:
        db.execute("INSERT INTO analyst_login (workspace_id, login) VALUES (%s, %s)", [second, url.partition("//")[2].partition(":")[0]])
    with psycopg.connect(url) as analyst, pytest.raises(psycopg.Error, match="more than one row"):
        analyst.execute("SELECT * FROM signals")


def test_a_second_login_is_refused_and_a_dropped_one_is_out_at_once(workspace: UUID):
    fill(workspace, "Dropped")
    url = analyst_logins.create(workspace)
    with pytest.raises(Conflict):
        analyst_logins.create(workspace)
    with psycopg.connect(url, autocommit=True) as analyst:
        assert analyst.execute("SELECT count(*) FROM signals").fetchone() == (2,)
        analyst_logins.drop(workspace)
        with pytest.raises(psycopg.Error):
            assert analyst.execute("SELECT count(*) FROM signals").fetchone() == (0,)
            psycopg.connect(url)
    with pytest.raises(NotFound):
        analyst_logins.drop(workspace)


def test_the_password_is_kept_nowhere_in_clear(servers, url):
    password = url.partition("//")[2].partition(":")[2].partition("@")[0]
    with psycopg.connect(servers) as owner:
        stored = [p for (p,) in owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'analyst%'")]
    assert stored
    assert all(p.startswith("SCRAM-SHA-256$") and password not in p for p in stored)


def test_without_the_owners_login_it_is_said_who_may(workspace, monkeypatch):
    monkeypatch.setenv("DATABASE_OWNER_URL", "")
    settings.cache_clear()
    try:
        with pytest.raises(SettingError, match="DATABASE_OWNER_URL"):
            analyst_logins.create(workspace)
    finally:
        monkeypatch.undo()
        settings.cache_clear()


# What it sees


def test_it_sees_of_its_workspace_what_the_api_reads(analyst, ours):
    with transaction(ours.workspace_id) as db:
        for view in VIEWS:
            query = f"SELECT COALESCE(jsonb_agg(to_jsonb(v) ORDER BY to_jsonb(v)::text), '[]')::text FROM analytics.{view} v"
            seen = analyst.execute(query).fetchone()
            assert seen == db.execute(query).fetchone(), view
            assert seen != ("[]",), view


def test_a_correction_after_the_word_on_the_suggestion_is_the_last_word(analyst, ours):
    """Their message was first called read wrong, by way of its suggestion, then said to be about the price after all."""
    rows = analyst.execute("SELECT kind, signals, judged, confirmed, refuted, precision FROM precision_by_month ORDER BY kind").fetchall()
    judged = dict(analyst.execute("SELECT s.kind, v.confirmed FROM verdicts v JOIN signals s USING (signal_id)").fetchall())
    assert judged["price_objection"] is True
    assert rows[0] == ("price_objection", 1, 1, 1, 0, 1.0)


def test_the_command_prints_a_url_that_opens(servers):
    workspace_id = builders.workspace()
    with transaction(workspace_id) as db:
        db.execute("UPDATE workspace SET name = 'analysed'")
    done = undertone("analyst", "create", "--workspace", "analysed")
    assert done.returncode == 0, done.stderr
    with psycopg.connect(done.stdout.decode().strip()) as analyst:
        assert analyst.execute("SELECT count(*) FROM signals").fetchone() == (0,)
    assert undertone("analyst", "drop", "--workspace", "analysed").stdout == b"Dropped.\n"
