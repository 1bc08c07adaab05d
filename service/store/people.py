"""People who sign in to the console, by a password or by an OIDC provider, and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from service.store.pool import Db

SignIn = Literal["password", "oidc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """What may be listed: never the password's hash, nor what an invitation is known by. `set_up`: has a password, or is known to the provider."""

    person_id: UUID
    name: str
    role: str
    sign_in: SignIn
    set_up: bool
    email: str | None
    created_at: datetime
    last_sign_in_at: datetime | None
    locked_until: datetime | None
    invited_until: datetime | None


_LISTED = (
    "SELECT person_id, name, role, sign_in, coalesce(password, oidc_subject) IS NOT NULL AS set_up, email, created_at, last_sign_in_at, locked_until,"
    " invitation_ends_at AS invited_until FROM person WHERE removed_at IS NULL"
)


def add(db: Db, name: str, role: str, sign_in: SignIn, *, password: str | None = None, issuer: str | None = None, subject: str | None = None) -> UUID | None:
    """None where somebody has that name already, or that subject. `password`: its Argon2id hash."""
    row = db.execute(
        "INSERT INTO person (workspace_id, name, role, sign_in, password, oidc_issuer, oidc_subject)"
        " VALUES (current_workspace(), %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING person_id",
        [name, role, sign_in, password, issuer, subject],
    ).fetchone()
    return row[0] if row else None


def listing(db: Db) -> Sequence[PersonRow]:
    with db.cursor(row_factory=class_row(PersonRow)) as cursor:
        return cursor.execute(f"{_LISTED} ORDER BY name").fetchall()


def get(db: Db, person: UUID | str) -> PersonRow | None:
    """By id or by name; held until the transaction ends, so that two changes of one person come one after the other."""
    column = "person_id" if isinstance(person, UUID) else "name"
    with db.cursor(row_factory=class_row(PersonRow)) as cursor:
        return cursor.execute(f"{_LISTED} AND {column} = %s FOR UPDATE", [person]).fetchone()


def admins(db: Db) -> Sequence[UUID]:
    """Who can sign in as one, held until the transaction ends: of two that remove each other, one must see the other gone."""
    query = (
        "SELECT person_id FROM person WHERE role = 'admin' AND removed_at IS NULL AND coalesce(password, oidc_subject) IS NOT NULL"
        " ORDER BY person_id FOR UPDATE"
    )
    return [person_id for (person_id,) in db.execute(query)]


def set_role(db: Db, person_id: UUID, role: str) -> None:
    db.execute("UPDATE person SET role = %s WHERE person_id = %s", [role, person_id])


def set_email(db: Db, person_id: UUID, email: str | None) -> bool:
    """False where somebody else has that address. `email` in lower case."""
    taken = "SELECT FROM person WHERE email = %s AND person_id <> %s AND removed_at IS NULL"
    if email is not None and db.execute(taken, [email, person_id]).fetchone() is not None:
        return False
    db.execute("UPDATE person SET email = %s WHERE person_id = %s", [email, person_id])
    return True


def set_password(db: Db, person_id: UUID, password: str) -> None:
    """Ends a lock and an invitation, too."""
    db.execute(
        "UPDATE person SET password = %s, attempts = 0, locked_until = NULL, invitation_id = NULL, invitation_ends_at = NULL WHERE person_id = %s",
        [password, person_id],
    )


def remove(db: Db, person_id: UUID, at: datetime) -> None:
    db.execute("UPDATE person SET removed_at = %s, invitation_id = NULL, invitation_ends_at = NULL WHERE person_id = %s", [at, person_id])


# Invitations


def invite(db: Db, person_id: UUID, until: datetime) -> UUID:
    """Ends the invitation before."""
    row = db.execute(
        "UPDATE person SET invitation_id = gen_random_uuid(), invitation_ends_at = %s WHERE person_id = %s RETURNING invitation_id", [until, person_id]
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def invited(db: Db, invitation_id: UUID, at: datetime) -> PersonRow | None:
    """Held until the transaction ends, so that an invitation is used once."""
    with db.cursor(row_factory=class_row(PersonRow)) as cursor:
        return cursor.execute(f"{_LISTED} AND invitation_id = %s AND invitation_ends_at > %s FOR UPDATE", [invitation_id, at]).fetchone()


# Signing in


def count_attempt(db: Db, name: str, at: datetime, most: int, lock: timedelta) -> tuple[UUID, str] | None:
    """(person, hash), with the attempt counted before it is looked at, so that none of many at once is free. None: nobody, without a password, or locked."""
    attempts = "CASE WHEN locked_until <= %(at)s THEN 1 ELSE attempts + 1 END"
    row = db.execute(
        f"UPDATE person SET attempts = {attempts}, locked_until = CASE WHEN {attempts} >= %(most)s THEN %(at)s + %(lock)s END"
        " WHERE name = %(name)s AND removed_at IS NULL AND password IS NOT NULL AND (locked_until IS NULL OR locked_until <= %(at)s)"
        " RETURNING person_id, password",
        {"name": name, "at": at, "most": most, "lock": lock},
    ).fetchone()
    return (row[0], row[1]) if row else None


def workspaces_of(db: Db, issuer: str, subject: str) -> Sequence[tuple[UUID, str]]:
    """(workspace, its name) of everybody with this subject; asked before a workspace is known."""
    return [(row[0], row[1]) for row in db.execute("SELECT workspace_id, name FROM find_workspaces_of_subject(%s, %s)", [issuer, subject])]


def of_subject(db: Db, issuer: str, subject: str) -> UUID | None:
    row = db.execute("SELECT person_id FROM person WHERE oidc_issuer = %s AND oidc_subject = %s AND removed_at IS NULL", [issuer, subject]).fetchone()
    return row[0] if row else None


def bind_subject(db: Db, person_id: UUID, issuer: str, subject: str) -> None:
    """Ends the invitation by which they came."""
    db.execute(
        "UPDATE person SET oidc_issuer = %s, oidc_subject = %s, invitation_id = NULL, invitation_ends_at = NULL WHERE person_id = %s",
        [issuer, subject, person_id],
    )


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


def email_in(db: Db, session_id: UUID, at: datetime) -> str | None:
    """Of whose session it is; None where they have none."""
    return _of_session(db, "email", session_id, at)


def _of_session(db: Db, column: str, session_id: UUID, at: datetime) -> str | None:
    row = db.execute(
        f"SELECT p.{column} FROM person_session s JOIN person p USING (workspace_id, person_id)"
        " WHERE s.session_id = %s AND s.ended_at IS NULL AND s.ends_at > %s AND p.removed_at IS NULL",
        [session_id, at],
    ).fetchone()
    return row[0] if row else None


def end_session(db: Db, session_id: UUID, at: datetime) -> None:
    db.execute("UPDATE person_session SET ended_at = %s WHERE session_id = %s AND ended_at IS NULL", [at, session_id])


def end_sessions(db: Db, person_id: UUID, at: datetime) -> None:
    db.execute("UPDATE person_session SET ended_at = %s WHERE person_id = %s AND ended_at IS NULL", [at, person_id])
