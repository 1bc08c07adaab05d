"""API keys: shown once, stored as a hash, ended at once."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings, strategies

from service import keys
from service.errors import BadInput, NotFound, Unauthenticated
from service.store import workspaces
from service.store.pool import transaction
from tests import builders
from tests.builders import NOW


def made(workspace: UUID, *scopes: str, valid: timedelta | None = None) -> str:
    return keys.create(workspace, "test", scopes or ["read"], NOW, valid)


def refused(key: str, now=NOW) -> str:
    with pytest.raises(Unauthenticated) as caught:
        keys.authenticate(key, now)
    return str(caught.value)


def test_no_key_can_be_read_out_of_the_database(servers, workspace):
    key = made(workspace)
    secret = key[12:]
    with psycopg.connect(servers) as owner:
        owner.execute("SET row_security = off")
        rows = owner.execute("SELECT to_jsonb(k)::text FROM api_key k").fetchall()
    assert rows
    assert not [row for (row,) in rows if secret in row or key in row]
    with transaction(workspace) as db:
        assert db.execute("SELECT sha256 FROM api_key").fetchone() == (hashlib.sha256(secret.encode()).digest(),)


def test_a_key_has_256_random_bits_and_a_prefix_that_scanners_know(workspace):
    every = {made(workspace) for _ in range(20)}
    assert len(every) == 20
    assert all(re.fullmatch(r"ut_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", key) for key in every)


def test_whatever_is_wrong_the_refusal_says_the_same(workspace):
    right = made(workspace)
    revoked, expired = made(workspace), made(workspace, valid=timedelta(days=1))
    keys.revoke(workspace, revoked, NOW)
    wrong_secret = right[:-1] + ("A" if right[-1] != "A" else "B")
    refusals = {
        *(refused(text) for text in ("", "ut_", "ut__", right[:11], right[3:], f" {right}", f"{right}\n", right.upper(), wrong_secret, revoked)),
        *(refused(text) for text in ("ut_\x00\x00_x", "\ud800", "ut_" + "0" * 8 + "_" + "\u0661" * 43, "x" * 100_000)),
        refused(expired, NOW + timedelta(days=1)),
    }
    assert len(refusals) == 1
    assert keys.authenticate(right, NOW).workspace_id == workspace


@given(strategies.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_no_text_is_a_key_by_chance(servers, text):
    refused(text)


@given(strategies.binary(min_size=4, max_size=4), strategies.binary(min_size=32, max_size=32))
@settings(max_examples=20, deadline=None)
def test_no_guess_of_the_right_form_is_a_key(servers, prefix, secret):
    refused(f"ut_{prefix.hex()}_{secret.hex()[:43]}")


def test_a_key_ends_on_the_moment_it_was_made_to_end(workspace):
    key = made(workspace, valid=timedelta(days=1))
    assert keys.authenticate(key, NOW + timedelta(days=1, microseconds=-1))
    refused(key, NOW + timedelta(days=1))


def test_a_revoked_key_is_dead_also_in_the_past(workspace):
    key = made(workspace)
    keys.revoke(workspace, key, NOW)
    refused(key, NOW - timedelta(days=1))


def test_a_key_opens_its_own_workspace_and_scopes_alone(workspace):
    caller = keys.authenticate(made(workspace, "push"), NOW)
    assert (caller.workspace_id, caller.scopes) == (workspace, {"push"})


def test_a_stranger_cannot_revoke(workspace):
    key = made(workspace)
    with pytest.raises(NotFound):
        keys.revoke(builders.workspace(), key, NOW)
    assert keys.authenticate(key, NOW)


@pytest.mark.parametrize("end", [11, 12, None])
def test_a_key_is_revoked_by_its_first_characters_or_whole(workspace, end):
    key, other = made(workspace), made(workspace)
    keys.revoke(workspace, key[:end], NOW)
    refused(key)
    assert keys.authenticate(other, NOW)


@pytest.mark.parametrize("text", ["ut_c32", "ut_c32412", "ut_c32412\u2026", "ut_c324128a_...", "c324"])
def test_a_key_is_revoked_by_any_beginning_that_no_other_active_key_has(workspace, text):
    with transaction(workspace) as db:
        for prefix in ("c324128a", "c3400000"):
            workspaces.create_api_key(db, prefix, prefix, bytes(32), ["read"], None)
    keys.revoke(workspace, text, NOW)
    with transaction(workspace) as db:
        assert {k.prefix for k in workspaces.api_keys(db) if k.revoked_at is None} == {"c3400000"}


def test_a_beginning_of_two_active_keys_revokes_neither_and_names_both(workspace):
    with transaction(workspace) as db:
        for prefix in ("c324128a", "c3240000"):
            workspaces.create_api_key(db, prefix, prefix, bytes(32), ["read"], None)
    with pytest.raises(BadInput, match="ut_c3240000, ut_c324128a"):
        keys.revoke(workspace, "ut_c324", NOW)
    with transaction(workspace) as db:
        assert all(k.revoked_at is None for k in workspaces.api_keys(db))


@pytest.mark.parametrize("text", ["", "ut_", "ut_0", "%", "ut_%%%%%%%%"])
def test_revoking_needs_the_whole_prefix_and_repeats_nothing(workspace, text):
    key = made(workspace)
    with pytest.raises(NotFound) as caught:
        keys.revoke(workspace, text, NOW)
    assert not text.removeprefix("ut_") or text not in str(caught.value)
    assert keys.authenticate(key, NOW)


def test_revoking_twice_says_that_it_is_done_already(workspace):
    key = made(workspace)
    keys.revoke(workspace, key, NOW)
    with pytest.raises(NotFound):
        keys.revoke(workspace, key, NOW)


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read", "write"], ["READ"]])
def test_an_unknown_scope_makes_no_key(workspace, scopes):
    with pytest.raises(BadInput, match="Scopes are read, push, feedback"):
        keys.create(workspace, "test", scopes, NOW, None)
    with transaction(workspace) as db:
        assert db.execute("SELECT count(*) FROM api_key").fetchone() == (0,)


def test_a_role_is_a_set_of_known_scopes_that_no_other_role_has():
    assert all(scopes <= set(keys.SCOPES) and "read" in scopes for scopes in keys.ROLES.values())
    assert len(set(keys.ROLES.values())) == len(keys.ROLES)
    assert [keys.role_of(sorted(scopes)) for scopes in keys.ROLES.values()] == list(keys.ROLES)
    assert keys.role_of(["push"]) is None


def test_an_analyst_may_read_and_nothing_else_and_an_admin_everything():
    assert keys.ROLES["analyst"] == {"read"}
    assert "push" not in keys.ROLES["am"]
    assert "feedback" not in keys.ROLES["revops"]
    assert keys.ROLES["admin"] == set(keys.SCOPES)


@pytest.mark.parametrize("name", ["a\x00b", "a\nb", "\ud800", "x" * 101])
def test_a_name_that_cannot_be_shown_makes_no_key(workspace, name):
    with pytest.raises(BadInput, match="A key's name"):
        keys.create(workspace, name, ["read"], NOW, None)


def test_two_keys_whose_prefix_is_the_same_open_each_their_own_workspace(workspace):
    other = builders.workspace()
    first, second = made(workspace), made(other)
    with transaction(other) as db:
        db.execute("UPDATE api_key SET prefix = %s", [first[3:11]])
    twin = first[:12] + second[12:]
    assert keys.authenticate(first, NOW).workspace_id == workspace
    assert keys.authenticate(twin, NOW).workspace_id == other
    keys.revoke(workspace, first, NOW)
    refused(first)
    assert keys.authenticate(twin, NOW).workspace_id == other
    assert keys.scopes_of(workspace, first[3:11], NOW) == set()


def test_a_session_asks_for_the_key_it_began_with(workspace):
    key = made(workspace, "read", valid=timedelta(days=1))
    prefix = key[3:11]
    assert keys.scopes_of(workspace, prefix, NOW) == {"read"}
    assert keys.scopes_of(builders.workspace(), prefix, NOW) == set()
    assert keys.scopes_of(workspace, "00000000", NOW) == set()
    assert keys.scopes_of(workspace, prefix, NOW + timedelta(days=1)) == set()
    keys.revoke(workspace, key, NOW)
    assert keys.scopes_of(workspace, prefix, NOW) == set()


def test_use_is_noted_once_a_minute_at_most(workspace):
    key = made(workspace)

    def used() -> object:
        with transaction(workspace) as db:
            return db.execute("SELECT last_used_at FROM api_key").fetchone()[0]

    for later in (0, 30, 59):
        keys.authenticate(key, NOW + timedelta(seconds=later))
        assert used() == NOW
    keys.authenticate(key, NOW + timedelta(seconds=61))
    assert used() == NOW + timedelta(seconds=61)
