"""Secrets of connections, encrypted with AES-256-GCM. A row copied to another workspace or connection does not decrypt."""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.config import Settings
from service.errors import Conflict, SettingError

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    key_id: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """`keys`: id and 32 bytes each; the first encrypts, all decrypt."""

    keys: tuple[tuple[str, bytes], ...]

    def seal(self, plain: str, workspace_id: UUID, connection_id: UUID, name: str) -> Sealed:
        key_id, key = self.keys[0]
        nonce = os.urandom(_NONCE)
        return Sealed(key_id, nonce + AESGCM(key).encrypt(nonce, plain.encode(), _bound_to(workspace_id, connection_id, name)))

    def open(self, sealed: Sealed, workspace_id: UUID, connection_id: UUID, name: str) -> str:
        """Raises Conflict when the key is gone or the row was moved or altered: the secret must be entered again."""
        key = next((key for key_id, key in self.keys if key_id == sealed.key_id), None)
        if key is None:
            message = f"Secret {name} was encrypted with key {sealed.key_id}, which UNDERTONE_KEYS no longer holds. Connect again to enter it."
            raise Conflict(message)
        nonce, body = sealed.ciphertext[:_NONCE], sealed.ciphertext[_NONCE:]
        try:
            return AESGCM(key).decrypt(nonce, body, _bound_to(workspace_id, connection_id, name)).decode()
        except (InvalidTag, ValueError):  # ValueError: cut so short that not even a nonce is left
            message = f"Secret {name} of this connection cannot be decrypted. Connect again to enter it."
            raise Conflict(message) from None


def vault(settings: Settings) -> Vault:
    """UNDERTONE_KEYS; without it the key file of this machine, which stays able to decrypt what it once encrypted."""
    path = settings.home / "secret.key"
    if not settings.keys:
        return Vault(((_LOCAL, _local_key(path)),))
    if not path.exists():
        return Vault(settings.keys)
    return Vault((*settings.keys, (_LOCAL, _local_key(path))))


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


_LOCAL = "local"


def _local_key(path: Path) -> bytes:
    """One machine, no configuration: a key file beside the embedded servers' data, readable by its owner only."""
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    if len(key) != 32:
        message = f"The key file {path} is damaged. Restore it from a backup, or delete it and connect again."
        raise SettingError(message)
    return key


def _make(path: Path) -> None:
    """Whole or not at all: of several processes at once one wins, and none reads a file that is half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def _bound_to(workspace_id: UUID, connection_id: UUID, name: str) -> bytes:
    return f"{workspace_id}|{connection_id}|{name}".encode()
