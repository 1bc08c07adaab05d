"""One token for all workers: how often the other side is asked for one, and what is never lost or shown."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from connectors.context import Token
from connectors.errors import AuthFailed, ConnectorError, Retriable
from service import connect, tokens, vault
from service.config import settings
from service.store import connections
from service.store import tokens as stored
from service.store.pool import transaction
from service.tokens import StoredTokens

SECRET = "s3cret-canary"


class Issuer:
    """The other side's login. `then` decides what a call gives; the first token is T1."""

    def __init__(self, then: Callable[[int, Mapping[str, str]], Token] | None = None) -> None:
        self.asked = 0
        self.then = then or (lambda n, secrets: Token(value=f"T{n}", host="org.example"))
        self._lock = threading.Lock()

    def __call__(self, secrets: Mapping[str, str]) -> Token:
        with self._lock:
            self.asked += 1
            n = self.asked
        return self.then(n, secrets)


@pytest.fixture
def connection(workspace: UUID) -> UUID:
    with transaction(workspace) as db:
        connection_id = connections.create(db, "memory", "crm", {})
    save(workspace, connection_id, "refresh_token", "R0")
    return connection_id


def save(workspace: UUID, connection_id: UUID, name: str, plain: str) -> None:
    with transaction(workspace) as db:
        connections.save_secret(db, connection_id, name, vault.vault(settings()).seal(plain, workspace, connection_id, name))


def secrets(workspace: UUID, connection_id: UUID) -> dict[str, str]:
    with transaction(workspace) as db:
        return tokens.secrets_of(db, workspace, connection_id)


def together(count: int, work: Callable[[], object]) -> list[object]:
    """All at once, each with what it raised or gave."""
    barrier = threading.Barrier(count)

    def one(_: int) -> object:
        barrier.wait(10)
        try:
            return work()
        except ConnectorError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def refuse(n: int, secrets: Mapping[str, str]) -> Token:
    raise AuthFailed("The login is refused: the refresh token is revoked.")


def test_eight_workers_at_one_expiry_ask_once(workspace: UUID, connection: UUID) -> None:
    issuer = Issuer()
    old = StoredTokens(workspace, connection).get(issuer)
    found = together(8, lambda: StoredTokens(workspace, connection).get(issuer, dead=old))
    assert [t.value for t in found if isinstance(t, Token)] == ["T2"] * 8
    assert issuer.asked == 2


def test_eight_workers_without_any_token_ask_once(workspace: UUID, connection: UUID) -> None:
    issuer = Issuer()
    found = together(8, lambda: StoredTokens(workspace, connection).get(issuer))
    assert {t.value for t in found if isinstance(t, Token)} == {"T1"}
    assert issuer.asked == 1


def test_revoked_credentials_are_tried_once_by_all_workers_and_all_runs_together(workspace: UUID, connection: UUID) -> None:
    issuer = Issuer(refuse)
    for _ in range(3):
        found = together(8, lambda: StoredTokens(workspace, connection).get(issuer))
        assert all(isinstance(error, AuthFailed) and "revoked" in str(error) for error in found)
    assert issuer.asked == 1


def test_a_dead_token_with_revoked_credentials_is_not_handed_out_again(workspace: UUID, connection: UUID) -> None:
    issuer = Issuer()
    old = StoredTokens(workspace, connection).get(issuer)
    issuer.then = refuse
    together(8, lambda: StoredTokens(workspace, connection).get(issuer, dead=old))
    with pytest.raises(AuthFailed):
        StoredTokens(workspace, connection).get(issuer)
    assert issuer.asked == 2


def test_connecting_again_forgets_the_refusal_and_the_old_token(workspace: UUID, connection: UUID) -> None:
    issuer = Issuer(refuse)
    with pytest.raises(AuthFailed):
        StoredTokens(workspace, connection).get(issuer)
    connect.connect(workspace, "usage_files", "crm", {"path": "/tmp"}, {"refresh_token": "R9"})
    issuer.then = lambda n, given: Token(value=f"with {given['refresh_token']}", host="h")
    assert StoredTokens(workspace, connection).get(issuer).value == "with R9"
    connect.connect(workspace, "usage_files", "crm", {"path": "/tmp"}, {"refresh_token": "R10"})
    assert StoredTokens(workspace, connection).get(issuer).value == "with R10"


def test_a_login_that_merely_fails_is_not_remembered(workspace: UUID, connection: UUID) -> None:
    def away(n: int, given: Mapping[str, str]) -> Token:
        raise Retriable("The login server is away.")

    issuer = Issuer(away)
    with pytest.raises(Retriable):
        StoredTokens(workspace, connection).get(issuer)
    issuer.then = lambda n, given: Token(value="T", host="h")
    assert StoredTokens(workspace, connection).get(issuer).value == "T"


