"""One access token per connection, for all workers. Its row is also the lock under which a new one is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from service.store.pool import Db
from service.vault import Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """`refused`: what the other side said when it refused these secrets; then there is no token."""

    sealed: Sealed | None
    host: str
    refused: str | None


_COLUMNS = "key_id, ciphertext, COALESCE(host, ''), refused"


def read(db: Db, connection_id: UUID) -> StoredToken | None:
    return _stored(db.execute(f"SELECT {_COLUMNS} FROM token WHERE connection_id = %s", [connection_id]).fetchone())


def prepare(db: Db, connection_id: UUID) -> None:
    """A row to lock."""
    db.execute("INSERT INTO token (workspace_id, connection_id) VALUES (current_workspace(), %s) ON CONFLICT DO NOTHING", [connection_id])


def lock(db: Db, connection_id: UUID, patience: timedelta) -> StoredToken | None:
    """Until the transaction ends nobody else gets past here. Waits longer than other locks do: who holds it is waiting for an answer."""
    db.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience.total_seconds():.0f}s"])
    return _stored(db.execute(f"SELECT {_COLUMNS} FROM token WHERE connection_id = %s FOR NO KEY UPDATE", [connection_id]).fetchone())


def save(db: Db, connection_id: UUID, sealed: Sealed, host: str) -> None:
    db.execute(
        "UPDATE token SET key_id = %s, ciphertext = %s, host = %s, renewed_at = clock_timestamp(), renewals = renewals + 1, refused = NULL"
        " WHERE connection_id = %s",
        [sealed.key_id, sealed.ciphertext, host, connection_id],
    )


def refuse(db: Db, connection_id: UUID, reason: str) -> None:
    db.execute("UPDATE token SET key_id = NULL, ciphertext = NULL, host = NULL, refused = %s WHERE connection_id = %s", [reason, connection_id])


def forget(db: Db, connection_id: UUID) -> None:
    """Other secrets or settings have been stored: the next worker asks anew."""
    db.execute("UPDATE token SET key_id = NULL, ciphertext = NULL, host = NULL, refused = NULL WHERE connection_id = %s", [connection_id])


def not_under(db: Db, key_id: str) -> list[tuple[UUID, Sealed]]:
    rows = db.execute("SELECT connection_id, key_id, ciphertext FROM token WHERE key_id <> %s FOR NO KEY UPDATE", [key_id])
    return [(connection_id, Sealed(old, bytes(ciphertext))) for connection_id, old, ciphertext in rows]


def reseal(db: Db, connection_id: UUID, sealed: Sealed) -> None:
    db.execute("UPDATE token SET key_id = %s, ciphertext = %s WHERE connection_id = %s", [sealed.key_id, sealed.ciphertext, connection_id])


def _stored(row: tuple[str | None, bytes | None, str, str | None] | None) -> StoredToken | None:
    if row is None:
        return None
    key_id, ciphertext, host, refused = row
    sealed = Sealed(key_id, bytes(ciphertext)) if key_id is not None and ciphertext is not None else None
    return StoredToken(sealed=sealed, host=host, refused=refused)
