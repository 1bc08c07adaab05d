"""Who wrote to whom: interactions to contacts and accounts, by address, then by domain. Between two candidates nothing is guessed,
and an account that the source itself names is waited for.

Each step looks at what has come in or changed since the last time (`link_due`), and at what waits without a link where that may have given it one.
Every look-up is a subquery of its own: of a join the planner might take the slow way round while tables are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from service.store import merges
from service.store.accounts import due_of
from service.store.pool import Db


def link(db: Db, connection_id: UUID, shared_domains: Sequence[str]) -> None:
    """All there is to do once rows have landed. What gets a link makes its account due."""
    link_late_keys(db, connection_id)
    link_by_address(db)
    link_by_domain(db, shared_domains)
    if add_unknown_writers(db):
        link_by_address(db)


def link_late_keys(db: Db, connection_id: UUID) -> None:
    """Rows that landed before the account they name. What belongs to accounts and contacts that were merged goes with them."""
    _take(db)
    if not _looked_at(db, "account") and not _looked_at(db, "contact"):
        return
    for table in ("contact", "opportunity", "interaction"):
        db.execute(
            f"WITH late AS (UPDATE {table} t SET account_id = a.home FROM (SELECT k.key, k.home FROM landing_link l CROSS JOIN LATERAL"
            "   (SELECT a.key, COALESCE(a.survivor_id, a.account_id) AS home FROM account a WHERE a.account_id = l.id AND a.connection_id = %s OFFSET 0) k"
            "   WHERE l.what = 'account') a"
            f" WHERE t.account_id IS NULL AND t.connection_id = %s AND t.account_key = a.key RETURNING t.account_id) {due_of('late')}",
            [connection_id, connection_id],
        )
    merges.follow(db)


def link_by_address(db: Db) -> None:
    """The other side's address (sender of what came in, receivers of what went out) names a contact, if exactly one has it."""
    _take(db)
    if _looked_at(db, "contact"):
        db.execute(
            f"{_WAITING} AND EXISTS (SELECT FROM {_OTHER_SIDE} WHERE a.email IN (SELECT c.address FROM landing_link l CROSS JOIN LATERAL"
            "  (SELECT c.address FROM contact c WHERE c.contact_id = l.id OFFSET 0) c WHERE l.what = 'contact' AND c.address IS NOT NULL))"
        )
    db.execute(
        "WITH found AS (SELECT DISTINCT ON (i.interaction_id) i.interaction_id, k.contact_id, k.account_id"
        f"     FROM {_LOOKED_AT} CROSS JOIN LATERAL {_OTHER_SIDE}"
        "     CROSS JOIN LATERAL (SELECT (array_agg(c.contact_id))[1] AS contact_id, (array_agg(c.account_id))[1] AS account_id FROM contact c"
        "       WHERE c.address = a.email AND NOT c.deleted HAVING count(*) = 1) k"
        "     ORDER BY i.interaction_id, a.n),"
        " linked AS (UPDATE interaction i SET contact_id = COALESCE(i.contact_id, f.contact_id),"
        "     account_id = CASE WHEN i.account_key IS NULL THEN COALESCE(i.account_id, f.account_id) ELSE i.account_id END"
        "     FROM found f WHERE f.interaction_id = i.interaction_id"
        "     AND (i.contact_id IS NULL OR i.account_id IS NULL AND i.account_key IS NULL AND f.account_id IS NOT NULL)"
        f"     RETURNING i.account_id) {due_of('linked')}"
    )


