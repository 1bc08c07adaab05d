"""Accounts with what the console and the steps need to know of them: owner, renewal, people, outlook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from service.signals import Preference
from service.store import preferences
from service.store.pool import Db

_MOST_MERGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an account is today: itself, the one that it was merged into, or nowhere. `awaited`: it was merged into one that has not been read yet."""

    account_id: UUID | None
    awaited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account and its current outlook (None: never scored). `renewal_date` is the nearest open renewal's close date."""

    account_id: UUID
    name: str
    owner_name: str | None
    region: str | None
    seats: int | None
    arr: float | None
    currency: str | None
    level: str | None
    score: int | None
    drivers: list[dict[str, Any]] | None
    unknown_parts: list[str] | None
    renewal_date: date | None
    renewal_amount: float | None
    scored_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the steps need of one account. Keys are those of its connection; `primary_contact_id` is the renewal's."""

    account_id: UUID
    connection_id: UUID
    connector: str
    key: str
    name: str
    region: str | None
    timezone: str | None
    seats: int | None
    arr: float | None
    currency: str | None
    owner_key: str | None
    owner_name: str | None
    owner_active: bool
    manager_key: str | None
    renewal_date: date | None
    renewal_amount: float | None
    primary_contact_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    contact_id: UUID
    account_id: UUID
    key: str
    name: str | None
    email: str | None
    title: str | None
    opted_out: bool
    """As the CRM has it."""
    last_wrote_at: datetime | None
    preference: Preference | None = None

    @property
    def may_be_written_to(self) -> bool:
        return not self.opted_out and not (self.preference and self.preference.opted_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What decides whether an account is among those that get suggestions."""

    account_id: UUID
    key: str
    name: str
    owner_key: str | None
    owner_name: str | None
    arr: float | None
    currency: str | None
    has_suggestion: bool
    """An open one."""


_RENEWAL = (
    "LEFT JOIN LATERAL (SELECT o.close_date, o.amount, o.primary_contact_key FROM opportunity o WHERE o.workspace_id = a.workspace_id"
    " AND o.account_id = a.account_id AND NOT o.is_closed AND NOT o.deleted AND o.close_date IS NOT NULL"
    " ORDER BY (o.type IS DISTINCT FROM 'Renewal'), (o.name !~* 'renew'), o.close_date LIMIT 1) r ON true"
)
_OWNER = "LEFT JOIN crm_user w ON w.workspace_id = a.workspace_id AND w.connection_id = a.connection_id AND w.key = a.owner_key"

_ROW = (
    "SELECT a.account_id, a.name, w.name AS owner_name, a.region, a.seats, a.arr, a.currency, o.level, o.score, o.drivers, o.unknown_parts,"
    f" r.close_date AS renewal_date, r.amount AS renewal_amount, o.recorded_at AS scored_at FROM account a {_OWNER} {_RENEWAL}"
    " LEFT JOIN LATERAL (SELECT * FROM outlook k WHERE k.workspace_id = a.workspace_id AND k.account_id = a.account_id"
    "  ORDER BY k.change_no DESC LIMIT 1) o ON true"
    " WHERE NOT a.deleted AND a.merged_into_key IS NULL"
)


def listing(db: Db, *, level: str | None = None, search: str | None = None, after: tuple[str, UUID] | None = None, most: int = 100) -> list[AccountRow]:
    """By name; `after` is the (name, account_id) of the last row seen."""
    with db.cursor(row_factory=class_row(AccountRow)) as cursor:
        return cursor.execute(
            f"{_ROW} AND (%(level)s::text IS NULL OR o.level = %(level)s) AND (%(search)s::text IS NULL OR strpos(lower(a.name), lower(%(search)s)) > 0)"
            " AND (%(name)s::text IS NULL OR (a.name, a.account_id) > (%(name)s, %(id)s)) ORDER BY a.name, a.account_id LIMIT %(most)s",
            {"level": level, "search": search, "name": after[0] if after else None, "id": after[1] if after else None, "most": most},
        ).fetchall()


def get(db: Db, account_id: UUID) -> AccountRow | None:
    with db.cursor(row_factory=class_row(AccountRow)) as cursor:
        return cursor.execute(f"{_ROW} AND a.account_id = %s", [account_id]).fetchone()


def profiles(db: Db, account_ids: Sequence[UUID] | None = None) -> list[Profile]:
    with db.cursor(row_factory=class_row(Profile)) as cursor:
        return cursor.execute(
            "SELECT a.account_id, a.connection_id, n.connector, a.key, a.name, a.region, a.timezone, a.seats, a.arr, a.currency, a.owner_key,"
            " w.name AS owner_name, COALESCE(w.active, false) AS owner_active, w.manager_key, r.close_date AS renewal_date, r.amount AS renewal_amount,"
            " (SELECT c.contact_id FROM contact c WHERE c.workspace_id = a.workspace_id AND c.connection_id = a.connection_id"
            "  AND c.key = r.primary_contact_key AND NOT c.deleted) AS primary_contact_id"
            f" FROM account a JOIN connection n USING (workspace_id, connection_id) {_OWNER} {_RENEWAL}"
            " WHERE NOT a.deleted AND a.merged_into_key IS NULL AND (%(ids)s::uuid[] IS NULL OR a.account_id = ANY(%(ids)s)) ORDER BY a.name",
            {"ids": list(account_ids) if account_ids is not None else None},
        ).fetchall()


def placed(db: Db) -> list[Placed]:
    """All of them, by name."""
    with db.cursor(row_factory=class_row(Placed)) as cursor:
        return cursor.execute(
            "SELECT a.account_id, a.key, a.name, a.owner_key, w.name AS owner_name, a.arr, a.currency,"
            " EXISTS (SELECT FROM suggestion_open s WHERE s.account_id = a.account_id) AS has_suggestion"
            f" FROM account a {_OWNER} WHERE NOT a.deleted AND a.merged_into_key IS NULL ORDER BY a.name, a.account_id"
        ).fetchall()


def contacts(db: Db, account_ids: Sequence[UUID]) -> list[ContactRow]:
    with db.cursor(row_factory=class_row(ContactRow)) as cursor:
        found = cursor.execute(
            "SELECT c.contact_id, c.account_id, c.key, c.name, c.email, c.title, c.opted_out,"
            " (SELECT max(i.occurred_at) FROM interaction i WHERE i.workspace_id = c.workspace_id AND i.account_id = c.account_id"
            "  AND i.contact_id = c.contact_id AND i.direction = 'in' AND NOT i.automatic) AS last_wrote_at"
            " FROM contact c WHERE c.account_id = ANY(%s) AND NOT c.deleted ORDER BY c.account_id, last_wrote_at DESC NULLS LAST, c.name",
            [list(account_ids)],
        ).fetchall()
    stated = preferences.current(db, [c.contact_id for c in found])
    return [replace(c, preference=stated.get(c.contact_id)) for c in found]


def is_contact(db: Db, contact_id: UUID) -> bool:
    return db.execute("SELECT FROM contact WHERE contact_id = %s AND NOT deleted AND survivor_id IS NULL", [contact_id]).fetchone() is not None


def contacts_with(db: Db, address: str) -> list[UUID]:
    """Who has this mail address."""
    rows = db.execute("SELECT contact_id FROM contact WHERE address = lower(%s) AND NOT deleted AND survivor_id IS NULL ORDER BY contact_id", [address])
    return [contact_id for (contact_id,) in rows]


def names(db: Db, account_id: UUID, contact_id: UUID | None, user_key: str | None) -> tuple[str | None, str | None]:
    """What the CRM calls this contact, and this user of the account's connection, today."""
    row = db.execute(
        "SELECT (SELECT c.name FROM contact c WHERE c.contact_id = %(contact)s), (SELECT u.name FROM crm_user u JOIN account a"
        " USING (workspace_id, connection_id) WHERE a.account_id = %(account)s AND u.key = %(user)s)",
        {"contact": contact_id, "account": account_id, "user": user_key},
    ).fetchone()
    return row if row else (None, None)


def due(db: Db, most: int) -> list[UUID]:
    """Claims accounts to score for this transaction: another worker's claim is passed over, a rollback leaves them due."""
    rows = db.execute(
        "DELETE FROM score_due d USING (SELECT account_id FROM score_due ORDER BY since LIMIT %s FOR UPDATE SKIP LOCKED) c"
        " WHERE d.account_id = c.account_id RETURNING d.account_id",
        [most],
    )
    return [account_id for (account_id,) in rows]


def examples(db: Db, connection_id: UUID, most: int) -> dict[str, list[str]]:
    """A few values of each field that a setting may name, as they were read; of the first accounts that have one."""
    found = {}
    for what, table, column in _MAPPED:
        some = f"SELECT {column} AS v FROM {table} WHERE connection_id = %s AND NOT deleted AND {column} IS NOT NULL LIMIT 500"
        rows = db.execute(f"SELECT DISTINCT v FROM ({some}) f LIMIT %s", [connection_id, most])
        found[what] = [f"{value:,.0f}" if isinstance(value, float) else str(value) for (value,) in rows]
    return found


_MAPPED = (
    ("seats", "account", "seats"),
    ("arr", "account", "arr"),
    ("region", "account", "region"),
    ("timezone", "account", "timezone"),
    ("close_date", "opportunity", "close_date"),
)


def places(db: Db, account_ids: Sequence[UUID]) -> dict[UUID, Place]:
    rows = db.execute(
        "WITH RECURSIVE way AS (SELECT a.account_id AS origin, a.account_id, a.connection_id, a.merged_into_key, a.deleted, 0 AS hop FROM account a"
        "   WHERE a.account_id = ANY(%(ids)s)"
        "  UNION ALL SELECT w.origin, b.account_id, b.connection_id, b.merged_into_key, b.deleted, w.hop + 1 FROM way w"
        "   JOIN account b ON b.workspace_id = current_workspace() AND b.connection_id = w.connection_id AND b.key = w.merged_into_key"
        "   WHERE w.hop < %(most)s)"
        " SELECT DISTINCT ON (origin) origin, CASE WHEN merged_into_key IS NULL AND NOT deleted THEN account_id END, merged_into_key IS NOT NULL"
        " FROM way ORDER BY origin, hop DESC",
        {"ids": list(account_ids), "most": _MOST_MERGES},
    )
    return {origin: Place(account_id=account_id, awaited=awaited) for origin, account_id, awaited in rows}


def due_of(rows: str) -> str:
    """A statement that makes the accounts of these rows (a table or a subquery with `account_id`) due to be scored.

    In one order for everybody, so that two runs wait for each other and never in a circle.
    """
    return (
        f"INSERT INTO score_due (workspace_id, account_id) SELECT DISTINCT (SELECT current_workspace()), r.account_id FROM {rows} r"
        " WHERE r.account_id IS NOT NULL ORDER BY r.account_id ON CONFLICT DO NOTHING"
    )


def mark_due(db: Db, account_ids: Iterable[UUID]) -> None:
    db.execute(due_of("(SELECT unnest(%b::uuid[]) AS account_id)"), [list(account_ids)])


def mark_all_due(db: Db) -> None:
    db.execute(due_of("(SELECT account_id FROM account WHERE NOT deleted AND merged_into_key IS NULL)"))


def claim_due_workspaces(db: Db, today: date, most: int, patience: Any) -> list[UUID]:
    """Across workspaces, ids only."""
    return [w for (w,) in db.execute("SELECT workspace_id FROM claim_due_scores(%s, %s, %s)", [today, most, patience])]
