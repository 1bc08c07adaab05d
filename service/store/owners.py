"""Users of the CRM as owners of accounts and of their suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row

from service.store.pool import Db


@dataclass(frozen=True, slots=True)
class Owner:
    """`key` is that of the connection."""

    connection_id: UUID
    key: str
    name: str


_OWNER = "SELECT u.connection_id, u.key, u.name FROM crm_user u WHERE NOT u.deleted"


def with_email(db: Db, email: str) -> Sequence[Owner]:
    """In each CRM that knows this address, in lower case. Several where several CRMs are connected."""
    return _owners(db, f"{_OWNER} AND lower(u.email) = %s ORDER BY u.name", [email])


def named(db: Db, name: str) -> Sequence[Owner]:
    return _owners(db, f"{_OWNER} AND u.name = %s ORDER BY u.connection_id", [name])


def names(db: Db) -> list[str]:
    """Of those who have an open suggestion: theirs, or on an account that is theirs today."""
    rows = db.execute(
        "SELECT DISTINCT u.name FROM suggestion_open o JOIN suggestion_current s USING (workspace_id, suggestion_id)"
        " JOIN account a ON a.workspace_id = o.workspace_id AND a.account_id = o.account_id"
        " JOIN crm_user u ON u.workspace_id = a.workspace_id AND u.connection_id = a.connection_id AND u.key IN (s.owner_key, a.owner_key)"
        " WHERE NOT u.deleted ORDER BY u.name"
    )
    return [name for (name,) in rows]


def _owners(db: Db, query: str, parameters: Sequence[object]) -> Sequence[Owner]:
    with db.cursor(row_factory=class_row(Owner)) as cursor:
        return cursor.execute(query, parameters).fetchall()
