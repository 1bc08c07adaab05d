"""A person records what a contact has asked for; from then on drafts and tasks go by it."""

from __future__ import annotations

from uuid import UUID

from service.errors import BadInput, no_such
from service.signals import Preference
from service.store import accounts, preferences, signals, workspaces
from service.store.pool import Db, transaction
from service.store.preferences import Source


def state(workspace_id: UUID, contact_id: UUID, stated: Preference, source: Source) -> None:
    """Replaces what was recorded before, which stays on record. Raises NotFound, and BadInput where the evidence is none of theirs."""
    with transaction(workspace_id) as db:
        _mind(db, contact_id, stated)
        preferences.record(db, contact_id, stated, source, workspaces.next_change(db))
        workspaces.suggest_due(db, due=True)


def stated(workspace_id: UUID, contact_id: UUID) -> Preference | None:
    """None where nothing has been recorded. Raises NotFound."""
    with transaction(workspace_id) as db:
        if not accounts.is_contact(db, contact_id):
            raise no_such("contact")
        return preferences.current(db, [contact_id]).get(contact_id)


def _mind(db: Db, contact_id: UUID, stated: Preference) -> None:
    if not accounts.is_contact(db, contact_id):
        raise no_such("contact")
    if stated.evidence_id is None:
        return
    found = signals.evidence_by_ids(db, [stated.evidence_id]).get(stated.evidence_id)
    if found is None or found.contact_id != contact_id:
        message = "evidence_id must name something that this contact wrote, as GET /v1/signals shows it. Leave it out where they said it elsewhere."
        raise BadInput(message)
