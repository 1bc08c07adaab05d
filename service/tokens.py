"""The access token of a connection, shared by all workers: when it expires one of them asks for the next, and the others take that."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from connectors.context import Login, Token
from connectors.errors import AuthFailed
from service.config import settings
from service.errors import Conflict, Unavailable
from service.store import connections, tokens
from service.store.pool import Db, transaction
from service.store.tokens import StoredToken
from service.vault import Sealed, vault

LOCK_PATIENCE = timedelta(seconds=90)
"""How long a worker waits for another one's login. A login must have ended before that; Postgres itself ends a transaction that idles for 120 s."""
_NAME = "access token"
"""Part of what the ciphertext is bound to. No setting of a connector can have this name."""


class StoredTokens:
    """connectors.context.Tokens over Postgres.

    The row stays locked while `login` is asked, so that one expiry costs one login however many workers notice it. A refusal is
    remembered until a person connects again; a login that merely fails is not.
    """

    def __init__(self, workspace_id: UUID, connection_id: UUID) -> None:
        self._workspace_id = workspace_id
        self._connection_id = connection_id
        self._token: Token | None = None

    def get(self, login: Login, *, dead: Token | None = None) -> Token:
        if self._token is None or (dead is not None and dead.value == self._token.value):
            self._token = self._stored(dead) or self._renewed(login, dead)
        return self._token

    def _stored(self, dead: Token | None) -> Token | None:
        with transaction(self._workspace_id) as db:
            found = tokens.read(db, self._connection_id)
            if found is None:
                tokens.prepare(db, self._connection_id)
        return self._usable(found, dead)

    def _renewed(self, login: Login, dead: Token | None) -> Token:
        made, refusal = None, None
        try:
            with transaction(self._workspace_id) as db:
                # Whoever had the lock before may have renewed it, or may have been refused.
                found = self._usable(tokens.lock(db, self._connection_id, LOCK_PATIENCE), dead)
                if found is not None:
                    return found
                try:
                    made = login(secrets_of(db, self._workspace_id, self._connection_id))
                    self._save(db, made)
                except AuthFailed as error:
                    tokens.refuse(db, self._connection_id, str(error))
                    refusal = error
        except Unavailable:
            if made is None:
                raise
            # The old refresh token is dead by now and this is the only copy of the new one: it is worth another try.
            with transaction(self._workspace_id) as db:
                self._save(db, made)
        if refusal is not None:
            raise refusal
        assert made is not None
        return made

    def _usable(self, found: StoredToken | None, dead: Token | None) -> Token | None:
        """None: a new one is needed. Raises AuthFailed where these secrets have been refused."""
        if found is None:
            return None
        if found.refused is not None:
            raise AuthFailed(found.refused)
        value = found.sealed and self._opened(found.sealed)
        if not value or (dead is not None and value == dead.value):
            return None
        return Token(value=value, host=found.host)

    def _opened(self, sealed: Sealed) -> str | None:
        try:
            return vault(settings()).open(sealed, self._workspace_id, self._connection_id, _NAME)
        except Conflict:  # its key is gone: a token, unlike a secret, can be had anew
            return None

    def _save(self, db: Db, token: Token) -> None:
        keyring = vault(settings())
        for name, plain in token.replaced.items():
            connections.save_secret(db, self._connection_id, name, keyring.seal(plain, self._workspace_id, self._connection_id, name))
        tokens.save(db, self._connection_id, keyring.seal(token.value, self._workspace_id, self._connection_id, _NAME), token.host)


def secrets_of(db: Db, workspace_id: UUID, connection_id: UUID) -> dict[str, str]:
    """Raises Conflict for one that cannot be decrypted."""
    keyring = vault(settings())
    sealed = connections.secrets_of(db, connection_id)
    return {name: keyring.open(s, workspace_id, connection_id, name) for name, s in sealed.items()}


def forget(db: Db, connection_id: UUID) -> None:
    """A person is connecting again. Waits for a login that is under way, which must not save what it got with the old secrets after this."""
    tokens.prepare(db, connection_id)
    tokens.lock(db, connection_id, LOCK_PATIENCE)
    tokens.forget(db, connection_id)


def rotate(db: Db, workspace_id: UUID) -> None:
    """Re-encrypts under the first key what an older key still holds."""
    keyring = vault(settings())
    for connection_id, sealed in tokens.not_under(db, keyring.keys[0][0]):
        try:
            plain = keyring.open(sealed, workspace_id, connection_id, _NAME)
        except Conflict:
            tokens.forget(db, connection_id)
            continue
        tokens.reseal(db, connection_id, keyring.seal(plain, workspace_id, connection_id, _NAME))
