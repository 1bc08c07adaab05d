"""The one Postgres login of a workspace's analysts. Row-level security finds the workspace by who signed in (migration 0015)."""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg import sql

from service.config import settings
from service.errors import Conflict, NotFound, SettingError
from service.store.pool import Db, transaction

MOST_SESSIONS = 5
_SETTINGS = {"search_path": "analytics", "default_transaction_read_only": "on", "statement_timeout": "300s", "idle_in_transaction_session_timeout": "300s"}
"""For convenience: a session may change them. What it may read and write does not rest on them."""


def create(workspace_id: UUID) -> str:
    """Returns the URL to connect with; its password cannot be read again. Raises Conflict where there is a login already."""
    login, password = f"analyst_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    with _owner() as owner, transaction(workspace_id) as db:
        taken = "INSERT INTO analyst_login (workspace_id, login) VALUES (current_workspace(), %s) ON CONFLICT DO NOTHING"
        if db.execute(taken, [login]).rowcount == 0:
            message = "This workspace has its analysts' login already. `undertone analyst drop` ends it; then make a new one."
            raise Conflict(message)
        _make_role(owner, login, password)
    parts = urlsplit(str(settings().database_url))
    return parts._replace(netloc=f"{login}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


def drop(workspace_id: UUID) -> None:
    """Sessions that are open see nothing more. Raises NotFound where there is no login."""
    with _owner() as owner:
        with transaction(workspace_id) as db:
            row = db.execute("DELETE FROM analyst_login RETURNING login").fetchone()
        if row is None:
            message = "This workspace has no analysts' login. `undertone analyst create` makes one."
            raise NotFound(message)
        owner.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(row[0])))


def _owner() -> AbstractContextManager[Db]:
    if settings().database_owner_url is None:
        message = "DATABASE_OWNER_URL is not set: only the login that owns the schema may make or drop another one."
        raise SettingError(message)
    return psycopg.connect(str(settings().database_owner_url), autocommit=True)


def _make_role(owner: Db, login: str, password: str) -> None:
    """The server is given the password's verifier, so that no log can hold the password."""
    verifier = owner.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
    name = sql.Identifier(login)
    with owner.transaction():
        making = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} CONNECTION LIMIT {} IN ROLE undertone_analyst")
        owner.execute(making.format(name, sql.Literal(verifier), sql.Literal(MOST_SESSIONS)))
        for setting, value in _SETTINGS.items():
            owner.execute(sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value)))
