"""Workspaces and the keys that open the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    workspace_id: UUID
    api_key_id: UUID
    sha256: bytes
    scopes: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow:
    """What may be listed of a key: never its hash."""

    api_key_id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def find(db: Db, name: str) -> UUID | None:
    row = db.execute("SELECT find_workspace(%s)", [name]).fetchone()
    return row[0] if row else None


def name(db: Db) -> str:
    row = db.execute("SELECT name FROM workspace").fetchone()
    assert row is not None
    return str(row[0])


def create(db: Db, workspace_id: UUID, name: str) -> None:
    db.execute("INSERT INTO workspace (workspace_id, name) VALUES (%s, %s)", [workspace_id, name])


def suggest_due(db: Db, *, due: bool) -> None:
    """Set with the rows that call for another look at the suggestions, cleared by the run that takes it."""
    db.execute("UPDATE workspace SET suggest_due = %(due)s WHERE suggest_due IS DISTINCT FROM %(due)s", {"due": due})


def scored_through(db: Db) -> date | None:
    row = db.execute("SELECT scored_through FROM workspace").fetchone()
    return row[0] if row else None


def mark_scored(db: Db, through: date) -> None:
    db.execute("UPDATE workspace SET scored_through = %s, score_queued_at = NULL", [through])


def last_change(db: Db) -> int:
    """Whatever bears this number or a lower one can be seen by now."""
    row = db.execute("SELECT last_change FROM workspace").fetchone()
    assert row is not None
    return int(row[0])


def next_change(db: Db) -> int:
    """A number above all earlier ones of the workspace; whoever asks next waits for this transaction to end. Ask late in it."""
    row = db.execute("SELECT next_change()").fetchone()
    assert row is not None
    return int(row[0])


def find_api_keys(db: Db, prefix: str) -> list[ApiKey]:
    """Of any workspace. Mostly one: two prefixes are the same once in four thousand million."""
    with db.cursor(row_factory=class_row(ApiKey)) as cursor:
        return cursor.execute("SELECT * FROM find_api_key(%s)", [prefix]).fetchall()


def create_api_key(db: Db, name: str, prefix: str, sha256: bytes, scopes: Sequence[str], expires_at: datetime | None) -> None:
    db.execute(
        "INSERT INTO api_key (workspace_id, name, prefix, sha256, scopes, expires_at) VALUES (current_workspace(), %s, %s, %s, %s, %s)",
        [name, prefix, sha256, list(scopes), expires_at],
    )


def api_keys(db: Db) -> list[ApiKeyRow]:
    with db.cursor(row_factory=class_row(ApiKeyRow)) as cursor:
        return cursor.execute(
            "SELECT api_key_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at FROM api_key ORDER BY created_at"
        ).fetchall()


def touch_api_key(db: Db, api_key_id: UUID, at: datetime) -> None:
    """At most once a minute, whoever else calls with it: a read should not write on every call."""
    db.execute(
        "UPDATE api_key SET last_used_at = %(at)s WHERE api_key_id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(at)s - interval '1 minute')",
        {"at": at, "id": api_key_id},
    )


def revoke_api_key(db: Db, prefix: str, at: datetime) -> str | None:
    """Its name; None where no active key begins so."""
    row = db.execute("UPDATE api_key SET revoked_at = %s WHERE prefix = %s AND revoked_at IS NULL RETURNING name", [at, prefix]).fetchone()
    return row[0] if row else None
