"""What a push needs to know of suggestions, read for a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from service.signals import Signal
from service.store import signals, suggestions
from service.store.pool import Db
from service.store.suggestions import SuggestionRow

_MOST_MERGES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an account is today: itself, the one that it was merged into, or nowhere. `awaited`: it was merged into one that has not been read yet."""

    account_id: UUID | None
    awaited: bool


def newest(db: Db, suggestion_ids: Sequence[UUID]) -> list[SuggestionRow]:
    return suggestions._rows(db, f"{suggestions._ROW} WHERE s.suggestion_id = ANY(%(ids)s)", {"ids": list(suggestion_ids)})


def signals_by_id(db: Db, signal_ids: Sequence[UUID]) -> dict[UUID, Signal]:
    rows = signals._read(db, f"{signals._SIGNAL} WHERE s.signal_id = ANY(%(ids)s)", {"ids": list(signal_ids)})
    return {r.signal.id: r.signal for r in rows}


def places(db: Db, account_ids: Sequence[UUID]) -> dict[UUID, Place]:
    rows = db.execute(
        "WITH RECURSIVE way AS (SELECT a.account_id AS origin, a.account_id, a.connection_id, a.merged_into_key, a.deleted, 0 AS hop FROM account a"
        "   WHERE a.account_id = ANY(%(ids)s)"
        "  UNION ALL SELECT w.origin, b.account_id, b.connection_id, b.merged_into_key, b.deleted, w.hop + 1 FROM way w"
        "   JOIN account b ON b.workspace_id = current_workspace() AND b.connection_id = w.connection_id AND b.key = w.merged_into_key"
        "   WHERE w.hop < %(most)s)"
        " SELECT DISTINCT ON (origin) origin, CASE WHEN merged_into_key IS NULL AND NOT deleted THEN account_id END, merged_into_key IS NOT NULL"
        " FROM way ORDER BY origin, hop DESC",
        {"ids": list(account_ids), "most": _MOST_MERGES},
    )
    return {origin: Place(account_id=account_id, awaited=awaited) for origin, account_id, awaited in rows}
