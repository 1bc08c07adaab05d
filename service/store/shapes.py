"""How each type of record stands in its table, and the statements that bring a landed page there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from psycopg import sql

from connectors.records import Account, Contact, Interaction, Opportunity, User
from service.store.accounts import due_of
from service.store.linking import UNLINKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A column that the database fills: `find` is a SELECT of its value with the landed row as `l`, whose column `key` names what is meant."""

    key: str
    find: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """`columns` maps column to the type in which it lands, in the order of the rows; an integer lands wider than it is kept, so that one too
    large is refused. `numbered`: the column of an id that the upsert gives. `queues`: what of the changed rows linking is to look at, as
    (what, its id, condition)."""

    table: str
    columns: Mapping[str, str]
    links: Mapping[str, Link] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    numbered: str | None = None
    makes_due: bool = False
    queues: tuple[str, str, str] | None = None


ACCOUNT_OF_KEY = (
    "SELECT COALESCE(a.survivor_id, a.account_id) FROM account a"
    " WHERE a.workspace_id = (SELECT current_workspace()) AND a.connection_id = %(connection_id)s AND a.key = l.account_key"
)
CONTACT_OF_KEY = (
    "SELECT COALESCE(c.survivor_id, c.contact_id) FROM contact c"
    " WHERE c.workspace_id = (SELECT current_workspace()) AND c.connection_id = %(connection_id)s AND c.key = l.contact_key"
)
_STAMPS = {"modified_at": "timestamptz", "deleted": "boolean"}

SHAPES: Mapping[type, Shape] = {
    User: Shape(
        table="crm_user",
        columns={"key": "text", "name": "text", "email": "text", "active": "boolean", "manager_key": "text", **_STAMPS},
    ),
    Account: Shape(
        table="account",
        columns={
            **{"key": "text", "name": "text", "website": "text", "owner_key": "text", "region": "text", "timezone": "text"},
            **{"seats": "bigint", "arr": "double precision", "currency": "text"},
            **_STAMPS,
            "merged_into_key": "text",
        },
        makes_due=True,
        queues=("account", "account_id", "true"),
    ),
    Contact: Shape(
        table="contact",
        columns={
            **{"key": "text", "account_key": "text", "name": "text", "email": "text", "title": "text", "opted_out": "boolean"},
            **_STAMPS,
            "merged_into_key": "text",
        },
        links={"account_id": Link(key="account_key", find=ACCOUNT_OF_KEY)},
        queues=("contact", "contact_id", "true"),
    ),
    Opportunity: Shape(
        table="opportunity",
        columns={
            **{"key": "text", "account_key": "text", "name": "text", "type": "text", "stage": "text", "amount": "double precision"},
            **{"close_date": "date", "is_closed": "boolean", "is_won": "boolean", "primary_contact_key": "text"},
            **_STAMPS,
        },
        links={"account_id": Link(key="account_key", find=ACCOUNT_OF_KEY)},
        makes_due=True,
    ),
    Interaction: Shape(
        table="interaction",
        columns={
            **{"key": "text", "kind": "text", "direction": "text", "occurred_at": "timestamptz", "account_key": "text"},
            **{"contact_key": "text", "from_email": "text", "to_emails": "text[]", "message_id": "text", "in_reply_to": "text"},
            "automatic": "boolean",
            **_STAMPS,
        },
        links={"account_id": Link(key="account_key", find=ACCOUNT_OF_KEY), "contact_id": Link(key="contact_key", find=CONTACT_OF_KEY)},
        words={"subject": "text", "body": "text", "body_truncated": "boolean"},
        numbered="interaction_id",
        makes_due=True,
        queues=("interaction", "interaction_id", UNLINKED),
    ),
}


@cache
def upsert(record_type: type, unread: frozenset[str]) -> bytes:
    """New rows and newer versions into their table, their words beside them, their accounts due, and what linking is to look at.

    One row: how many of the landed rows are new or changed. No key may stand twice among the landed. `page`: 24 random hexadecimal digits.
    """
    shape = SHAPES[record_type]
    parts = [
        sql.SQL("WITH changed AS ({} RETURNING t.*)").format(_rows(shape, unread)),
        *([_changed_words(unread)] if shape.words else []),
        *([_DUE] if shape.makes_due else []),
        *([_queue(*shape.queues)] if shape.queues else []),
    ]
    return sql.SQL("{} SELECT count(*) FROM changed").format(sql.SQL(", ").join(parts)).as_bytes(None)


def _rows(shape: Shape, unread: Collection[str]) -> sql.Composable:
    """An older version never overwrites a newer one; of two with one stamp the later to arrive counts. A row as it stood is not written."""
    read = [c for c in shape.columns if c != "key" and c not in unread]
    links = {column: link for column, link in shape.links.items() if link.key not in unread}
    new = [*(sql.SQL("excluded.{}").format(sql.Identifier(c)) for c in read), *(_linked(column, link) for column, link in links.items())]
    written = [sql.Identifier(c) for c in (*read, *links)]
    numbered = {shape.numbered: _NEXT_ID} if shape.numbered else {}
    return sql.SQL(
        "INSERT INTO {table} AS t (workspace_id, connection_id, {names})"
        " SELECT (SELECT current_workspace()), %(connection_id)s, {values} FROM {landing} l"
        " ON CONFLICT (workspace_id, connection_id, key) DO UPDATE SET ({written}) = ROW({new})"
        " WHERE (t.modified_at IS NULL OR excluded.modified_at IS NULL OR t.modified_at <= excluded.modified_at) AND ({old}) IS DISTINCT FROM ({new})"
    ).format(
        table=sql.Identifier(shape.table),
        landing=sql.Identifier(f"landing_{shape.table}"),
        names=_list(map(sql.Identifier, (*numbered, *shape.columns, *shape.links))),
        values=_list(
            [
                *numbered.values(),
                *(sql.SQL("l.{}").format(sql.Identifier(c)) for c in shape.columns),
                *(sql.SQL(f"({link.find})") for link in shape.links.values()),
            ]
        ),
        written=_list(written),
        new=_list(new),
        old=_list(sql.SQL("t.{}").format(n) for n in written),
    )


