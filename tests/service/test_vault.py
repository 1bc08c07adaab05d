"""Secrets at rest: what is stored opens in its own place alone, and keys can be exchanged without losing any."""

from __future__ import annotations

import base64
import stat
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given, strategies

from service import connect, vault
from service.config import Settings, settings
from service.errors import Conflict, SettingError
from service.store import connections
from service.store.pool import transaction
from service.vault import Sealed, Vault
from tests import builders

OLD, NEW = ("2025", b"o" * 32), ("2026", b"n" * 32)
HERE = (UUID(int=1), UUID(int=2), "token")


@given(strategies.text(strategies.characters(blacklist_categories=["Cs"])))
def test_what_was_sealed_opens_again_and_shows_nothing_of_itself(plain):
    sealed = Vault((OLD,)).seal(plain, *HERE)
    assert Vault((OLD,)).open(sealed, *HERE) == plain
    assert len(plain) < 4 or plain.encode() not in sealed.ciphertext


@pytest.mark.parametrize("place", [(UUID(int=9), HERE[1], "token"), (HERE[0], UUID(int=9), "token"), (*HERE[:2], "other"), (HERE[1], HERE[0], "token")])
def test_a_secret_does_not_open_in_another_workspace_connection_or_name(place):
    with pytest.raises(Conflict, match="Connect again"):
        Vault((OLD,)).open(Vault((OLD,)).seal("hush", *HERE), *place)


def test_the_same_secret_never_looks_the_same_twice():
    assert len({Vault((OLD,)).seal("hush", *HERE).ciphertext for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "damage", [lambda b: b"", lambda b: b[:5], lambda b: b[:12], lambda b: b[:-1], lambda b: b + b"x", lambda b: bytes([b[0] ^ 1]) + b[1:]]
)
def test_a_damaged_secret_is_refused_and_not_half_read(damage):
    sealed = Vault((OLD,)).seal("hush", *HERE)
    with pytest.raises(Conflict) as caught:
        Vault((OLD,)).open(Sealed(sealed.key_id, damage(sealed.ciphertext)), *HERE)
    assert "hush" not in str(caught.value)


def test_a_key_that_is_gone_is_named_and_what_to_do():
    with pytest.raises(Conflict, match="encrypted with key 2025, which UNDERTONE_KEYS no longer holds"):
        Vault((NEW,)).open(Vault((OLD,)).seal("hush", *HERE), *HERE)


def test_the_first_key_encrypts_and_all_decrypt():
    both = Vault((NEW, OLD))
    assert both.seal("hush", *HERE).key_id == "2026"
    assert both.open(Vault((OLD,)).seal("hush", *HERE), *HERE) == "hush"


def test_a_row_copied_to_another_workspace_or_connection_in_the_database_does_not_open(servers, workspace):
    other = builders.workspace()
    with transaction(workspace) as db:
        mine, second = builders.connection(db), builders.connection(db, name="second")
        connections.save_secret(db, mine, "token", vault.vault(settings()).seal("hush", workspace, mine, "token"))
    with transaction(other) as db:
        foreign = builders.connection(db)
    with psycopg.connect(servers) as owner:
        owner.execute("SET row_security = off")
        for target_workspace, target in ((other, foreign), (workspace, second)):
            owner.execute("INSERT INTO secret SELECT %s, %s, name, key_id, ciphertext FROM secret WHERE connection_id = %s", [target_workspace, target, mine])
    for whose, target in ((other, foreign), (workspace, second)):
        with transaction(whose) as db:
            sealed = connections.secrets_of(db, target)["token"]
        with pytest.raises(Conflict):
            vault.vault(settings()).open(sealed, whose, target, "token")


def test_rotation_leaves_nothing_under_an_older_key_and_loses_nothing(workspace, monkeypatch):
    keys = {k: base64.b64encode(v).decode() for k, v in (OLD, NEW)}
    with transaction(workspace) as db:
        connection_id = builders.connection(db)

    def use(*ids: str) -> None:
        monkeypatch.setenv("UNDERTONE_KEYS", ",".join(f"{i}:{keys[i]}" for i in ids))
        settings.cache_clear()

    def kept() -> dict[str, Sealed]:
        with transaction(workspace) as db:
            return connections.secrets_of(db, connection_id)

    try:
        use("2025")
        with transaction(workspace) as db:
            for name in ("token", "password"):
                connections.save_secret(db, connection_id, name, vault.vault(settings()).seal(f"hush {name}", workspace, connection_id, name))
        use("2026", "2025")
        assert connect.rotate_secrets(workspace) == 2
        assert connect.rotate_secrets(workspace) == 0
        use("2026")
        opened = {name: vault.vault(settings()).open(s, workspace, connection_id, name) for name, s in kept().items()}
        assert opened == {"token": "hush token", "password": "hush password"}
        assert {s.key_id for s in kept().values()} == {"2026"}
    finally:
        monkeypatch.undo()
        settings.cache_clear()


# The key file of a machine without configuration


def test_the_key_file_is_readable_by_its_owner_alone_and_stays_the_same(tmp_path):
    first = vault.vault(Settings(home=tmp_path / "home"))
    assert stat.S_IMODE((tmp_path / "home" / "secret.key").stat().st_mode) == 0o600
    assert vault.vault(Settings(home=tmp_path / "home")) == first
    assert [p.name for p in (tmp_path / "home").iterdir()] == ["secret.key"]


def test_of_many_processes_that_start_at_once_all_get_the_same_key(tmp_path):
    code = (
        "import sys; from pathlib import Path; from service.vault import vault; from service.config import Settings\n"
        "sys.stdin.read(1)\n"
        "print(vault(Settings(home=Path(sys.argv[1]))).keys[0][1].hex())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin
        process.stdin.write(b"x")
        process.stdin.flush()
    found = {process.communicate(timeout=60)[0] for process in started}
    assert len(found) == 1
    assert len(found.pop().strip()) == 64


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_file_is_named_and_never_replaced(tmp_path, content):
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(SettingError, match="is damaged"):
        vault.vault(Settings(home=tmp_path))
    assert (tmp_path / "secret.key").read_bytes() == content


def test_a_machine_that_moves_to_keys_of_its_own_still_opens_what_the_file_encrypted(tmp_path):
    sealed = vault.vault(Settings(home=tmp_path)).seal("hush", *HERE)
    moved = vault.vault(Settings(home=tmp_path, keys=(NEW,)))
    assert moved.open(sealed, *HERE) == "hush"
    assert moved.seal("hush", *HERE).key_id == "2026"


def test_with_keys_of_its_own_no_file_is_made(tmp_path):
    vault.vault(Settings(home=tmp_path, keys=(NEW,)))
    assert list(tmp_path.iterdir()) == []


def test_a_new_key_is_32_random_bytes():
    keys = {vault.new_key() for _ in range(20)}
    assert {len(base64.b64decode(key)) for key in keys} == {32}
    assert len(keys) == 20


def test_a_secret_is_never_part_of_what_is_printed_of_the_settings():
    text = repr(Settings(keys=(NEW,), database_url="postgresql://a:hush@h/d", redis_url="redis://:hush@h/0"))
    assert "hush" not in text
    assert "nnnn" not in text


def test_uuid_like_names_cannot_be_shifted_between_the_bound_parts():
    """The three parts that a secret is bound to cannot run into each other."""
    a, b = uuid4(), uuid4()
    sealed = Vault((OLD,)).seal("hush", a, b, "x")
    with pytest.raises(Conflict):
        Vault((OLD,)).open(sealed, a, b, f"{b}|x")
