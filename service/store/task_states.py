"""What people did with our tasks in the CRM: status, owner, closing, deletion, who changed them last, and their feedback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from connectors.records import TaskState
from service.store.pool import Db

_COLUMNS = {
    **{"key": "text", "remote_id": "text", "status": "text", "is_closed": "boolean", "deleted": "boolean", "owner_key": "text", "edited_by_key": "text"},
    "modified_at": "timestamptz",
}


def land(db: Db, connection_id: UUID, states: Sequence[TaskState], at: datetime) -> int:
    """Returns how many rows changed. A state older than the one that is held changes nothing; what a source does not tell stays."""
    parameters = {
        "connection_id": connection_id,
        "at": at,
        "feedbacks": [s.feedback for s in states],
        **{name: [getattr(s, name) for s in states] for name in _COLUMNS},
    }
    changed = db.execute(
        # A person may have copied a task of ours, key and all: the one that we made is followed as long as it stands.
        f"WITH shown AS (SELECT DISTINCT ON (u.key) u.* FROM unnest({', '.join(f'%({name})s::{kind}[]' for name, kind in _COLUMNS.items())})"
        f"   AS u({', '.join(_COLUMNS)}) JOIN push_ledger h ON h.key = u.key AND h.connection_id = %(connection_id)s"
        "   WHERE h.remote_id IS NULL OR h.remote_id = u.remote_id OR h.remote_deleted AND NOT u.deleted"
        "   ORDER BY u.key, u.remote_id = h.remote_id DESC, u.deleted, u.modified_at DESC NULLS LAST)"
        " UPDATE push_ledger p SET remote_id = u.remote_id, remote_status = u.status, remote_closed = u.is_closed, remote_deleted = u.deleted,"
        " remote_owner_key = COALESCE(u.owner_key, p.remote_owner_key), remote_edited_by_key = COALESCE(u.edited_by_key, p.remote_edited_by_key),"
        " remote_modified_at = COALESCE(u.modified_at, p.remote_modified_at), seen_at = %(at)s FROM shown u"
        " WHERE p.key = u.key AND p.connection_id = %(connection_id)s"
        " AND (p.remote_id IS DISTINCT FROM u.remote_id OR p.remote_modified_at IS NULL OR u.modified_at IS NULL OR p.remote_modified_at <= u.modified_at)"
        " AND (p.remote_id, p.remote_status, p.remote_closed, p.remote_deleted, p.remote_owner_key, p.remote_edited_by_key) IS DISTINCT FROM"
        "   (u.remote_id, u.status, u.is_closed, u.deleted, COALESCE(u.owner_key, p.remote_owner_key), COALESCE(u.edited_by_key, p.remote_edited_by_key))",
        parameters,
    ).rowcount
    db.execute(
        "WITH new AS (SELECT p.suggestion_id, u.feedback FROM unnest(%(key)s::text[], %(feedbacks)s::text[]) AS u(key, feedback)"
        "   JOIN push_ledger p ON p.key = u.key AND p.connection_id = %(connection_id)s"
        "   WHERE u.feedback IN ('used', 'edited', 'not_now', 'wrong_reading') AND u.feedback IS DISTINCT FROM"
        "     (SELECT f.verdict FROM feedback f WHERE f.suggestion_id = p.suggestion_id AND f.source = 'crm' ORDER BY f.change_no DESC LIMIT 1)),"
        " change AS (SELECT next_change() AS no WHERE EXISTS (SELECT FROM new))"
        " INSERT INTO feedback (workspace_id, suggestion_id, verdict, source, change_no)"
        " SELECT current_workspace(), suggestion_id, feedback, 'crm', no FROM new, change",
        parameters,
    )
    return changed
