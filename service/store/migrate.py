"""Numbered .sql files, applied once each, in order, by the owner. An applied file that was edited later is refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from service.errors import Conflict

_LOCK = 0x756E6465  # "unde": any number of migrators may start at once, one works


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    folder = files("service.store") / "migrations"
    return [Migration(file.name, file.read_text("utf-8")) for file in sorted(folder.iterdir(), key=lambda f: f.name) if file.name.endswith(".sql")]


def migrate(owner_url: str, app_url: str) -> list[str]:
    """Applies what is missing and returns the names. Creates the roles on the way; `app_url` names the app's login and password."""
    with psycopg.connect(owner_url, autocommit=True) as db:
        db.execute("SET lock_timeout = '60s'")
        db.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        _make_roles(db, app_url)
        db.execute("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())")
        applied: dict[object, object] = dict(db.execute("SELECT name, sha256 FROM migration").fetchall())
        return [m.name for m in migrations() if _apply(db, m, applied)]


def _apply(db: psycopg.Connection[tuple[object, ...]], migration: Migration, applied: dict[object, object]) -> bool:
    if migration.name in applied:
        if applied[migration.name] != migration.sha256:
            message = f"Migration {migration.name} was changed after it was applied. Restore the file and add a new one instead."
            raise Conflict(message)
        return False
    with db.transaction():
        db.execute(migration.text.encode())
        db.execute("INSERT INTO migration (name, sha256) VALUES (%s, %s)", [migration.name, migration.sha256])
    return True


def _make_roles(db: psycopg.Connection[tuple[object, ...]], app_url: str) -> None:
    """The app's login must not own tables or bypass row-level security; the sweeper and the group of the analysts' logins cannot log in at all."""
    login = urlsplit(app_url)
    existing = {name for (name,) in db.execute("SELECT rolname FROM pg_roles WHERE rolname ^@ 'undertone_'")}
    if "undertone_app" not in existing:
        password = sql.Literal(unquote(login.password or ""))
        db.execute(sql.SQL("CREATE ROLE undertone_app LOGIN PASSWORD {}").format(password))
    for role in {"undertone_sweeper", "undertone_analyst"} - existing:
        db.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    db.execute("GRANT undertone_sweeper TO CURRENT_USER WITH SET TRUE, INHERIT FALSE")
