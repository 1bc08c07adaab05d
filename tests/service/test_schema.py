"""The catalogue itself is under test: a table that forgets a rule fails here, not in production."""

from __future__ import annotations

import threading
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from service.store import migrate, signals, workspaces
from service.store.pool import transaction
from tests import builders

APPEND_ONLY = ("message_score", "outlook", "signal", "evidence", "suggestion", "feedback", "correction", "draft", "contact_preference", "policy", "audit_log")
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'migration'"


@pytest.fixture
def owner(servers: str) -> psycopg.Connection[tuple[object, ...]]:
    with psycopg.connect(servers) as db:
        yield db


def _names(db: psycopg.Connection[tuple[object, ...]], query: str) -> list[object]:
    return [row[0] for row in db.execute(query.encode())]


def test_no_table_lacks_forced_row_level_security_and_a_policy_that_checks_writes(owner):
    lax = f"SELECT relname FROM pg_class c WHERE relname IN ({TABLES}) AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity)"
    assert _names(owner, lax) == []
    unchecked = (
        f"{TABLES} AND relname NOT IN (SELECT tablename FROM pg_policies WHERE policyname = 'workspace' AND qual IS NOT NULL AND with_check IS NOT NULL)"
    )
    assert _names(owner, unchecked) == []
    assert len(_names(owner, TABLES)) > 20


def test_no_table_lacks_a_workspace(owner):
    with_it = "SELECT attrelid FROM pg_attribute WHERE attname = 'workspace_id' AND attnotnull"
    assert _names(owner, f"{TABLES} AND oid NOT IN ({with_it})") == []


def test_no_unique_key_tells_one_workspace_about_another(owner):
    """Each unique index begins with workspace_id."""
    first = "(SELECT attname FROM pg_attribute WHERE attrelid = i.indrelid AND attnum = i.indkey[0])"
    loose = (
        f"SELECT indexrelid::regclass::text FROM pg_index i WHERE indisunique AND indrelid IN (SELECT oid FROM pg_class WHERE relname IN ({TABLES}))"
        f" AND {first} <> 'workspace_id'"
    )
    assert _names(owner, loose) == []


def test_no_foreign_key_reaches_into_another_workspace(owner):
    first = "(SELECT attname FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = c.conkey[1])"
    assert _names(owner, f"SELECT conname FROM pg_constraint c WHERE contype = 'f' AND {first} <> 'workspace_id'") == []


def test_no_view_reads_with_its_owners_rights(owner):
    loose = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm') AND NOT 'security_invoker=true' = ANY(reloptions)"
    )
    assert _names(owner, loose) == []


def test_the_apps_login_may_not_own_truncate_or_bypass(owner):
    roles = (
        "SELECT rolname FROM pg_roles WHERE rolname IN ('undertone_app', 'undertone_sweeper') AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)"
    )
    assert _names(owner, roles) == []
    assert _names(owner, f"{TABLES} AND (has_table_privilege('undertone_app', oid, 'TRUNCATE') OR pg_get_userbyid(relowner) = 'undertone_app')") == []


def test_what_is_append_only_can_be_neither_changed_nor_deleted_by_the_app(owner):
    for table in APPEND_ONLY:
        for right in ("UPDATE", "DELETE"):
            assert owner.execute("SELECT has_table_privilege('undertone_app', %s, %s)", [table, right]).fetchone() == (False,), (table, right)


def test_the_sweeper_cannot_log_in_and_sees_no_words(owner):
    assert _names(owner, "SELECT rolname FROM pg_roles WHERE rolname = 'undertone_sweeper' AND rolcanlogin") == []
    for table in ("message_text", "contact", "signal", "suggestion", "secret", "interaction"):
        assert owner.execute("SELECT has_any_column_privilege('undertone_sweeper', %s, 'SELECT')", [table]).fetchone() == (False,), table


def test_an_applied_migration_that_was_edited_is_refused(owner, servers):
    owner.execute("UPDATE migration SET sha256 = 'other'")
    applied = dict(owner.execute("SELECT name, sha256 FROM migration").fetchall())
    owner.rollback()
    assert set(applied.values()) == {"other"}
    with pytest.raises(Exception, match="was changed after it was applied"):
        migrate._apply(owner, migrate.migrations()[0], applied)


POISON = {
    "interaction.occurred_at": "infinity",
    "signal.confidence": "NaN",
    "usage_day.value": "NaN",
    "usage_day.day": "infinity",
    "usage_hour.value": "NaN",
    "usage_late.since": "infinity",
    "workspace.usage_closed_through": "infinity",
    "account.arr": "Infinity",
    "outlook.day": "0001-01-01 BC",
}


@pytest.mark.parametrize("place", POISON)
def test_poison_is_refused_by_the_table_itself(owner, place):
    """A value that is accepted and then breaks every later read must never get in, whatever the code above does."""
    table, column = place.split(".")
    checks = owner.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [table]).fetchall()
    mine = [c[0] for c in checks if column in c[0]]
    assert mine, place
    kind = owner.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s", [table, column]
    ).fetchone()[0]
    condition = " AND ".join(f"({c.removeprefix('CHECK ')})" for c in mine)
    query = sql.SQL("SELECT {} FROM (SELECT {}::{} AS {}) v").format(sql.SQL(condition), sql.Literal(POISON[place]), sql.SQL(kind), sql.Identifier(column))
    assert owner.execute(query).fetchone() == (False,)


def test_a_late_commit_cannot_slip_in_behind_a_readers_bookmark(workspace: UUID):
    """The second writer gets its number only after the first has committed or gone."""
    numbers: list[int] = []

    def second() -> None:
        with transaction(workspace) as db:
            numbers.append(workspaces.next_change(db))

    with transaction(workspace) as db:
        first = workspaces.next_change(db)
        other = threading.Thread(target=second)
        other.start()
        other.join(0.3)
        assert numbers == []
    other.join(5)
    assert numbers == [first + 1]


def test_a_signal_that_says_the_same_is_not_written_again(workspace: UUID):
    with transaction(workspace) as db:
        account_id = builders.account(db, builders.connection(db))
        found = builders.signal(account_id)
        assert len(signals.append(db, [found], "m", workspaces.next_change(db))) == 1
        assert signals.append(db, [found], "m", workspaces.next_change(db)) == []


def test_one_workspace_sees_nothing_of_another_and_none_sees_nothing(workspace: UUID):
    with transaction(workspace) as db:
        builders.account(db, builders.connection(db))
    for stranger in (builders.workspace(), uuid4(), None):
        with transaction(*([stranger] if stranger else [])) as db:
            for table in ("account", "contact", "connection", "crm_user", "opportunity"):
                count = db.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
                assert count == (0,), table


def test_a_row_for_another_workspace_cannot_be_written(workspace: UUID):
    other = builders.workspace()
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(workspace) as db:
        db.execute("INSERT INTO connection (workspace_id, connector, name) VALUES (%s, 'x', 'x')", [other])


def test_the_workspace_does_not_leak_to_the_next_user_of_a_pooled_connection(workspace: UUID):
    with transaction(workspace) as db:
        builders.connection(db)
    with transaction() as db:
        assert db.execute("SELECT current_workspace()").fetchone() == (UUID(int=0),)
        assert db.execute("SELECT count(*) FROM connection").fetchone() == (0,)
