"""What belongs to accounts and contacts that were merged into others, or that have come back: set by set, whatever their number.

A row that its source hangs on a merged record by key goes where that record is at home now; one that was found by address goes with it once,
and stays. Signals and suggestions keep their ids, so that a task in the CRM goes on and no second one is made.
"""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from service.store import outbox, workspaces
from service.store.accounts import due_of
from service.store.pool import Db


def follow(db: Db) -> None:
    """After accounts or contacts have landed. Doing it twice changes nothing."""
    contacts = _find_moves(db, "contact", "contact_id")
    accounts = _find_moves(db, "account", "account_id")
    if not contacts and not accounts:
        return
    if contacts:
        db.execute(_INTERACTIONS_OF_CONTACTS)
    if accounts:
        for table in ("contact", "opportunity", "interaction"):
            db.execute(_OF_ACCOUNTS.format(table=table))
        db.execute(_WITH_THEIR_CONTACT)
        db.execute(_DUE)
    change_no = workspaces.next_change(db)
    if contacts:
        db.execute(_SIGNALS.format(moving=_SIGNALS_OF_CONTACTS), {"change_no": change_no})
        db.execute(_SUGGESTIONS_OF_CONTACTS, {"change_no": change_no})
    if accounts:
        db.execute(_SIGNALS.format(moving=_SIGNALS_OF_ACCOUNTS), {"change_no": change_no})
        _move_suggestions(db, change_no)
    workspaces.suggest_due(db, due=True)


def _find_moves(db: Db, table: str, key: str) -> int:
    """Whoever is at home elsewhere now than before: in `landing_<table>_move`, and written down as its survivor. How many that are.

    Followed to the end of the chain. Where a link is not known yet, or leads back, a record stays at home.
    """
    db.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS landing_{table}_move (gone uuid, connection_id uuid, key text, before uuid, after uuid) ON COMMIT DELETE ROWS;"
        f" DELETE FROM landing_{table}_move",
        prepare=False,
    )
    return db.execute(
        f"WITH RECURSIVE merged AS (SELECT {key} AS id, connection_id, key, merged_into_key, survivor_id FROM {table}"
        "     WHERE merged_into_key IS NOT NULL OR survivor_id IS NOT NULL),"
        " chain AS (SELECT id AS gone, connection_id, merged_into_key AS next_key, ARRAY[key] AS seen, NULL::uuid AS at FROM merged UNION ALL"
        "     SELECT c.gone, c.connection_id, s.merged_into_key, c.seen || s.key, s.id FROM chain c CROSS JOIN LATERAL"
        f"      (SELECT s.{key} AS id, s.key, s.merged_into_key FROM {table} s WHERE s.connection_id = c.connection_id AND s.key = c.next_key OFFSET 0) s"
        "     WHERE c.next_key IS NOT NULL AND s.key <> ALL (c.seen)),"
        " found AS (SELECT m.id, m.survivor_id AS before, (SELECT c.at FROM chain c WHERE c.gone = m.id AND c.next_key IS NULL) AS after FROM merged m),"
        f" moved AS (UPDATE {table} t SET survivor_id = f.after FROM found f WHERE t.{key} = f.id AND f.before IS DISTINCT FROM f.after"
        f"     RETURNING t.{key}, t.connection_id, t.key, COALESCE(f.before, t.{key}), COALESCE(f.after, t.{key}))"
        f" INSERT INTO landing_{table}_move SELECT * FROM moved"
    ).rowcount


def _move_suggestions(db: Db, change_no: int) -> None:
    """One may stay open in an account: the one that was there, else the oldest. Of the others the CRM is told that they are over."""
    rows = db.execute(_SUGGESTIONS_OF_ACCOUNTS, {"change_no": change_no}).fetchall()
    was_open = [(suggestion_id, account_id, over) for suggestion_id, account_id, state, over in rows if state == "open"]
    db.execute("DELETE FROM suggestion_open WHERE suggestion_id = ANY(%s)", [[s for s, _, _ in was_open]])
    db.execute(
        "INSERT INTO suggestion_open (workspace_id, account_id, suggestion_id) SELECT current_workspace(), a, s FROM unnest(%s::uuid[], %s::uuid[]) AS k(a, s)",
        [[a for _, a, over in was_open if not over], [s for s, _, over in was_open if not over]],
    )
    _tell_that_they_are_over(db, [s for s, _, over in was_open if over])


def _tell_that_they_are_over(db: Db, suggestion_ids: list[UUID]) -> None:
    told: dict[UUID, list[UUID]] = defaultdict(list)
    pushed = db.execute(
        "SELECT connection_id, suggestion_id FROM push_ledger WHERE suggestion_id = ANY(%s) AND remote_id IS NOT NULL ORDER BY 1, 2", [suggestion_ids]
    )
    for connection_id, suggestion_id in pushed:
        told[connection_id].append(suggestion_id)
    for connection_id, ids in told.items():
        outbox.add(db, ids, connection_id)


_INTERACTIONS_OF_CONTACTS = (
    "WITH moved AS (UPDATE interaction t SET contact_id = m.after FROM landing_contact_move m WHERE t.contact_id = m.before AND"
    "     (t.connection_id = m.connection_id AND t.contact_key = m.key"
    "      OR m.before = m.gone AND (t.contact_key IS NULL OR t.connection_id <> m.connection_id)) RETURNING t.account_id)"
    f" {due_of('moved')}"
)
_OF_ACCOUNTS = (
    "UPDATE {table} t SET account_id = m.after FROM landing_account_move m WHERE t.account_id = m.before AND"
    " (t.connection_id = m.connection_id AND t.account_key = m.key"
    "  OR m.before = m.gone AND (t.account_key IS NULL OR t.connection_id <> m.connection_id))"
)
_WITH_THEIR_CONTACT = (
    "UPDATE interaction t SET account_id = m.after FROM landing_account_move m, contact c WHERE m.after = m.gone AND t.account_id = m.before"
    " AND t.account_key IS NULL AND c.contact_id = t.contact_id AND c.account_id = m.after"
)
"""Of an account that has come back, what was found by the address of its people."""
_DUE = due_of("(SELECT unnest(ARRAY[before, after, gone]) AS account_id FROM landing_account_move)")

