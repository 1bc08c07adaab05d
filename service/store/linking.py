"""Who wrote to whom: interactions to contacts and accounts, by address, then by domain. Between two candidates nothing is guessed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from service.store.pool import Db


def link_late_keys(db: Db, connection_id: UUID) -> None:
    """Rows that landed before the account they name."""
    for table in ("contact", "opportunity", "interaction"):
        db.execute(
            f"UPDATE {table} t SET account_id = a.account_id FROM account a"
            " WHERE t.account_id IS NULL AND t.connection_id = %(id)s AND a.connection_id = %(id)s AND a.key = t.account_key",
            {"id": connection_id},
        )


def link_by_address(db: Db) -> None:
    """The other side's address (sender of what came in, receivers of what went out) names a contact, if exactly one has it."""
    db.execute(
        "WITH known AS (SELECT lower(email) AS email, (array_agg(contact_id))[1] AS contact_id, (array_agg(account_id))[1] AS account_id FROM contact"
        "     WHERE email IS NOT NULL AND NOT deleted GROUP BY lower(email) HAVING count(*) = 1),"
        " found AS (SELECT DISTINCT ON (i.interaction_id) i.interaction_id, k.contact_id, k.account_id"
        "     FROM interaction i CROSS JOIN LATERAL unnest(CASE i.direction WHEN 'in' THEN ARRAY[i.from_email] ELSE i.to_emails END)"
        "       WITH ORDINALITY AS a(email, n) JOIN known k ON k.email = a.email"
        "     WHERE (i.contact_id IS NULL OR i.account_id IS NULL) AND i.direction IN ('in', 'out') ORDER BY i.interaction_id, a.n)"
        " UPDATE interaction i SET contact_id = COALESCE(i.contact_id, f.contact_id), account_id = COALESCE(i.account_id, f.account_id)"
        " FROM found f WHERE f.interaction_id = i.interaction_id AND (i.contact_id IS NULL OR i.account_id IS NULL AND f.account_id IS NOT NULL)"
    )


def link_by_domain(db: Db, shared_domains: Sequence[str]) -> None:
    """The domain of the other side's address is the website of exactly one account. Freemail domains name nobody."""
    db.execute(
        "WITH site AS (SELECT regexp_replace(lower(website), '^(https?://)?(www\\.)?([^/:]+).*$', '\\3') AS domain, (array_agg(account_id))[1] AS account_id"
        "     FROM account WHERE website IS NOT NULL AND NOT deleted GROUP BY 1 HAVING count(*) = 1),"
        " found AS (SELECT DISTINCT ON (i.interaction_id) i.interaction_id, s.account_id FROM interaction i"
        "     CROSS JOIN LATERAL unnest(CASE i.direction WHEN 'in' THEN ARRAY[i.from_email] ELSE i.to_emails END) WITH ORDINALITY AS a(email, n)"
        "     JOIN site s ON s.domain = split_part(a.email, '@', 2) OR split_part(a.email, '@', 2) LIKE '%%.' || s.domain"
        "     WHERE i.account_id IS NULL AND i.direction IN ('in', 'out') AND NOT s.domain = ANY(%s) ORDER BY i.interaction_id, a.n)"
        " UPDATE interaction i SET account_id = f.account_id FROM found f WHERE f.interaction_id = i.interaction_id",
        [list(shared_domains)],
    )


def add_unknown_writers(db: Db) -> None:
    """A person who writes for a known account and is in no CRM still has a history of their own: known by address, without a name."""
    db.execute(
        "INSERT INTO contact (workspace_id, connection_id, key, account_id, email)"
        " SELECT DISTINCT ON (i.connection_id, i.from_email) i.workspace_id, i.connection_id, 'address:' || i.from_email, i.account_id, i.from_email"
        " FROM interaction i WHERE i.contact_id IS NULL AND i.account_id IS NOT NULL AND i.direction = 'in' AND i.from_email IS NOT NULL"
        " AND NOT i.automatic AND NOT EXISTS (SELECT FROM contact c WHERE lower(c.email) = i.from_email)"
        " ON CONFLICT (workspace_id, connection_id, key) DO NOTHING"
    )


def mark_unscored_due(db: Db) -> None:
    """Accounts with messages that no run has scored yet: what linking has just made theirs."""
    db.execute(
        "INSERT INTO score_due (workspace_id, account_id) SELECT DISTINCT i.workspace_id, i.account_id FROM interaction i"
        " WHERE i.account_id IS NOT NULL AND i.direction = 'in' AND NOT i.automatic AND NOT i.deleted"
        " AND NOT EXISTS (SELECT FROM message_score s WHERE s.workspace_id = i.workspace_id AND s.interaction_id = i.interaction_id)"
        " ON CONFLICT DO NOTHING"
    )
