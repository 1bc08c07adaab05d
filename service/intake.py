"""A page into its tables, in a transaction of the caller's. What cannot be landed goes to the quarantine, and the rest lands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from connectors.base import Page
from connectors.characters import clean
from connectors.records import Account, Contact, Interaction, Opportunity, Record, Rejected, TaskState, UsageHours, UsageRows, User
from service.store import landing, quarantine, task_states, usage, usage_hours, usage_merges, workspaces
from service.store.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """`changed`: rows that are new or differ. `kinds`: what the page brought, see `kind_of`."""

    changed: int
    rejected: int
    kinds: frozenset[str]


def take(db: Db, connection_id: UUID, stream: str, page: Page, now: datetime, *, mending: bool = False) -> Taken:
    """`mending`: the stream has rows in the quarantine; those that have come now leave it."""
    grouped: dict[type, list[Any]] = defaultdict(list)
    for record in page.records:
        grouped[type(record)].append(record)
    rejected = list(page.rejected)
    changed = sum(_land(db, connection_id, kind, records, rejected, now, page.unread) for kind, records in grouped.items())
    if mending:
        refused = {r.source_key for r in rejected}
        quarantine.resolve(db, connection_id, stream, [key for r in page.records if (key := source_key(r)) is not None and key not in refused])
    if rejected:
        quarantine.add(db, connection_id, stream, [Rejected(source_key=clean(r.source_key), reason=clean(r.reason)) for r in rejected])
    return Taken(changed=changed, rejected=len(rejected), kinds=frozenset(map(kind_of, page.records)))


def kind_of(record: Record) -> str:
    """The word for a record: of an interaction its own kind (email, call, ...)."""
    return record.kind if isinstance(record, Interaction) else _KINDS[type(record)]


_KINDS = {User: "user", Account: "account", Contact: "contact", Opportunity: "opportunity", TaskState: "task", UsageRows: "usage", UsageHours: "usage"}


def source_key(record: Record) -> str | None:
    """By which the source knows the row; None for a block of usage."""
    if isinstance(record, UsageRows | UsageHours):
        return None
    return record.remote_id if isinstance(record, TaskState) else record.key


def _land(db: Db, connection_id: UUID, kind: type, records: Sequence[Any], rejected: list[Rejected], now: datetime, unread: Collection[str]) -> int:
    if kind in (UsageRows, UsageHours):
        return sum(_land_usage(db, rows, rejected) for rows in records)
    if kind is TaskState:
        changed = task_states.land(db, connection_id, records, now)
        if changed:
            workspaces.suggest_due(db, due=True)
        return changed
    changed = landing.land_page(db, connection_id, kind, records, unread, rejected)
    if kind is Account and changed:
        quarantine.reread_usage(db)
        usage_merges.follow_merges(db)
    return changed


def _land_usage(db: Db, rows: UsageRows | UsageHours, rejected: list[Rejected]) -> int:
    changed, unknown = usage_hours.land_hours(db, rows) if isinstance(rows, UsageHours) else usage.land_usage(db, rows)
    rejected += [Rejected(source_key=key, reason=quarantine.UNKNOWN_ACCOUNT) for key in unknown]
    return changed