_SIGNALS = (
    "WITH moving AS ({moving}),"
    " moved AS (INSERT INTO signal (workspace_id, signal_id, version, account_id, contact_id, kind, key, state, detected_at, ended_at, confidence, numbers,"
    "     alternatives, model_version, change_no) SELECT workspace_id, signal_id, version + 1, new_account_id, new_contact_id, kind, new_key, state,"
    "     detected_at, ended_at, confidence, numbers, alternatives, model_version, %(change_no)s FROM moving)"
    " INSERT INTO evidence (workspace_id, evidence_id, signal_id, version, type, source, observed_at, contact_id, interaction_id, span_start, span_end,"
    "  numbers) SELECT e.workspace_id, gen_random_uuid(), e.signal_id, e.version + 1, e.type, e.source, e.observed_at,"
    "  CASE WHEN e.contact_id = m.contact_id THEN m.new_contact_id ELSE e.contact_id END, e.interaction_id, e.span_start, e.span_end, e.numbers"
    "  FROM moving m JOIN evidence e USING (workspace_id, signal_id, version)"
)
_SIGNALS_OF_ACCOUNTS = (
    "SELECT DISTINCT ON (s.signal_id) s.*, m.after AS new_account_id, s.contact_id AS new_contact_id, s.key AS new_key"
    " FROM signal_current s JOIN landing_account_move m ON m.before = s.account_id"
    " WHERE NOT EXISTS (SELECT FROM signal_current k WHERE k.account_id = m.after AND k.key = s.key) AND (m.before = m.gone"
    "   OR EXISTS (SELECT FROM signal v WHERE v.signal_id = s.signal_id AND v.account_id = m.gone)"
    "   AND EXISTS (SELECT FROM evidence e JOIN interaction i USING (workspace_id, interaction_id)"
    "    WHERE e.signal_id = s.signal_id AND e.version = s.version AND i.account_id = m.after))"
    " ORDER BY s.signal_id, m.before = m.gone DESC"
)
"""Those of one that has come back go home if what they rest on has."""
_SIGNALS_OF_CONTACTS = (
    "SELECT DISTINCT ON (s.signal_id) s.*, s.account_id AS new_account_id, m.after AS new_contact_id, replace(s.key, m.before::text, m.after::text) AS new_key"
    " FROM signal_current s JOIN landing_contact_move m ON m.before = s.contact_id"
    " WHERE m.before = m.gone OR EXISTS (SELECT FROM evidence e JOIN interaction i USING (workspace_id, interaction_id)"
    "  WHERE e.signal_id = s.signal_id AND e.version = s.version AND i.contact_id = m.after)"
    " ORDER BY s.signal_id, m.before = m.gone DESC"
)

_SAME = (
    "owner_key, lead_kind, signal_ids, handling, why_now, plan, draft, no_draft_reason, alternatives, due, priority, opened_at, evidence_at, playbook_version,"
    " pause"
)
_SUGGESTIONS_OF_ACCOUNTS = (
    "WITH moving AS (SELECT DISTINCT ON (u.suggestion_id) u.*, m.after FROM suggestion_current u JOIN landing_account_move m ON m.before = u.account_id"
    "   WHERE m.before = m.gone OR EXISTS (SELECT FROM suggestion v WHERE v.suggestion_id = u.suggestion_id AND v.account_id = m.gone)"
    "    AND EXISTS (SELECT FROM signal_current s WHERE s.signal_id = ANY (u.signal_ids) AND s.account_id = m.after)"
    "   ORDER BY u.suggestion_id, m.before = m.gone DESC),"
    " ranked AS (SELECT g.*, g.state = 'open' AND (row_number() OVER (PARTITION BY g.after, g.state ORDER BY g.opened_at, g.suggestion_id) > 1"
    "   OR EXISTS (SELECT FROM suggestion_open o WHERE o.account_id = g.after AND o.suggestion_id NOT IN (SELECT suggestion_id FROM moving))) AS over"
    "   FROM moving g),"
    f" moved AS (INSERT INTO suggestion (workspace_id, suggestion_id, version, account_id, contact_id, state, close_reason, {_SAME}, change_no)"
    "   SELECT workspace_id, suggestion_id, version + 1, after, contact_id, CASE WHEN over THEN 'closed' ELSE state END,"
    f"   CASE WHEN over THEN 'contradicted' ELSE close_reason END, {_SAME}, %(change_no)s FROM ranked)"
    " SELECT suggestion_id, after, state, over FROM ranked"
)
_SUGGESTIONS_OF_CONTACTS = (
    f"INSERT INTO suggestion (workspace_id, suggestion_id, version, account_id, contact_id, state, close_reason, {_SAME}, change_no)"
    f" SELECT DISTINCT ON (suggestion_id) workspace_id, suggestion_id, version + 1, account_id, m.after, state, close_reason, {_SAME}, %(change_no)s"
    " FROM suggestion_current u JOIN landing_contact_move m ON m.before = u.contact_id WHERE m.before = m.gone AND u.state = 'open'"
    " ORDER BY suggestion_id"
)