def test_a_rotated_secret_is_kept_before_its_token_is_used(workspace: UUID, connection: UUID) -> None:
    def rotate(n: int, given: Mapping[str, str]) -> Token:
        assert given["refresh_token"] == f"R{n - 1}", "each is good for one login"
        return Token(value=f"T{n}", host="h", replaced={"refresh_token": f"R{n}"})

    issuer = Issuer(rotate)
    token = None
    for n in range(1, 5):
        token = StoredTokens(workspace, connection).get(issuer, dead=token)
        assert token.value == f"T{n}"
        assert secrets(workspace, connection) == {"refresh_token": f"R{n}"}


def test_a_rotated_secret_survives_the_database_going_away_during_the_login(workspace: UUID, connection: UUID, servers: str) -> None:
    import psycopg

    def cut(n: int, given: Mapping[str, str]) -> Token:
        with psycopg.connect(servers, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'undertone_app' AND state = 'idle in transaction'"
                " AND query LIKE '%FROM secret%'"
            )
        return Token(value="T1", host="h", replaced={"refresh_token": "R1"})

    assert StoredTokens(workspace, connection).get(Issuer(cut)).value == "T1"
    assert secrets(workspace, connection) == {"refresh_token": "R1"}
    assert StoredTokens(workspace, connection).get(Issuer(refuse)).value == "T1"


def test_a_login_under_way_does_not_write_over_what_a_person_has_just_entered(workspace: UUID, connection: UUID) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(n: int, given: Mapping[str, str]) -> Token:
        inside.set()
        assert go_on.wait(10)
        return Token(value="of the old secrets", host="h", replaced={"refresh_token": "R1"})

    login = threading.Thread(target=StoredTokens(workspace, connection).get, args=[Issuer(slow)])
    login.start()
    assert inside.wait(10)
    again = threading.Thread(target=connect.connect, args=[workspace, "usage_files", "crm", {"path": "/tmp"}, {"refresh_token": "new"}])
    again.start()
    go_on.set()
    login.join(20)
    again.join(20)
    assert secrets(workspace, connection) == {"refresh_token": "new"}
    with transaction(workspace) as db:
        found = stored.read(db, connection)
    assert found is not None
    assert found.sealed is None


def test_another_connections_login_is_not_waited_for(workspace: UUID, connection: UUID) -> None:
    with transaction(workspace) as db:
        other = connections.create(db, "memory", "other", {})
    inside, go_on = threading.Event(), threading.Event()

    def hangs(n: int, given: Mapping[str, str]) -> Token:
        inside.set()
        assert go_on.wait(10)
        return Token(value="late", host="h")

    slow = threading.Thread(target=StoredTokens(workspace, connection).get, args=[Issuer(hangs)])
    slow.start()
    assert inside.wait(10)
    assert StoredTokens(workspace, other).get(Issuer()).value == "T1"
    with transaction(workspace) as db:
        connections.park(db, connection, settings().push_lease, "another job writes to the connection meanwhile")
    go_on.set()
    slow.join(10)


def test_a_token_is_stored_encrypted_and_bound_to_its_connection(workspace: UUID, connection: UUID) -> None:
    StoredTokens(workspace, connection).get(Issuer(lambda n, given: Token(value=SECRET, host="h")))
    with transaction(workspace) as db:
        other = connections.create(db, "memory", "other", {})
        [(ciphertext,)] = db.execute("SELECT ciphertext FROM token WHERE connection_id = %s", [connection]).fetchall()
        assert SECRET.encode() not in bytes(ciphertext)
        stored.prepare(db, other)
        db.execute(
            "UPDATE token t SET key_id = s.key_id, ciphertext = s.ciphertext FROM token s WHERE t.connection_id = %s AND s.connection_id = %s",
            [other, connection],
        )
    issuer = Issuer()
    assert StoredTokens(workspace, other).get(issuer).value == "T1", "a row copied to another connection does not open; a new token is asked for"


def test_rotating_keys_encrypts_tokens_anew(workspace: UUID, connection: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    StoredTokens(workspace, connection).get(Issuer())
    monkeypatch.setenv("UNDERTONE_KEYS", f"new:{vault.new_key()}")
    settings.cache_clear()
    try:
        connect.rotate_secrets(workspace)
        with transaction(workspace) as db:
            assert db.execute("SELECT key_id FROM token WHERE connection_id = %s", [connection]).fetchall() == [("new",)]
        assert StoredTokens(workspace, connection).get(Issuer(refuse)).value == "T1"
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_no_token_or_secret_shows_in_a_repr_an_error_or_a_log(workspace: UUID, connection: UUID, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    save(workspace, connection, "refresh_token", SECRET)
    shared = StoredTokens(workspace, connection)
    token = shared.get(Issuer(lambda n, given: Token(value=SECRET, host="h", replaced={"refresh_token": SECRET})))
    with pytest.raises(AuthFailed) as refused:
        shared.get(Issuer(refuse), dead=token)
    shown = [repr(token), repr(shared), str(vars(shared)), str(refused.value), caplog.text]
    with transaction(workspace) as db:
        shown.append(repr(stored.read(db, connection)))
    assert not any(SECRET in text for text in shown)
