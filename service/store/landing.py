"""Records of a page into their tables: COPY to a session's landing table, then one set-based upsert that changes only what differs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from connectors.records import Account, Contact, Interaction, Opportunity, User
from service.store.bulk import copy_to_landing
from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a record type stands in its table. `columns` maps column to type, in the order of the rows.

    `links` are columns that the database finds itself from a key: {column: SELECT with the landed row as `l`}.
    """

    table: str
    columns: Mapping[str, str]
    links: Mapping[str, str]


_ACCOUNT_OF_KEY = (
    "SELECT a.account_id FROM account a WHERE a.workspace_id = current_workspace() AND a.connection_id = %(connection_id)s AND a.key = l.account_key"
)
_CONTACT_OF_KEY = (
    "SELECT c.contact_id FROM contact c WHERE c.workspace_id = current_workspace() AND c.connection_id = %(connection_id)s AND c.key = l.contact_key"
)
_STAMPS = {"modified_at": "timestamptz", "deleted": "boolean"}

SHAPES: dict[type, Shape] = {
    User: Shape(
        table="crm_user",
        columns={"key": "text", "name": "text", "email": "text", "active": "boolean", "manager_key": "text", **_STAMPS},
        links={},
    ),
    Account: Shape(
        table="account",
        columns={
            **{"key": "text", "name": "text", "website": "text", "owner_key": "text", "region": "text", "timezone": "text"},
            **{"seats": "integer", "arr": "double precision", "currency": "text"},
            **_STAMPS,
            "merged_into_key": "text",
        },
        links={},
    ),
    Contact: Shape(
        table="contact",
        columns={"key": "text", "account_key": "text", "name": "text", "email": "text", "title": "text", "opted_out": "boolean", **_STAMPS},
        links={"account_id": _ACCOUNT_OF_KEY},
    ),
    Opportunity: Shape(
        table="opportunity",
        columns={
            **{"key": "text", "account_key": "text", "name": "text", "type": "text", "stage": "text", "amount": "double precision"},
            **{"close_date": "date", "is_closed": "boolean", "is_won": "boolean", "primary_contact_key": "text"},
            **_STAMPS,
        },
        links={"account_id": _ACCOUNT_OF_KEY},
    ),
    Interaction: Shape(
        table="interaction",
        columns={
            **{"key": "text", "kind": "text", "direction": "text", "occurred_at": "timestamptz", "account_key": "text"},
            **{"contact_key": "text", "from_email": "text", "to_emails": "text[]", "message_id": "text", "in_reply_to": "text"},
            "automatic": "boolean",
            **_STAMPS,
        },
        links={"account_id": _ACCOUNT_OF_KEY, "contact_id": _CONTACT_OF_KEY},
    ),
}


def land(db: Db, connection_id: UUID, record_type: type, records: Sequence[Any], unread: Collection[str] = ()) -> int:
    """Upserts by the source's key; an older version never overwrites a newer one. Returns how many rows are new or changed.

    `unread`: columns that the source could not read; what is stored in them stays.
    """
    shape = SHAPES[record_type]
    copy_to_landing(db, shape.table, shape.columns, ([_value(record, column) for column in shape.columns] for record in records))
    return db.execute(_upsert(shape, unread), {"connection_id": connection_id}).rowcount


def land_texts(db: Db, connection_id: UUID, records: Sequence[Interaction]) -> None:
    """The words, beside their interactions. Same page, same transaction. A changed body drops its own-text spans, to be found anew."""
    columns = {"key": "text", "subject": "text", "body": "text", "truncated": "boolean"}
    rows = ((r.key, _clean(r.subject), _clean(r.body), r.body_truncated) for r in records if r.body or r.subject)
    copy_to_landing(db, "message_text", columns, rows)
    db.execute(
        "INSERT INTO message_text AS t (workspace_id, interaction_id, subject, body, truncated)"
        " SELECT DISTINCT ON (i.interaction_id) current_workspace(), i.interaction_id, l.subject, l.body, l.truncated"
        " FROM landing_message_text l JOIN interaction i ON i.connection_id = %s AND i.key = l.key"
        " ON CONFLICT (workspace_id, interaction_id) DO UPDATE"
        " SET subject = excluded.subject, body = excluded.body, truncated = excluded.truncated, own_starts = NULL, own_ends = NULL, quote_strip = NULL"
        " WHERE (t.subject, t.body) IS DISTINCT FROM (excluded.subject, excluded.body)",
        [connection_id],
    )


def drop_seen_elsewhere(db: Db, connection_id: UUID, records: Sequence[Interaction]) -> list[Interaction]:
    """One email that two connections hold is one email: without those whose Message-ID another connection has landed."""
    ids = [r.message_id for r in records if r.message_id]
    rows = db.execute("SELECT DISTINCT message_id FROM interaction WHERE message_id = ANY(%s) AND connection_id <> %s", [ids, connection_id])
    seen = {message_id for (message_id,) in rows}
    return [r for r in records if r.message_id not in seen]


def mark_due(db: Db, record_type: type, connection_id: UUID, keys: Sequence[str]) -> None:
    """The accounts that these landed rows belong to are to be scored again."""
    table = SHAPES[record_type].table
    db.execute(
        sql.SQL(
            "INSERT INTO score_due (workspace_id, account_id) SELECT DISTINCT workspace_id, account_id FROM {}"
            " WHERE connection_id = %s AND key = ANY(%s) AND account_id IS NOT NULL ON CONFLICT DO NOTHING"
        ).format(sql.Identifier(table)),
        [connection_id, list(keys)],
    )


def _upsert(shape: Shape, unread: Collection[str]) -> sql.Composed:
    """A link found once is kept when a later version of the row does not give it."""
    names = [sql.Identifier(name) for name in shape.columns]
    links = [sql.Identifier(name) for name in shape.links]
    updates = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in shape.columns if name != "key" and name not in unread]
    updates += [sql.SQL("{0} = COALESCE(excluded.{0}, t.{0})").format(n) for n in links]
    compared = [sql.Identifier(name) for name in shape.columns if name not in ("key", "modified_at", *unread)]
    return sql.SQL(
        "INSERT INTO {table} AS t (workspace_id, connection_id, {names})"
        " SELECT DISTINCT ON (l.key) current_workspace(), %(connection_id)s, {values} FROM {landing} l ORDER BY l.key, l.modified_at DESC NULLS LAST"
        " ON CONFLICT (workspace_id, connection_id, key) DO UPDATE SET {updates}"
        " WHERE (t.modified_at IS NULL OR excluded.modified_at IS NULL OR t.modified_at <= excluded.modified_at)"
        " AND ({old}) IS DISTINCT FROM ({new})"
    ).format(
        table=sql.Identifier(shape.table),
        landing=sql.Identifier(f"landing_{shape.table}"),
        names=sql.SQL(", ").join([*names, *links]),
        values=sql.SQL(", ").join([*(sql.SQL("l.{}").format(n) for n in names), *(sql.SQL(f"({find})") for find in shape.links.values())]),
        updates=sql.SQL(", ").join(updates),
        old=sql.SQL(", ").join(sql.SQL("t.{}").format(n) for n in [*compared, *links]),
        new=sql.SQL(", ").join([*(sql.SQL("excluded.{}").format(n) for n in compared), *(sql.SQL("COALESCE(excluded.{0}, t.{0})").format(n) for n in links)]),
    )


def _value(record: object, column: str) -> object:
    value = getattr(record, column)
    if isinstance(value, str):
        return _clean(value)
    return list(value) if isinstance(value, tuple) else value


def _clean(text: str) -> str:
    """Postgres takes neither NUL nor a lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
