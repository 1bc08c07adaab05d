"""What people did with our tasks in the CRM: status, closing, deletion, and their feedback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from connectors.records import TaskState
from service.store.pool import Db


def land(db: Db, connection_id: UUID, states: Sequence[TaskState], at: datetime) -> int:
    """Returns how many rows changed."""
    parameters = {
        "connection_id": connection_id,
        "at": at,
        "keys": [s.key for s in states],
        "remote_ids": [s.remote_id for s in states],
        "statuses": [s.status for s in states],
        "closed": [s.is_closed for s in states],
        "deleted": [s.deleted for s in states],
        "feedbacks": [s.feedback for s in states],
    }
    changed = db.execute(
        "UPDATE push_ledger p SET remote_id = u.remote_id, remote_status = u.status, remote_closed = u.closed, remote_deleted = u.deleted, seen_at = %(at)s"
        " FROM unnest(%(keys)s::text[], %(remote_ids)s::text[], %(statuses)s::text[], %(closed)s::boolean[], %(deleted)s::boolean[])"
        "   AS u(key, remote_id, status, closed, deleted)"
        " WHERE p.key = u.key AND p.connection_id = %(connection_id)s"
        " AND (p.remote_id, p.remote_status, p.remote_closed, p.remote_deleted) IS DISTINCT FROM (u.remote_id, u.status, u.closed, u.deleted)",
        parameters,
    ).rowcount
    db.execute(
        "WITH new AS (SELECT p.suggestion_id, u.feedback FROM unnest(%(keys)s::text[], %(feedbacks)s::text[]) AS u(key, feedback)"
        "   JOIN push_ledger p ON p.key = u.key AND p.connection_id = %(connection_id)s"
        "   WHERE u.feedback IN ('used', 'edited', 'not_now', 'wrong_reading') AND u.feedback IS DISTINCT FROM"
        "     (SELECT f.verdict FROM feedback f WHERE f.suggestion_id = p.suggestion_id AND f.source = 'crm' ORDER BY f.change_no DESC LIMIT 1)),"
        " change AS (SELECT next_change() AS no WHERE EXISTS (SELECT FROM new))"
        " INSERT INTO feedback (workspace_id, suggestion_id, verdict, source, change_no)"
        " SELECT current_workspace(), suggestion_id, feedback, 'crm', no FROM new, change",
        parameters,
    )
    return changed
