"""What people say of a suggestion: kept beside it, never over it."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from service.errors import NotFound
from service.store import suggestions, workspaces
from service.store.pool import transaction
from service.store.suggestions import Verdict


def give(workspace_id: UUID, suggestion_id: UUID, verdict: Verdict, source: Literal["api", "console"], note: str | None) -> None:
    with transaction(workspace_id) as db:
        if suggestions.get(db, suggestion_id) is None:
            message = "There is no such suggestion in this workspace."
            raise NotFound(message)
        suggestions.add_feedback(db, suggestion_id, verdict, source, note, workspaces.next_change(db))
