"""What a workspace holds after a page has landed, and one email in several versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from connectors.records import Interaction, Opportunity
from service.store.pool import Db, transaction
from tests import builders
from tests.builders import NOW

HOUR = timedelta(hours=1)


def stored(db: Db, connection_id: UUID) -> list[tuple[Any, ...]]:
    """What a reader sees of the interactions, without our own ids."""
    return db.execute(
        "SELECT i.key, i.kind, i.direction, i.occurred_at, i.account_key, a.key, i.contact_key, i.from_email, i.to_emails, i.modified_at, i.deleted,"
        " t.subject, t.body, t.truncated FROM interaction i LEFT JOIN message_text t USING (workspace_id, interaction_id)"
        " LEFT JOIN account a ON a.account_id = i.account_id WHERE i.connection_id = %s ORDER BY i.key",
        [connection_id],
    ).fetchall()


def texts(db: Db) -> dict[str, tuple[str, str]]:
    rows = db.execute("SELECT i.key, t.subject, t.body FROM message_text t JOIN interaction i USING (workspace_id, interaction_id)")
    return {key: (subject, body) for key, subject, body in rows}


def due(db: Db) -> set[str]:
    return {key for (key,) in db.execute("SELECT a.key FROM score_due d JOIN account a USING (workspace_id, account_id)")}


def nothing_due(db: Db) -> None:
    db.execute("DELETE FROM score_due")


def version(at: int, **fields: object) -> Interaction:
    return builders.email("M1", modified_at=NOW + at * HOUR, **{"message_id": None, **fields})


@pytest.fixture
def crm(workspace: UUID) -> UUID:
    with transaction(workspace) as db:
        connection_id = builders.connection(db)
        builders.account(db, connection_id)
        nothing_due(db)
        return connection_id


def renewal(account_key: str) -> Opportunity:
    return Opportunity(
        **{"key": f"O-{account_key}", "account_key": account_key, "name": "Renewal", "type": "Renewal", "stage": "Open", "amount": 1.0},
        **{"close_date": NOW.date(), "is_closed": False, "is_won": False},
    )  # type: ignore[arg-type]
