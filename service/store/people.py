"""People who sign in with a password, and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """What may be listed: never the password's hash."""

    name: str
    role: str
    created_at: datetime
    last_sign_in_at: datetime | None
    locked_until: datetime | None


def add(db: Db, name: str, role: str, password: str) -> bool:
    """False where somebody has that name already. `password`: its Argon2id hash."""
    statement = (
        "INSERT INTO person (workspace_id, name, role, password) VALUES (current_workspace(), %s, %s, %s)"
        " ON CONFLICT (workspace_id, name) WHERE removed_at IS NULL DO NOTHING"
    )
    return db.execute(statement, [name, role, password]).rowcount == 1


def listing(db: Db) -> Sequence[PersonRow]:
    with db.cursor(row_factory=class_row(PersonRow)) as cursor:
        return cursor.execute("SELECT name, role, created_at, last_sign_in_at, locked_until FROM person WHERE removed_at IS NULL ORDER BY name").fetchall()


def count_attempt(db: Db, name: str, at: datetime, most: int, lock: timedelta) -> tuple[UUID, str] | None:
    """(person, hash), with the attempt counted before it is looked at, so that none of many at once is free. None: nobody, or locked."""
    attempts = "CASE WHEN locked_until <= %(at)s THEN 1 ELSE attempts + 1 END"
    row = db.execute(
        f"UPDATE person SET attempts = {attempts}, locked_until = CASE WHEN {attempts} >= %(most)s THEN %(at)s + %(lock)s END"
        " WHERE name = %(name)s AND removed_at IS NULL AND (locked_until IS NULL OR locked_until <= %(at)s) RETURNING person_id, password",
        {"name": name, "at": at, "most": most, "lock": lock},
    ).fetchone()
    return (row[0], row[1]) if row else None


def start_session(db: Db, person_id: UUID, at: datetime, ends_at: datetime) -> UUID:
    """After the right password: earlier attempts are forgotten."""
    db.execute("UPDATE person SET attempts = 0, locked_until = NULL, last_sign_in_at = %s WHERE person_id = %s", [at, person_id])
    statement = "INSERT INTO person_session (workspace_id, person_id, ends_at) VALUES (current_workspace(), %s, %s) RETURNING session_id"
    row = db.execute(statement, [person_id, ends_at]).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def role_in(db: Db, session_id: UUID, at: datetime) -> str | None:
    """The role as it is now; None where the session is over or its person was removed."""
    return _of_session(db, "role", session_id, at)


def name_in(db: Db, session_id: UUID, at: datetime) -> str | None:
    return _of_session(db, "name", session_id, at)


def _of_session(db: Db, column: str, session_id: UUID, at: datetime) -> str | None:
    row = db.execute(
        f"SELECT p.{column} FROM person_session s JOIN person p USING (workspace_id, person_id)"
        " WHERE s.session_id = %s AND s.ended_at IS NULL AND s.ends_at > %s AND p.removed_at IS NULL",
        [session_id, at],
    ).fetchone()
    return row[0] if row else None


def end_session(db: Db, session_id: UUID, at: datetime) -> None:
    db.execute("UPDATE person_session SET ended_at = %s WHERE session_id = %s AND ended_at IS NULL", [at, session_id])


def end_sessions(db: Db, name: str, at: datetime) -> bool:
    """All of one person. False where nobody has that name."""
    found = db.execute("SELECT person_id FROM person WHERE name = %s AND removed_at IS NULL FOR UPDATE", [name]).fetchone()
    if found:
        db.execute("UPDATE person_session SET ended_at = %s WHERE person_id = %s AND ended_at IS NULL", [at, found[0]])
    return found is not None


def set_password(db: Db, name: str, password: str) -> None:
    """Ends a lock, too."""
    db.execute("UPDATE person SET password = %s, attempts = 0, locked_until = NULL WHERE name = %s AND removed_at IS NULL", [password, name])


def remove(db: Db, name: str, at: datetime) -> None:
    db.execute("UPDATE person SET removed_at = %s WHERE name = %s AND removed_at IS NULL", [at, name])