def _linked(column: str, link: Link) -> sql.Composable:
    """What was found by address is kept as long as the source names nobody else."""
    return sql.SQL("CASE WHEN t.{key} IS NOT DISTINCT FROM excluded.{key} THEN COALESCE(excluded.{column}, t.{column}) ELSE excluded.{column} END").format(
        key=sql.Identifier(link.key), column=sql.Identifier(column)
    )


_NEXT_ID = sql.SQL("(%(page)s || lpad(to_hex(row_number() OVER ()), 8, '0'))::uuid")
"""Random ids, but of one page side by side in the index."""

_DUE = sql.SQL(f"due AS ({due_of('changed')})")


def _queue(what: str, key: str, condition: str) -> sql.Composable:
    return sql.SQL(
        "queued AS (INSERT INTO link_due (workspace_id, what, id) SELECT c.workspace_id, {what}, c.{key} FROM changed c"
        " WHERE {condition} ORDER BY c.{key} ON CONFLICT DO NOTHING)"
    ).format(what=sql.Literal(what), key=sql.Identifier(key), condition=sql.SQL(condition))


def _changed_words(unread: Collection[str]) -> sql.Composable:
    return sql.SQL("said AS ({})").format(
        _words(sql.SQL("SELECT c.interaction_id, l.subject, l.body, l.body_truncated FROM changed c JOIN landing_interaction l USING (key)"), unread)
    )


@cache
def words_of_the_rest(unread: frozenset[str]) -> bytes:
    """Words that differ though nothing else does: they could not be read before. One row: of how many of the landed.

    Of each the interaction is looked up by itself: of a join the planner might take the slow way round.
    """
    current = sql.SQL(
        "SELECT i.interaction_id, l.subject, l.body, l.body_truncated FROM landing_interaction l CROSS JOIN LATERAL (SELECT i.interaction_id FROM interaction i"
        " WHERE i.connection_id = %(connection_id)s AND i.key = l.key AND i.modified_at IS NOT DISTINCT FROM l.modified_at OFFSET 0) i"
    )
    return (
        sql.SQL("WITH said AS ({} RETURNING interaction_id), due AS ({}) SELECT count(*) FROM said")
        .format(_words(current, unread), sql.SQL(due_of(_SAID)))
        .as_bytes(None)
    )


_SAID = "(SELECT i.account_id FROM said s CROSS JOIN LATERAL (SELECT i.account_id FROM interaction i WHERE i.interaction_id = s.interaction_id OFFSET 0) i)"


def _words(source: sql.Composable, unread: Collection[str]) -> sql.Composable:
    """A changed body drops its own-text spans, to be found anew."""
    read = [c for c in ("subject", "body") if c not in unread]
    if not read:
        return sql.SQL("SELECT NULL::uuid AS interaction_id FROM ({}) s WHERE false").format(source)
    names = _list(map(sql.Identifier, read))
    fresh = sql.SQL(", truncated = excluded.truncated, own_starts = {}, own_ends = {}, quote_strip = {}").format(
        *(sql.SQL("CASE WHEN m.body = excluded.body THEN m.{} END").format(sql.Identifier(c)) for c in ("own_starts", "own_ends", "quote_strip"))
    )
    return sql.SQL(
        "INSERT INTO message_text AS m (workspace_id, interaction_id, subject, body, truncated)"
        " SELECT (SELECT current_workspace()), s.interaction_id, s.subject, s.body, s.body_truncated FROM ({source}) s WHERE s.subject <> '' OR s.body <> ''"
        " ON CONFLICT (workspace_id, interaction_id) DO UPDATE SET ({names}) = ROW({new}){fresh} WHERE ({old}) IS DISTINCT FROM ({new})"
    ).format(
        source=source,
        names=names,
        new=_list(sql.SQL("excluded.{}").format(sql.Identifier(c)) for c in read),
        old=_list(sql.SQL("m.{}").format(sql.Identifier(c)) for c in read),
        fresh=fresh if "body" in read else sql.SQL(""),
    )


DROP_WORDS = (
    b"DELETE FROM message_text m WHERE m.interaction_id = ANY (ARRAY(SELECT i.interaction_id FROM landing_interaction l CROSS JOIN LATERAL"
    b" (SELECT i.interaction_id FROM interaction i WHERE i.connection_id = %(connection_id)s AND i.key = l.key"
    b"  AND i.modified_at IS NOT DISTINCT FROM l.modified_at OFFSET 0) i WHERE l.subject = '' AND l.body = '' AND (l.deleted OR %(all_read)s)))"
)


def _list(items: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(items)
