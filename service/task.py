"""A suggestion as a task: everything the CRM is to show, put together at push time from what is true then."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from connectors.base import Task
from service.case import case_of
from service.config import settings
from service.playbook import WordsErased, render, task_text
from service.signals import Composition, Quote, Segment, Signal
from service.store import accounts, messages, signals, suggestions, workspaces
from service.store.accounts import ContactRow, Profile
from service.store.pool import Db, transaction
from service.store.suggestions import SuggestionRow

NO_LONGER = {
    "contradicted": "NO LONGER CURRENT: what this rested on has ended or was corrected. Nothing needs doing for it.",
    "expired": "NO LONGER CURRENT: this is more than 30 days old and was not taken up.",
}


@dataclass(frozen=True, slots=True)
class Material:
    suggestion: SuggestionRow
    profile: Profile
    contacts: Sequence[ContactRow]
    signals: Sequence[Signal]
    bodies: dict[UUID, str]
    quotes: bool


def tasks_of(workspace_id: UUID, suggestion_ids: Sequence[UUID]) -> dict[UUID, Task]:
    """Without those that should not be in the CRM any more: ended before they were pushed, account gone, contact opted out."""
    with transaction(workspace_id) as db:
        materials = [m for s in suggestion_ids if (m := _gather(db, s)) is not None]
    return {m.suggestion.suggestion_id: _task(workspace_id, m) for m in materials}


def key_of(workspace_id: UUID, suggestion_id: UUID) -> str:
    """Unique for ever, 29 of [a-z0-9-]: the same for the same suggestion, whoever computes it."""
    digest = hashlib.sha256(f"{workspace_id}|{suggestion_id}".encode()).digest()
    return "ut-" + b32encode(digest).decode().lower()[:26]


def draft_text(draft: Sequence[Segment] | None, bodies: dict[UUID, str]) -> str | None:
    """None where there is no draft, or its words have been erased since."""
    if draft is None:
        return None
    try:
        return render(draft, bodies)
    except WordsErased:
        return None


def quoted_messages(draft: Sequence[Segment] | None) -> list[UUID]:
    return [p.interaction_id for segment in draft or () for p in segment.parts if isinstance(p, Quote)]


def _gather(db: Db, suggestion_id: UUID) -> Material | None:
    suggestion = suggestions.get(db, suggestion_id)
    if suggestion is None or (suggestion.state == "closed" and suggestion.push_status != "sent"):
        return None
    profiles = accounts.profiles(db, [suggestion.account_id])
    contacts = accounts.contacts(db, [suggestion.account_id])
    if not profiles or any(c.contact_id == suggestion.contact_id and c.opted_out for c in contacts):
        return None
    rows = {r.signal.id: r.signal for r in signals.current(db, [suggestion.account_id])}
    return Material(
        suggestion=suggestion,
        profile=profiles[0],
        contacts=contacts,
        signals=[rows[s] for s in suggestion.signal_ids if s in rows],
        bodies=messages.bodies(db, quoted_messages(suggestion.draft)),
        quotes=workspaces.quotes_in_task(db),
    )


def _task(workspace_id: UUID, m: Material) -> Task:
    s = m.suggestion
    text = task_text(
        case_of(m.profile, m.contacts, m.signals, seed=str(s.suggestion_id), today=s.opened_at),
        _composition(s),
        quotes=m.quotes,
        link=f"{settings().public_url}/console/suggestions/{s.suggestion_id}",
        draft_text=draft_text(s.draft, m.bodies),
    )
    ended = NO_LONGER.get(s.close_reason or "")
    return Task(
        key=key_of(workspace_id, s.suggestion_id),
        subject=text.subject,
        description=f"{ended}\n\n{text.description}" if ended else text.description,
        due=s.due,
        priority=s.priority,
        owner_keys=tuple(k for k in (s.owner_key, m.profile.owner_key, m.profile.manager_key) if k),
        account_key=m.profile.key,
        contact_key=next((c.key for c in m.contacts if c.contact_id == s.contact_id), None),
    )


def _composition(s: SuggestionRow) -> Composition:
    return Composition(
        handling=s.handling,  # type: ignore[arg-type]
        why_now=s.why_now,
        plan=tuple(s.plan),
        draft=s.draft,
        no_draft_reason=s.no_draft_reason,
        alternatives=tuple(s.alternatives),
    )
