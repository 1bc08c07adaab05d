"""A workspace of many accounts, written by Postgres itself: for each its interactions and days of usage, two signals with evidence, an outlook."""

from __future__ import annotations

from uuid import UUID

import psycopg

from benchmarks import base
from service.config import settings

_FILL = (
    "INSERT INTO connection (workspace_id, connector, name) VALUES (%(w)s, 'account_files', 'bench')",
    "INSERT INTO account (workspace_id, connection_id, key, name, arr, currency)"
    " SELECT %(w)s, c.connection_id, 'a' || n, 'Account ' || n, 1000 + n, 'EUR' FROM connection c, generate_series(1, %(n)s) n WHERE c.workspace_id = %(w)s",
    "INSERT INTO contact (workspace_id, connection_id, key, account_id, account_key, name, email)"
    " SELECT workspace_id, connection_id, 'c' || key, account_id, key, 'Contact of ' || name, key || '@example.com' FROM account WHERE workspace_id = %(w)s",
    "ANALYZE account, contact",  # else the join below is planned for a handful
    "INSERT INTO interaction (workspace_id, connection_id, key, kind, direction, occurred_at, account_id, account_key, contact_id)"
    " SELECT a.workspace_id, a.connection_id, a.key || '-' || i, 'email',"
    " CASE i %% 2 WHEN 0 THEN 'in' ELSE 'out' END, timestamptz '2026-03-01Z' - i * interval '3 days',"
    " a.account_id, a.key, c.contact_id FROM account a JOIN contact c USING (workspace_id, account_id),"
    " generate_series(1, %(interactions)s) i WHERE a.workspace_id = %(w)s",
    "INSERT INTO usage_series (workspace_id, series_no, account_id, metric) SELECT workspace_id, row_number() OVER (ORDER BY key), account_id, 'active_users'"
    " FROM account WHERE workspace_id = %(w)s",
    "INSERT INTO usage_day (workspace_id, series_no, day, value) SELECT workspace_id, series_no, date '2026-03-01' - d, 20 + d %% 7 FROM usage_series,"
    " generate_series(1, %(days)s) d WHERE workspace_id = %(w)s",
    "INSERT INTO signal (workspace_id, signal_id, version, account_id, kind, key, state, detected_at, confidence, numbers, alternatives, model_version,"
    " change_no) SELECT workspace_id, gen_random_uuid(), 1, account_id, 'price_objection', key || '-' || i, 'open', date '2026-03-01' - i, 0.8, '{}',"
    " ARRAY['negotiation_habit'], 'bench', row_number() OVER (ORDER BY i, key) FROM account, generate_series(1, 2) i WHERE workspace_id = %(w)s",
    "INSERT INTO evidence (workspace_id, evidence_id, signal_id, version, type, source, observed_at, numbers)"
    " SELECT workspace_id, gen_random_uuid(), signal_id, version, 'usage', 'bench', detected_at, '{\"n\": 1}' FROM signal WHERE workspace_id = %(w)s",
    "INSERT INTO outlook (workspace_id, account_id, day, level, score, drivers, unknown_parts, renewal_date, model_version, change_no) SELECT workspace_id,"
    " account_id, date '2026-03-01', 'open', 2, '[]', '{}', date '2026-06-01', 'bench', 1 FROM account WHERE workspace_id = %(w)s",
    "UPDATE workspace SET last_change = 2 * %(n)s WHERE workspace_id = %(w)s",
)


def filled(count: int, interactions: int = 50, days: int = 200) -> UUID:
    """The workspace. As the owner of the schema, past row-level security."""
    workspace_id = base.workspace()
    with psycopg.connect(str(settings().database_owner_url), autocommit=True) as db:
        db.execute("SET row_security = off")
        for statement in _FILL:
            db.execute(statement, {"w": workspace_id, "n": count, "interactions": interactions, "days": days})
        db.execute("VACUUM ANALYZE")
    return workspace_id