def link_by_domain(db: Db, shared_domains: Sequence[str]) -> None:
    """The domain of the other side's address is the website of exactly one account, or lies below it. Freemail domains name nobody."""
    _take(db)
    if _looked_at(db, "account"):
        db.execute(
            f"{_WAITING} AND i.account_id IS NULL AND EXISTS (SELECT FROM {_OTHER_SIDE} {_ENDINGS}"
            "  WHERE d.domain IN (SELECT k.domain FROM landing_link l CROSS JOIN LATERAL"
            "   (SELECT k.domain FROM account k WHERE k.account_id = l.id OFFSET 0) k WHERE l.what = 'account' AND k.domain IS NOT NULL))"
        )
    db.execute(
        f"WITH found AS (SELECT DISTINCT ON (i.interaction_id) i.interaction_id, k.account_id FROM {_LOOKED_AT} CROSS JOIN LATERAL {_OTHER_SIDE} {_ENDINGS}"
        "     CROSS JOIN LATERAL (SELECT (array_agg(k.account_id))[1] AS account_id FROM account k"
        "       WHERE k.domain = d.domain AND NOT k.deleted HAVING count(*) = 1) k"
        "     WHERE i.account_id IS NULL AND i.account_key IS NULL AND NOT d.domain = ANY(%s) ORDER BY i.interaction_id, a.n, d.place),"
        " linked AS (UPDATE interaction i SET account_id = f.account_id FROM found f WHERE f.interaction_id = i.interaction_id"
        f"     RETURNING i.account_id) {due_of('linked')}",
        [list(shared_domains)],
    )


def add_unknown_writers(db: Db) -> int:
    """A person who writes for a known account and is in no CRM still has a history of their own: known by address, without a name.

    Returns how many were added.
    """
    _take(db)
    return db.execute(
        "WITH added AS (INSERT INTO contact (workspace_id, connection_id, key, account_id, email)"
        "   SELECT DISTINCT ON (i.connection_id, i.from_email) i.workspace_id, i.connection_id, 'address:' || i.from_email, i.account_id, i.from_email"
        f"   FROM {_LOOKED_AT} WHERE i.contact_id IS NULL AND i.account_id IS NOT NULL AND i.direction = 'in' AND i.from_email IS NOT NULL AND NOT i.automatic"
        "   AND NOT EXISTS (SELECT FROM contact c WHERE c.address = i.from_email) ORDER BY i.connection_id, i.from_email"
        "   ON CONFLICT (workspace_id, connection_id, key) DO NOTHING RETURNING contact_id)"
        " INSERT INTO landing_link (what, id) SELECT 'contact', contact_id FROM added"
    ).rowcount


def _take(db: Db) -> None:
    """What is to be looked at, for this transaction: another run's share is passed over, a rollback leaves it due."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS landing_link (what text NOT NULL, id uuid NOT NULL) ON COMMIT DELETE ROWS")
    db.execute(
        "WITH taken AS (DELETE FROM link_due d USING (SELECT what, id FROM link_due ORDER BY what, id FOR UPDATE SKIP LOCKED) t"
        "   WHERE d.what = t.what AND d.id = t.id RETURNING d.what, d.id)"
        " INSERT INTO landing_link (what, id) SELECT what, id FROM taken"
    )


def _looked_at(db: Db, what: str) -> bool:
    row = db.execute("SELECT EXISTS (SELECT FROM landing_link WHERE what = %s)", [what]).fetchone()
    return bool(row and row[0])


UNLINKED = "(account_id IS NULL OR contact_id IS NULL) AND direction IN ('in', 'out') AND (from_email IS NOT NULL OR to_emails <> '{}')"
"""Of an interaction, as the index has it."""
_LOOKED_AT = (
    "(SELECT DISTINCT id FROM landing_link WHERE what = 'interaction') h"
    f" CROSS JOIN LATERAL (SELECT i.* FROM interaction i WHERE i.interaction_id = h.id AND {UNLINKED} OFFSET 0) i"
)
_WAITING = (
    f"INSERT INTO landing_link (what, id) SELECT 'interaction', i.interaction_id FROM interaction i WHERE {UNLINKED}"
    " AND i.interaction_id NOT IN (SELECT id FROM landing_link WHERE what = 'interaction')"
)
_OTHER_SIDE = "unnest(CASE i.direction WHEN 'in' THEN ARRAY[i.from_email] ELSE i.to_emails END) WITH ORDINALITY AS a(email, n)"
_ENDINGS = (
    "CROSS JOIN LATERAL (SELECT array_to_string(p.labels[place:], '.') AS domain, place"
    "   FROM (SELECT string_to_array(split_part(a.email, '@', 2), '.') AS labels OFFSET 0) p, generate_subscripts(p.labels, 1) AS place) d"
)
"""a.b.example: itself, b.example, example."""
